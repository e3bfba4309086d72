"""Orders at an outside exchange: the intent first, then the request, then what it takes to know the outcome."""
