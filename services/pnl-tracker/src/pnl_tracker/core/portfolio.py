"""One competitor's account: its positions, its ledger, and what they are worth.

equity = capital + realised_pnl + unrealised_pnl - fees - funding, where fees are those of trades and of liquidations
unrealised_pnl = quantity * mark - cost, of all positions
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.executions import ExitPlanChanged, FundingSettled, OrderFilled, PositionLiquidated
from contracts.portfolios import DailyStatement, PortfolioUpdated

from pnl_tracker.core.ledger import Ledger
from pnl_tracker.core.margining import Listings, margined
from pnl_tracker.core.money import ZERO, product, quotient
from pnl_tracker.core.position import Position
from pnl_tracker.core.sampling import Sample
from pnl_tracker.core.statement import Opening, opening, statement

Cause = Literal["opened", "fill", "mark", "funding", "round", "liquidation"]
Price = Callable[[Position], Decimal]
"""What a position's instrument is worth now: its mark price."""


@dataclass(slots=True)
class Account:
    season_id: str
    competitor_id: str
    capital: Decimal
    seq: int = 0
    round: int = 0
    """The last round whose portfolio was told."""
    updated_at: datetime | None = None
    """Arena time of the last portfolio told."""
    realised_pnl: Decimal = ZERO
    fees: Decimal = ZERO
    """Liquidation fees in them."""
    liquidation_fees: Decimal = ZERO
    insurance_fund: Decimal = ZERO
    """Beside the account, and not the competitor's: no part of its equity."""
    written_off: Decimal = ZERO
    funding: Decimal = ZERO
    trades: int = 0
    wins: int = 0
    losing_streak: int = 0
    fills: int = 0
    turnover: Decimal = ZERO
    peak_equity: Decimal = ZERO
    max_drawdown: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)
    """By instrument; flat ones are taken out."""
    ledger: Ledger = field(default_factory=Ledger)
    fee_rate: Decimal | None = None
    """The season's taker fee, where it sets one."""
    opening: Opening | None = None
    """How it stood at the last 00:00 UTC; None before the first."""
    reconciled: bool | None = None
    """What the last reconciliation found; None before the first."""

    @property
    def key(self) -> tuple[str, str]:
        return self.season_id, self.competitor_id

    @property
    def cash(self) -> Decimal:
        return self.capital + self.realised_pnl - self.fees - self.funding

    def open(self, event_id: UUID, at: datetime) -> None:
        self.ledger.deposit(event_id, at, self.capital)
        self.peak_equity = self.capital

    def fill(self, event: OrderFilled) -> Position | None:
        """The position it changed; None where the trade was counted before."""
        if event.trade_id.int in self.ledger.trade_ids:
            return None
        position = self.positions.get(event.instrument)
        if position is None:
            position = self.positions[event.instrument] = Position(event.instrument, event.at)
        signed = event.quantity if event.side == "buy" else -event.quantity
        change = position.fill(signed, event.price, event.fee, event.at)
        position.leverage, position.exit_plan = event.leverage, event.exit_plan
        position.margin_mode = event.margin_mode
        self.ledger.trade(
            event.event_id, event.trade_id, event.at, event.instrument,
            cost=change.cost, realised=change.realised, fee=event.fee,
        )  # fmt: skip
        self.realised_pnl += change.realised
        self.fees += event.fee
        self.fills += 1
        self.turnover += product(event.quantity, event.price)
        if change.closed_net is not None:
            self.trades += 1
            self.wins += change.closed_net > 0
            self.losing_streak = self.losing_streak + 1 if change.closed_net < 0 else 0
        if not position.quantity:
            del self.positions[event.instrument]
        return position

    def settle(self, event: FundingSettled) -> None:
        self.ledger.funding(event.event_id, event.at, event.payment)
        self.funding += event.payment

    def liquidate(self, event: PositionLiquidated) -> bool:
        """What a step moves besides its fills; whether it moves anything."""
        moved = event.fee, event.insurance_change, event.written_off
        if not any(moved):
            return False
        fee, change, written_off = moved
        self.ledger.liquidation(
            event.event_id, event.at, fee=fee, insurance_change=change, written_off=written_off
        )  # fmt: skip
        self.fees += fee
        self.liquidation_fees += fee
        self.insurance_fund += change
        self.written_off += written_off
        return True

    def replan(self, event: ExitPlanChanged) -> Position | None:
        position = self.positions.get(event.instrument)
        if position is not None:
            position.exit_plan, position.shown = event.exit_plan, None
        return position

    def sample(self, price: Price) -> bool:
        """Value the account; whether its peak or its drawdown is new."""
        values = (product(position.quantity, price(position)) - position.cost for position in self.positions.values())
        return self._sampled(self.cash + sum(values, ZERO))

    def seen(self, at: datetime, price: Price) -> Sample:
        """A point of the equity series."""
        equity, gross, net = self.cash, ZERO, ZERO
        for position in self.positions.values():
            value = product(position.quantity, price(position))
            equity += value - position.cost
            gross += abs(value)
            net += value
        return Sample(*self.key, at, "minute", equity, gross, net)

    def close_day(self, midnight: datetime, price: Price, listings: Listings) -> DailyStatement:
        """The statement of the day that ends; the next one opens with where it ended."""
        held = [position for _, position in sorted(self.positions.items())]
        views = [position.view(price(position)) for position in held]
        margined(self.cash, held, views, listings, self.fee_rate)
        unrealised = sum((view.unrealised_pnl for view in views), ZERO)
        begun, ended = self.opening or Opening(), opening(self.cash + unrealised, unrealised, self.ledger)
        self.opening = ended
        return statement(*self.key, midnight, begun, ended, views)

    @property
    def balances(self) -> bool:
        """Whether the ledger explains the account."""
        costs = {name: position.cost for name, position in self.positions.items() if position.cost}
        return self.ledger.explains(self.cash, costs)

    def portfolio(
        self, event_id: UUID, at: datetime, cause: Cause, price: Price,
        *, listings: Listings, round: int | None = None, traceparent: str = "",
    ) -> PortfolioUpdated:  # fmt: skip
        held = [position for _, position in sorted(self.positions.items())]
        views = [position.view(price(position)) for position in held]
        unrealised = margin_used = gross = net = ZERO
        for view in views:
            unrealised += view.unrealised_pnl
            margin_used += view.margin
            gross += view.notional
            net += view.notional.copy_sign(view.quantity)
        cash = self.cash
        equity = cash + unrealised
        margins = margined(cash, held, views, listings, self.fee_rate)
        self._sampled(equity)
        self.seq += 1
        self.updated_at = at
        return PortfolioUpdated.made(
            event_id=event_id, at=at, traceparent=traceparent,
            season_id=self.season_id, competitor_id=self.competitor_id, type="portfolio_updated",
            seq=self.seq, round=round, cause=cause,
            capital=self.capital, equity=equity, cash=cash,
            realised_pnl=self.realised_pnl, unrealised_pnl=unrealised, fees=self.fees, funding=self.funding,
            margin_used=margin_used, margin_available=equity - margin_used,
            exposure_gross=gross, exposure_net=net,
            positions=tuple(views),
            trades=self.trades, wins=self.wins, fills=self.fills, turnover=self.turnover,
            peak_equity=self.peak_equity, max_drawdown=self.max_drawdown,
            books_balanced=self.reconciled is not False and self.balances,
            liquidation_fees=self.liquidation_fees, maintenance_margin=margins.maintenance, margin_ratio=margins.ratio,
            leverage=quotient(gross, equity) if equity > 0 else None,
            losing_streak=self.losing_streak, reconciled=self.reconciled,
            day_opening_equity=self.opening.equity if self.opening else self.capital,
        )  # fmt: skip

    def _sampled(self, equity: Decimal) -> bool:
        if equity >= self.peak_equity:
            is_new, self.peak_equity = equity > self.peak_equity, equity
            return is_new
        fall = self.peak_equity - equity
        if fall <= self.max_drawdown * self.peak_equity:  # rounding to the places of the bound cannot pass the bound
            return False
        drawdown = quotient(fall, self.peak_equity)
        is_new, self.max_drawdown = drawdown > self.max_drawdown, max(drawdown, self.max_drawdown)
        return is_new
