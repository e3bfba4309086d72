# mypy: disable-error-code="comparison-overlap"
# Amounts are compared with whole numbers.

from decimal import Decimal

import pytest
from contracts.base import Event, named_id
from contracts.executions import ExitPlanChanged
from contracts.market import MarkUpdated, TimeAdvanced
from contracts.portfolios import PortfolioUpdated
from contracts.signals import ExitPlan
from contracts.topics import TOPICS
from contracts.wire import BadRecord, encode
from pnl_tracker.core.roster import Roster
from pnl_tracker.core.unit import Unit, UnknownSeason
from pnl_tracker.handlers import OWN_TOPIC, READS
from pnl_tracker.testing import BTC, ETH, STARTS_AT, at, fill, funding, mark, roster, season, unit


def usd(text: str) -> Decimal:
    return Decimal(text)


def last(told: list[PortfolioUpdated]) -> PortfolioUpdated:
    return told[-1]


def traded(*fills: Event) -> Unit:
    ann = unit("ann")
    for event in fills:
        ann.execution(event)
    return ann


def test_the_season_opens_every_account_and_then_shows_round_one() -> None:
    told = unit("ann", "bob").passed(STARTS_AT)

    assert [(p.competitor_id, p.seq, p.cause, p.round, p.equity, p.at) for p in told] == [
        ("ann", 1, "opened", None, 10_000, STARTS_AT),
        ("bob", 1, "opened", None, 10_000, STARTS_AT),
        ("ann", 2, "round", 1, 10_000, STARTS_AT),
        ("bob", 2, "round", 1, 10_000, STARTS_AT),
    ]
    assert all(p.books_balanced for p in told)


def test_a_portfolio_goes_out_under_its_own_id_and_time() -> None:
    opened, _ = unit("ann").passed(STARTS_AT)

    headers = dict(encode(opened).headers)

    assert headers["ce_id"] == str(opened.event_id).encode()
    assert headers["ce_time"] == b"2026-11-22T00:00:00Z"


def test_nothing_is_told_before_the_season_starts() -> None:
    assert unit("ann").passed(at(-0.001)) == []


def test_a_fill_tells_the_portfolio_at_its_moment() -> None:
    ann = unit("ann")
    ann.passed(STARTS_AT)
    ann.mark(mark("101", seconds=1))

    (told,) = ann.execution(fill(1, "2", "100", fee="0.1", seconds=2, traceparent="00-a-b-01"))

    assert (told.seq, told.cause, told.at, told.traceparent) == (3, "fill", at(2), "00-a-b-01")
    assert (told.realised_pnl, told.unrealised_pnl, told.fees) == (0, 2, usd("0.1"))
    assert (told.equity, told.cash) == (usd("10001.9"), usd("9999.9"))
    assert (told.margin_used, told.margin_available) == (usd("40.4"), usd("9961.5"))  # 202 / 5
    assert (told.exposure_gross, told.exposure_net, told.turnover) == (202, 202, 200)
    assert (told.fills, told.trades, told.wins) == (1, 0, 0)
    assert told.books_balanced
    (position,) = told.positions
    assert (position.quantity, position.entry_price, position.mark_price) == (2, 100, 101)
    assert (position.opened_at, position.leverage, position.liquidation_price) == (at(2), 5, None)


def test_a_fill_that_arrives_after_a_later_mark_is_told_at_the_time_of_that_mark() -> None:
    ann = unit("ann")
    ann.mark(mark("110", seconds=3))
    told = last(ann.execution(fill(1, "1", "100", seconds=2)))

    assert (told.at, told.equity) == (at(3), 10_010)  # one bought at 100, worth 110


def test_a_position_is_valued_at_its_last_trade_until_the_first_mark() -> None:
    ann = traded(fill(1, "1", "100"))

    assert last(ann.execution(fill(2, "1", "110"))).unrealised_pnl == 10
    ann.mark(mark("120", seconds=2))
    assert last(ann.passed(at(2))).unrealised_pnl == 30


def test_a_trade_that_comes_again_posts_nothing() -> None:
    ann = traded(fill(1, "2", "100", fee="1"))
    entries = len(ann.accounts["season-1", "ann"].ledger.fresh)

    again = fill(1, "2", "100", fee="1", event_id=named_id("another event of the same trade"))
    assert ann.execution(again) == []
    told = last(ann.execution(fill(2, "-1", "100", fee="0")))

    assert (told.fills, told.positions[0].quantity, told.fees) == (2, 1, 1)
    assert len(ann.accounts["season-1", "ann"].ledger.fresh) == entries + 2  # position, counterparty; no profit, no fee


def test_funding_is_paid_out_of_cash_and_received_into_it() -> None:
    ann = traded(fill(1, "1", "100"))

    paid = last(ann.execution(funding(1, "0.75", seconds=2)))
    received = last(ann.execution(funding(2, "-0.25", seconds=3)))

    assert (paid.cause, paid.equity, paid.funding) == ("funding", usd("9999.25"), usd("0.75"))
    assert (received.equity, received.cash, received.funding) == (usd("9999.5"), usd("9999.5"), usd("0.5"))
    assert received.books_balanced


def test_wins_are_round_trips_that_earn_more_than_their_fees() -> None:
    ann = traded(fill(1, "1", "100", fee="1"), fill(2, "-1", "102", fee="1"))  # 0: no win
    ann.execution(fill(3, "1", "100", fee="1"))
    told = last(ann.execution(fill(4, "-1", "102.01", fee="1")))

    assert (told.trades, told.wins, told.positions) == (2, 1, ())


def test_a_flip_ends_a_trade_and_begins_another() -> None:
    told = last(traded(fill(1, "1", "100")).execution(fill(2, "-3", "110")))

    assert (told.trades, told.wins, told.realised_pnl) == (1, 1, 10)
    assert (told.positions[0].quantity, told.positions[0].entry_price) == (-2, 110)
    assert told.exposure_net == -220


def test_the_drawdown_is_the_largest_fall_from_a_peak_at_any_mark() -> None:
    ann = traded(fill(1, "10", "1000"))
    for seconds, price in ((2, "1100"), (3, "1045"), (4, "1155"), (5, "924"), (6, "1200")):
        ann.mark(mark(price, seconds=seconds))

    told = last(ann.passed(at(6)))

    # Equity 11000, 10450 (-5 %), 11550, 9240 (-20 % of 11550), 12000.
    assert (told.peak_equity, told.max_drawdown) == (12_000, usd("0.2"))


def test_marks_of_one_moment_are_valued_together() -> None:
    ann = unit("ann")
    ann.execution(fill(1, "10", "1000"))
    ann.execution(fill(2, "-10", "1000", instrument=ETH))
    ann.mark(mark("1000", seconds=2))
    ann.mark(mark("1000", seconds=2, instrument=ETH))
    ann.mark(mark("1100", seconds=3))
    ann.mark(mark("1100", seconds=3, instrument=ETH))

    told = last(ann.passed(at(3)))

    assert (told.equity, told.peak_equity, told.max_drawdown) == (10_000, 10_000, 0)


def test_marks_tell_a_portfolio_at_most_every_quarter_of_a_second() -> None:
    ann = traded(fill(1, "1", "100"))
    moments = []
    for n in range(1, 11):
        ann.mark(mark(str(100 + n), seconds=1 + n / 10))
        moments += [(told.at, told.cause, told.equity) for told in ann.passed(at(1 + n / 10))]

    assert moments == [
        (at(1.3), "mark", 10_003),
        (at(1.6), "mark", 10_006),
        (at(1.9), "mark", 10_009),
    ]


def test_marks_tell_nothing_to_those_who_hold_nothing_there() -> None:
    ann = unit("ann", "bob")
    ann.passed(STARTS_AT)
    ann.execution(fill(1, "1", "100"))

    ann.mark(mark("50", seconds=2, instrument=ETH))
    assert ann.passed(at(2)) == []
    ann.mark(mark("101", seconds=3))
    assert [told.competitor_id for told in ann.passed(at(3))] == ["ann"]


def test_a_mark_of_an_instrument_that_nobody_holds_is_never_parsed() -> None:
    class Unread:
        at, instrument = at(2), ETH

        @property
        def event(self) -> MarkUpdated:
            raise AssertionError("parsed")

    ann = traded(fill(1, "1", "100"))
    ann.mark(Unread())
    ann.passed(at(2))


class Broken:
    def __init__(self, seconds: float) -> None:
        self.at, self.instrument = at(seconds), BTC

    @property
    def event(self) -> MarkUpdated:
        raise BadRecord("mark_price: Field required")


def test_a_broken_mark_of_a_held_instrument_is_refused_and_changes_nothing() -> None:
    ann = traded(fill(1, "1", "100"))
    ann.mark(mark("110", seconds=2))

    with pytest.raises(BadRecord):
        ann.mark(Broken(seconds=181))
    assert ann.passed(at(3))[-1].equity == 10_010


def test_a_broken_mark_that_nobody_held_is_passed_over_when_it_is_first_needed() -> None:
    ann = unit("ann")
    ann.passed(STARTS_AT)
    ann.mark(Broken(seconds=0.5))

    (told,) = ann.execution(fill(1, "1", "100"))
    assert told.positions[0].mark_price == 100


def test_a_round_shows_what_was_so_at_its_opening_and_nothing_later() -> None:
    ann = traded(fill(1, "1", "100"))
    ann.mark(mark("110", seconds=180))
    told = ann.mark(mark("150", seconds=180.001))

    assert [(p.cause, p.round, p.at, p.equity) for p in told] == [("round", 2, at(180), 10_010)]
    assert told[0].peak_equity == 10_010


def test_a_round_counts_a_fill_at_its_very_opening_and_not_the_next() -> None:
    ann = traded(fill(1, "1", "100", seconds=180))
    told = ann.execution(fill(2, "1", "100", seconds=180.000001))

    assert [(p.cause, p.fills) for p in told] == [("round", 1), ("fill", 2)]


def test_each_round_that_opened_since_is_shown_once() -> None:
    ann = traded(fill(1, "1", "100"))

    assert [(p.round, p.at) for p in ann.passed(at(540))] == [(2, at(180)), (3, at(360)), (4, at(540))]
    assert ann.passed(at(540)) == []


def test_no_round_opens_once_the_season_has_ended() -> None:
    ann = unit("ann", ends_at=at(361))

    assert [p.round for p in ann.passed(at(10_000))] == [None, 1, 2, 3]


def test_who_registers_late_is_shown_the_open_round_only() -> None:
    ann = unit("ann")
    ann.passed(at(400))
    ann.enrol(roster("ann", "bob"))

    told = ann.passed(at(401))
    assert [(p.competitor_id, p.cause, p.round) for p in told] == [("bob", "opened", None), ("bob", "round", 3)]
    assert [p.competitor_id for p in ann.passed(at(540))] == ["ann", "bob"]


def test_who_retires_is_shown_no_further_round() -> None:
    ann = unit("ann", "bob")
    ann.passed(STARTS_AT)
    ann.enrol(roster("bob"))

    assert [p.competitor_id for p in ann.passed(at(180))] == ["bob"]


def test_a_changed_exit_plan_stands_in_the_next_portfolio() -> None:
    ann = traded(fill(1, "1", "100"))
    plan = ExitPlan(stop_loss=usd("90"))
    ann.execution(
        ExitPlanChanged(
            event_id=named_id("plan"), at=at(2), season_id="season-1", competitor_id="ann",
            instrument=BTC, exit_plan=plan,
        )
    )  # fmt: skip

    assert last(ann.passed(at(180))).positions[0].exit_plan == plan


def test_a_fill_of_a_season_that_nobody_announced_is_refused() -> None:
    ann = unit("ann")
    with pytest.raises(UnknownSeason):
        ann.execution(fill(1, "1", "100", season_id="season-9"))


def test_two_seasons_keep_two_accounts_of_one_competitor() -> None:
    both = Unit()
    seasons = {name: season(name) for name in ("season-1", "season-2")}
    both.enrol(Roster(seasons, {"season-1": ("ann",), "season-2": ("ann",)}))
    both.passed(STARTS_AT)
    (told,) = both.execution(fill(1, "1", "100", season_id="season-2"))

    assert (told.season_id, told.seq) == ("season-2", 3)
    assert both.accounts["season-1", "ann"].fills == 0


@pytest.mark.parametrize("kind", sorted(set(TOPICS[OWN_TOPIC].event_types) - {*READS, TimeAdvanced}, key=str))
def test_a_type_that_is_not_read_would_change_nothing(kind: type[Event]) -> None:
    ann = unit("ann")
    ann.execution(fill(1, "2", "100", fee="0.1"))
    account = ann.accounts["season-1", "ann"]
    before = repr(account)

    fields = {**fill(2, "1", "100", seconds=2).__dict__, "type": kind.model_fields["type"].default}
    assert ann.execution(kind.model_construct(**fields)) == []
    assert repr(account) == before
