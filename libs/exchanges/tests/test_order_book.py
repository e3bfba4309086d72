from exchanges.recorded.frames import DepthDiff
from exchanges.recorded.order_book import OrderBook


def diff(first: int, last: int, before: int, *, bids: dict[str, str] | None = None) -> DepthDiff:
    return DepthDiff(s="BTCUSDT", U=first, u=last, pu=before, b=list((bids or {}).items()), a=[])


def book_at(last_update_id: int) -> OrderBook:
    book = OrderBook()
    book.snapshot(last_update_id, [("100.0", "1.000"), ("99.0", "2.000")], [("101.0", "3.000"), ("102.0", "4.000")])
    return book


def test_a_snapshot_is_the_book_best_prices_first() -> None:
    assert book_at(10).best(1) == ([("100.0", "1.000")], [("101.0", "3.000")])


def test_prices_are_ordered_as_numbers_not_as_text() -> None:
    book = OrderBook()
    book.snapshot(1, [("99.0", "1"), ("100.0", "1"), ("9.0", "1")], [("1000.0", "1"), ("999.0", "1")])

    assert [price for price, _ in book.best(3)[0]] == ["100.0", "99.0", "9.0"]
    assert [price for price, _ in book.best(3)[1]] == ["999.0", "1000.0"]


def test_nothing_is_known_before_the_first_snapshot() -> None:
    book = OrderBook()
    book.diff(diff(1, 5, 0, bids={"100.0": "1.000"}))

    assert not book.in_sync
    assert book.best(5) == ([], [])


def test_a_diff_sets_adds_and_removes_levels() -> None:
    book = book_at(10)
    book.diff(diff(9, 12, 8, bids={"100.0": "0.000", "99.0": "5.000", "98.5": "7.000", "97.0": "0.000"}))

    assert book.best(5)[0] == [("99.0", "5.000"), ("98.5", "7.000")]
    assert book.sequence == 12


def test_diffs_older_than_the_snapshot_are_dropped() -> None:
    book = book_at(10)
    book.diff(diff(1, 9, 0, bids={"100.0": "9.000"}))

    assert book.in_sync
    assert book.best(1)[0] == [("100.0", "1.000")]


def test_the_first_diff_that_reaches_over_the_snapshot_is_applied_and_the_chain_goes_on_from_it() -> None:
    book = book_at(10)
    book.diff(diff(8, 12, 7, bids={"100.0": "2.000"}))
    book.diff(diff(14, 15, 12, bids={"100.0": "3.000"}))

    assert (book.in_sync, book.gaps, book.sequence) == (True, 0, 15)
    assert book.best(1)[0] == [("100.0", "3.000")]


def test_diffs_received_before_the_snapshot_are_applied_after_it() -> None:
    book = OrderBook()
    for event in (diff(1, 5, 0), diff(6, 10, 5, bids={"99.0": "8.000"}), diff(11, 12, 10, bids={"98.0": "9.000"})):
        book.diff(event)
    book.snapshot(8, [("100.0", "1.000")], [])

    assert book.best(5)[0] == [("100.0", "1.000"), ("99.0", "8.000"), ("98.0", "9.000")]
    assert book.sequence == 12


def test_a_first_diff_beyond_the_snapshot_is_a_gap() -> None:
    book = book_at(10)
    book.diff(diff(15, 20, 14))

    assert (book.in_sync, book.gaps) == (False, 1)


def test_a_missing_diff_puts_the_book_out_of_sync_until_a_later_snapshot() -> None:
    book = book_at(10)
    book.diff(diff(9, 12, 8))
    book.diff(diff(20, 25, 19, bids={"100.0": "6.000"}))
    assert (book.in_sync, book.gaps, book.best(5)) == (False, 1, ([], []))

    book.diff(diff(26, 30, 25, bids={"99.0": "7.000"}))
    assert not book.in_sync

    book.snapshot(24, [("100.0", "1.000")], [])
    assert book.in_sync
    assert book.best(5)[0] == [("100.0", "6.000"), ("99.0", "7.000")]
    assert book.sequence == 30


def test_a_snapshot_from_before_the_gap_does_not_heal_it() -> None:
    book = book_at(10)
    book.diff(diff(9, 12, 8))
    book.diff(diff(20, 25, 19))
    book.snapshot(13, [("100.0", "1.000")], [])

    assert (book.in_sync, book.gaps) == (False, 2)


def test_a_snapshot_older_than_the_book_changes_nothing() -> None:
    book = book_at(10)
    book.diff(diff(9, 12, 8, bids={"100.0": "4.000"}))
    book.snapshot(11, [("50.0", "1.000")], [])

    assert book.best(1)[0] == [("100.0", "4.000")]
