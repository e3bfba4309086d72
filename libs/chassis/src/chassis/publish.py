"""Sends events as whole batches. (API skeleton; bodies follow.)"""

from collections.abc import Sequence

from contracts.base import Event

from chassis.step import Out


class Publisher:
    async def send(self, events: Sequence[Event | Out], source: str, first_sequence: int) -> None:
        """Publish in order, numbered from `first_sequence`; returns when the broker has acknowledged all."""
        raise NotImplementedError

    async def send_numbered(self, events: Sequence[tuple[Event | Out, str, int]]) -> None:
        """Like `send`, with a source and a sequence for each event (market-data counts per partition)."""
        raise NotImplementedError
