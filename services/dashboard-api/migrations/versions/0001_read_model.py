"""The read model: documents in their wire form, beside the columns they are found by."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table fills (
            trade_id uuid primary key, season_id text not null, competitor_id text not null, instrument text not null,
            at timestamptz not null, body jsonb not null);
        create index fills_by_time on fills (season_id, at desc, trade_id desc);

        create table trades (
            trade_id uuid primary key, season_id text not null, competitor_id text not null, instrument text not null,
            at timestamptz not null, body jsonb not null);
        create index trades_by_time on trades (season_id, at desc, trade_id desc);
        create index trades_by_competitor on trades (season_id, competitor_id, at desc, trade_id desc);

        create table open_trades (
            topic text not null, partition int not null, season_id text not null, competitor_id text not null,
            instrument text not null, body jsonb not null, primary key (season_id, competitor_id, instrument));
        create index open_trades_by_partition on open_trades (topic, partition);

        create table decision_events (
            event_id uuid primary key, season_id text not null, competitor_id text not null, round int not null,
            at timestamptz not null, type text not null, body jsonb not null);
        create index decision_events_by_round on decision_events (season_id, round desc, competitor_id);
        create index decision_events_by_competitor on decision_events (season_id, competitor_id, round desc);
        create index decision_events_by_type on decision_events (season_id, type, competitor_id);

        create table rounds (
            season_id text not null, round int not null, opened jsonb, closed jsonb, primary key (season_id, round));

        create table equity (
            season_id text not null, competitor_id text not null, slot timestamptz not null, at timestamptz not null,
            seq bigint not null, equity numeric not null, primary key (season_id, competitor_id, slot));
        create table equity_position (
            topic text not null, partition int not null, next_offset bigint not null, primary key (topic, partition));
        """
    )


def downgrade() -> None:
    op.execute("drop table fills, trades, open_trades, decision_events, rounds, equity, equity_position")
