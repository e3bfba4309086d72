from datetime import UTC, datetime, timedelta
from decimal import Decimal

from market_data.core.bars import Bar, Minute, RollUp

T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)
THREE = timedelta(minutes=3)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def minute_bar(minute: int, close: str, *, low: str = "90", high: str = "110", volume: str = "1") -> Bar:
    opened_at = T0 + timedelta(minutes=minute)
    return Bar(opened_at, Decimal(100), Decimal(high), Decimal(low), Decimal(close), Decimal(volume), Decimal(100), 2)


def test_a_minute_is_its_trades() -> None:
    minute = Minute(T0)
    for second, price, quantity in [(1, "100", "2"), (20, "103", "1"), (40, "98", "3"), (59.9, "101", "1")]:
        minute.trade(at(second), Decimal(price), Decimal(quantity))

    # turnover: 200 + 103 + 294 + 101
    assert minute.closed(at(60)) == Bar(
        T0, Decimal(100), Decimal(103), Decimal(98), Decimal(101), Decimal(7), Decimal(698), 4
    )
    assert minute.closed(at(120)) is None


def test_a_minute_is_not_closed_before_it_is_over() -> None:
    minute = Minute(T0)
    minute.trade(at(1), Decimal(100), Decimal(1))

    assert minute.closed(at(59.999999)) is None


def test_a_minute_in_which_the_data_began_is_not_whole_and_left_out() -> None:
    minute = Minute(T0 + timedelta(minutes=1))
    minute.trade(at(30), Decimal(100), Decimal(1))

    assert minute.closed(at(60)) is None


def test_three_minutes_make_one_bar() -> None:
    rollup = RollUp(THREE, kept=10)
    rollup.add(minute_bar(0, "101", high="105"))
    rollup.add(minute_bar(1, "102", low="80", volume="2.5"))
    rollup.add(minute_bar(2, "103"))
    rollup.close(at(180))

    assert list(rollup.bars) == [
        Bar(T0, Decimal(100), Decimal(110), Decimal(80), Decimal(103), Decimal("4.5"), Decimal(300), 6)
    ]


def test_a_minute_without_a_trade_leaves_the_longer_bar_to_the_others() -> None:
    rollup = RollUp(THREE, kept=10)
    rollup.add(minute_bar(0, "101"))
    rollup.add(minute_bar(2, "103"))
    rollup.add(minute_bar(6, "104"))
    rollup.close(at(540))

    assert [(bar.opened_at, bar.close, bar.trades) for bar in rollup.bars] == [
        (T0, Decimal(103), 4), (T0 + 2 * THREE, Decimal(104), 2),
    ]  # fmt: skip


def test_an_interval_in_which_the_data_began_is_left_out() -> None:
    rollup = RollUp(THREE, kept=10)
    for minute in (1, 2, 3, 4, 5):
        rollup.add(minute_bar(minute, "101"))
    rollup.close(at(360))

    assert [bar.opened_at for bar in rollup.bars] == [T0 + THREE]


def test_only_the_latest_bars_are_kept() -> None:
    rollup = RollUp(THREE, kept=2)
    for minute in range(12):
        rollup.add(minute_bar(minute, "101"))
    rollup.close(at(720))

    assert [bar.opened_at for bar in rollup.bars] == [T0 + 2 * THREE, T0 + 3 * THREE]
