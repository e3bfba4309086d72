"""What the market did, as events: books, trades, bars, marks, one snapshot a round. No clock, no network, no await."""
