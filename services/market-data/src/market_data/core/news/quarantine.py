"""Reads what comes from outside and lets out a strict form of it: docs/decisions/0033. Nothing else ever sees the text.

No model reads here. A text that tries to instruct is refused, but that is a help and not the wall: the wall is that no
size, limit or instrument is ever taken from it.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, get_args

from contracts.market import OnChainMetric

from market_data.core.news.cleaning import clean
from market_data.core.news.homoglyphs import disguised, words
from market_data.core.news.sentiment import sentiment

SOURCE_MAX, HEADLINE_MAX, INPUT_MAX, BODY_READ = 64, 200, 20_000, 2_000
NAMES = {
    "BITCOIN": "BTC", "ETHEREUM": "ETH", "ETHER": "ETH", "SOLANA": "SOL", "BINANCE": "BNB", "RIPPLE": "XRP",
    "DOGECOIN": "DOGE", "比特币": "BTC", "以太坊": "ETH", "狗狗币": "DOGE", "瑞波币": "XRP",
}  # fmt: skip
_UNITS = {
    "exchange_netflow": "coins", "active_addresses": "addresses", "transaction_count": "transactions",
    "large_transfers": "transfers", "hash_rate": "EH/s", "stablecoin_supply": "USD",
}  # fmt: skip
_instructs = re.compile(
    r"\b(ignore|disregard|forget|override|bypass)\b.{0,60}\b(instruction|previous|prior|above|earlier|rule|prompt|limit)"
    r"|(^|[\s\W])(system|assistant|developer|user|human)\s*(prompt|message|override)?\s*:"
    r"|<\s*/?\s*(system|instruction|prompt|tool|im_start)|\[/?inst\]|<\|"
    r"|\byou (are now|must (buy|sell|short|long|go|close|output|reply|respond))\b|\bas an ai\b|\bact as\b"
    r"|\b(print|reveal|output|repeat|send|show|leak)\b.{0,40}\b(prompt|api key|secret|password|instructions?|canary)\b"
    r"|\b(buy_to_enter|sell_to_enter|close_position|tool_call|function_call|trade_signal_args)\b"
    r"|\b(use|with|at|set)\b.{0,20}\b(\d+x|max(imum)?)\s+leverage\b|[{\[]\s*\"\w+\"\s*:|[a-z0-9+/]{60,}={0,2}"
    r"|忽略.{0,12}(指令|规则|以上|之前|提示)|(系统|开发者)(提示|消息|指令)|你现在(是|必须)|必须(买入|卖出|做多|做空|平仓)|泄露|全仓",
    re.IGNORECASE,
).search


class Refused(ValueError):
    """Named for why; nothing of the text goes on."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Read(NamedTuple):
    source: str
    headline: str
    instruments: tuple[str, ...]
    sentiment: Decimal
    confidence: Decimal


class Reading(NamedTuple):
    source: str
    headline: str
    instruments: tuple[str, ...]
    metric: OnChainMetric
    value: Decimal


Assets = Mapping[str, str]
"""The venue's, by base asset in capitals: {"BTC": "BTC-USDT-PERP"}."""


def read_news(source: str, headline: str, body: str, assets: Assets) -> Read:
    """Raises Refused: no_text, too_long, homoglyph, instruction_like."""
    if len(headline) + len(body) > INPUT_MAX:
        raise Refused("too_long", f"{len(headline) + len(body)} characters, at most {INPUT_MAX}")
    title, text = clean(headline), clean(body)[:BODY_READ]
    if not title:
        raise Refused("no_text", "the headline is empty once cleaned")
    whole = f"{title} {text}".strip()
    _refuse_tricks(whole, assets)
    says, confidence = sentiment(whole)
    return Read(_source(source), title[:HEADLINE_MAX].rstrip(), _named(whole, assets), says, confidence)


def read_on_chain(source: str, metric: str, asset: str, value: str, assets: Assets) -> Reading:
    """The headline is ours. Raises Refused: unknown_metric, unknown_asset, not_a_number."""
    if metric not in get_args(OnChainMetric):
        raise Refused("unknown_metric", f"is none of {', '.join(get_args(OnChainMetric))}")
    if asset.upper() not in assets:
        raise Refused("unknown_asset", "the venue lists none of that name")
    number = _number(value)
    headline = f"{asset.upper()} {metric.replace('_', ' ')}: {number:,f} {_UNITS[metric]}"
    return Reading(_source(source), headline, (assets[asset.upper()],), metric, number)  # type: ignore[arg-type]


def _number(written: str) -> Decimal:
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise Refused("not_a_number") from None
    if not number.is_finite() or abs(number) > Decimal("1e18") or len(written) > 40:
        raise Refused("not_a_number", "must be finite and at most 10^18")
    return number.quantize(Decimal("1e-6")).normalize() + 0


def _refuse_tricks(text: str, assets: Assets) -> None:
    known = {*assets, *NAMES}
    if any(disguised(word, known) for word in words(text)):
        raise Refused("homoglyph", "a word is not what it looks like")
    if _instructs(text):
        raise Refused("instruction_like", "the text addresses its reader")


def _named(text: str, assets: Assets) -> tuple[str, ...]:
    """Tickers in capitals, names in any case, names in Chinese anywhere; sorted."""
    said = set(words(text))
    bases = {word for word in said if word in assets}
    bases |= {NAMES[word.upper()] for word in said if word.upper() in NAMES}
    bases |= {base for name, base in NAMES.items() if not name.isascii() and name in text}
    return tuple(sorted(assets[base] for base in bases if base in assets))


def _source(source: str) -> str:
    return clean(source)[:SOURCE_MAX].rstrip() or "unnamed"
