"""Fifty competitors on recorded streams: what must hold does so on every event."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from contracts.base import Event
from contracts.executions import OrderFilled, PositionLiquidated
from contracts.orders import OrderApproved
from contracts.signals import ExitPlan
from exchanges.listing import LISTINGS
from exchanges.listing import listed as as_listed
from exchanges.recorded import RecordedStreams
from order_executor.core import Venue
from order_executor.core.margins import Margins
from order_executor.testing import BTC, D, Fact, fact, order, rules, tiers

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "market"
RECORDINGS = [DATA / f"binance_usdm_{symbol}_20240808.jsonl.gz" for symbol in ("btcusdt", "ethusdt")]
COMPETITORS = [f"c{n}" for n in range(50)]
CAPITAL, STEPS = D(1000), 900
"""Ninety seconds."""
TIGHT = tiers(("1", "100", "0.007"), ("2", "100", "0.008"), ("100000", "100", "0.009"))
"""The market moved by three in a thousand: enough to liquidate what is left a twentieth of a per cent."""

pytestmark = pytest.mark.skipif(not RECORDINGS[0].exists(), reason=f"the recorded streams are not in {DATA}")


class Watched:
    """The venue, looked at from outside after every record."""

    def __init__(self, recording: RecordedStreams) -> None:
        assert recording.starts_at is not None
        self.venue = Venue()
        self.venue.info.terms.adopt(rules(capital=str(CAPITAL)))
        for listing in LISTINGS.values():
            instrument = as_listed(listing, "test", recording.starts_at)
            self.venue.info.terms.list(instrument.model_copy(update={"tiers": TIGHT}))
        self.margins = Margins(self.venue.info)
        self.held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.cash: dict[str, Decimal] = defaultdict(lambda: CAPITAL)
        self.said: Counter[str] = Counter()

    def take(self, events: list[Event]) -> None:
        for event in events:
            self.said[event.type] += 1  # type: ignore[attr-defined]
            if isinstance(event, OrderFilled):
                self.fill(event)
            elif isinstance(event, PositionLiquidated):
                self.cash[event.key] -= event.fee
        for name in {event.key for event in events}:
            account = self.venue.accounts[name, "s1"]  # type: ignore[index]
            assert account.cash - sum(each.cost for each in account.positions.values()) == self.cash[name]

    def fill(self, event: OrderFilled) -> None:
        signed = event.quantity if event.side == "buy" else -event.quantity
        where = event.key, event.instrument
        self.held[where] += signed
        self.cash[event.key] -= signed * event.price + event.fee
        assert event.position_after == self.held[where]
        book = self.venue.info.book(event.instrument)
        assert book is not None
        if event.purpose == "decision" and event.liquidity == "taker" and event.book_sequence == book.sequence:
            best = (book.asks if event.side == "buy" else book.bids)[0][0]
            assert event.price >= best if event.side == "buy" else event.price <= best

    def after_mark(self, instrument: str) -> None:
        for account in self.venue.accounts.values():
            if account.held(instrument):
                assert self.margins.group(account, account.positions[instrument]).equity >= 0


def decisions(chance: Random, best: dict[str, tuple[Decimal, Decimal]], second: int) -> Iterator[OrderApproved]:
    """Every competitor wants something every ten seconds: at market or near it, high leverage, plans close by."""
    for n, name in enumerate(COMPETITORS):
        if (second + n) % 10 or not best:
            continue
        instrument = chance.choice(sorted(best))
        bid, ask = best[instrument]
        size = D(chance.randint(1, 50)) * (D("0.005") if instrument == BTC else D("0.1"))
        side, offset = chance.choice(["buy", "sell"]), D(chance.randint(-3, 3)) / 10
        limit = str((bid if side == "buy" else ask) + offset) if chance.random() < 0.5 else None
        above, below = bid * D("1.0003"), bid * D("0.9997")
        plan = ExitPlan(take_profit=above, stop_loss=below) if side == "buy" else ExitPlan(stop_loss=above)
        yield order(
            second * 100 + n, side, str(size), competitor_id=name, instrument=instrument, limit=limit,
            exit_plan=chance.choice([plan, None]),
            leverage=str(chance.choice([20, 100])), margin_mode=chance.choice([None, "isolated"]),
            price_min=str(bid * D("0.98")), price_max=str(ask * D("1.02")),
        )  # fmt: skip


def run(steps: int = STEPS) -> Watched:
    recording, chance = RecordedStreams(RECORDINGS), Random(7)
    watched = Watched(recording)
    assert recording.starts_at is not None
    best: dict[str, tuple[Decimal, Decimal]] = {}
    for number, step in enumerate(islice(recording.feed(recording.starts_at), steps)):
        for update in step.updates:
            seen: Fact = fact(update)
            watched.take(list(watched.venue.market(seen)))
            if seen.kind == "book_updated":
                best[seen.instrument] = seen.event.bids[0][0], seen.event.asks[0][0]
        watched.take(list(watched.venue.passed(step.at)))
        for instrument in {update.instrument for update in step.updates if type(update).__name__ == "Mark"}:  # type: ignore[union-attr]
            watched.after_mark(instrument)
        if number % 10 == 0:
            for each in decisions(chance, best, number // 10):
                watched.venue.own(each.model_copy(update={"effective_at": step.at, "at": step.at}))
    return watched


@pytest.mark.slow
def test_fifty_competitors_on_recorded_books_keep_every_invariant() -> None:
    watched = run()

    assert len(watched.venue.accounts) == len(COMPETITORS)
    assert watched.said["order_filled"] > 500
    assert watched.said["position_liquidated"] > 0
    assert watched.said["exit_triggered"] > 0


@pytest.mark.slow
def test_the_same_recording_gives_the_same_executions() -> None:
    first, second = run(200), run(200)

    assert (first.said, first.cash, first.held) == (second.said, second.cash, second.held)
