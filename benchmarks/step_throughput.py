"""The step: what pnl-tracker does on one core, beside a bare relay of the same records on the same broker.

The records are those of the venue: each order is accepted, then filled; every arena second a watermark and six marks.
`--fills-only` leaves the acceptances out: then every record is money. `--sampled`: the share of traced records.
"""

import argparse
import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from contracts.base import Event, named_id
from contracts.executions import OrderAccepted
from contracts.market import MarkUpdated, TimeAdvanced
from pnl_tracker.testing import STARTS_AT, competitor, fill, season

from benchmarks.stack import Measured, Numbered, Stack, eventually, process, report, service, stack

PRICES = {
    "BTC-USDT-PERP": 60_000, "ETH-USDT-PERP": 2_600, "SOL-USDT-PERP": 150,
    "BNB-USDT-PERP": 550, "XRP-USDT-PERP": 1, "DOGE-USDT-PERP": 1,
}  # fmt: skip
COMPETITORS = [f"model-{n}" for n in range(8)]
FILLS_PER_ARENA_SECOND = 100
EXECUTOR = "order-executor/orders.v1/0"
Placed = tuple[Numbered, str | None, int | None]


def announced() -> Iterator[Placed]:
    for event in (season(), *map(competitor, COMPETITORS)):
        yield (event, f"competition/{event.key}", 1), None, None


def executions(fills: int, sampled: float, *, accepted: bool, seed: int = 1) -> Iterator[Placed]:
    """One order after the other, of any competitor in any instrument; a watermark every arena second."""
    chance, sequence = random.Random(seed), 0
    for n in range(1, fills + 1):
        for event in order(n, chance, sampled, accepted=accepted):
            sequence += 1
            yield (event, EXECUTOR, sequence), None, 0
        if n % FILLS_PER_ARENA_SECOND == 0 or n == fills:
            yield (watermark(n / FILLS_PER_ARENA_SECOND), EXECUTOR, sequence), "executions.v1", 0


def order(n: int, chance: random.Random, sampled: float, *, accepted: bool) -> Iterator[Event]:
    instrument = chance.choice(list(PRICES))
    price = PRICES[instrument] * Decimal(chance.randint(9_900, 10_100)) / 10_000
    quantity = Decimal(chance.choice((-1, 1)) * chance.randint(1, 999)) / PRICES[instrument]
    changes: dict[str, Any] = {"competitor_id": chance.choice(COMPETITORS), "instrument": instrument}
    if chance.random() < sampled:
        changes["traceparent"] = f"00-{chance.getrandbits(128):032x}-{chance.getrandbits(64):016x}-01"
    rounded = quantity.quantize(Decimal("0.001")) or Decimal("0.001")
    trade = fill(n, str(rounded), f"{price:.4f}", fee="0.2517", seconds=n / FILLS_PER_ARENA_SECOND, **changes)
    if accepted:
        yield OrderAccepted(
            event_id=trade.order_id, at=trade.at, season_id=trade.season_id, order_id=trade.order_id, side=trade.side,
            quantity=trade.quantity, order_type="market", time_in_force="IOC", leverage=trade.leverage,
            purpose="decision", **changes,
        )  # fmt: skip
    yield trade


def marks(seconds: float, seed: int = 2) -> Iterator[Placed]:
    chance, sequence = random.Random(seed), 0
    for second in range(int(seconds) + 2):
        for instrument, price in PRICES.items():
            sequence += 1
            event = MarkUpdated(
                event_id=named_id("mark", instrument, second), at=STARTS_AT + timedelta(seconds=second),
                instrument=instrument, venue="synthetic",
                mark_price=price * Decimal(chance.randint(9_900, 10_100)) / 10_000,
            )  # fmt: skip
            yield (event, "market-data/synthetic/market.marks.v1/0", sequence), None, 0
    yield (watermark(seconds + 1), "market-data/synthetic/market.marks.v1/0", sequence), "market.marks.v1", 0


def watermark(seconds: float) -> TimeAdvanced:
    at = STARTS_AT + timedelta(seconds=seconds)
    return TimeAdvanced(event_id=named_id("time", seconds), at=at, partition=0)


async def measured(made: Stack, running: Measured, topic: str, answers: int, records: int) -> dict[str, float]:
    """From the first batch that the broker received to the last. `records` had to be read for so many answers."""

    async def there() -> bool:
        await asyncio.sleep(0.5)
        return await made.ends(topic) >= answers

    began_cpu_s = running.cpu_s()
    await eventually(there, 600)
    cpu_s = running.cpu_s() - began_cpu_s
    await asyncio.sleep(1)
    told = [record.timestamp for record in await made.records(topic) if is_answer(record)]
    began, ended = told[0], told[-1]
    share = sum(timestamp > began for timestamp in told) / len(told)
    return {
        "records": records,
        "records_per_s": round(records * share / (ended - began) * 1000),
        "cpu_us_per_record": round(cpu_s / records * 1e6, 1),
    }


def is_answer(record: Any) -> bool:
    """One a fill: rounds and marks come on top."""
    return b'"type":"portfolio_updated"' not in record.value or b'"cause":"fill"' in record.value


async def main(fills: int, sampled: float, *, accepted: bool) -> None:
    async with stack("pnl-tracker") as made:
        await made.topic("relayed.v1")
        await made.publish(announced())
        await made.publish(marks(fills / FILLS_PER_ARENA_SECOND))
        await made.publish(executions(fills, sampled, accepted=accepted))
        records = await made.ends("executions.v1")
        relay_log = made.folder / "relay.log"
        async with process("benchmarks.relay", made.kafka, "executions.v1", "relayed.v1", log=relay_log) as running:
            floor = await measured(made, running, "relayed.v1", records, records)
        async with service(made, "pnl-tracker") as running:
            step = await measured(made, running, "portfolios.v1", fills, records)
    rate, floor_rate = step["records_per_s"], floor["records_per_s"]
    how = {"benchmark": "step_throughput", "fills_only": not accepted, "sampled": sampled}
    report(
        how | {"relay": floor, "pnl_tracker": step, "ratio": round(rate / floor_rate, 3)},
        f"step: {rate} records/s, {rate / floor_rate:.2f} of the relay's {floor_rate} (target: 0.5 and 8000/s)",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=30_000)
    parser.add_argument("--fills-only", action="store_true")
    parser.add_argument("--sampled", type=float, default=0.01)
    given = parser.parse_args()
    asyncio.run(main(given.fills, given.sampled, accepted=not given.fills_only))
