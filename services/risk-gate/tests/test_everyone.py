"""Everyone's portfolios of a round are counted as they come."""

# mypy: no-strict-equality

from typing import Any

from contracts.base import named_id
from contracts.competition import CompetitorRegistered
from risk_gate.everyone import Everyone
from risk_gate.testing import BTC, at, portfolio, position


def registered(competitor: str, *, active: bool = True) -> CompetitorRegistered:
    return CompetitorRegistered.model_validate({
        "event_id": named_id("registered", competitor, active), "at": at(0), "season_id": "s1",
        "competitor_id": competitor, "name": competitor, "mark": "AA", "hue": 0, "kind": "quant", "model": "test",
        "config_sha256": "0" * 64, "active": active,
    })  # fmt: skip


def of(*competitors: str) -> Everyone:
    everyone = Everyone()
    for name in competitors:
        everyone.register(registered(name))
    return everyone


def nobody(_: str) -> Any:
    return None


def test_all_are_there_when_each_active_competitor_is() -> None:
    everyone = of("ann", "bob", "cyd")
    everyone.register(registered("cyd", active=False))

    everyone.see(portfolio(competitor="ann"))
    assert not everyone.are_there("s1", 1)
    everyone.see(portfolio(competitor="dan"))
    assert not everyone.are_there("s1", 1), "dan is none of them"
    everyone.see(portfolio(competitor="bob"))
    assert everyone.are_there("s1", 1)
    assert not everyone.are_there("s1", 2)


def test_the_arena_is_that_of_the_round_and_says_who_is_missing() -> None:
    everyone = of("ann", "bob")
    everyone.see(portfolio(position("2"), competitor="ann"))

    partial = everyone.arena("s1", 1, nobody)
    assert (partial.missing, partial.matrix.gross([BTC]), partial.equity) == (1, 2000, 10_000)
    everyone.see(portfolio(position("-1"), competitor="bob"))
    whole = everyone.arena("s1", 1, nobody)
    assert (whole.missing, whole.matrix.gross([BTC]), whole.matrix.net([BTC])) == (0, 3000, 1000)
    everyone.see(portfolio(position("9"), competitor="bob", round=2))
    assert everyone.arena("s1", 1, nobody) is whole, "reckoned once a round"


def test_another_portfolio_stands_for_one_that_compaction_has_removed() -> None:
    everyone = of("ann", "bob")
    everyone.see(portfolio(position("2"), competitor="ann"))
    later = portfolio(position("-1"), competitor="bob")

    assert everyone.arena("s1", 1, {"bob": later}.get).missing == 0


def test_two_rounds_are_kept_and_portfolios_of_no_round_are_passed_over() -> None:
    everyone = of("ann")
    everyone.see(portfolio(competitor="ann", seq=9).model_copy(update={"round": None}))
    assert not everyone.are_there("s1", 1)
    for number in (1, 2, 3):
        everyone.see(portfolio(competitor="ann", round=number))

    assert [everyone.are_there("s1", number) for number in (1, 2, 3)] == [False, True, True]
