"""The real parts an arena stands on, without Docker: Apache Kafka, PostgreSQL, and the seven services as processes."""
