"""What holds for any sequence of fills, funding and marks."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from contracts.base import named_id
from contracts.portfolios import PortfolioUpdated
from contracts.wire import decode, encode
from hypothesis import given
from hypothesis import strategies as st
from pnl_tracker.core.unit import Unit
from pnl_tracker.testing import BTC, ETH, at, fill, funding, mark, unit

quantities = st.decimals("-1000", "1000", places=8).filter(bool)
prices = st.decimals("0.0000000001", "100000", places=10)
amounts = st.decimals("-50", "50", places=9)
instruments = st.sampled_from([BTC, ETH])
competitors = st.sampled_from(["ann", "bob"])

inputs = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), competitors, instruments, quantities, prices, amounts),
        st.tuples(st.just("close"), competitors, instruments, st.just(None), prices, amounts),
        st.tuples(st.just("funding"), competitors, instruments, amounts),
        st.tuples(st.just("mark"), instruments, prices),
        st.tuples(st.just("wait")),
    ),
    max_size=40,
)
Step = tuple[Any, ...]


class Run:
    """Drives a unit, and keeps the account's sums in the plainest way beside it: money in, money out, quantity held."""

    def __init__(self) -> None:
        self.unit, self.told = unit("ann", "bob"), list[PortfolioUpdated]()
        self.seconds, self.n = 0.0, 0
        self.spent = {"ann": Fraction(), "bob": Fraction()}
        self.held: dict[tuple[str, str], Fraction] = {}
        self.marks: dict[str, Fraction] = {}

    def take(self, step: Step) -> None:
        self.n += 1
        match step:
            case ("fill", who, instrument, quantity, price, fee):
                self._fill(who, instrument, quantity, price, fee)
            case ("close", who, instrument, _, price, fee):
                position = self.unit.accounts[("season-1", who)].positions.get(instrument)
                if position is not None:
                    self._fill(who, instrument, -position.quantity, price, fee)
            case ("funding", who, instrument, payment):
                changes = {"competitor_id": who, "instrument": instrument}
                self.told += self.unit.execution(funding(self.n, str(payment), seconds=self.seconds, **changes))
                self.spent[who] += Fraction(payment)
            case ("mark", instrument, price):
                self.told += self.unit.mark(mark(str(price), seconds=self.seconds, instrument=instrument))
                self.marks[instrument] = Fraction(price)
            case _:
                self.told += self.unit.passed(at(self.seconds))
                self.seconds += 40

    def _fill(self, who: str, instrument: str, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        changes: dict[str, Any] = {"competitor_id": who, "instrument": instrument, "seconds": self.seconds}
        self.told += self.unit.execution(fill(self.n, format(quantity, "f"), str(price), fee=str(fee), **changes))
        self.spent[who] += Fraction(quantity) * Fraction(price) + Fraction(fee)
        self.held[who, instrument] = self.held.get((who, instrument), Fraction()) + Fraction(quantity)


def run(steps: list[Step]) -> Run:
    running = Run()
    for step in [("wait",), ("mark", BTC, Decimal(100)), ("mark", ETH, Decimal(10)), *steps, ("wait",)]:
        running.take(step)
    return running


@given(inputs)
def test_the_ledger_adds_up_to_zero_and_explains_every_portfolio(steps: list[Step]) -> None:
    ran = run(steps)

    assert all(portfolio.books_balanced for portfolio in ran.told)
    for account in ran.unit.accounts.values():
        assert sum(map(Fraction, account.ledger.balances.values())) == 0
        assert sum((Fraction(entry.amount) for entry in account.ledger.fresh), Fraction()) == 0


@given(inputs)
def test_equity_is_capital_less_what_was_spent_plus_what_is_held_to_the_last_digit(steps: list[Step]) -> None:
    ran = run(steps)

    for (_, who), account in ran.unit.accounts.items():
        told = account.portfolio(named_id("x"), at(ran.seconds), "round", ran.unit._price, listings={})
        held = {name: quantity for (holder, name), quantity in ran.held.items() if holder == who}
        value = sum((quantity * ran.marks[name] for name, quantity in held.items()), Fraction())
        assert Fraction(told.equity) == 10_000 - ran.spent[who] + value
        assert told.equity == told.capital + told.realised_pnl + told.unrealised_pnl - told.fees - told.funding


@given(inputs)
def test_a_position_is_the_sum_of_its_fills(steps: list[Step]) -> None:
    ran = run(steps)

    shown = {
        (account.competitor_id, name): Fraction(position.quantity)
        for account in ran.unit.accounts.values()
        for name, position in account.positions.items()
    }
    assert shown == {where: quantity for where, quantity in ran.held.items() if quantity}


@given(inputs)
def test_portfolios_are_numbered_without_gaps_and_never_go_back_in_time(steps: list[Step]) -> None:
    ran = run(steps)

    for who in ("ann", "bob"):
        told = [portfolio for portfolio in ran.told if portfolio.competitor_id == who]
        assert [portfolio.seq for portfolio in told] == list(range(1, len(told) + 1))
        assert [portfolio.at for portfolio in told] == sorted(portfolio.at for portfolio in told)


@given(inputs)
def test_every_portfolio_keeps_its_contract(steps: list[Step]) -> None:
    for portfolio in run(steps).told:
        written = encode(portfolio)
        assert decode(written.topic, written.value, written.headers) == portfolio
        assert set(portfolio.__dict__) == set(PortfolioUpdated.model_fields)


@given(inputs)
def test_the_same_inputs_say_the_same(steps: list[Step]) -> None:
    assert run(steps).told == run(steps).told


moments = st.lists(st.dictionaries(instruments, prices, min_size=1), min_size=1, max_size=12)


@given(moments, st.lists(st.booleans(), min_size=12, max_size=12), st.booleans())
def test_only_the_number_of_mark_updates_depends_on_how_the_input_was_cut(
    moments: list[dict[str, Decimal]], cuts: list[bool], backwards: bool
) -> None:
    def told(cut: list[bool], order: int) -> tuple[list[PortfolioUpdated], Unit]:
        ann, said = unit("ann"), list[PortfolioUpdated]()
        said += ann.execution(fill(1, "3", "100"))
        said += ann.execution(fill(2, "-2", "10", instrument=ETH))
        for n, prices_then in enumerate(moments):
            seconds = 60.0 * (n + 1)
            for instrument, price in sorted(prices_then.items())[::order]:
                said += ann.mark(mark(str(price), seconds=seconds, instrument=instrument))
            said += ann.passed(at(seconds)) if cut[n] else []
        return [*said, *ann.execution(fill(3, "1", "1", seconds=5000))], ann

    whole, one = told([False] * 12, 1)
    parts, two = told(cuts, -1 if backwards else 1)

    def facts(said: list[PortfolioUpdated]) -> list[dict[str, Any]]:
        return [portfolio.model_dump(exclude={"seq"}) for portfolio in said if portfolio.cause != "mark"]

    assert facts(whole) == facts(parts)
    assert one.accounts["season-1", "ann"].ledger == two.accounts["season-1", "ann"].ledger
