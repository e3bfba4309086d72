"""Closed trades, assembled from fills: from flat to flat; a flip closes one trade and opens the next."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal
from uuid import UUID

from contracts.base import Model
from contracts.executions import FundingSettled, OrderFilled, PositionLiquidated, Purpose
from contracts.types import (
    CompetitorId,
    Count,
    InstrumentId,
    Leverage,
    Price,
    Quantity,
    Round,
    SeasonId,
    Time,
    Usd,
)

ZERO = Decimal(0)
_PLACES = Decimal("1e-12")
Where = tuple[SeasonId, CompetitorId, InstrumentId]


class Trade(Model):
    """One position from its first fill to flat. net = gross - fees - funding, in USD."""

    type: Literal["trade_closed"] = "trade_closed"
    trade_id: UUID
    season_id: SeasonId
    competitor_id: CompetitorId
    instrument: InstrumentId
    direction: Literal["long", "short"]
    quantity: Quantity
    """Everything that was entered, in base units."""
    entry_price: Price
    exit_price: Price
    """Averages over the fills, weighted by quantity."""
    opened_at: Time
    closed_at: Time
    held_s: Count
    leverage: Leverage
    gross: Usd
    fees: Usd
    funding: Usd
    net: Usd
    fills: Count
    opened_round: Round | None = None
    closed_round: Round | None = None
    closed_by: Purpose


class OpenTrade(Model):
    """A trade that is not flat yet. Products of price and quantity are kept exact, whatever their places."""

    trade_id: UUID
    season_id: SeasonId
    competitor_id: CompetitorId
    instrument: InstrumentId
    opened_at: Time
    opened_round: Round | None
    leverage: Leverage
    quantity: Decimal
    entered: Decimal
    entered_value: Decimal
    exited_value: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    fills: Count = 0


@dataclass(frozen=True, slots=True)
class _Execution:
    """A change of position at a price; a fee below zero is a rebate."""

    quantity: Decimal
    price: Decimal
    fee: Decimal
    at: datetime
    round: int | None
    purpose: Purpose


class TradeBook:
    """The open trades of any number of competitors."""

    def __init__(self) -> None:
        self.open: dict[Where, OpenTrade] = {}
        self.changed: set[Where] = set()
        """Since whoever saves last cleared it."""

    def filled(self, fill: OrderFilled) -> Trade | None:
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        execution = _Execution(signed, fill.price, fill.fee, fill.at, fill.round, fill.purpose)
        where = fill.season_id, fill.competitor_id, fill.instrument
        trade = self.open.get(where)
        self.changed.add(where)
        if trade is None or (trade.quantity > 0) == (signed > 0):
            self.open[where] = _enter(trade or _opened(fill, where), execution)
            return None
        return self._reduce(where, trade, execution, fill)

    def funded(self, funding: FundingSettled) -> None:
        where = funding.season_id, funding.competitor_id, funding.instrument
        if trade := self.open.get(where):
            self.changed.add(where)
            self.open[where] = trade.model_copy(update={"funding": trade.funding + funding.payment})

    def liquidated(self, event: PositionLiquidated) -> Trade | None:
        """The fee of a step whose fills were told before it; what it closed is closed now, fee paid."""
        where = event.season_id, event.competitor_id, event.instrument
        trade = self.open.get(where)
        if trade is None or event.step == "orders_cancelled":
            return None
        self.changed.add(where)
        trade = self.open[where] = trade.model_copy(update={"fees": trade.fees + event.fee})
        if trade.quantity:
            return None
        del self.open[where]
        return _closed(trade, _Execution(-event.quantity, event.mark_price, ZERO, event.at, None, "liquidation"))

    def _reduce(self, where: Where, trade: OpenTrade, execution: _Execution, fill: OrderFilled) -> Trade | None:
        size = min(abs(execution.quantity), abs(trade.quantity))
        rest = abs(execution.quantity) - size
        fee = execution.fee if rest == 0 else _rounded(execution.fee * size / abs(execution.quantity))
        trade = trade.model_copy(
            update={
                "quantity": trade.quantity + size.copy_sign(execution.quantity),
                "exited_value": trade.exited_value + size * execution.price,
                "fees": trade.fees + fee,
                "fills": trade.fills + 1,
            }
        )
        self.open[where] = trade
        if trade.quantity != 0 or execution.purpose == "liquidation":  # whose fee is told after its fills
            return None
        del self.open[where]
        if rest > 0:
            flipped = replace(execution, quantity=rest.copy_sign(execution.quantity), fee=execution.fee - fee)
            self.open[where] = _enter(_opened(fill, where), flipped)
        return _closed(trade, execution)


def _opened(fill: OrderFilled, where: Where) -> OpenTrade:
    season_id, competitor_id, instrument = where
    return OpenTrade.model_construct(
        trade_id=fill.child_id("trade"), season_id=season_id, competitor_id=competitor_id, instrument=instrument,
        opened_at=fill.at, opened_round=fill.round, leverage=fill.leverage, quantity=ZERO, entered=ZERO,
        entered_value=ZERO,
    )  # fmt: skip


def _enter(trade: OpenTrade, execution: _Execution) -> OpenTrade:
    size = abs(execution.quantity)
    return trade.model_copy(
        update={
            "quantity": trade.quantity + execution.quantity,
            "entered": trade.entered + size,
            "entered_value": trade.entered_value + size * execution.price,
            "fees": trade.fees + execution.fee,
            "fills": trade.fills + 1,
        }
    )


def _closed(trade: OpenTrade, execution: _Execution) -> Trade:
    long = execution.quantity < 0
    gross = (trade.exited_value - trade.entered_value) * (1 if long else -1)
    return Trade(
        trade_id=trade.trade_id,
        season_id=trade.season_id,
        competitor_id=trade.competitor_id,
        instrument=trade.instrument,
        direction="long" if long else "short",
        quantity=trade.entered,
        entry_price=_rounded(trade.entered_value / trade.entered),
        exit_price=_rounded(trade.exited_value / trade.entered),
        opened_at=trade.opened_at,
        closed_at=execution.at,
        held_s=int((execution.at - trade.opened_at).total_seconds()),
        leverage=trade.leverage,
        gross=_rounded(gross),
        fees=_rounded(trade.fees),
        funding=_rounded(trade.funding),
        net=_rounded(gross - trade.fees - trade.funding),
        fills=trade.fills,
        opened_round=trade.opened_round,
        closed_round=execution.round,
        closed_by=execution.purpose,
    )


def _rounded(value: Decimal) -> Decimal:
    """To the places of the wire; shorter ones stay as they are."""
    exponent = value.as_tuple().exponent
    return value if isinstance(exponent, int) and exponent >= -12 else value.quantize(_PLACES, ROUND_HALF_EVEN)
