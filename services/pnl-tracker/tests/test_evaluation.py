"""Signal quality: every expectation is worked out by hand from four or ten entries."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pnl_tracker.core.evaluation import Answer, Seen, evaluate
from pnl_tracker.core.plans import Closing, outcomes
from pnl_tracker.core.scoring import (
    Entry,
    Marks,
    brier,
    calibration,
    calibration_error,
    horizon_score,
    scored,
)
from pnl_tracker.testing import BTC, ETH, at

QUARTER = timedelta(minutes=15)
ROUND_S = 180


def marks(*btc: str) -> Marks:
    """Round 1 opens at the season's start, one every three minutes."""
    prices = {(n, BTC): Decimal(price) for n, price in enumerate(btc, start=1)}
    return Marks({n: at((n - 1) * ROUND_S) for n in range(1, len(btc) + 1)}, prices)


def entry(round: int, direction: int = 1, confidence: str | None = None, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "competitor_id": "ann", "round": round, "instrument": BTC, "direction": direction,
        "confidence": None if confidence is None else Decimal(confidence),
        "risk_usd": None, "take_profit": None, "stop_loss": None,
    }  # fmt: skip
    return Entry(**fields | changes)


def test_an_entry_is_scored_by_the_first_round_at_its_horizon() -> None:
    known = marks("100", "1", "1", "1", "1", "103", "1")  # round 6 opens 15 minutes after round 1
    assert [each.gained for each in scored([entry(1)], known, QUARTER)] == [Decimal("0.03")]
    assert [each.gained for each in scored([entry(1, -1)], known, QUARTER)] == [Decimal("-0.03")]


def test_an_entry_whose_time_has_not_come_is_not_scored() -> None:
    assert scored([entry(2)], marks("100", "100", "100", "100", "100", "103"), QUARTER) == []


def test_a_gap_longer_than_half_the_horizon_is_not_bridged() -> None:
    prices = {(1, BTC): Decimal(100), (9, BTC): Decimal(120)}
    just = Marks({1: at(0), 9: at(1_350)}, prices)  # 900 + 450
    late = Marks({1: at(0), 9: at(1_351)}, prices)
    assert len(scored([entry(1)], just, QUARTER)) == 1
    assert scored([entry(1)], late, QUARTER) == []


def test_an_instrument_without_a_mark_is_not_scored() -> None:
    assert scored([entry(1, instrument="XRP-USDT-PERP")], marks(*["100"] * 6), QUARTER) == []


def of_returns(*said_and_moved: tuple[str, str]) -> list[Any]:
    """Signed confidence, and the market's return in per cent."""
    found = []
    for n, (said, moved) in enumerate(said_and_moved, start=1):
        direction = -1 if said.startswith("-") else 1
        known = Marks({1: at(0), 2: at(900)}, {(1, BTC): Decimal(100), (2, BTC): Decimal(100) + Decimal(moved)})
        found += scored([entry(1, direction, said.lstrip("-"), competitor_id=str(n))], known, QUARTER)
    return found


def test_hits_are_entries_that_gained() -> None:
    score = horizon_score(QUARTER, of_returns(("0.6", "1"), ("-0.6", "1"), ("0.6", "0"), ("-0.6", "-4")))
    assert (score.scored, score.hit_rate) == (4, Decimal("0.5"))  # bought and rose, sold and fell; unmoved is no hit
    assert score.mean_return == Decimal("0.01")  # (0.01 - 0.01 + 0 + 0.04) / 4
    assert score.information_coefficient is None  # four say nothing


@pytest.mark.parametrize(
    ("said", "coefficient"),
    [
        (["-0.9", "-0.7", "-0.5", "-0.3", "-0.1", "0.1", "0.3", "0.5", "0.7", "0.9"], "1"),
        (["0.9", "0.7", "0.5", "0.3", "0.1", "-0.1", "-0.3", "-0.5", "-0.7", "-0.9"], "-1"),
        # the last two exchanged: 1 - 6 * (1 + 1) / (10 * 99)
        (["-0.9", "-0.7", "-0.5", "-0.3", "-0.1", "0.1", "0.3", "0.5", "0.9", "0.7"], "0.987878787879"),
        (["0.5"] * 10, None),
    ],
)
def test_the_information_coefficient_is_spearmans(said: list[str], coefficient: str | None) -> None:
    moved = ["-5", "-4", "-3", "-2", "-1", "1", "2", "3", "4", "5"]
    score = horizon_score(QUARTER, of_returns(*zip(said, moved, strict=True)))
    assert score.information_coefficient == (None if coefficient is None else Decimal(coefficient))


def test_brier_and_calibration() -> None:
    found = of_returns(("0.9", "1"), ("0.9", "-1"), ("0.3", "-1"), ("0.2", "1"))
    # (0.9 - 1)^2 + 0.9^2 + 0.3^2 + (0.2 - 1)^2 = 0.01 + 0.81 + 0.09 + 0.64 = 1.55
    assert brier(found) == Decimal("0.3875")
    bins = calibration(found)
    assert [(each.scored, each.mean_confidence, each.hit_rate) for each in bins] == [
        (1, Decimal("0.2"), Decimal(1)),  # 0.2 belongs to the bin that it ends
        (1, Decimal("0.3"), Decimal(0)),
        (0, None, None),
        (0, None, None),
        (2, Decimal("0.9"), Decimal("0.5")),
    ]
    # (0.8 + 0.3 + 2 * 0.4) / 4
    assert calibration_error(bins) == Decimal("0.475")


def test_without_a_stated_confidence_nothing_is_calibrated() -> None:
    found = scored([entry(1)], marks(*["100"] * 6), QUARTER)
    assert (brier(found), calibration(found), calibration_error(())) == (None, (), None)


def closing(purpose: str, price: str, pnl: str, seconds: float, direction: int = 1) -> Closing:
    return Closing("ann", BTC, purpose, direction, Decimal(price), Decimal(pnl), at(seconds))


def test_plan_against_deed() -> None:
    stated: dict[str, Any] = {"take_profit": Decimal(110), "stop_loss": Decimal(95), "risk_usd": Decimal(50)}
    entries = [entry(1, **stated), entry(3, stop_loss=Decimal(200))]
    closings = [
        closing("stop_loss", "94.05", "-60", 300),  # 1 % below the stop of round 1, lost 1.2 of what it risked
        closing("take_profit", "110", "100", 350),  # 2 R
        closing("stop_loss", "200", "0", 400),  # of round 3: at its stop, no risk was stated
        closing("liquidation", "90", "-5", 500, direction=-1),  # of a short that nobody stated
    ]
    found = outcomes(entries, closings, marks("100", "100", "100"))
    assert (found.stop_loss, found.take_profit, found.liquidation, found.decision) == (2, 1, 1, 0)
    assert found.stop_slippage == Decimal("0.005")
    assert found.realised_r == Decimal("0.4")  # (-1.2 + 2) / 2
    assert found.stated_reward_risk == Decimal(2)  # (110 - 100) / (100 - 95); round 3 has no target


def seen(answers: list[Answer], entries: list[Entry]) -> Seen:
    return Seen("season-1", 6, at(900), marks(*["100"] * 5, "103"), answers, entries, [])


def test_answers_are_counted_timed_and_paid() -> None:
    answers = [
        Answer("ann", 1, missed=False, offline=False, latency_ms=100, cost_usd=Decimal("0.01")),
        Answer("ann", 2, missed=False, offline=True, latency_ms=300, cost_usd=None),
        Answer("ann", 3, missed=True, offline=False, latency_ms=None, cost_usd=Decimal("0.02")),
    ]
    (event,) = evaluate(seen(answers, []))
    assert (event.decisions, event.missed, event.offline, event.entries) == (3, 1, 1, 0)
    assert (event.latency_ms_mean, event.latency_ms_p95) == (Decimal(200), Decimal(300))
    assert (event.cost_usd, event.cost_per_decision_usd) == (Decimal("0.03"), Decimal("0.01"))
    assert event.disagreement is None


def test_disagreement_is_the_share_of_others_that_went_the_other_way() -> None:
    names = ["ann", "bob", "gus"]
    answers = [Answer(name, 1, missed=False, offline=False, latency_ms=1, cost_usd=None) for name in names]
    entries = [
        entry(1), entry(1, competitor_id="bob"), entry(1, -1, competitor_id="gus"),
        entry(2), entry(2, -1, competitor_id="bob", instrument=ETH),  # nobody else in either
    ]  # fmt: skip
    found = {event.competitor_id: (event.disagreement, event.compared) for event in evaluate(seen(answers, entries))}
    assert found == {"ann": (Decimal("0.5"), 2), "bob": (Decimal("0.5"), 2), "gus": (Decimal(1), 2)}


def test_the_same_evaluation_has_the_same_id_and_the_next_another() -> None:
    answers = [Answer("ann", 1, missed=True, offline=False, latency_ms=None, cost_usd=None)]
    first, again = evaluate(seen(answers, [])), evaluate(seen(answers, []))
    later = seen(answers, [])
    later.round = 7
    assert first == again
    assert evaluate(later)[0].event_id != first[0].event_id
