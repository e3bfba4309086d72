"""The step's own tables (step.py, keyed_stage.py)."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("create table step_broker (cluster_id text primary key)")
    op.execute(
        """create table step_position (
            topic text not null, partition int not null,
            next_offset bigint not null default 0,
            sequence bigint not null default 0,
            version bigint not null default 0,
            staged bytea not null default '\\x90',
            cursor bytea not null default '',
            primary key (topic, partition))"""
    )
    op.execute(
        """create table step_seen (
            topic text not null, partition int not null, source text not null, sequence bigint not null,
            primary key (topic, partition, source))"""
    )
    op.execute(
        """create table state (
            topic text not null, partition int not null, key text not null, body jsonb not null,
            primary key (topic, partition, key))"""
    )


def downgrade() -> None:
    op.execute("drop table state, step_seen, step_position, step_broker")
