from order_executor.exchange.fixtures import dsn, exchange, executor_dsn, one_exchange

__all__ = ["dsn", "exchange", "executor_dsn", "one_exchange"]
