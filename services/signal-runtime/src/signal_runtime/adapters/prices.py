"""What a call costs, by the dated price lists of genai-prices in the version that the lock pins. Unknown is unknown."""

from datetime import datetime
from decimal import Decimal

from genai_prices import Usage, calc_price


def price_usd(
    provider: str | None, model: str, *, at: datetime, input_tokens: int, output_tokens: int, cached_tokens: int = 0
) -> Decimal | None:
    """`at` is the time of the wall: lists change, and some have hours of the day. Nothing is fetched."""
    if provider is None:
        return None
    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached_tokens)
    try:
        return calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price
    except LookupError:
        return None
