"""What signals are evaluated by: the marks of each round, what was asked and answered, what wanted to enter."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
-- Read from public topics, each row once whatever is sent again; none of it is money.
create table round_marks (
    season_id text, round int, at timestamptz not null, instrument text, mark_price numeric not null,
    primary key (season_id, round, instrument));
create table rounds_closed (
    season_id text, round int, decisions int not null, primary key (season_id, round));
create table answers (
    season_id text, round int, competitor_id text, missed boolean not null, offline boolean not null,
    latency_ms bigint, cost_usd numeric, primary key (season_id, round, competitor_id));
create table entries (
    season_id text, round int, competitor_id text, part int, instrument text not null, direction int not null,
    confidence numeric, risk_usd numeric, take_profit numeric, stop_loss numeric,
    primary key (season_id, round, competitor_id, part));

-- The last round through which a season was evaluated and told.
create table evaluated (season_id text primary key, round int not null);
"""


def upgrade() -> None:
    op.execute(TABLES)
