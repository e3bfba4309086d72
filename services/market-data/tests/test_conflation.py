from datetime import UTC, datetime, timedelta

from market_data.core.conflation import Conflated

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(milliseconds: int) -> datetime:
    return T0 + timedelta(milliseconds=milliseconds)


def grid() -> Conflated[str]:
    return Conflated(timedelta(milliseconds=100))


def test_the_last_of_each_instrument_comes_out_at_the_next_point() -> None:
    books = grid()
    books.put(at(10), "ETH", "first")
    books.put(at(20), "BTC", "other")
    books.put(at(90), "ETH", "last")

    assert not books.is_due(at(99))
    assert books.is_due(at(100))
    assert list(books.let_out()) == [(at(100), "BTC", "other"), (at(100), "ETH", "last")]


def test_what_happens_at_a_point_belongs_to_it() -> None:
    books = grid()
    books.put(at(100), "BTC", "on the point")

    assert list(books.let_out()) == [(at(100), "BTC", "on the point")]


def test_nothing_comes_out_twice() -> None:
    books = grid()
    books.put(at(10), "BTC", "once")
    list(books.let_out())

    assert not books.is_due(at(1_000))
