"""The paper venue: accounts, positions, orders, fills, and each unit's time."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table units (
    partition int primary key, now timestamptz not null,
    stamps jsonb not null);
comment on column units.stamps is 'the funding that falls due next, by instrument';

create table accounts (
    partition int not null, season_id text, competitor_id text,
    realised_pnl numeric not null, fees numeric not null, funding numeric not null,
    accepted bigint not null, exits bigint not null, consumed jsonb not null,
    primary key (season_id, competitor_id));

-- A position that was closed stays as a row of quantity 0.
create table positions (
    partition int not null, season_id text, competitor_id text, instrument text,
    quantity numeric not null, cost numeric not null, leverage numeric not null, opened_at timestamptz not null,
    exit_plan jsonb, closing jsonb, traceparent text not null,
    primary key (season_id, competitor_id, instrument));

-- Closed orders stay: an order's id is its own for ever.
create table orders (
    order_id uuid primary key, partition int not null, season_id text not null, competitor_id text not null,
    instrument text not null, status text not null, body jsonb not null);
create index orders_open on orders (partition) where status in ('pending', 'working');

create table fills (
    trade_id uuid primary key, partition int not null, season_id text not null, competitor_id text not null,
    order_id uuid not null, at timestamptz not null, instrument text not null, side text not null,
    price numeric not null, quantity numeric not null, fee numeric not null, liquidity text not null,
    purpose text not null, book_sequence bigint not null, position_after numeric not null);
create index fills_of_competitor on fills (season_id, competitor_id, at);
"""


def upgrade() -> None:
    op.execute(TABLES)
