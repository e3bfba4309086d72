"""One JSON object a line (or colours, for eyes), with the trace it belongs to; the libraries' own logs too."""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from chassis.settings import ServiceSettings

_QUIET = ("aiokafka", "uvicorn.access", "asyncio", "alembic", "sqlalchemy", "stamina")


def configure_logs(service: str, settings: ServiceSettings) -> BoundLogger:
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
    ]
    last: Processor = structlog.dev.ConsoleRenderer()
    if settings.log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        last = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(foreign_pre_chain=shared, processors=[ProcessorFormatter.remove_processors_meta, last])
    )
    root = logging.getLogger()
    root.handlers = [*(h for h in root.handlers if type(h) is not logging.StreamHandler), handler]
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logger: BoundLogger = structlog.get_logger(service).bind(service=service, instance=settings.instance)
    return logger


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event
