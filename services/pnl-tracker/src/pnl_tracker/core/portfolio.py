"""One competitor's account: its positions, its ledger, and what they are worth.

equity = capital + realised_pnl + unrealised_pnl - fees - funding
unrealised_pnl = quantity * mark - cost, of all positions
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from contracts.executions import ExitPlanChanged, FundingSettled, OrderFilled
from contracts.portfolios import PortfolioUpdated

from pnl_tracker.core.ledger import Ledger
from pnl_tracker.core.money import ZERO, product, quotient
from pnl_tracker.core.position import Position

Cause = Literal["opened", "fill", "mark", "funding", "round"]
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
    funding: Decimal = ZERO
    trades: int = 0
    wins: int = 0
    fills: int = 0
    turnover: Decimal = ZERO
    peak_equity: Decimal = ZERO
    max_drawdown: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)
    """By instrument; flat ones are taken out."""
    ledger: Ledger = field(default_factory=Ledger)

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
        if not position.quantity:
            del self.positions[event.instrument]
        return position

    def settle(self, event: FundingSettled) -> None:
        self.ledger.funding(event.event_id, event.at, event.payment)
        self.funding += event.payment

    def replan(self, event: ExitPlanChanged) -> Position | None:
        position = self.positions.get(event.instrument)
        if position is not None:
            position.exit_plan, position.shown = event.exit_plan, None
        return position

    def sample(self, price: Price) -> bool:
        """Value the account; whether its peak or its drawdown is new."""
        values = (product(position.quantity, price(position)) - position.cost for position in self.positions.values())
        return self._sampled(self.cash + sum(values, ZERO))

    def portfolio(
        self, event_id: UUID, at: datetime, cause: Cause, price: Price,
        *, round: int | None = None, traceparent: str = "",
    ) -> PortfolioUpdated:  # fmt: skip
        views = [position.view(price(position)) for _, position in sorted(self.positions.items())]
        unrealised = margin_used = gross = net = ZERO
        for view in views:
            unrealised += view.unrealised_pnl
            margin_used += view.margin
            gross += view.notional
            net += view.notional.copy_sign(view.quantity)
        cash = self.cash
        costs = {name: position.cost for name, position in self.positions.items() if position.cost}
        equity = cash + unrealised
        self._sampled(equity)
        self.seq += 1
        self.updated_at = at
        return PortfolioUpdated.made(
            type="portfolio_updated", event_id=event_id, at=at, traceparent=traceparent,
            season_id=self.season_id, competitor_id=self.competitor_id,
            seq=self.seq, round=round, cause=cause,
            capital=self.capital, equity=equity, cash=cash,
            realised_pnl=self.realised_pnl, unrealised_pnl=unrealised, fees=self.fees, funding=self.funding,
            margin_used=margin_used, margin_available=equity - margin_used,
            exposure_gross=gross, exposure_net=net,
            positions=tuple(views),
            trades=self.trades, wins=self.wins, fills=self.fills, turnover=self.turnover,
            peak_equity=self.peak_equity, max_drawdown=self.max_drawdown,
            books_balanced=self.ledger.explains(cash, costs),
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
