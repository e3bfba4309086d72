"""One event of the durable topics to the facts that are kept of it. The read model and the live stream fold alike."""

from collections.abc import Sequence

from contracts.base import Event
from contracts.competition import RoundClosed, RoundOpened
from contracts.executions import FundingSettled, OrderFilled, PositionLiquidated
from contracts.orders import DecisionJudged, OrderApproved, SignalRejected
from contracts.signals import DecisionMissed, SignalProposed

from dashboard_api.core.decisions import DecisionFact
from dashboard_api.core.rounds import RoundFact
from dashboard_api.core.trades import Trade, TradeBook

Fact = OrderFilled | Trade | DecisionFact | RoundFact


def fold(book: TradeBook, event: Event) -> Sequence[Fact]:
    """Move the open trades on; say what is to be kept and shown."""
    match event:
        case OrderFilled():
            trade = book.filled(event)
            return (event, trade) if trade else (event,)
        case PositionLiquidated():
            trade = book.liquidated(event)
            return (trade,) if trade else ()
        case FundingSettled():
            book.funded(event)
            return ()
        case SignalProposed() | DecisionMissed() | OrderApproved() | SignalRejected() | DecisionJudged():
            return (event,)
        case RoundOpened() | RoundClosed():
            return (event,)
        case _:
            return ()
