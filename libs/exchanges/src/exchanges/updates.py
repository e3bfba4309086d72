"""What a venue's feed says, as it said it: numbers stay the venue's own strings until somebody reckons with them."""

from datetime import datetime
from typing import NamedTuple

Levels = list[tuple[str, str]]
"""(price, quantity), the best first."""


class Book(NamedTuple):
    """The best levels, whole: it replaces the one before."""

    at: datetime
    instrument: str
    sequence: int
    bids: Levels
    asks: Levels


class Trade(NamedTuple):
    at: datetime
    instrument: str
    trade_id: str
    price: str
    quantity: str
    aggressor: str
    """`buy` or `sell`."""


class Mark(NamedTuple):
    """What the venue does not say is None, never guessed."""

    at: datetime
    instrument: str
    mark_price: str
    index_price: str | None = None
    last_price: str | None = None
    funding_rate: str | None = None
    next_funding_at: datetime | None = None
    open_interest: str | None = None


class Gap(NamedTuple):
    """Something of the instrument's book was lost: it is not to be trusted until the next one, which is whole."""

    at: datetime
    instrument: str


class News(NamedTuple):
    """As somebody wrote it: nobody may believe it, or even read it, before it went through the quarantine."""

    at: datetime
    source: str
    headline: str
    body: str = ""


class OnChain(NamedTuple):
    """A figure about a chain, as untrusted as news."""

    at: datetime
    source: str
    metric: str
    asset: str
    value: str


Update = Book | Trade | Mark | Gap | News | OnChain


class Step(NamedTuple):
    """Everything the venue said after the step before and up to and including `at`, in the order it was said."""

    at: datetime
    updates: list[Update]


class Bar(NamedTuple):
    """One minute of the past, from before the feed's start."""

    instrument: str
    opened_at: datetime
    open: str
    high: str
    low: str
    close: str
    volume: str
    """Base units."""
    turnover: str
    trades: int
