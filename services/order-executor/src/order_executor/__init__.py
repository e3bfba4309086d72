"""The paper venue: matches orders with the book, enforces exit plans, settles funding."""
