"""Turns venue feeds into books, trades, bars, marks and one snapshot a round."""
