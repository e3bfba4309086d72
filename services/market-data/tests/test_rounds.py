from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.base import named_id
from contracts.competition import SeasonChanged, SeasonRules
from market_data.core.rounds import Holds, Opens, Rounds

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def season(**changes: Any) -> SeasonChanged:
    rules: dict[str, Any] = {
        "instruments": ("BTC-USDT-PERP",),
        "capital": Decimal(10_000),
        "cadence_s": 60,
        "deadline_s": 20,
        "leverage_max": Decimal(10),
        "order_notional_max": Decimal(20_000),
        "position_notional_max": Decimal(30_000),
        "price_band": Decimal("0.02"),
    }
    rules |= {name: changes.pop(name) for name in list(changes) if name in SeasonRules.model_fields}
    about: dict[str, Any] = {"venue": "synthetic", "clock": "lockstep", "starts_at": T0, "rules_sha256": "0" * 64}
    return SeasonChanged(
        event_id=named_id("season"), at=T0, season_id="one", name="One", rules=SeasonRules(**rules), **(about | changes)
    )


def rounds(begins_at: datetime = T0, ends_at: datetime | None = None, **changes: Any) -> Rounds:
    return Rounds(season(**changes), begins_at, ends_at=ends_at)


def test_a_round_opens_and_time_holds_at_its_deadline_until_it_is_closed() -> None:
    plan = rounds()
    assert plan.due() == Opens(1, T0)

    plan.open(1)
    assert plan.due() == Holds(1, after(20))

    plan.close(1)
    assert plan.due() == Opens(2, after(60))


def test_decisions_that_count_at_once_hold_time_where_the_round_opens() -> None:
    plan = rounds(execution="as_decided")
    plan.open(1)

    assert plan.due() == Holds(1, T0)


def test_a_feed_that_begins_later_takes_the_next_opening() -> None:
    assert rounds(begins_at=after(61)).due() == Opens(3, after(120))


def test_a_feed_that_begins_at_an_opening_opens_that_round() -> None:
    assert rounds(begins_at=after(60)).due() == Opens(2, after(60))


def test_no_round_opens_at_or_after_the_end_of_the_season() -> None:
    plan = rounds(ends_at=None, **{"starts_at": T0})
    over = Rounds(season().model_copy(update={"ends_at": after(60)}), T0, ends_at=None)
    over.open(1)
    over.close(1)

    assert plan.due() == Opens(1, T0)
    assert over.due() is None


def test_no_round_opens_at_or_after_the_end_of_the_feed_but_the_open_one_is_held_for() -> None:
    plan = rounds(ends_at=after(10))
    plan.open(1)
    assert plan.due() == Holds(1, after(20))

    plan.close(1)
    assert plan.due() is None


def test_a_live_market_holds_for_nobody() -> None:
    plan = rounds(clock="live")
    plan.open(1)

    assert plan.due() == Opens(2, after(60))


def test_a_plan_taken_up_again_holds_for_the_round_it_had_opened() -> None:
    plan = Rounds(season(), T0, opened=3, closed=2, ends_at=None)

    assert plan.due() == Holds(3, after(140))


def test_a_later_closing_is_never_taken_back() -> None:
    plan = rounds()
    plan.open(2)
    plan.close(2)
    plan.close(1)

    assert plan.closed == 2
