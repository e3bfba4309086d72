import json
from typing import Any

import pytest
from dashboard_api.core.board import Shows
from dashboard_api.core.changes import Change, from_event
from dashboard_api.core.feed import Feed
from dashboard_events import BTC, TRACE, D, approved, at, competitor, fill, leaderboard, mark, portfolio, season, signal

NOW = "2026-11-22T14:00:00Z"


@pytest.fixture
def feed() -> Feed:
    return Feed("e1", shows=Shows(), ring=3)


def offer(feed: Feed, *events: Any) -> None:
    for event in events:
        change = event if isinstance(event, Change) else from_event(event)
        assert change is not None
        feed.offer(change)


def tell(feed: Feed, *events: Any) -> dict[str, Any]:
    offer(feed, *events)
    frame = feed.frame(feed.take(), NOW)
    assert frame is not None
    told: dict[str, Any] = json.loads(frame.text)
    return told


def test_of_the_marks_of_one_instrument_the_last_one_wins(feed: Feed) -> None:
    frame = tell(feed, mark(1, "100"), mark(1, "9", "ETH-USDT-PERP"), mark(2, "101"))

    prices = {change["data"]["instrument"]: change["data"]["mark_price"] for change in frame["changes"]}
    assert prices == {BTC: "101", "ETH-USDT-PERP": "9"}
    assert (frame["type"], frame["seq"], frame["at"]) == ("delta", 1, "2026-11-22T14:00:02Z")


def test_fills_are_never_dropped_and_keep_their_order(feed: Feed) -> None:
    frame = tell(feed, *(fill(n, "buy", "1", str(100 + n)) for n in range(1, 51)))

    assert [change["data"]["price"] for change in frame["changes"]] == [str(100 + n) for n in range(1, 51)]


def test_a_portfolio_that_a_fill_caused_stays_beside_the_later_one_of_a_mark(feed: Feed) -> None:
    frame = tell(
        feed, portfolio(1, "10001"), portfolio(2, "10002", cause="fill"), portfolio(3, "10003"), portfolio(4, "10004")
    )

    assert [change["data"]["seq"] for change in frame["changes"]] == [2, 4]


def test_an_older_portfolio_changes_nothing(feed: Feed) -> None:
    tell(feed, portfolio(5, "10005"))
    offer(feed, portfolio(4, "9000"))

    assert feed.frame(feed.take(), NOW) is None
    assert feed.board.portfolios["ann"].equity == D("10005")


def test_every_event_of_a_decision_is_told(feed: Feed) -> None:
    first = signal(1, 2)
    frame = tell(feed, *(Change("decision", event, TRACE) for event in (first, signal(2, 2), approved(first))))

    assert [change["data"]["type"] for change in frame["changes"]] == [
        "signal_proposed", "signal_proposed", "order_approved",
    ]  # fmt: skip


def test_the_snapshot_holds_the_latest_decisions_oldest_first() -> None:
    feed = Feed("e1", shows=Shows(decisions=2))
    tell(feed, *(Change("decision", signal(number=number)) for number in (1, 2, 3)))
    told = json.loads(feed.snapshot(NOW))["data"]["decisions"]

    assert [event["round"] for event in told] == [2, 3]


def test_a_change_carries_the_trace_of_its_decision_as_data_and_nothing_can_break_out_of_it(feed: Feed) -> None:
    frame = tell(feed, fill(1, "buy", "1", "100"), fill(2, "buy", "1", "100", traceparent='","price":"0'))

    assert frame["changes"][0]["data"]["traceparent"] == TRACE
    assert frame["changes"][1]["data"]["traceparent"] == '","price":"0'
    assert frame["changes"][1]["data"]["price"] == "100"


def test_the_snapshot_stands_at_its_seq_and_holds_nothing_that_is_still_to_be_told(feed: Feed) -> None:
    tell(feed, season(), competitor(), portfolio(60, "10010"), leaderboard(1, "ann"), mark(1, "100"))
    offer(feed, mark(2, "200"))
    snapshot = json.loads(feed.snapshot(NOW, '{"ok":true}'))

    assert (snapshot["type"], snapshot["seq"], snapshot["epoch"]) == ("snapshot", 1, "e1")
    data = snapshot["data"]
    assert data["marks"][BTC]["mark_price"] == "100"
    assert data["season"]["name"] == "Season 1"
    assert data["rules"]["capital"] == "10000"
    assert [entry["competitor_id"] for entry in data["competitors"]] == ["ann"]
    assert [row["rank"] for row in data["leaderboard"]] == [1]
    assert data["portfolios"]["ann"]["equity"] == "10010"
    assert data["equity"] == {"ann": [[round(at(60).timestamp() * 1000), "10010"]]}
    assert (data["trades"], data["decisions"], data["round"], data["health"]) == ([], [], None, {"ok": True})


def test_who_resumes_gets_exactly_the_deltas_after_the_one_it_has(feed: Feed) -> None:
    frames = [tell(feed, mark(n, str(n))) for n in (1, 2, 3)]

    assert [json.loads(text) for text in feed.resume(1, "e1") or ()] == frames[1:]
    assert feed.resume(3, "e1") == []


def test_who_was_away_longer_than_the_ring_gets_a_snapshot(feed: Feed) -> None:
    for n in range(1, 6):
        tell(feed, mark(n, str(n)))

    assert feed.resume(1, "e1") is None  # 3, 4 and 5 are here; 2 is gone
    assert len(feed.resume(2, "e1") or ()) == 3


@pytest.mark.parametrize(("since", "epoch"), [(1, "e0"), (99, "e1"), (1, "")])
def test_who_comes_from_another_epoch_or_the_future_gets_a_snapshot(feed: Feed, since: int, epoch: str) -> None:
    tell(feed, mark(1, "1"))

    assert feed.resume(since, epoch) is None


def test_a_season_that_takes_over_begins_with_a_snapshot_and_forgets_the_old_one(feed: Feed) -> None:
    tell(feed, season(), competitor(), portfolio(60), mark(1, "100"))
    frame = tell(feed, season("s2", starts=3600), competitor("cat", "s2"))

    assert (frame["type"], frame["seq"]) == ("snapshot", 2)
    assert frame["data"]["season"]["season_id"] == "s2"
    assert [entry["competitor_id"] for entry in frame["data"]["competitors"]] == ["cat"]
    assert (frame["data"]["portfolios"], list(frame["data"]["marks"])) == ({}, [BTC])
    assert feed.resume(1, "e1") is None


def test_an_older_season_and_its_events_are_not_shown(feed: Feed) -> None:
    tell(feed, season("s2", starts=3600))
    offer(feed, season("s1"), fill(1, "buy", "1", "100"))

    assert feed.frame(feed.take(), NOW) is None


def test_equity_has_one_point_a_step_the_last_and_one_for_every_fill(feed: Feed) -> None:
    tell(feed, portfolio(1, "10001"))
    tell(feed, portfolio(2, "10002"))
    tell(feed, portfolio(3, "10003", cause="fill"))
    tell(feed, portfolio(61, "10061"))

    assert [(point.at, point.equity) for point in feed.board.points("ann")] == [
        (at(2), D("10002")), (at(3), D("10003")), (at(61), D("10061")),
    ]  # fmt: skip


def test_a_long_line_is_thinned_and_keeps_its_end() -> None:
    feed = Feed("e1", shows=Shows(equity_points=4))
    for n in range(10):
        tell(feed, portfolio(60 * n, str(10_000 + n)))
    line = json.loads(feed.snapshot(NOW))["data"]["equity"]["ann"]

    assert [equity for _, equity in line] == ["10000", "10003", "10006", "10009"]


def test_a_resumed_frame_says_where_it_goes_on_and_a_heartbeat_where_it_stands(feed: Feed) -> None:
    tell(feed, mark(1, "1"))

    assert json.loads(feed.resumed(0, NOW)) == {
        "type": "resumed", "seq": 0, "epoch": "e1", "sent_at": NOW, "resumed": True,
    }  # fmt: skip
    assert json.loads(feed.heartbeat(NOW)) == {"type": "heartbeat", "seq": 1, "sent_at": NOW, "health": None}
