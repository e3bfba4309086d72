"""Progress of the feed; history of bars and marks: hypertables where TimescaleDB is, daily partitions elsewhere."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROGRESS = """
create table progress (
    venue text primary key,
    season_id text not null,
    state jsonb not null,
    saved_at timestamptz not null default now()
)
"""

BARS = """
create table bars (
    venue text not null,
    instrument text not null,
    interval text not null,
    opened_at timestamptz not null,
    open numeric not null,
    high numeric not null,
    low numeric not null,
    close numeric not null,
    volume numeric not null,
    turnover numeric not null,
    trades bigint not null,
    primary key (venue, instrument, interval, opened_at)
)
"""

MARKS = """
create table marks (
    venue text not null,
    instrument text not null,
    at timestamptz not null,
    mark_price numeric not null,
    index_price numeric,
    last_price numeric,
    funding_rate numeric,
    next_funding_at timestamptz,
    open_interest numeric,
    primary key (venue, instrument, at)
)
"""

# The service's role may not create tables: it asks for a day, and this makes the partitions where there are partitions.
ENSURE_DAY = """
create function ensure_day(day date) returns void language plpgsql security definer set search_path from current as $$
declare parent text;
begin
    for parent in
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = current_schema() and c.relkind = 'p' and c.relname in ('bars', 'marks')
    loop
        execute format(
            'create table if not exists %I partition of %I for values from (%L) to (%L)',
            parent || to_char(day, '_YYYYMMDD'), parent,
            (day::timestamp at time zone 'UTC'), ((day + 1)::timestamp at time zone 'UTC')
        );
    end loop;
end $$
"""


def upgrade() -> None:
    op.execute(PROGRESS)
    timescale = _schema_of_timescale()
    for name, table, column in (("bars", BARS, "opened_at"), ("marks", MARKS, "at")):
        if timescale is None:
            op.execute(f"{table} partition by range ({column})")
        else:
            op.execute(table)
            op.execute(
                f"select {timescale}.create_hypertable('{name}', '{column}', chunk_time_interval => interval '1 day')"
            )
    op.execute(ENSURE_DAY)


def _schema_of_timescale() -> str | None:
    """Its functions are not on a service's search path. None where the extension is not installed."""
    there = "select extnamespace::regnamespace::text from pg_extension where extname = 'timescaledb'"
    found = op.get_bind().exec_driver_sql(there).scalar()
    return None if found is None else str(found)
