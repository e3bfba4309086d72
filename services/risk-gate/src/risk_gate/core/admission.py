"""May this signal be judged at all: is it in time, allowed, and is everything known that the judgement needs?"""

from decimal import Decimal

from contracts.orders import Check

from risk_gate.core.facts import Case
from risk_gate.core.verdicts import Rejection, Rule, held_against

Result = Check | Rejection | None


def trading_allowed(case: Case) -> Result:
    return held_against("trading_allowed", "TRADING_HALTED", passed=not case.standing.halted)


def round_open(case: Case) -> Result:
    current, number = case.standing.round, case.signal.round
    return held_against("round_open", "ROUND_CLOSED", passed=number >= current, value=number, limit=current)


def not_duplicate(case: Case) -> Result:
    part = case.signal.part
    is_new = part not in case.standing.parts and not case.standing.judged
    return held_against("not_duplicate", "DUPLICATE", passed=is_new, value=part, unit="part")


def in_time(case: Case) -> Result:
    late_s = Decimal(str((case.signal.at - case.signal.deadline).total_seconds()))
    return held_against("in_time", "LATE", passed=late_s <= 0, value=late_s, limit=0, unit="s after deadline")


def instrument_allowed(case: Case) -> Result:
    season, instrument = case.facts.season, case.signal.instrument
    if season is None:
        detail = f"the season {case.signal.season_id} is not known"
        return held_against("instrument_allowed", "INSTRUMENT_NOT_ALLOWED", passed=False, detail=detail)
    passed = instrument in season.rules.instruments
    detail = f"{instrument} is not traded in {season.season_id}"
    return held_against("instrument_allowed", "INSTRUMENT_NOT_ALLOWED", passed=passed, detail=detail)


def instrument_known(case: Case) -> Result:
    return held_against("instrument_known", "INSTRUMENT_UNKNOWN", passed=case.facts.instrument is not None)


def portfolio_known(case: Case) -> Result:
    detail = f"no portfolio as of round {case.signal.round}"
    return held_against("portfolio_known", "PORTFOLIO_MISSING", passed=case.facts.portfolio is not None, detail=detail)


def price_known(case: Case) -> Result:
    book, mark = case.facts.book, case.facts.mark
    passed = mark is not None and book is not None and bool(book.bids) and bool(book.asks)
    return held_against("price_known", "PRICE_MISSING", passed=passed, detail="a mark and both sides of a book")


def book_uncrossed(case: Case) -> Result:
    assert case.facts.book is not None
    bid, ask = case.facts.book.bids[0][0], case.facts.book.asks[0][0]
    return held_against("book_uncrossed", "BOOK_CROSSED", passed=bid < ask, value=bid, limit=ask, unit="USD")


def price_fresh(case: Case) -> Result:
    assert case.facts.season is not None
    assert case.facts.book is not None
    assert case.facts.mark is not None
    oldest = min(case.facts.book.at, case.facts.mark.at)
    age_s = Decimal(str((case.judged_at - oldest).total_seconds()))
    limit = case.facts.season.rules.price_stale_s
    return held_against("price_fresh", "PRICE_STALE", passed=age_s <= limit, value=age_s, limit=limit, unit="s")


ADMISSION: tuple[Rule[Case], ...] = (
    trading_allowed, round_open, not_duplicate, in_time, instrument_allowed, instrument_known, portfolio_known,
    price_known, book_uncrossed, price_fresh,
)  # fmt: skip
