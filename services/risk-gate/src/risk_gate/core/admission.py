"""May this signal be judged at all: is it in time, allowed, and is everything known that the judgement needs?

A competitor may always get out: of what only reduces no more is asked than what the order is made of, and of a cancel
nothing but that it is in time.
"""

from decimal import Decimal

from risk_gate.core.engine import Finding, rule
from risk_gate.core.facts import Case


@rule("TRADING_HALTED", "an operator has halted new risk; reduce_only, close_position and cancels pass", "enter")
def trading_allowed(case: Case) -> Finding:
    return Finding(not case.operator_halt)


@rule("BREAKER_TRIPPED", "", "enter")
def breakers_armed(case: Case) -> Finding:
    name = case.standing.tripped
    if name is None:
        return Finding(True)
    state, season = case.standing.breakers[name], case.facts.season
    breakers = season.rules.breakers if season is not None else ()
    limit = next((each.limit for each in breakers if each.name == name), None)
    ends = f"until {state.until:%Y-%m-%d %H:%M:%S} UTC" if state.until else "until an operator resumes it"
    words = f"the breaker {name} tripped at {{value}}, its limit is {{limit}}: no new risk {ends}"
    return Finding(False, state.value, limit, words)


@rule("ROUND_CLOSED", "round {value} is over, the current one is {limit}")
def round_open(case: Case) -> Finding:
    current, number = case.standing.round, case.signal.round
    return Finding(number >= current, number, current)


@rule("DUPLICATE", "part {value} of this decision was judged before", unit="part")
def not_duplicate(case: Case) -> Finding:
    part = case.signal.part
    return Finding(part not in case.standing.parts and not case.standing.judged, part)


@rule("LATE", "the answer came {value} s after the deadline", unit="s after deadline")
def in_time(case: Case) -> Finding:
    late_s = Decimal(str((case.signal.at - case.signal.deadline).total_seconds()))
    return Finding(late_s <= 0, late_s, 0)


@rule("INSTRUMENT_NOT_ALLOWED", "", "enter", "reduce", "amend", "exits")
def instrument_allowed(case: Case) -> Finding:
    season, instrument = case.facts.season, case.signal.instrument
    if season is None:
        return Finding(False, words=f"the season {case.signal.season_id} is not known")
    return Finding(
        instrument in season.rules.instruments, words=f"{instrument} is not traded in {season.season_id}"
    )  # fmt: skip


@rule("INSTRUMENT_UNKNOWN", "the venue lists no such instrument", "enter", "reduce", "amend")
def instrument_known(case: Case) -> Finding:
    return Finding(case.facts.instrument is not None)


@rule("PORTFOLIO_MISSING", "", "enter", "reduce", "exits")
def portfolio_known(case: Case) -> Finding:
    return Finding(case.facts.portfolio is not None, words=f"no portfolio as of round {case.signal.round} is known")


@rule("PRICE_MISSING", "", "enter", "reduce", "amend", "exits")
def price_known(case: Case) -> Finding:
    if case.kind != "enter":
        needed = case.kind != "exits" or case.position is not None
        return Finding(case.mark is not None or not needed, words="there is no mark price")
    book, mark = case.facts.book, case.facts.mark
    passed = mark is not None and book is not None and bool(book.bids) and bool(book.asks)
    return Finding(passed, words="a mark price and both sides of a book are needed")


@rule("INSTRUMENT_SUSPENDED", "", "enter")
def not_suspended(case: Case) -> Finding:
    assert case.facts.book is not None
    reason = case.facts.book.suspended
    return Finding(reason is None, words=f"market data has suspended {case.signal.instrument}: {reason}")


@rule("BOOK_CROSSED", "the best bid {value} is not below the best ask {limit}", "enter", unit="USD")
def book_uncrossed(case: Case) -> Finding:
    assert case.facts.book is not None
    bid, ask = case.facts.book.bids[0][0], case.facts.book.asks[0][0]
    return Finding(bid < ask, bid, ask)


@rule("PRICE_STALE", "the latest price is {value} s old, at most {limit} s are allowed", "enter", unit="s")
def price_fresh(case: Case) -> Finding:
    assert case.facts.season is not None
    assert case.facts.book is not None
    assert case.facts.mark is not None
    oldest = min(case.facts.book.at, case.facts.mark.at)
    age_s = Decimal(str((case.judged_at - oldest).total_seconds()))
    limit = case.facts.season.rules.price_stale_s
    return Finding(age_s <= limit, age_s, limit)


@rule("ORDER_UNKNOWN", "", "enter", "amend")
def order_known(case: Case) -> Finding | None:
    target, signal = case.target, case.signal
    if signal.action != "amend_order":
        return None
    words = f"no approved order that could rest is called {signal.target_client_order_id} in {signal.instrument}"
    return Finding(target is not None and target.instrument == signal.instrument, words=words)
