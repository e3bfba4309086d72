"""What every season is measured against: buying once and keeping it, and chance."""

from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.draws import draw, whole
from signal_runtime.core.sizing import LIMIT_USED_MAX, Entry, close, enter, hold, to_lot
from signal_runtime.core.view import Market, View


@dataclass(frozen=True, slots=True)
class BuyAndHold:
    invested: Decimal = field(default=Decimal("0.9"), metadata={"low": Decimal("0.01"), "high": Decimal("0.95")})
    """Share of the capital, spread evenly over the season's instruments, at leverage 1."""


def buy_and_hold(parameters: BuyAndHold, view: View) -> Decision:
    each = view.portfolio.capital * parameters.invested / len(view.season.rules.instruments)
    parts = [_bought(view, market, each) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _bought(view: View, market: Market, notional: Decimal) -> CoinDecision | None:
    if market.spec.instrument in view.positions:
        return hold(market, "Bought once, kept.")
    quantity = to_lot(min(notional, view.season.rules.order_notional_max * LIMIT_USED_MAX) / market.ask, market)
    if quantity < market.spec.quantity_min or quantity * market.ask < market.spec.notional_min:
        return None
    reason = "An equal share of every instrument, without leverage."
    return CoinDecision(market.coin, "buy_to_enter", quantity, Decimal(1), justification=reason)


@dataclass(frozen=True, slots=True)
class Random:
    entry_rate: Decimal = field(default=Decimal("0.1"), metadata={"low": 0, "high": 1})
    """Chance a round that a flat instrument is entered, either side alike."""
    exit_rate: Decimal = field(default=Decimal("0.2"), metadata={"low": 0, "high": 1})
    leverage: int = field(default=5, metadata={"low": 1, "high": 200})
    """At most; each entry draws its own."""
    risk_rate: Decimal = field(default=Decimal("0.01"), metadata={"low": 0, "high": 1})
    stop_rate: Decimal = field(default=Decimal("0.01"), metadata={"low": Decimal("0.0001"), "high": 1})
    """Stop distance as a share of the price."""


def random(parameters: Random, view: View) -> Decision:
    parts = [_drawn(parameters, view, market) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _drawn(p: Random, view: View, market: Market) -> CoinDecision | None:
    chance = draw(view.seed, f"{market.coin}/act")
    if market.spec.instrument in view.positions:
        closes = chance < p.exit_rate
        return close(market, "The die says out.") if closes else hold(market, "The die says wait.")
    if chance >= p.entry_rate:
        return None
    most = min(p.leverage, int(view.season.rules.leverage_max))
    entry = Entry(
        buys=draw(view.seed, f"{market.coin}/side") < Decimal("0.5"),
        stop_distance=market.price * p.stop_rate,
        reward=Decimal(2),
        risk_rate=p.risk_rate,
        leverage=Decimal(whole(view.seed, f"{market.coin}/leverage", 1, most)),
        confidence=Decimal("0.5"),
        justification="The die says in.",
        slots=len(view.markets),
    )
    return enter(view, market, entry)
