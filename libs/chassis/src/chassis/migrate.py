"""One schema and one login role a service; alembic within. Run: `python -m chassis.migrate SERVICE…`."""

import argparse
import importlib.util
import threading
from pathlib import Path

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy.engine import Connection, make_url

_STEP = Path(__file__).parent / "migrations"
_one_at_a_time = threading.Lock()
"""alembic's `op` is one for the whole process."""


def migrate(
    dsn_admin: str, service: str, *, migrations: Path | None = None, password: str | None = None, reset: bool = False
) -> str:
    """Create schema and role, the step's tables, and run `services/<name>/migrations/`; returns the service's DSN.

    `service` is the name with hyphens; schema and role have underscores. The role may read and write its own tables and
    nothing else. `reset` first drops the schema with all it holds. Blocking: call it from a thread.
    """
    name = _name(service)
    engine = sqlalchemy.create_engine(make_url(dsn_admin).set(drivername="postgresql+psycopg"))
    try:
        with _one_at_a_time, engine.begin() as db:
            db.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtext('chassis.migrate'))"))
            if reset:
                _run(db, "drop schema if exists {} cascade", name)
            _run(db, "create schema if not exists {}", name)
            _run(db, "set local search_path = {}", name)
            _upgrade(db, _STEP, name, "chassis_version")
            own = migrations or _of(service)
            if own is not None:
                _upgrade(db, own, name, "alembic_version")
            _grant(db, name, password)
    finally:
        engine.dispose()
    return service_dsn(dsn_admin, service, password)


def service_dsn(dsn_admin: str, service: str, password: str | None) -> str:
    """The DSN of the service's own role on the same server and database."""
    url = make_url(dsn_admin).set(drivername="postgresql", username=_name(service))
    url = sqlalchemy.URL.create(url.drivername, url.username, password, url.host, url.port, url.database, url.query)
    return url.render_as_string(hide_password=False)


def _upgrade(db: Connection, folder: Path, schema: str, version_table: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(
        config, script, fn=lambda revision, _context: script._upgrade_revs("head", revision)
    ) as env:
        env.configure(connection=db, version_table=version_table, version_table_schema=schema)
        env.run_migrations()


def _grant(db: Connection, name: str, password: str | None) -> None:
    there = db.execute(sqlalchemy.text("select 1 from pg_roles where rolname = :name"), {"name": name}).scalar()
    if not there:
        _run(db, "create role {} login nosuperuser nocreatedb nocreaterole noreplication", name)
    if password is not None:
        _run(db, "alter role {} login password {}", name, secret=password)
    _run(db, "alter role {} set search_path = {}", name, name)
    _run(db, "grant usage on schema {} to {}", name, name)
    _run(db, "grant select, insert, update, delete on all tables in schema {} to {}", name, name)
    _run(db, "grant usage, select on all sequences in schema {} to {}", name, name)
    _run(db, "grant execute on all functions in schema {} to {}", name, name)


def _run(db: Connection, statement: str, *names: str, secret: str | None = None) -> None:
    parts: list[sql.Composable] = [sql.Identifier(name) for name in names]
    if secret is not None:
        parts.append(sql.Literal(secret))
    raw = db.connection.driver_connection
    assert raw is not None
    raw.execute(sql.SQL(statement).format(*parts))


def _of(service: str) -> Path | None:
    """`services/<name>/migrations` beside the installed module's `src`; the module is found, not imported."""
    found = importlib.util.find_spec(_name(service))
    if found is None or found.origin is None:
        return None
    module = Path(found.origin).parent
    for folder in (module / "migrations", module.parent.parent / "migrations"):
        if (folder / "versions").is_dir():
            return folder
    return None


def _name(service: str) -> str:
    return service.replace("-", "_")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m chassis.migrate", description=__doc__)
    parser.add_argument("services", nargs="+", metavar="SERVICE", help="with hyphens: risk-gate")
    parser.add_argument(
        "--dsn", default="postgresql://postgres@127.0.0.1/postgres", help="a role that may create roles"
    )
    parser.add_argument("--passwords", type=Path, help="a folder with one file a service")
    parser.add_argument("--reset", action="store_true", help="drop what the service knew, positions included")
    given = parser.parse_args()
    for service in given.services:
        password = (given.passwords / service).read_text().strip() if given.passwords else None
        migrate(given.dsn, service, password=password, reset=given.reset)
        print(f"{service}: migrated")  # noqa: T201  # a command's answer


if __name__ == "__main__":
    main()
