from decimal import Decimal
from uuid import UUID

import pytest
from pnl_tracker.core.ledger import Ledger
from pnl_tracker.testing import BTC, STARTS_AT


def usd(text: str) -> Decimal:
    return Decimal(text)


def trade(ledger: Ledger, n: int, cost: str, realised: str, fee: str) -> None:
    amounts = {"cost": usd(cost), "realised": usd(realised), "fee": usd(fee)}
    ledger.trade(UUID(int=n), UUID(int=100 + n), STARTS_AT, BTC, **amounts)


def test_every_transaction_adds_up_to_zero_and_names_its_cause() -> None:
    ledger = Ledger()
    ledger.deposit(UUID(int=1), STARTS_AT, usd("10000"))
    trade(ledger, 2, "500", "0", "0.25")
    trade(ledger, 3, "-500", "12.5", "0.25")
    ledger.funding(UUID(int=4), STARTS_AT, usd("-0.1"))

    for n in (1, 2, 3, 4):
        assert sum(entry.amount for entry in ledger.fresh if entry.event_id == UUID(int=n)) == 0
    assert {entry.trade_id for entry in ledger.fresh if entry.event_id == UUID(int=3)} == {UUID(int=103)}
    assert ledger.balances == {
        "cash": usd("10012.1"),  # 10000 + 12.5 - 0.25 - 0.25 + 0.1
        "capital": usd("-10000"),
        f"position:{BTC}": usd("0"),
        f"counterparty:{BTC}": usd("0"),
        "realised_pnl": usd("-12.5"),
        "fees": usd("0.5"),
        "funding": usd("-0.1"),
    }


def test_lines_of_nothing_are_not_written() -> None:
    ledger = Ledger()
    trade(ledger, 1, "500", "0", "0")

    assert [entry.account for entry in ledger.fresh] == [f"position:{BTC}", f"counterparty:{BTC}"]


def test_refuses_a_trade_that_it_holds() -> None:
    ledger = Ledger()
    trade(ledger, 1, "500", "0", "0")

    with pytest.raises(ValueError, match="is in the ledger"):
        trade(ledger, 1, "500", "0", "0")
    assert len(ledger.fresh) == 2


@pytest.mark.parametrize(
    ("cash", "costs"),
    [("9999", {BTC: "500"}), ("10000", {BTC: "499.999999999999999999"}), ("10000", {}), ("10000", {"X-Y": "500"})],
)
def test_explains_only_the_exact_cash_and_the_exact_positions(cash: str, costs: dict[str, str]) -> None:
    ledger = Ledger()
    ledger.deposit(UUID(int=1), STARTS_AT, usd("10000"))
    trade(ledger, 2, "500", "0", "0")

    assert ledger.explains(usd("10000"), {BTC: usd("500")})
    assert not ledger.explains(usd(cash), {name: usd(cost) for name, cost in costs.items()})


@pytest.mark.parametrize("account", ["cash", "capital", f"position:{BTC}", f"counterparty:{BTC}"])
def test_stored_books_explain_what_they_did_and_nothing_once_an_entry_is_lost(account: str) -> None:
    ledger = Ledger()
    ledger.deposit(UUID(int=1), STARTS_AT, usd("10000"))
    trade(ledger, 2, "500", "0", "0")
    lost = {name: amount for name, amount in ledger.balances.items() if name != account}

    assert Ledger.of(dict(ledger.balances), set()).explains(usd("10000"), {BTC: usd("500")})
    assert not Ledger.of(lost, set()).explains(usd("10000"), {BTC: usd("500")})
