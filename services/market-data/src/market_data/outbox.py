"""What goes out in one batch: numbered data, then one watermark a partition."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from contracts.wire import Encoded

from market_data.core.numbering import Numbering


class Send(Protocol):
    async def __call__(self, records: Sequence[Encoded]) -> None:
        """Returns when the broker has acknowledged all."""


class Outbox:
    def __init__(self, numbering: Numbering, send: Send) -> None:
        self._numbering, self._send = numbering, send
        self._records: list[Encoded] = []
        self._told: tuple[datetime, int] | None = None
        """The watermark that is out."""
        self.sent = 0

    def __len__(self) -> int:
        return len(self._records)

    @property
    def sequences(self) -> dict[str, int]:
        """Of everything put in so far."""
        return dict(self._numbering.sequences)

    def put(self, records: Iterable[Encoded]) -> None:
        self._records.extend(map(self._numbering.data, records))

    async def flush(self, through: datetime, closed_round: int) -> None:
        records, self._records = self._records, []
        if self._told != (through, closed_round):
            records += self._numbering.watermarks(through, closed_round)
            self._told = through, closed_round
        if records:
            await self._send(records)
            self.sent += len(records)
