"""One schema and one login role a service; alembic within. (API skeleton; bodies follow.)"""

from pathlib import Path


def migrate(dsn_admin: str, service: str, *, migrations: Path | None = None, password: str | None = None) -> str:
    """Create schema and role, the step's tables, and run `services/<name>/migrations/`; returns the service's DSN.

    `service` is the name with hyphens; schema and role have underscores. Blocking: call it from a thread.
    """
    raise NotImplementedError


def service_dsn(dsn_admin: str, service: str, password: str) -> str:
    """The DSN of the service's own role on the same server and database."""
    raise NotImplementedError
