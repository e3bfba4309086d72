"""The hedge model: a book of trends whose risk is kept at a target, its correlated parts cut first.

Wanted: with EMA20's side of EMA50 where the gap is beyond `gap_atr` ATR14, each by inverse volatility:
x_i = side * target / (sigma_i * sqrt(n)), which has the target's volatility where nothing is correlated. To these come
the positions that are held. If the EWMA covariance of 3-minute returns says that all of it together moves more than the
target, the largest contributors are cut (`core/covariance.py`) until it does not: of positions that move together the
book keeps less, of one that offsets the others it cuts nothing.

`target` is the book's volatility a day; of a bar it is target / sqrt(480), there are 480 three-minute bars in a day. A
position is reduced where the book wants less than 1 - `band` of it, left where its trend turned, and never added to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from signal_runtime.core.covariance import ewma, reduced, returns
from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.sizing import Entry, close, enter, hold, to_lot
from signal_runtime.core.view import Market, View, last

WARM_UP_BARS = 50
RETURNS_MIN = 5
BARS_A_DAY = 480
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Parameters:
    target: Decimal = field(default=Decimal("0.03"), metadata={"low": Decimal("0.001"), "high": 1})
    """Volatility of the book a day, as a share of the equity."""
    decay: Decimal = field(default=Decimal("0.94"), metadata={"low": Decimal("0.5"), "high": 1})
    band: Decimal = field(default=Decimal("0.1"), metadata={"low": 0, "high": Decimal("0.9")})
    gap_atr: Decimal = field(default=Decimal("0.5"), metadata={"low": 0, "high": 20})
    stop_atr: Decimal = field(default=Decimal(6), metadata={"low": Decimal("0.1"), "high": 50})
    reward: Decimal = field(default=Decimal(3), metadata={"low": Decimal("0.1"), "high": 50})
    leverage: Decimal = field(default=Decimal(5), metadata={"low": 1, "high": 200})
    positions: int = field(default=6, metadata={"low": 1, "high": 100})


@dataclass(frozen=True, slots=True)
class Part:
    """One instrument in the book."""

    market: Market
    side: int
    """Of its trend: 1 up, -1 down, 0 none."""
    held: Decimal
    """Signed notional over equity."""
    atr: Decimal


def decide(parameters: Parameters, view: View) -> Decision:
    parts = _warm(parameters, view)
    bars = min((len(part.market.now.intraday.close) for part in parts), default=0)
    if bars <= RETURNS_MIN or view.portfolio.equity <= 0:
        return Decision(tuple(hold(each, "Too few bars to know the risk.") for each in _held(view)))
    closes = [part.market.now.intraday.close[-bars:] for part in parts]
    covariance = ewma([returns(series) for series in closes], parameters.decay)
    variance_max = parameters.target**2 / BARS_A_DAY
    book = _wanted(parameters, parts, covariance, variance_max)
    kept = reduced(book, covariance, variance_max)
    cold = [each for each in _held(view) if each.coin not in {part.market.coin for part in parts}]
    decided = [_decided(parameters, view, part, weight) for part, weight in zip(parts, kept, strict=True)]
    return Decision(
        (*(each for each in decided if each), *(hold(each, "Its indicators are not warm yet.") for each in cold))
    )


def _held(view: View) -> list[Market]:
    return [market for market in view.markets if market.spec.instrument in view.positions]


def _warm(p: Parameters, view: View) -> list[Part]:
    parts = []
    for market in view.markets:
        series = market.now.intraday
        fast, slow, atr = last(series.ema20), last(series.ema50), last(series.atr14)
        if fast is None or slow is None or not atr:
            continue
        gap = (fast - slow) / atr
        side = (gap > p.gap_atr) - (gap < -p.gap_atr)
        position = view.positions.get(market.spec.instrument)
        held = position.quantity * market.price / view.portfolio.equity if position and view.portfolio.equity else ZERO
        turned = held * gap < 0
        parts.append(Part(market, 0 if turned else side, ZERO if turned else held, atr))
    return parts


def _wanted(
    p: Parameters, parts: Sequence[Part], covariance: Sequence[Sequence[Decimal]], variance_max: Decimal
) -> list[Decimal]:
    """What is held stays, as far as it goes; what is flat is entered, in the order of the rules."""
    free = p.positions - sum(part.held != 0 for part in parts)
    entered = [index for index, part in enumerate(parts) if part.side and not part.held][: max(free, 0)]
    count = Decimal(len(entered) + sum(part.held != 0 for part in parts))
    book = [part.held for part in parts]
    for index in entered:
        if (own := covariance[index][index]) > 0:
            book[index] = parts[index].side * (variance_max / (own * count)).sqrt()
    return book


def _decided(p: Parameters, view: View, part: Part, weight: Decimal) -> CoinDecision | None:
    position = view.positions.get(part.market.spec.instrument)
    if position is None:
        return _entered(p, view, part, weight) if weight else None
    if not part.held:
        return close(part.market, "Its trend has turned.")
    if abs(weight) >= abs(part.held) * (1 - p.band):
        return hold(part.market, f"The book carries it: {part.held:+.2f} of the equity.")
    surplus = to_lot(abs(position.quantity) * (1 - weight / part.held), part.market)
    if surplus <= 0:
        return hold(part.market, "What is too much is less than a lot.")
    reason = f"The book moves more than its target: from {part.held:+.2f} to {weight:+.2f} of the equity."
    return CoinDecision(part.market.coin, "close_position", surplus, justification=reason)


def _entered(p: Parameters, view: View, part: Part, weight: Decimal) -> CoinDecision | None:
    """quantity = equity * |weight| / price, which is the size of a stop that loses the share `risk_rate`."""
    distance = p.stop_atr * part.atr
    price = part.market.ask if weight > 0 else part.market.bid
    entry = Entry(
        buys=weight > 0,
        stop_distance=distance,
        reward=p.reward,
        risk_rate=abs(weight) * distance / price,
        leverage=min(p.leverage, view.season.rules.leverage_max),
        confidence=Decimal("0.6"),
        justification=f"With the trend, {weight:+.2f} of the equity: as much as the book's risk has room for.",
        invalidation="EMA20 crosses EMA50 on 3-minute bars",
        slots=p.positions,
    )
    return enter(view, part.market, entry)
