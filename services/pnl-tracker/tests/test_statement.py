# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.
"""Days of an account: what a statement counts, and when the series is sampled."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from contracts.portfolios import DailyStatement
from hypothesis import given
from hypothesis import strategies as st
from pnl_tracker.core.sampling import DAYS_MAX, due
from pnl_tracker.core.unit import Unit
from pnl_tracker.testing import at, fill, funding, liquidated, mark, season, unit

DAY = 86_400
BESIDE = {"insurance", "write_off"}


def usd(text: str) -> Decimal:
    return Decimal(text)


def holder(**changes: object) -> Unit:
    ann = unit("ann", **changes)
    ann.passed(at(0))
    ann.diary.told_statements()
    return ann


def adds_up(statement: DailyStatement) -> bool:
    moved = sum((line.amount for line in statement.lines if line.category not in BESIDE), Decimal(0))
    return statement.closing_equity == statement.opening_equity + moved + statement.unrealised_change


def test_a_statement_has_every_category_of_its_day_and_adds_up() -> None:
    ann = holder()
    ann.execution(fill(1, "10", "1000", fee="5", seconds=10))
    ann.execution(fill(2, "-4", "990", fee="2", purpose="liquidation", seconds=20))
    ann.execution(liquidated(1, fee="3", change="4", written_off="0.5", seconds=20))
    ann.execution(funding(1, "-1.5", seconds=30))
    ann.mark(mark("1010", seconds=40))
    ann.passed(at(DAY))
    (statement,) = ann.diary.told_statements()

    assert {line.category: (line.amount, line.entries) for line in statement.lines} == {
        "deposit": (10_000, 1),
        "realised_pnl": (-40, 1),  # 4 * (990 - 1,000)
        "fee": (-7, 2),
        "liquidation_fee": (-3, 1),
        "funding": (usd("1.5"), 1),
        "insurance": (4, 1),
        "write_off": (usd("0.5"), 1),
    }
    assert (statement.unrealised_change, statement.closing_equity) == (60, usd("10011.5"))  # 6 * (1,010 - 1,000)
    assert adds_up(statement)


def test_the_next_day_opens_where_the_last_one_ended_and_portfolios_show_it() -> None:
    ann = holder()
    ann.execution(fill(1, "1", "1000", seconds=10))
    ann.mark(mark("1100", seconds=20))
    assert ann.passed(at(180))[-1].day_opening_equity == 10_000
    ann.passed(at(DAY))
    ann.mark(mark("1050", seconds=DAY + 1))
    assert ann.passed(at(DAY + 180))[-1].day_opening_equity == 10_100
    ann.passed(at(2 * DAY))

    first, second = ann.diary.told_statements()
    assert (second.opening_equity, second.unrealised_change, second.lines) == (10_100, -50, ())
    assert first.closing_equity == second.opening_equity
    assert adds_up(second)


def test_what_happens_at_the_very_midnight_belongs_to_the_day_that_ends() -> None:
    ann = holder()
    ann.execution(fill(1, "1", "1000", fee="1", seconds=DAY))
    ann.execution(fill(2, "1", "1000", fee="2", seconds=DAY + 0.000001))

    (statement,) = ann.diary.told_statements()
    assert [line.amount for line in statement.lines if line.category == "fee"] == [-1]


def test_a_quiet_season_still_has_a_statement_for_each_day_and_none_after_its_end() -> None:
    ann = holder(ends_at=at(2.5 * DAY))
    ann.passed(at(6 * DAY))

    assert [statement.day.isoformat() for statement in ann.diary.told_statements()] == [
        "2026-11-22", "2026-11-23", "2026-11-24",
    ]  # fmt: skip
    assert [(wanted.at, wanted.report.scope) for wanted in ann.diary.wanted if wanted.report.kind == "metrics"] == [
        (at(DAY), "day"),
        (at(2 * DAY), "day"),
        (at(2.5 * DAY), "season"),
        (at(3 * DAY), "day"),
    ]


amounts = st.decimals("0", "50", places=9)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.decimals("-5", "5", places=6).filter(bool), st.decimals("1", "2000", places=7)),
        st.tuples(st.just("funding"), amounts, amounts),
        st.tuples(st.just("liquidated"), amounts, amounts),
        st.tuples(st.just("mark"), amounts, st.decimals("1", "2000", places=7)),
        st.tuples(st.just("day"), amounts, amounts),
    ),
    max_size=20,
)


@given(steps)
def test_any_days_add_up_to_the_last_digit_and_follow_one_another(days: list[tuple[str, Decimal, Decimal]]) -> None:
    rules = season().rules.model_copy(update={"cadence_s": DAY})  # a round takes longer than all else here
    ann, seconds = holder(rules=rules), 1
    for n, (kind, one, two) in enumerate([*days, ("day", Decimal(0), Decimal(0))]):
        seconds += 1
        match kind:
            case "fill":
                ann.execution(fill(n, format(one, "f"), format(two, "f"), fee="0.123456789", seconds=seconds))
            case "funding":
                ann.execution(funding(n, format(one - two, "f"), seconds=seconds))
            case "liquidated":
                ann.execution(liquidated(n, fee=format(one, "f"), change=format(one - two, "f"), seconds=seconds))
            case "mark":
                ann.mark(mark(format(two, "f"), seconds=seconds))
            case _:
                seconds += DAY - seconds % DAY
                ann.passed(at(seconds))
    statements = ann.diary.told_statements()

    assert all(adds_up(statement) for statement in statements)
    assert all(one.closing_equity == two.opening_equity for one, two in pairwise(statements))
    assert statements[-1].closing_equity == ann.accounts["season-1", "ann"].seen(at(0), ann._price).equity


def test_the_series_has_every_fill_and_each_minute_in_which_something_could_have_changed() -> None:
    ann = holder()
    ann.diary.samples.clear()
    ann.execution(fill(1, "2", "100", fee="1", seconds=30))
    ann.mark(mark("110", seconds=60))
    ann.mark(mark("120", seconds=61))
    ann.passed(at(400))

    assert [(point.at, point.cause, point.equity, point.exposure_gross) for point in ann.diary.samples] == [
        (at(30), "fill", 9_999, 200),
        (at(60), "minute", 10_019, 220),  # the mark at the minute counts, the one after it does not
        (at(120), "minute", 10_039, 240),  # and nothing moved until 400
    ]


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_gap_is_looked_at_once_and_at_its_midnights_and_the_seasons_ends() -> None:
    ends = [NOON + timedelta(hours=30, seconds=1), NOON - timedelta(days=1), NOON + timedelta(days=9)]

    assert due(NOON, NOON + timedelta(days=2), ends) == [
        NOON,
        NOON + timedelta(hours=12),
        NOON + timedelta(hours=30, minutes=1),
        NOON + timedelta(hours=36),
    ]
    assert due(NOON, NOON, []) == [NOON]


@pytest.mark.parametrize("days", [DAYS_MAX - 1, DAYS_MAX, 5 * DAYS_MAX])
def test_a_gap_is_never_longer_than_its_bound(days: int) -> None:
    moments = due(NOON, NOON + timedelta(days=days), [])

    assert len(moments) == 1 + min(days, DAYS_MAX)
    assert moments[-1] == NOON + timedelta(days=days) - timedelta(hours=12)
