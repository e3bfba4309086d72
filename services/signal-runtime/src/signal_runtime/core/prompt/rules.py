"""The system text: what the game is, its rules with their numbers, how to answer."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from contracts.competition import Breaker, ExposureCap, SeasonRules

from signal_runtime.core.prompt.numbers import exact, percent
from signal_runtime.core.view import View

Words = Mapping[str, str]


def system_text(view: View, words: Mapping[str, Any]) -> str:
    rules, said = view.season.rules, words["rules"]
    lines = [said["heading"], *_basic(view, said), *_season(rules, said), *_caps(view, words), said["refused"]]
    return "\n".join([words["intro"].strip(), "", *lines, "", words["reply"]["text"].strip(), ""])


def coin_of(view: View, instrument: str) -> str:
    spec = view.specs.get(instrument)
    return spec.base if spec else instrument.partition("-")[0]


def _coins(view: View, instruments: Sequence[str]) -> str:
    return ", ".join(coin_of(view, name) for name in instruments)


def _basic(view: View, said: Words) -> list[str]:
    rules = view.season.rules
    band = said["band_of_venue" if rules.price_band is None else "band"]
    return [
        said["instruments"].format(coins=_coins(view, rules.instruments)),
        said["rounds"].format(cadence_s=rules.cadence_s, deadline_s=rules.deadline_s),
        said[rules.execution].format(latency_ms=rules.latency_ms),
        said["limits"].format(
            leverage_max=exact(rules.leverage_max, ""),
            order_notional_max=exact(rules.order_notional_max, ""),
            position_notional_max=exact(rules.position_notional_max, ""),
            positions_max=rules.positions_max,
        ),
        band.format(band_percent=percent(rules.price_band_max)),
        said["fees"].format(fees=_fees(view, said)),
        said["margin"],
    ]


def _fees(view: View, said: Words) -> str:
    """Once where all instruments have the same, else by groups."""
    rules, groups = view.season.rules, dict[tuple[Decimal, Decimal], list[str]]()
    for name in rules.instruments:
        if (spec := view.specs.get(name)) is not None:
            taker = spec.taker_fee_rate if rules.taker_fee_rate is None else rules.taker_fee_rate
            maker = spec.maker_fee_rate if rules.maker_fee_rate is None else rules.maker_fee_rate
            groups.setdefault((taker, maker), []).append(spec.base)
    return "; ".join(
        said["fee"].format(
            coin=said["all"] if len(groups) == 1 else ", ".join(coins),
            taker_percent=percent(taker),
            maker_percent=percent(maker),
        )
        for (taker, maker), coins in groups.items()
    )


def _season(rules: SeasonRules, said: Words) -> list[str]:
    """Only those that this season has."""
    numbers = {
        "orders_per_round": rules.orders_per_round_max,
        "orders_per_hour": rules.orders_per_hour_max,
        "adds": rules.adds_max,
        "hold_min": rules.hold_min_s or None,
        "cooldown": rules.reentry_cooldown_s or None,
    }
    lines = [said[name].format(number=number) for name, number in numbers.items() if number is not None]
    windows = [
        said["window"].format(days=", ".join(each.days), start=each.start, end=each.end) for each in rules.windows
    ]
    return [*lines, *windows]


def _caps(view: View, words: Mapping[str, Any]) -> list[str]:
    rules = view.season.rules
    caps = [_cap(view, cap, words) for cap in rules.exposure]
    return [*caps, *(_breaker(breaker, words["rules"]) for breaker in rules.breakers)]


def _cap(view: View, cap: ExposureCap, words: Mapping[str, Any]) -> str:
    said = words["rules"]
    return str(
        said["exposure"].format(
            name=cap.name,
            scope=said[f"scope_{cap.scope}"],
            coins=_coins(view, cap.instruments) or said["all"],
            gross_max=_usd_max(cap.gross_max, words),
            net_max=_usd_max(cap.net_max, words),
        )
    )


def _usd_max(limit: Decimal | None, words: Mapping[str, Any]) -> str:
    return words["without_limit"] if limit is None else f"{exact(limit, '')} USD"


def _breaker(breaker: Breaker, said: Words) -> str:
    until = "until_operator" if breaker.cooling_s is None else "until_seconds"
    return said["breaker"].format(
        kind=said[f"breaker_{breaker.kind}"].format(window_s=breaker.window_s),
        scope=said[f"scope_{breaker.scope}"],
        limit=exact(breaker.limit, ""),
        until=said[until].format(number=breaker.cooling_s),
        closes=said["closes"] if breaker.closes else "",
    )
