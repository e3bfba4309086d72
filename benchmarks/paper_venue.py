"""The paper venue's core alone on recorded streams: market events and orders a CPU second.

`python -m benchmarks.paper_venue [--steps N]`. Events are parsed beforehand: what is measured is the core, with margin
accounting. CPU seconds are this process's own. Three figures: one order in a hundred ticks; orders alone, against one
book; and market events where 0, 10, 100 and 1,000 competitors hold something else, which must all cost the same.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from contracts.orders import OrderApproved
from exchanges.recorded import RecordedStreams
from order_executor.core import Venue
from order_executor.testing import BTC, ETH, T0, Fact, book, fact, listed, mark, order, rules

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "market"
TURNS, EVERY, ORDERS = 3, 100, 2_000


def facts(steps: int) -> list[Fact]:
    paths = sorted(RECORDED.glob("binance_usdm_*.jsonl.gz"))
    if not paths:
        sys.exit(f"no recordings in {RECORDED}")
    recording = RecordedStreams(paths)
    assert recording.starts_at is not None
    feed = islice(recording.feed(recording.starts_at), steps)
    return [fact(update) for step in feed for update in step.updates]


def venue() -> Venue:
    made = Venue()
    made.info.terms.adopt(rules(capital="1000000"))
    for name in (BTC, ETH):
        made.info.terms.list(listed(name))
    return made


def wanted(n: int, at: Fact) -> OrderApproved:
    """Buys and sells in turn, so that the position stays small; every third rests."""
    side = "buy" if n % 2 else "sell"
    limit = str((at.event.bids if side == "buy" else at.event.asks)[0][0]) if n % 3 == 0 else None
    said = order(n, side, "0.01", instrument=at.instrument, limit=limit, price_max="10000000")
    return said.model_copy(update={"at": at.at, "effective_at": at.at})


def with_orders(said: Sequence[Fact]) -> list[Fact | OrderApproved]:
    mixed: list[Fact | OrderApproved] = []
    for n, each in enumerate(said, 1):
        mixed.append(each)
        if n % EVERY == 0:
            last = next((one for one in reversed(said[:n]) if one.kind == "book_updated"), None)
            if last is not None:
                mixed.append(wanted(n // EVERY, last))
    return mixed


def spent(made: Venue, inputs: Iterable[Fact | OrderApproved]) -> float:
    """CPU seconds; what was said is thrown away, as a step would after a commit."""
    began = time.process_time()
    for each in inputs:
        if isinstance(each, Fact):
            made.market(each)
        else:
            made.own(each)
            made.changes.clear()
    return time.process_time() - began


def orders_alone() -> float:
    made, books = venue(), book(0, "60000x1000", "60001x1000")
    inputs = [order(n, "buy" if n % 2 else "sell", "0.01", n / 1000, price_max="10000000") for n in range(1, ORDERS)]
    made.market(books)
    made.market(mark(0, "60000"))
    began = time.process_time()
    for each in inputs:
        made.own(each)
    made.passed(inputs[-1].at.replace(minute=59))
    return time.process_time() - began


def holding(competitors: int) -> Venue:
    """A venue in which so many hold ETH, and nobody BTC."""
    made = venue()
    made.market(book(0, "100x100000", "101x100000", instrument=ETH))
    for n in range(competitors):
        made.own(order(1, "buy", "1", instrument=ETH, competitor_id=f"c{n}"))
    made.passed(T0.replace(minute=1))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1_000)
    said = facts(parser.parse_args().steps)
    mixed = with_orders(said)
    seconds = min(spent(venue(), mixed) for _ in range(TURNS))
    orders = ORDERS / min(orders_alone() for _ in range(TURNS))
    elsewhere = [each for each in said if each.instrument == BTC]
    idle = {n: min(spent(holding(n), elsewhere) for _ in range(TURNS)) for n in (0, 10, 100, 1_000)}
    micros = {n: 1e6 * each / len(elsewhere) for n, each in idle.items()}
    figures = {
        "market_events": len(said), "events_per_s": round(len(mixed) / seconds), "orders_per_s": round(orders),
        "idle_us_per_event": {n: round(each, 2) for n, each in micros.items()},
    }  # fmt: skip
    print(json.dumps(figures))
    print(f"one order in {EVERY} ticks  {len(mixed) / seconds:>10,.0f} events/s")
    print(f"orders alone              {orders:>10,.0f} orders/s")
    for n, each in micros.items():
        print(f"{n:>5} hold something else {each:>10.2f} µs an event ({each / micros[0]:.2f} times)")


if __name__ == "__main__":
    main()
