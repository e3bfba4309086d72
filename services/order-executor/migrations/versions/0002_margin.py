"""Margin, liquidation, conditional orders: what accounts, positions and orders have besides, and instructions."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
alter table accounts
    add column capital numeric not null default 0, add column liquidation_fees numeric not null default 0,
    add column insurance numeric not null default 0, add column written_off numeric not null default 0,
    add column fills bigint not null default 0;
comment on column accounts.insurance is 'the account''s own insurance fund, no part of its cash';

alter table positions
    add column margin_mode text not null default 'cross', add column margin numeric not null default 0;
comment on column positions.margin is 'isolated: set aside of the account''s cash';

alter table orders add column client_order_id text not null default '';
create index orders_named on orders (partition) where client_order_id <> '';
drop index orders_open;
create index orders_open on orders (partition) where status in ('pending', 'waiting', 'working');

-- Cancels, amends, changed exits and ordered closes until their moment; then the row goes.
create table instructions (
    event_id uuid primary key, partition int not null, body jsonb not null, traceparent text not null);
create index instructions_of_partition on instructions (partition);
"""


def upgrade() -> None:
    op.execute(TABLES)
