"""What the topics hold already of what a restored service will cause again (said.py)."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("create table step_said (said bytea not null)")


def downgrade() -> None:
    op.execute("drop table step_said")
