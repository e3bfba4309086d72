"""Accounts, positions, the ledger and the trades it was written from."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table accounts (
    partition int not null, season_id text, competitor_id text,
    capital numeric not null, seq bigint not null, round int not null, updated_at timestamptz,
    realised_pnl numeric not null, fees numeric not null, funding numeric not null,
    trades int not null, wins int not null, fills int not null, turnover numeric not null,
    peak_equity numeric not null, max_drawdown numeric not null,
    primary key (season_id, competitor_id));

-- A position that was closed stays as a row of quantity 0.
create table positions (
    partition int not null, season_id text, competitor_id text, instrument text,
    quantity numeric not null, cost numeric not null, last_price numeric not null, trip_net numeric not null,
    leverage numeric not null, opened_at timestamptz not null, exit_plan text,
    primary key (season_id, competitor_id, instrument));

-- `entry` counts a partition's entries without gaps: the books' own order, and the only index that 40,000 rows a second
-- can afford (a key of uuids would be written all over).
create table ledger_entries (
    partition int, entry bigint, season_id text not null, competitor_id text not null,
    event_id uuid not null, trade_id uuid, at timestamptz not null, account text not null, amount numeric not null,
    primary key (partition, entry));

create table trades (
    partition int not null, season_id text not null, competitor_id text not null,
    trade_id uuid primary key, event_id uuid not null, order_id uuid not null, instrument text not null,
    side text not null, price numeric not null, quantity numeric not null, fee numeric not null,
    liquidity text not null, purpose text not null, realised_pnl numeric not null, at timestamptz not null);

-- Sums that must be zero: of every transaction, and (event_id null) of all together.
create view books as
    select event_id, sum(amount) as amount, count(*) as entries from ledger_entries group by rollup (event_id);
"""

APPEND_ONLY = """
create function refuse_change() returns trigger language plpgsql as
    $$ begin raise exception '% is append-only', tg_table_name; end $$;
create trigger append_only before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on trades
    for each statement execute function refuse_change();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(APPEND_ONLY)
