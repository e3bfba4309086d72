"""Liquidations in the books, the equity series, statements, and reports to be made.

The series is a hypertable with continuous aggregates where TimescaleDB is, a plain table with views of the same names
and columns elsewhere.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = """
alter table accounts
    add column liquidation_fees numeric not null default 0,
    add column insurance_fund numeric not null default 0,
    add column written_off numeric not null default 0,
    add column losing_streak int not null default 0;
alter table positions add column margin_mode text not null default 'cross';
-- The order in which they were posted.
alter table trades add column number bigint generated always as identity;
"""

STATEMENTS = """
-- Where an account stood at each midnight; `balances` and `counts` are those of the accounts behind the categories.
create table statements (
    partition int not null, season_id text, competitor_id text, at timestamptz,
    equity numeric not null, unrealised numeric not null, balances jsonb not null, counts jsonb not null,
    primary key (season_id, competitor_id, at));
create trigger append_only before update or delete or truncate on statements
    for each statement execute function refuse_change();

-- The last full minute each partition looked at.
create table clock (partition int primary key, sampled timestamptz not null);

-- Reports to be made off the step, in this order; `through` is the account's last ledger entry that belongs to one.
create table reports_wanted (
    report bigint generated always as identity primary key,
    partition int not null, season_id text not null, competitor_id text not null, at timestamptz not null,
    through bigint not null, wanted text not null);

-- What was found, as it was said; written by the reporter, never by the step.
create table reconciliations (
    partition int not null, season_id text, competitor_id text, at timestamptz, agrees boolean not null,
    report jsonb not null, primary key (season_id, competitor_id, at));
"""

EQUITY = """
create table equity (
    season_id text not null, competitor_id text not null, at timestamptz not null, cause text not null,
    equity numeric not null, exposure_gross numeric not null, exposure_net numeric not null);
"""
INDEX = "create index equity_series on equity (season_id, competitor_id, at);"

STEPS = (("equity_1m", "1 minute"), ("equity_1h", "1 hour"), ("equity_1d", "1 day"))
"""Each view is made from the one before it, the first from the series: open, high, low and close of a bucket."""

_FINER = {"equity_1m": "equity", "equity_1h": "equity_1m", "equity_1d": "equity_1h"}

PLAIN_VIEW = """
create view {view} as
    select season_id, competitor_id, date_bin('{width}', at, 'epoch'::timestamptz) as bucket,
        (array_agg(equity order by at))[1] as open, max(equity) as high, min(equity) as low,
        (array_agg(equity order by at desc))[1] as close, count(*) as samples
    from equity group by season_id, competitor_id, bucket;
"""


def aggregate(view: str, width: str, timescale: str) -> str:
    """A continuous aggregate on the finer one, complete up to now without waiting for its refresh."""
    source = _FINER[view]
    is_first = source == "equity"
    time = "at" if is_first else "bucket"
    opened, highest, lowest, closed = ("equity",) * 4 if is_first else ("open", "high", "low", "close")
    return f"""
    create materialized view {view} with (timescaledb.continuous, timescaledb.materialized_only = false) as
        select season_id, competitor_id, {timescale}.time_bucket('{width}', {time}) as bucket,
            {timescale}.first({opened}, {time}) as open, max({highest}) as high, min({lowest}) as low,
            {timescale}.last({closed}, {time}) as close, {"count(*)" if is_first else "sum(samples)::bigint"} as samples
        from {source} group by season_id, competitor_id, {timescale}.time_bucket('{width}', {time}) with no data
    """  # noqa: S608  # our own names


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(STATEMENTS)
    op.execute(EQUITY)
    timescale = _schema_of_timescale()
    for statement in series(timescale):
        op.execute(statement)


def series(timescale: str | None) -> list[str]:
    """What makes a series of the table; `timescale` is the extension's schema where it is installed."""
    if timescale is None:
        return [INDEX, *(PLAIN_VIEW.format(view=view, width=width) for view, width in STEPS)]
    hypertable = f"select {timescale}.create_hypertable('equity', 'at', chunk_time_interval => interval '1 day')"
    policies = [
        f"select {timescale}.add_continuous_aggregate_policy('{view}', start_offset => interval '7 days',"
        f" end_offset => interval '{width}', schedule_interval => interval '{width}')"
        for view, width in STEPS
    ]
    return [hypertable, INDEX, *(aggregate(view, width, timescale) for view, width in STEPS), *policies]


def _schema_of_timescale() -> str | None:
    """Its functions are not on a service's search path. None where the extension is not installed."""
    there = "select extnamespace::regnamespace::text from pg_extension where extname = 'timescaledb'"
    found = op.get_bind().exec_driver_sql(there).scalar()
    return None if found is None else str(found)
