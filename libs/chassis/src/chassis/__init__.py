"""The step, Kafka and Postgres plumbing, settings, telemetry and health that every service shares."""
