"""Orders at an outside venue: what was meant before it was sent, and every trade the venue told."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
create table exchange_orders (
    client_order_id text primary key, partition int not null, season_id text not null, competitor_id text not null,
    instrument text not null, state text not null, send_by timestamptz, sender text not null,
    given_name text not null, changed_at timestamptz not null, body jsonb not null);
comment on column exchange_orders.sender is 'the process that may send it; nobody else may';
create index exchange_orders_open on exchange_orders (partition)
    where state not in ('filled', 'cancelled', 'expired', 'rejected');
create index exchange_orders_sending on exchange_orders (sender) where state = 'sending';
create index exchange_orders_changed on exchange_orders (partition, changed_at);
create index exchange_orders_named on exchange_orders (partition) where given_name <> '';

-- A trade counts once: its key is the venue's own.
create table exchange_trades (
    season_id text not null, competitor_id text not null, trade_id text not null, partition int not null,
    client_order_id text not null references exchange_orders deferrable initially deferred, instrument text not null,
    quantity numeric not null, price numeric not null, fee numeric not null, liquidity text not null,
    at timestamptz not null, venue_at timestamptz not null,
    primary key (season_id, competitor_id, trade_id));
comment on column exchange_trades.quantity is 'signed: above zero was bought. A position is their sum';
create index exchange_trades_of_partition on exchange_trades (partition);

create table exchange_accounts (
    season_id text, competitor_id text, partition int not null, watermark timestamptz not null,
    primary key (season_id, competitor_id));
comment on column exchange_accounts.watermark is 'trades before it were asked for';
"""


def upgrade() -> None:
    op.execute(TABLES)
