"""Asks every competitor for its decision of the round, within the deadline."""
