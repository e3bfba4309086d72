"""For tests: a season, an instrument and its market, a portfolio of 10,000 USD; short ways to say and judge signals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.base import named_id
from contracts.competition import SeasonChanged, SeasonRules
from contracts.market import BookUpdated, InstrumentListed, MarkUpdated
from contracts.orders import SignalRejected
from contracts.portfolios import PortfolioUpdated, PositionView
from contracts.signals import Attempt, DecisionMissed, SignalProposed

from risk_gate.core import Facts, RiskGate, Standing

D = Decimal
T0 = datetime(2026, 11, 22, 12, tzinfo=UTC)
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
ATTEMPT = Attempt(model="test", offline=True, latency_ms=0)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def season(*, clock: str = "lockstep", **changes: Any) -> SeasonChanged:
    rules: dict[str, Any] = {
        "instruments": (BTC, ETH), "capital": D(10_000), "cadence_s": 60, "deadline_s": 30, "leverage_max": D(10),
        "order_notional_max": D(20_000), "position_notional_max": D(30_000), "positions_max": 2,
        "price_band": D("0.02"),
    } | changes  # fmt: skip
    return SeasonChanged.model_validate({
        "event_id": named_id("season"), "at": T0, "season_id": "s1", "name": "S", "venue": "test", "clock": clock,
        "starts_at": T0, "rules": SeasonRules.model_validate(rules), "rules_sha256": "0" * 64,
    })  # fmt: skip


def listed(instrument: str = BTC, **changes: Any) -> InstrumentListed:
    fields: dict[str, Any] = {
        "event_id": named_id("listed", instrument), "at": T0, "instrument": instrument, "venue": "test",
        "base": instrument[:3], "quote": "USDT", "tick_size": D("0.1"), "lot_size": D("0.001"),
        "quantity_min": D("0.002"), "quantity_max": D(100), "notional_min": D(5), "contract_value": D(1),
        "leverage_max": D(50), "maker_fee_rate": D("0.0002"), "taker_fee_rate": D("0.0005"),
        "funding_interval_hours": 8,
    }  # fmt: skip
    return InstrumentListed.model_validate(fields | changes)


def book(t: float = 29, *, bid: str = "999.9", ask: str = "1000.1", instrument: str = BTC) -> BookUpdated:
    return BookUpdated(
        event_id=named_id("book", t), at=at(t), instrument=instrument, venue="test", sequence=1,
        bids=((D(bid), D(1)),), asks=((D(ask), D(1)),),
    )  # fmt: skip


def mark(t: float = 29, price: str = "1000", *, instrument: str = BTC) -> MarkUpdated:
    return MarkUpdated(event_id=named_id("mark", t), at=at(t), instrument=instrument, venue="test", mark_price=D(price))


def position(
    quantity: str, *, instrument: str = BTC, leverage: str = "5", price: str = "1000", opened: float = 0
) -> PositionView:
    notional = abs(D(quantity)) * D(price)
    return PositionView(
        instrument=instrument, quantity=D(quantity), entry_price=D(price), mark_price=D(price), notional=notional,
        unrealised_pnl=D(0), leverage=D(leverage), margin=notional / D(leverage), opened_at=at(opened),
    )  # fmt: skip


def portfolio(
    *positions: PositionView, available: str = "10000", competitor: str = "ann", round: int = 1, **changes: Any
) -> PortfolioUpdated:
    zeros = dict.fromkeys(
        ("realised_pnl", "unrealised_pnl", "fees", "funding", "margin_used", "exposure_gross", "exposure_net",
         "max_drawdown", "turnover"), D(0),
    )  # fmt: skip
    known: dict[str, Any] = {
        "event_id": named_id("portfolio", competitor, round, available), "at": at(60 * (round - 1)), "season_id": "s1",
        "competitor_id": competitor, "seq": round, "round": round, "cause": "round", "capital": D(10_000),
        "equity": D(10_000), "cash": D(10_000), "margin_available": D(available), "positions": positions, "trades": 0,
        "wins": 0, "fills": 0, "peak_equity": D(10_000), "books_balanced": True,
    }  # fmt: skip
    return PortfolioUpdated.model_validate(known | zeros | changes)


def facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {
        "season": season(), "instrument": listed(), "book": book(), "mark": mark(), "portfolio": portfolio(),
        "as_of": at(30),
    }  # fmt: skip
    return Facts(**(known | changes))


def signal(quantity: str | None = "1", **fields: Any) -> SignalProposed:
    """A purchase of BTC, the only part of round 1, said 10 s before the deadline; `limit` makes it a limit order."""
    limit = fields.pop("limit", None)
    known: dict[str, Any] = {
        "at": at(20), "season_id": "s1", "competitor_id": "ann", "round": 1, "part": 1, "parts": 1,
        "deadline": at(30), "effective_at": at(30), "action": "buy_to_enter", "instrument": BTC,
        "quantity": D(quantity) if quantity else None, "leverage": D(5), "attempt": ATTEMPT,
        "order_type": "limit" if limit else "market", "limit_price": D(limit) if limit else None,
    } | fields  # fmt: skip
    names = known["competitor_id"], known["round"], known["part"]
    return SignalProposed.model_validate({
        "event_id": named_id("signal", *names), "decision_id": named_id("decision", *names[:2]), **known,
    })  # fmt: skip


def missed(round: int = 1, competitor: str = "ann") -> DecisionMissed:
    opened = 60 * (round - 1)
    return DecisionMissed(
        event_id=named_id("missed", competitor, round), at=at(opened + 30), season_id="s1", competitor_id=competitor,
        round=round, reason="timeout", deadline=at(opened + 30), effective_at=at(opened + 30),
    )  # fmt: skip


def of_round(number: int, **said: Any) -> SignalProposed:
    """A signal of that round, which opens 60 s after the one before: said after 20 s, due after 30 s."""
    opened = 60 * (number - 1)
    times = {"at": at(opened + 20), "deadline": at(opened + 30), "effective_at": at(opened + 30)}
    return signal(said.pop("quantity", "1"), **{"round": number, **times, **said})


def facts_of(number: int, **changes: Any) -> Facts:
    """Facts with fresh prices and the portfolio of that round."""
    t = 60 * (number - 1) + 29
    known: dict[str, Any] = {"portfolio": portfolio(round=number), "book": book(t), "mark": mark(t), "as_of": at(t + 1)}
    return facts(**(known | changes))


# The first of two parts judged for itself


def verdict(*, given: Facts | None = None, standing: Standing | None = None, **said: Any) -> Any:
    said.setdefault("parts", 2)
    *_, event = RiskGate().decide(standing or Standing(), signal(**said), given or facts())
    return event


def approval(**said: Any) -> Any:
    event = verdict(**said)
    assert not isinstance(event, SignalRejected), event
    return event


def rejection(**said: Any) -> SignalRejected:
    event = verdict(**said)
    assert isinstance(event, SignalRejected), event
    assert event.detail
    assert not event.checks[-1].passed
    assert all(check.passed for check in event.checks[:-1])
    return event


def numbers(event: SignalRejected) -> tuple[str, Decimal | None, Decimal | None]:
    return event.code, event.value, event.limit
