"""Who has an interest in which instrument: market events reach nobody else."""

from collections.abc import Set as AbstractSet

from order_executor.core.account import Account, AccountKey

_NOBODY: frozenset[AccountKey] = frozenset()


class Interest:
    def __init__(self) -> None:
        self._holding: dict[str, set[AccountKey]] = {}
        self._resting: dict[str, set[AccountKey]] = {}
        self._waiting: dict[str, set[AccountKey]] = {}
        self._last: dict[str, set[AccountKey]] = {}

    def update(self, account: Account) -> list[str]:
        """After anything that changed what the account holds or wants; returns the instruments looked at."""
        names = sorted({*account.positions, *account.orders, *account.waiting})
        for name in names:
            _mark(self._holding, name, account.key, wanted=bool(account.held(name)))
            _mark(self._resting, name, account.key, wanted=bool(account.orders.get(name)))
            _mark(self._waiting, name, account.key, wanted=bool(account.waiting.get(name)))
            _mark(self._last, name, account.key, wanted=_looks_at_trades(account, name))
        return names

    def holding(self, instrument: str) -> AbstractSet[AccountKey]:
        return self._holding.get(instrument, _NOBODY)

    def resting(self, instrument: str) -> AbstractSet[AccountKey]:
        return self._resting.get(instrument, _NOBODY)

    def in_trades(self, instrument: str) -> AbstractSet[AccountKey]:
        """Whose exit or order waits for the last price."""
        return self._last.get(instrument, _NOBODY)

    def in_marks(self, instrument: str) -> AbstractSet[AccountKey]:
        """Who holds a position, or waits for the price."""
        waiting = self._waiting.get(instrument)
        return self.holding(instrument) | waiting if waiting else self.holding(instrument)


def _looks_at_trades(account: Account, instrument: str) -> bool:
    position = account.positions.get(instrument)
    plan = position.exit_plan if position is not None and position.quantity else None
    waiting = account.waiting.get(instrument, ())
    return (plan is not None and plan.trigger == "last") or any(
        each.trigger.on == "last" for each in waiting if each.trigger
    )


def _mark(index: dict[str, set[AccountKey]], instrument: str, key: AccountKey, *, wanted: bool) -> None:
    if wanted:
        index.setdefault(instrument, set()).add(key)
    elif instrument in index:
        index[instrument].discard(key)
        if not index[instrument]:
            del index[instrument]
