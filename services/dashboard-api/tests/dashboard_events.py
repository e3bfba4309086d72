"""Events for tests."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.base import named_id
from contracts.competition import CompetitorRegistered, RoundClosed, RoundOpened, SeasonChanged
from contracts.executions import OrderFilled
from contracts.market import MarkUpdated
from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.portfolios import LeaderboardRow, LeaderboardUpdated, PortfolioUpdated
from contracts.signals import Attempt, DecisionMissed, SignalProposed

START = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SHA = "0" * 64
BTC, ETH = "BTC-USDT-PERP", "ETH-USDT-PERP"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
D = Decimal


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def season(season_id: str = "s1", *, starts: float = 0, **fields: Any) -> SeasonChanged:
    return SeasonChanged.model_validate(
        {
            "event_id": named_id("season", season_id), "at": at(starts), "season_id": season_id, "name": "Season 1",
            "venue": "synthetic", "clock": "lockstep", "starts_at": at(starts), "rules_sha256": SHA,
            "rules": {
                "instruments": [BTC, ETH], "capital": "10000", "cadence_s": 180, "deadline_s": 60, "leverage_max": "10",
                "order_notional_max": "50000", "position_notional_max": "50000", "price_band": "0.02",
            },
            **fields,
        }
    )  # fmt: skip


def competitor(name: str = "ann", season_id: str = "s1", **fields: Any) -> CompetitorRegistered:
    return CompetitorRegistered.model_validate(
        {
            "event_id": named_id("competitor", name), "at": at(0), "season_id": season_id, "competitor_id": name,
            "name": name.title(), "mark": name[:2].upper(), "hue": 1, "kind": "quant", "model": "trend",
            "config_sha256": SHA, **fields,
        }
    )  # fmt: skip


def fill(
    n: int, side: str, quantity: str, price: str, fee: str = "0", *, who: str = "ann", after: str = "0", **fields: Any
) -> OrderFilled:
    return OrderFilled.model_validate(
        {
            "event_id": named_id("fill", who, n), "at": at(n), "season_id": "s1", "competitor_id": who,
            "order_id": named_id("order", who, n), "instrument": BTC, "round": 1, "trade_id": named_id("t", who, n),
            "side": side, "price": price, "quantity": quantity, "fee": fee, "liquidity": "taker", "remaining": "0",
            "leverage": "5", "purpose": "decision", "book_sequence": n, "position_after": after, "traceparent": TRACE,
            **fields,
        }
    )  # fmt: skip


def portfolio(
    seq: int, equity: str = "10000", *, who: str = "ann", cause: str = "mark", **fields: Any
) -> PortfolioUpdated:
    return PortfolioUpdated.model_validate(
        {
            "event_id": named_id("portfolio", who, seq), "at": at(seq), "season_id": "s1", "competitor_id": who,
            "seq": seq, "cause": cause, "capital": "10000", "equity": equity, "cash": "10000", "realised_pnl": "0",
            "unrealised_pnl": str(D(equity) - 10000), "fees": "0", "funding": "0", "margin_used": "0",
            "margin_available": "10000", "exposure_gross": "0", "exposure_net": "0", "trades": 0, "wins": 0,
            "fills": 0, "peak_equity": "10000", "max_drawdown": "0", "turnover": "0", "books_balanced": True,
            **fields,
        }
    )  # fmt: skip


def mark(n: int, price: str, instrument: str = BTC) -> MarkUpdated:
    return MarkUpdated(
        event_id=named_id("mark", instrument, n),
        at=at(n),
        instrument=instrument,
        venue="synthetic",
        mark_price=D(price),
    )


def leaderboard(n: int, *who: str) -> LeaderboardUpdated:
    rows = tuple(
        LeaderboardRow.model_validate(
            {
                "rank": rank, "competitor_id": name, "equity": "10000", "return_rate": "0", "pnl": "0",
                "realised_pnl": "0", "unrealised_pnl": "0", "fees": "0", "funding": "0", "max_drawdown": "0",
                "win_rate": None, "trades": 0, "fills": 0, "exposure_gross": "0", "exposure_net": "0",
            }
        )
        for rank, name in enumerate(who, start=1)
    )  # fmt: skip
    return LeaderboardUpdated(event_id=named_id("board", n), at=at(n), season_id="s1", rows=rows, books_balanced=True)


def signal(part: int = 1, parts: int = 1, *, who: str = "ann", number: int = 1, **fields: Any) -> SignalProposed:
    return SignalProposed.model_validate(
        {
            "event_id": named_id("signal", who, number, part), "at": at(10), "season_id": "s1", "competitor_id": who,
            "round": number, "decision_id": named_id("decision", who, number), "part": part, "parts": parts,
            "deadline": at(60), "effective_at": at(60), "action": "buy_to_enter", "instrument": BTC, "quantity": "0.1",
            "leverage": "5", "justification": "the trend is up", "traceparent": TRACE,
            "attempt": Attempt(model="trend", offline=True, latency_ms=40), **fields,
        }
    )  # fmt: skip


def approved(of: SignalProposed) -> OrderApproved:
    return OrderApproved.model_validate(
        {
            "event_id": of.child_id(0), "at": at(60), "season_id": of.season_id, "competitor_id": of.competitor_id,
            "round": of.round, "signal_id": of.event_id, "part": of.part, "effective_at": at(60),
            "instrument": of.instrument, "side": "buy", "quantity": of.quantity, "order_type": "market",
            "time_in_force": "IOC", "leverage": "5", "price_min": "90000", "price_max": "110000", "traceparent": TRACE,
        }
    )  # fmt: skip


def rejected(of: SignalProposed) -> SignalRejected:
    return SignalRejected(
        event_id=of.child_id(0), at=at(60), season_id=of.season_id, competitor_id=of.competitor_id, round=of.round,
        signal_id=of.event_id, instrument=of.instrument, code="NOTIONAL_ABOVE_MAX", value=D("60000"), limit=D("50000"),
        unit="USD", traceparent=TRACE,
    )  # fmt: skip


def judged(who: str = "ann", number: int = 1, *, answered: bool = True, **counts: int) -> DecisionJudged:
    return DecisionJudged(
        event_id=named_id("judged", who, number), at=at(61), season_id="s1", competitor_id=who, round=number,
        answered=answered, approved=counts.get("approved", 0), rejected=counts.get("rejected", 0),
        held=counts.get("held", 0), traceparent=TRACE,
    )  # fmt: skip


def missed(who: str = "ann", number: int = 1) -> DecisionMissed:
    return DecisionMissed(
        event_id=named_id("missed", who, number), at=at(60), season_id="s1", competitor_id=who, round=number,
        reason="timeout", detail="no answer within 60 s", deadline=at(60), effective_at=at(60),
    )  # fmt: skip


def opened(number: int = 1) -> RoundOpened:
    return RoundOpened(
        event_id=named_id("opened", number), at=at(180 * (number - 1)), season_id="s1", round=number,
        deadline=at(180 * (number - 1) + 60), snapshot_sha256=SHA, competitors=("ann", "bob"),
    )  # fmt: skip


def closed(number: int = 1) -> RoundClosed:
    return RoundClosed(
        event_id=named_id("closed", number), at=at(180 * (number - 1) + 61), season_id="s1", round=number, answered=1,
        missed=1, judged=2,
    )  # fmt: skip
