"""One recorded decision's world: a season of one round, its instruments, market and account, from what its prompt says.

The prompt gives prices, account and positions. It gives no limits, steps or order book: the limits are those of the
demo's season, steps are fine (the tick as the price is printed, a lot of 0.0001), and the book is deep, one tick either
side of the price. Without prices in the prompt there is no market; without an account the demo's capital is free and
nothing is held. A position whose coin has no price, or of more than NOTIONAL_MAX, is left out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import yaml
from contracts.base import named_id
from contracts.competition import DecisionRequested, SeasonChanged, SeasonRules
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.portfolios import PortfolioUpdated, PositionView

from arena.decisions_check_prompt import Held, Shown
from arena.options import REPEATABLE_START, own_season

SEASON, COMPETITOR, SHA = "recorded-decisions", "recorded", "0" * 64
LIMITS = (
    "instruments", "capital", "leverage_max", "order_notional_max", "position_notional_max", "positions_max",
    "price_band", "price_stale_s",
)  # fmt: skip
LOT, DEPTH = Decimal("0.0001"), Decimal(10**12)
NOTIONAL_MAX = Decimal(10**15)
ZERO = Decimal(0)
TIMES = {"cadence_s": 180, "deadline_s": 30}


def instrument(coin: str) -> str:
    return f"{coin}-USDT-PERP"


def demo_rules() -> dict[str, Any]:
    rules = yaml.safe_load(own_season("demo").read_text())["rules"]
    return {name: str(rules[name]) if name == "price_band" else rules[name] for name in LIMITS}


@dataclass(frozen=True)
class World:
    index: int
    shown: Shown
    rules: dict[str, Any]

    @property
    def at(self) -> datetime:
        return self.shown.at or REPEATABLE_START

    @property
    def deadline(self) -> datetime:
        return self.at + timedelta(seconds=TIMES["deadline_s"])

    @cached_property
    def season(self) -> SeasonChanged:
        """What may be traded is what the prompt showed; where it showed nothing, the demo's instruments."""
        coins = tuple(map(instrument, self.shown.prices)) or tuple(self.rules["instruments"])
        return SeasonChanged(
            event_id=named_id(SEASON, self.index), at=self.at, season_id=SEASON, name=SEASON, venue="recorded",
            clock="lockstep", starts_at=self.at, rules_sha256=SHA,
            rules=SeasonRules.model_validate(self.rules | TIMES | {"instruments": coins, "breakers": ()}),
        )  # fmt: skip

    @cached_property
    def request(self) -> DecisionRequested:
        return DecisionRequested(
            event_id=named_id(SEASON, self.index, "request"), at=self.at, season_id=SEASON, competitor_id=COMPETITOR,
            round=1, deadline=self.deadline, effective_at=self.deadline, snapshot_id="", snapshot_sha256=SHA,
        )  # fmt: skip

    @cached_property
    def specs(self) -> dict[str, InstrumentListed]:
        return {name: self._spec(name) for name in self.season.rules.instruments}

    @cached_property
    def books(self) -> dict[str, BookUpdated]:
        return {name: self._book(name, spec) for name, spec in self.specs.items() if spec.base in self.shown.prices}

    @cached_property
    def marks(self) -> dict[str, MarkUpdated]:
        return {
            name: MarkUpdated(
                event_id=named_id(SEASON, self.index, name, "mark"), at=self.deadline, instrument=name,
                venue="recorded", mark_price=self.shown.prices[spec.base],
            )
            for name, spec in self.specs.items()
            if spec.base in self.shown.prices
        }  # fmt: skip

    @cached_property
    def held(self) -> list[Held]:
        prices = self.shown.prices
        known = [each for each in self.shown.held or () if each.coin in prices]
        return [each for each in known if abs(each.quantity) * max(prices[each.coin], each.entry_price) < NOTIONAL_MAX]

    @cached_property
    def portfolio(self) -> PortfolioUpdated:
        views = [self._view(each) for each in self.held]
        capital = Decimal(self.rules["capital"])
        equity = capital if self.shown.equity is None else self.shown.equity
        used = sum((view.margin for view in views), ZERO)
        profit = sum((view.unrealised_pnl for view in views), ZERO)
        zeros = dict.fromkeys(("realised_pnl", "fees", "funding", "max_drawdown", "turnover"), ZERO)
        return PortfolioUpdated(
            event_id=named_id(SEASON, self.index, "portfolio"), at=self.at, season_id=SEASON, competitor_id=COMPETITOR,
            seq=1, round=1, cause="round", capital=capital, equity=equity, cash=equity - profit, unrealised_pnl=profit,
            margin_used=used, positions=tuple(views), trades=0, wins=0, fills=0, books_balanced=True,
            margin_available=equity - used if self.shown.available is None else self.shown.available,
            exposure_gross=sum((view.notional for view in views), ZERO), peak_equity=equity,
            exposure_net=sum((view.notional * (1 if view.quantity > 0 else -1) for view in views), ZERO), **zeros,
        )  # fmt: skip

    def _spec(self, name: str) -> InstrumentListed:
        coin = name.partition("-")[0]
        exponent = self.shown.prices.get(coin, LOT).normalize().as_tuple().exponent
        assert isinstance(exponent, int), "prices are finite"
        return InstrumentListed(
            event_id=named_id(SEASON, name), at=self.at, instrument=name, venue="recorded", base=coin,
            quote="USDT", tick_size=Decimal(1).scaleb(min(exponent, -1)), lot_size=LOT, quantity_min=LOT,
            quantity_max=DEPTH, notional_min=Decimal(10), contract_value=Decimal(1), leverage_max=Decimal(50),
            maker_fee_rate=Decimal("0.0002"), taker_fee_rate=Decimal("0.0005"), funding_interval_hours=8,
        )  # fmt: skip

    def _book(self, name: str, spec: InstrumentListed) -> BookUpdated:
        """A price of a single tick has no bid below it."""
        price, tick = self.shown.prices[spec.base], spec.tick_size
        return BookUpdated(
            event_id=named_id(SEASON, self.index, name, "book"), at=self.deadline, instrument=name, venue="recorded",
            sequence=1, bids=((price - tick, DEPTH),) if price > tick else (), asks=((price + tick, DEPTH),),
        )  # fmt: skip

    def _view(self, held: Held) -> PositionView:
        price = self.shown.prices[held.coin]
        notional = round(abs(held.quantity) * price, 12)
        return PositionView(
            instrument=instrument(held.coin), quantity=held.quantity, entry_price=held.entry_price, mark_price=price,
            notional=notional, leverage=held.leverage, opened_at=self.at,
            unrealised_pnl=round(held.quantity * (price - held.entry_price), 12),
            margin=round(notional / held.leverage, 12),
        )  # fmt: skip
