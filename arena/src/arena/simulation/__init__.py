"""The whole arena in one process: every service as it is, on a virtual clock, a simulated log and database."""
