"""End to end on the recorded BTC and ETH streams at full speed: real market data through every service."""

from collections import defaultdict
from decimal import Decimal

import pytest
from arena.rehearsal import Run, run_arena

CAPITAL = Decimal(10_000)
CENT = Decimal("0.01")


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory, recordings: str) -> Run:
    data_dir = tmp_path_factory.mktemp("recorded") / "data"
    return await run_arena(data_dir, ["--market", recordings, "--speed", "max", "--seconds", "300"])


async def test_every_competitor_gets_every_round(run: Run) -> None:
    events = await run.events("rounds.v1", "decisions.requested.v1", "signals.v1")
    competitors = {event.competitor_id for event in events if event.type == "decision_requested"}
    closed = [event for event in events if event.type == "round_closed"]
    answered = defaultdict(set)
    for event in events:
        if event.type in ("signal_proposed", "decision_missed"):
            answered[event.round].add(event.competitor_id)

    assert len(closed) >= 15
    assert len(competitors) == run.figures["competitors"] >= 6
    assert [event.round for event in closed] == list(range(1, len(closed) + 1))
    assert all(answered[event.round] == competitors for event in closed)


async def test_fills_happen_and_meet_the_recorded_book(run: Run) -> None:
    fills = [event for event in await run.events("executions.v1") if event.type == "order_filled"]

    assert len(fills) == run.figures["fills"] > 20
    assert {fill.instrument for fill in fills} == {"BTC-USDT-PERP", "ETH-USDT-PERP"}
    # the day's range in the recording, read from its trade prints
    assert all(58_000 < fill.price < 63_500 for fill in fills if fill.instrument == "BTC-USDT-PERP")


async def test_every_equity_is_explained_to_the_cent_by_the_fills_alone(run: Run) -> None:
    events = await run.events("executions.v1")
    for portfolio in await run.latest("portfolios.v1"):
        cash, held = CAPITAL, dict[str, Decimal]()
        for event in events:
            if event.competitor_id != portfolio.competitor_id:
                continue
            if event.type == "order_filled":
                signed = event.quantity if event.side == "buy" else -event.quantity
                cash -= signed * event.price + event.fee
                held[event.instrument] = held.get(event.instrument, Decimal(0)) + signed
            elif event.type == "funding_settled":
                cash -= event.payment
        marks = {position.instrument: position.mark_price for position in portfolio.positions}
        equity = cash + sum(quantity * marks[name] for name, quantity in held.items() if quantity)

        assert abs(equity - portfolio.equity) < CENT, portfolio.competitor_id
        stated = CAPITAL + portfolio.realised_pnl + portfolio.unrealised_pnl - portfolio.fees - portfolio.funding
        assert stated == portfolio.equity, portfolio.competitor_id
        assert portfolio.books_balanced


async def test_the_ledger_sums_to_zero(run: Run) -> None:
    (row,) = await run.query("select count(*) as entries, sum(amount) as total from pnl_tracker.ledger_entries")

    assert row["entries"] > 100
    assert row["total"] == 0
