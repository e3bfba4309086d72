"""What the topics hold already of what a restored partition will cause again (said.py)."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """create table step_said (
            topic text not null, partition int not null, said bytea not null,
            primary key (topic, partition))"""
    )


def downgrade() -> None:
    op.execute("drop table step_said")
