"""Seasons, rules, rounds and the registry of competitors."""
