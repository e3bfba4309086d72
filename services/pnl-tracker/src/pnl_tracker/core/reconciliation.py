"""Three views of one account, subject by subject: what the venue states, what the ledger holds, what a replay gives."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from contracts.executions import AccountStated
from contracts.portfolios import Difference, ReconciliationReported

from pnl_tracker.core.ledger import (
    CAPITAL,
    CASH,
    FEES,
    FUND,
    FUNDING,
    LIQUIDATION_FEES,
    REALISED_PNL,
    WRITTEN_OFF,
    position_of,
)
from pnl_tracker.core.money import ZERO, exact
from pnl_tracker.core.portfolio import Account

TOLERANCE_USD = Decimal("0.000001")
"""The venue rounds every product to 12 places, the ledger none: a million fills stay below it."""
DIFFERENCES_MAX = 200
EARNED, TOTAL = "cash less capital", "all entries"

View = Mapping[str, Decimal]


class Reconciled(NamedTuple):
    """What is held against what the venue stated; without a replay, `detail` says why there is none."""

    ledger: View
    replay: View | None
    detail: str


def of_venue(stated: AccountStated) -> View:
    held = {position.instrument: (position.quantity, position.cost) for position in stated.positions}
    return _view(
        stated.realised_pnl, stated.fees, stated.liquidation_fees, stated.funding, stated.insurance_fund,
        stated.written_off, stated.fills, held,
    )  # fmt: skip


def of_replay(account: Account) -> View:
    held = {name: (position.quantity, position.cost) for name, position in account.positions.items()}
    return _view(
        account.realised_pnl, account.fees, account.liquidation_fees, account.funding, account.insurance_fund,
        account.written_off, account.fills, held,
    )  # fmt: skip


def of_ledger(balances: View, fills: int, quantities: View) -> View:
    """`balances` are summed up from the stored entries; quantities and fills are the tracker's own."""

    def balance(account: str) -> Decimal:
        return balances.get(account, ZERO)

    costs = {name: cost for account, cost in balances.items() if (name := position_of(account)) and cost}
    with exact():
        held = {name: (quantities.get(name, ZERO), costs.get(name, ZERO)) for name in {*costs, *quantities}}
        fees = balance(FEES) + balance(LIQUIDATION_FEES)
        view = _view(
            -balance(REALISED_PNL), fees, balance(LIQUIDATION_FEES), balance(FUNDING), balance(FUND),
            -balance(WRITTEN_OFF), fills, held,
        )  # fmt: skip
        return {**view, EARNED: balance(CASH) + balance(CAPITAL), TOTAL: sum(balances.values(), ZERO)}


def report(stated: AccountStated, found: Reconciled) -> ReconciliationReported:
    venue = of_venue(stated)
    views = [venue, found.ledger] + ([] if found.replay is None else [found.replay])
    subjects = sorted({subject for view in views for subject in view})
    with exact():
        differing = [subject for subject in subjects if _differs([view.get(subject, ZERO) for view in views])]
    return ReconciliationReported(
        event_id=stated.child_id("reconciliation"),
        at=stated.at,
        traceparent=stated.traceparent,
        season_id=stated.season_id,
        competitor_id=stated.competitor_id,
        agrees=not differing,
        compared=len(subjects),
        differences=tuple(
            Difference(
                subject=subject[:64],
                venue=venue.get(subject, ZERO),
                ledger=found.ledger.get(subject, ZERO),
                replay=None if found.replay is None else found.replay.get(subject, ZERO),
            )
            for subject in differing[:DIFFERENCES_MAX]
        ),
        detail=found.detail[:100],
    )


def _view(
    realised_pnl: Decimal, fees: Decimal, liquidation_fees: Decimal, funding: Decimal, insurance_fund: Decimal,
    written_off: Decimal, fills: int, held: Mapping[str, tuple[Decimal, Decimal]],
) -> View:  # fmt: skip
    view = {
        "realised_pnl": realised_pnl,
        "fees": fees,
        "liquidation_fees": liquidation_fees,
        "funding": funding,
        "insurance_fund": insurance_fund,
        "written_off": written_off,
        "fills": Decimal(fills),
        EARNED: realised_pnl - fees - funding,
        TOTAL: ZERO,
    }
    for instrument, (quantity, cost) in held.items():
        view |= {f"position {instrument}": quantity, f"cost {instrument}": cost}
    return view


def _differs(values: Sequence[Decimal]) -> bool:
    return max(values) - min(values) > TOLERANCE_USD
