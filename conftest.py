"""Kafka and PostgreSQL for every test that asks: the fixtures of arena.testing."""

pytest_plugins = ["arena.testing"]
