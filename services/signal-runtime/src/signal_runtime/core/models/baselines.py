"""What every season is measured against: buying once and keeping it, and chance."""

from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.draws import draw
from signal_runtime.core.parameters import BadParameter
from signal_runtime.core.sizing import LIMIT_USED_MAX, close, hold, to_lot
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
    """A trader by dice whose turnover and leverage are those of the field that it is held against.

    Of the field: `turnover` is the notional traded a round over the equity, `exposure` the mean gross exposure over
    the equity (`MetricsReported` has both, the former added up over the rounds), `held` the mean share of instruments
    held. With n instruments, a flat one entered with chance p a round and a held one left with chance q, the share
    held comes to rest at held = p / (p + q). Each position has w = exposure / (n * held) of the equity, and a round
    trades n * (1 - held) * p * w + n * held * q * w = 2 * exposure * q. Hence q = turnover / (2 * exposure) and
    p = q * held / (1 - held). There are no stops: they would trade more than was matched.
    """

    turnover: Decimal = field(default=Decimal("0.8"), metadata={"low": 0, "high": 100})
    exposure: Decimal = field(default=Decimal(2), metadata={"low": Decimal("0.01"), "high": 100})
    held: Decimal = field(default=Decimal("0.4"), metadata={"low": Decimal("0.01"), "high": Decimal("0.95")})
    leverage: int = field(default=5, metadata={"low": 1, "high": 200})
    """Of its orders, as far as the rules allow."""

    def __post_init__(self) -> None:
        if max(self.exit_rate, self.entry_rate) > 1:
            raise BadParameter("turnover: is more than can be traded with this exposure and share held")

    @property
    def exit_rate(self) -> Decimal:
        return self.turnover / (2 * self.exposure)

    @property
    def entry_rate(self) -> Decimal:
        return self.exit_rate * self.held / (1 - self.held)


def random(parameters: Random, view: View) -> Decision:
    parts = [_drawn(parameters, view, market) for market in view.markets]
    return Decision(tuple(part for part in parts if part))


def _drawn(p: Random, view: View, market: Market) -> CoinDecision | None:
    chance = draw(view.seed, f"{market.coin}/act")
    if market.spec.instrument in view.positions:
        closes = chance < p.exit_rate
        return close(market, "The die says out.") if closes else hold(market, "The die says wait.")
    return _entered(p, view, market) if chance < p.entry_rate else None


def _entered(p: Random, view: View, market: Market) -> CoinDecision | None:
    buys = draw(view.seed, f"{market.coin}/side") < Decimal("0.5")
    price = market.ask if buys else market.bid
    weight = p.exposure / (len(view.season.rules.instruments) * p.held)
    largest = min(view.season.rules.order_notional_max, view.season.rules.position_notional_max) * LIMIT_USED_MAX
    quantity = to_lot(min(view.portfolio.equity * weight, largest) / price, market)
    if quantity < market.spec.quantity_min or quantity * price < market.spec.notional_min:
        return None
    leverage = min(Decimal(p.leverage), view.season.rules.leverage_max)
    return CoinDecision(
        market.coin,
        "buy_to_enter" if buys else "sell_to_enter",
        quantity,
        leverage,
        justification="The die says in.",
        confidence=Decimal("0.5"),
    )
