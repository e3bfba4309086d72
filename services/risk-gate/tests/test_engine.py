"""The engine: order, registration, and that every reason can be read."""

from risk_gate.core import Case, Finding, RiskGate, Standing, rule
from risk_gate.core.checks import CHECKS
from risk_gate.testing import D, approval, facts, portfolio, position, rejection, signal


@rule("EXPOSURE_ABOVE_MAX", "no more than {limit} on a Sunday, not {value}", "enter")
def sunday(case: Case) -> Finding:
    return Finding(case.order.quantity <= 1, case.order.quantity, 1)


def test_a_check_is_added_by_registering_it() -> None:
    first, last = CHECKS.registered(sunday, before="quantity_min"), CHECKS.registered(sunday)

    for engine, before in ((first, "price_fresh"), (last, "margin")):
        said, _ = RiskGate(engine).decide(Standing(), signal("2"), facts())
        assert said.code == "EXPOSURE_ABOVE_MAX"  # type: ignore[attr-defined]
        assert said.detail == "no more than 1 on a Sunday, not 2"  # type: ignore[attr-defined]
        assert said.checks[-2].rule == before  # type: ignore[attr-defined]
    assert "sunday" not in [each.name for each in CHECKS.rules], "the engine it was added to is another one"


def test_no_two_checks_have_one_name() -> None:
    names = [each.name for each in CHECKS.rules]

    assert len(set(names)) == len(names)


def test_every_approval_says_what_it_was_held_against() -> None:
    checks = {check.rule: (check.value, check.limit) for check in approval(quantity="2", limit="990").checks}

    assert checks["price_in_band"] == (990, 1020)
    assert checks["leverage_max"] == (5, 10)
    assert checks["position_max"] == (2000, 30_000)
    # 2 * 1000 / 5, no loss below the mark, fee 2 * 1000 * 0.0005
    assert checks["margin"] == (401, 10_000)


def test_what_only_reduces_is_asked_less() -> None:
    order = approval(action="close_position", quantity=None, given=facts(portfolio=portfolio(position("1"))))

    assert [check.rule for check in order.checks] == [
        "round_open", "not_duplicate", "in_time", "instrument_allowed", "instrument_known", "portfolio_known",
        "price_known", "position_to_reduce",
    ]  # fmt: skip


def test_a_rejection_can_be_read() -> None:
    said = {
        rejection(quantity="10", given=facts(portfolio=portfolio(available="2205.09"))).detail,
        rejection(leverage=D("10.1")).detail,
        rejection(quantity="0.0000001").detail,
        rejection(round=1, at=signal().deadline.replace(microsecond=500_000)).detail,
    }

    assert said == {
        "the worst fill in the band takes 2205.1 USD of margin, 2205.09 USD are free",
        "leverage 10.1 is above 10, the most that the season allows",
        "0.0000001 is less than 0.002, the least that may be ordered",
        "the answer came 0.5 s after the deadline",
    }
