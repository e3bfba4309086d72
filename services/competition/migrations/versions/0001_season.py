"""The state of each season."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("create table season (season_id text primary key, revision bigint not null, body jsonb not null)")


def downgrade() -> None:
    op.execute("drop table season")
