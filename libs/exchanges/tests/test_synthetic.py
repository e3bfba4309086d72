import hashlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise

import pytest
from exchanges.synthetic import Synthetic
from exchanges.synthetic.written import Written
from exchanges.updates import Book, Mark, News, Step, Trade

T0 = datetime(2026, 1, 1, 7, 50, tzinfo=UTC)


def steps(seed: int, count: int) -> list[Step]:
    return list(islice(iter(Synthetic(seed).feed(T0)), count))


@pytest.fixture(scope="module")
def quarter_of_an_hour() -> list[Step]:
    return steps(7, 900)


def digest(steps: list[Step]) -> str:
    return hashlib.sha256(repr(steps).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_on_every_machine() -> None:
    assert digest(steps(7, 300)) == "5f61e8166d249ab397bb9ae6b9e7d0181441016eb76229a3c2a323b018a6cd1c"


def test_another_seed_gives_another_market() -> None:
    assert digest(steps(8, 3)) != digest(steps(7, 3))


@pytest.mark.parametrize("done", [0, 1, 63, 64, 65, 200])
def test_a_resumed_feed_goes_on_byte_for_byte(done: int) -> None:
    feed = Synthetic(7).feed(T0)
    running = iter(feed)
    list(islice(running, done))
    state = feed.state()

    resumed = Synthetic(7).feed(T0 + timedelta(days=9), state)

    assert digest(list(islice(iter(resumed), 130))) == digest(list(islice(running, 130)))


def test_a_resumed_feed_can_be_resumed_again() -> None:
    feed = Synthetic(7).feed(T0)
    running = iter(feed)
    list(islice(running, 70))
    again = Synthetic(7).feed(T0, feed.state())
    list(islice(iter(again), 5))

    assert list(islice(iter(Synthetic(7).feed(T0, again.state())), 3)) == steps(7, 78)[75:]


def test_every_second_has_six_books_and_six_marks(quarter_of_an_hour: list[Step]) -> None:
    assert [step.at for step in quarter_of_an_hour[:3]] == [T0 + timedelta(seconds=n) for n in (1, 2, 3)]
    for step in quarter_of_an_hour:
        assert len({update.instrument for update in step.updates if type(update) is Book}) == 6
        assert len({update.instrument for update in step.updates if type(update) is Mark}) == 6


def test_books_are_ordered_uncrossed_and_in_whole_ticks_and_lots(quarter_of_an_hour: list[Step]) -> None:
    rules = {listed.instrument: (listed.tick_size, listed.lot_size) for listed in Synthetic(7).instruments(T0)}
    for step in quarter_of_an_hour[::30]:
        for book in (update for update in step.updates if type(update) is Book):
            tick, lot = rules[book.instrument]
            bids, asks = [[Decimal(price) for price, _ in side] for side in (book.bids, book.asks)]
            assert len(bids) == len(asks) == 20
            assert bids[0] < asks[0]
            assert all(a > b for a, b in pairwise(bids))
            assert all(a < b for a, b in pairwise(asks))
            assert all(price % tick == 0 for price in bids + asks)
            assert all(Decimal(size) % lot == 0 and Decimal(size) > 0 for _, size in book.bids + book.asks)


def test_trades_are_numbered_and_meet_the_best_price_of_their_step(quarter_of_an_hour: list[Step]) -> None:
    numbers = defaultdict(list)
    for step in quarter_of_an_hour:
        books = {update.instrument: update for update in step.updates if type(update) is Book}
        for trade in (update for update in step.updates if type(update) is Trade):
            numbers[trade.instrument].append(int(trade.trade_id))
            book = books[trade.instrument]
            assert trade.price == (book.asks if trade.aggressor == "buy" else book.bids)[0][0]
    assert len(numbers) == 6
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_funding_moves_on_at_the_interval_s_end(quarter_of_an_hour: list[Step]) -> None:
    next_at = {
        step.at: update.next_funding_at
        for step in quarter_of_an_hour
        for update in step.updates
        if type(update) is Mark
    }
    eight = datetime(2026, 1, 1, 8, tzinfo=UTC)

    assert next_at[eight - timedelta(seconds=1)] == eight
    assert next_at[eight] == eight + timedelta(hours=8)


def test_headlines_name_their_instrument_and_hold_plain_words() -> None:
    feed = iter(Synthetic(7, step=timedelta(seconds=10)).feed(T0))
    news = [update for step in islice(feed, 2_000) for update in step.updates if type(update) is News]

    assert len(news) > 5
    assert all(item.headline.replace(" ", "").isalpha() for item in news)


def spread_and_depth(steps: list[Step], instrument: str) -> list[tuple[float, float]]:
    books = [
        update for step in steps for update in step.updates if type(update) is Book and update.instrument == instrument
    ]
    return [
        (float(book.asks[0][0]) / float(book.bids[0][0]) - 1, sum(float(size) for _, size in book.bids))
        for book in books
    ]


def test_spreads_widen_and_depth_thins_when_volatility_is_high() -> None:
    feed = list(islice(iter(Synthetic(7, step=timedelta(seconds=10)).feed(T0)), 3_000))
    measured = sorted(spread_and_depth(feed, "SOL-USDT-PERP"))
    calm, wild = measured[:300], measured[-300:]

    assert sum(depth for _, depth in wild) < 0.75 * sum(depth for _, depth in calm)


def test_history_ends_where_the_feed_begins() -> None:
    bars = list(Synthetic(7).history(T0))
    bitcoin = [bar for bar in bars if bar.instrument == "BTC-USDT-PERP"]

    assert len(bitcoin) == 11 * 24 * 60
    assert bitcoin[-1].opened_at == T0 - timedelta(minutes=1)
    assert bitcoin[-1].close == "68000.0"
    assert all(a.opened_at + timedelta(minutes=1) == b.opened_at and a.close == b.open for a, b in pairwise(bitcoin))
    for bar in bitcoin[::60]:
        assert Decimal(bar.low) <= min(Decimal(bar.open), Decimal(bar.close))
        assert Decimal(bar.high) >= max(Decimal(bar.open), Decimal(bar.close))


def test_history_is_the_same_for_the_same_seed() -> None:
    assert list(islice(Synthetic(7).history(T0), 50)) == list(islice(Synthetic(7).history(T0), 50))


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="seed"):
        Synthetic(-1)


def test_units_are_written_with_their_places() -> None:
    assert (Written(4)[55], Written(1)[618_002], Written(0)[12]) == ("0.0055", "61800.2", "12")
