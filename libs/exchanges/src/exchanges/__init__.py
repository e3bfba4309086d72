"""One protocol for venues of market data: recorded and synthetic."""
