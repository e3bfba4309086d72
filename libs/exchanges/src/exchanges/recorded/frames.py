"""The JSON frames of Binance USD-M streams, and the REST depth snapshot recorded among them."""

import msgspec

PriceLevels = list[tuple[str, str]]
"""(price, quantity), a quantity of zero removes the level."""


class DepthDiff(msgspec.Struct, tag_field="e", tag="depthUpdate", gc=False):
    s: str
    U: int
    """First update id in the event."""
    u: int
    """Last update id in the event."""
    pu: int
    """Last update id of the event before."""
    b: PriceLevels
    a: PriceLevels


class BookTicker(msgspec.Struct, tag_field="e", tag="bookTicker", gc=False):
    s: str
    b: str
    a: str


class TradeFrame(msgspec.Struct, tag_field="e", tag="trade", gc=False):
    s: str
    t: int
    p: str
    q: str
    m: bool
    """The buyer was the maker: the seller was the aggressor."""


class Frame(msgspec.Struct, gc=False):
    """A stream's frame has `data`, a snapshot has the others."""

    data: DepthDiff | BookTicker | TradeFrame | None = None
    lastUpdateId: int | None = None  # noqa: N815  # the venue's own name
    bids: PriceLevels = []
    asks: PriceLevels = []


decode = msgspec.json.Decoder(Frame).decode
