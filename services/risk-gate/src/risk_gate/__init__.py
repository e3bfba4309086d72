"""Decides whether a proposed signal becomes an order, and says why not."""
