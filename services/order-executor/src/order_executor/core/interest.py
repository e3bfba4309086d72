"""Who has an interest in which instrument: market events reach nobody else."""

from collections.abc import Set as AbstractSet

from order_executor.core.account import Account, AccountKey

_NOBODY: frozenset[AccountKey] = frozenset()


class Interest:
    def __init__(self) -> None:
        self._holding: dict[str, set[AccountKey]] = {}
        self._resting: dict[str, set[AccountKey]] = {}
        self._waiting: dict[str, set[AccountKey]] = {}

    def update(self, account: Account) -> list[str]:
        """After anything that changed what the account holds or wants; returns the instruments looked at."""
        names = sorted({*account.positions, *account.orders, *account.waiting})
        for name in names:
            _mark(self._holding, name, account.key, wanted=bool(account.held(name)))
            _mark(self._resting, name, account.key, wanted=bool(account.orders.get(name)))
            _mark(self._waiting, name, account.key, wanted=bool(account.waiting.get(name)))
        return names

    def holding(self, instrument: str) -> AbstractSet[AccountKey]:
        return self._holding.get(instrument, _NOBODY)

    def resting(self, instrument: str) -> AbstractSet[AccountKey]:
        return self._resting.get(instrument, _NOBODY)

    def in_marks(self, instrument: str) -> AbstractSet[AccountKey]:
        """Who holds a position, or waits for the price."""
        waiting = self._waiting.get(instrument)
        return self.holding(instrument) | waiting if waiting else self.holding(instrument)


def _mark(index: dict[str, set[AccountKey]], instrument: str, key: AccountKey, *, wanted: bool) -> None:
    if wanted:
        index.setdefault(instrument, set()).add(key)
    elif instrument in index:
        index[instrument].discard(key)
        if not index[instrument]:
            del index[instrument]
