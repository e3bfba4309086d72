"""The feed: blocks of steps drawn at once, written out one step at a time.

The randomness of block n comes from (seed, n) alone, so a state is where the walk stood when the block began and how
many of its steps are out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import numpy as np
from contracts.types import EPOCH

from exchanges.synthetic import depth, headlines
from exchanges.synthetic import parameters as p
from exchanges.synthetic.prices import COUNT, Shocks, Walk, advance
from exchanges.synthetic.written import Written
from exchanges.updates import Book, Levels, Mark, News, OnChain, Step, Trade, Update

BLOCK = 64
NETFLOW = 4_000
"""Coins an hour at most, half of them out."""
FUNDING = timedelta(hours=8)
_INSTRUMENTS = [character.listing.instrument for character in p.CHARACTERS]
_PRICE = [Written(character.listing.price_places) for character in p.CHARACTERS]
_QUANTITY = [Written(character.listing.quantity_places) for character in p.CHARACTERS]
# A mark price is finer than the tick.
_MARK = [f"%.{character.listing.price_places + 2}f".__mod__ for character in p.CHARACTERS]
_INTEREST = [f"%.{character.listing.quantity_places}f".__mod__ for character in p.CHARACTERS]


@dataclass
class _Block:
    """One block, ready to be written out."""

    marks: list[list[tuple[float, float, float, float]]]
    """(mark, index, funding rate, open interest in base units) by step and instrument."""
    books: depth.Depth
    prints: depth.Prints
    jumps: list[list[float]]
    headlines: list[bool]
    choices: list[tuple[float, float]]


class SyntheticFeed:
    def __init__(self, seed: int, start: datetime, step: timedelta, resume: bytes | None) -> None:
        self._seed, self._step, self._seconds = seed, step, step.total_seconds()
        self._start, self._block, self._walk = start, 0, Walk.begin()
        self._trades = [0] * COUNT
        self._skip = 0
        if resume is not None:
            self._restore(msgspec.json.decode(resume))
        self._begun = self._dump(0)

    def _restore(self, state: dict[str, Any]) -> None:
        self._start, self._block = datetime.fromisoformat(state["start"]), state["block"]
        self._walk, self._trades, self._skip = Walk.load(state["walk"]), state["trades"], state["done"]

    def _dump(self, done: int) -> dict[str, Any]:
        return {
            "start": self._start.isoformat(),
            "block": self._block,
            "walk": self._walk.dump(),
            "trades": list(self._trades),
            "done": done,
        }

    def state(self) -> bytes:
        return msgspec.json.encode(self._begun)

    def __iter__(self) -> Iterator[Step]:
        for number in count(self._block):
            self._block = number
            self._begun = self._dump(0)
            block = self._draw()
            skip, self._skip = self._skip, 0
            for i in range(BLOCK):
                step = self._write(block, i)
                if i >= skip:
                    self._begun["done"] = i + 1
                    yield step

    def _at(self, i: int) -> datetime:
        return self._start + (self._block * BLOCK + i + 1) * self._step

    def _draw(self) -> _Block:
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, self._block])))
        shocks = Shocks.draw(rng, BLOCK, self._seconds)
        path = advance(self._walk, shocks, self._seconds, self._funding_ends())
        return _Block(
            marks=np.stack([path.mark, path.index, path.funding, path.open_interest / path.index], axis=-1).tolist(),
            books=depth.books(rng, path),
            prints=depth.prints(rng, path, self._seconds),
            jumps=shocks.jump.tolist(),
            headlines=(rng.random(BLOCK) < p.HEADLINES_A_SECOND * self._seconds).tolist(),
            choices=rng.random((BLOCK, 2)).tolist(),
        )

    def _funding_ends(self) -> Any:
        intervals = [(self._at(i) - EPOCH) // FUNDING for i in range(-1, BLOCK)]
        return np.diff(intervals) > 0

    def _write(self, block: _Block, i: int) -> Step:
        at = self._at(i)
        funding_at = EPOCH + ((at - EPOCH) // FUNDING + 1) * FUNDING
        updates: list[Update] = []
        for k, (mark, index, funding, interest) in enumerate(block.marks[i]):
            bids, asks = self._levels(block, i, k)
            last = self._print(updates, block, i, k, at, bids[0][0], asks[0][0])
            updates.append(Book(at, _INSTRUMENTS[k], self._block * BLOCK + i + 1, bids, asks))
            updates.append(
                Mark(
                    at, _INSTRUMENTS[k], _MARK[k](mark), _MARK[k](index), last, f"{funding:.8f}", funding_at,
                    _INTEREST[k](interest),
                )
            )  # fmt: skip
        updates += self._news(block, i, at)
        updates += self._on_chain(block, i, at)
        return Step(at, updates)

    @staticmethod
    def _levels(block: _Block, i: int, k: int) -> tuple[Levels, Levels]:
        price, quantity = _PRICE[k].__getitem__, _QUANTITY[k].__getitem__
        bids, asks = block.books.prices[i][k]
        bid_sizes, ask_sizes = block.books.quantities[i][k]
        return (
            list(zip(map(price, bids), map(quantity, bid_sizes), strict=True)),
            list(zip(map(price, asks), map(quantity, ask_sizes), strict=True)),
        )

    def _print(
        self, updates: list[Update], block: _Block, i: int, k: int, at: datetime, bid: str, ask: str
    ) -> str | None:
        """The step's trades; the price of the last one, None without any."""
        last = None
        for n in range(block.prints.counts[i][k]):
            self._trades[k] += 1
            bought = block.prints.bought[i][k][n]
            last = ask if bought else bid
            quantity = _QUANTITY[k][block.prints.quantities[i][k][n]]
            updates.append(
                Trade(at, _INSTRUMENTS[k], str(self._trades[k]), last, quantity, "buy" if bought else "sell")
            )
        return last

    @staticmethod
    def _news(block: _Block, i: int, at: datetime) -> list[News]:
        which, wording = block.choices[i]
        jumps = block.jumps[i]
        largest = max(range(COUNT), key=lambda k: abs(jumps[k]))
        templates: tuple[str, ...]
        if jumps[largest]:
            templates = headlines.RISES if jumps[largest] > 0 else headlines.FALLS
        elif block.headlines[i]:
            largest, templates = int(which * COUNT), headlines.QUIET
        else:
            return []
        text = headlines.headline(wording, templates, headlines.NAMES[p.CHARACTERS[largest].base])
        return [News(at, headlines.SOURCE, text)]

    @staticmethod
    def _on_chain(block: _Block, i: int, at: datetime) -> list[OnChain]:
        """Once an hour, of one asset after the other: what went to exchanges less what left them."""
        if at.minute or at.second or at.microsecond:
            return []
        which, _ = block.choices[i]
        base = p.CHARACTERS[at.hour % COUNT].base
        return [OnChain(at, headlines.CHAIN_SOURCE, "exchange_netflow", base, str(int((which - 0.5) * NETFLOW)))]
