"""Partitions, sources and sequences: counted per partition over data, so a regenerated feed is numbered alike."""

from collections.abc import Callable, Mapping
from datetime import datetime

from contracts.base import named_id
from contracts.market import BarClosed, BookUpdated, MarkUpdated, TimeAdvanced, TradePrinted
from contracts.wire import Encoded, encode, numbered

WATERMARKED = (BookUpdated.topic, TradePrinted.topic, BarClosed.topic, MarkUpdated.topic)

PartitionOf = Callable[[str, bytes], int]
"""(topic, key) to the partition that every client's default partitioner gives it."""


class Numbering:
    def __init__(
        self, venue: str, partition_of: PartitionOf, partitions: Mapping[str, int], sequences: Mapping[str, int]
    ) -> None:
        self._venue, self._partition_of, self._partitions = venue, partition_of, partitions
        self.sequences = dict(sequences)
        """The last data sequence by `topic/partition`."""
        self._places: dict[tuple[str, bytes], tuple[int, str]] = {}

    def data(self, record: Encoded) -> Encoded:
        partition, place = self._place(record)
        sequence = self.sequences[place] = self.sequences.get(place, 0) + 1
        headers = numbered(record.headers, f"market-data/{self._venue}/{place}", sequence)
        return Encoded(record.topic, partition, record.key, record.value, headers)

    def _place(self, record: Encoded) -> tuple[int, str]:
        where = record.topic, record.key
        if where not in self._places:
            partition = self._partition_of(*where) if record.partition is None else record.partition
            self._places[where] = partition, f"{record.topic}/{partition}"
        return self._places[where]

    def watermarks(self, at: datetime, closed_round: int) -> list[Encoded]:
        """One for every partition of quotes, trades, bars and marks; each carries the last data sequence."""
        return [
            self._watermark(topic, partition, at, closed_round)
            for topic in WATERMARKED
            for partition in range(self._partitions[topic])
        ]

    def _watermark(self, topic: str, partition: int, at: datetime, closed_round: int) -> Encoded:
        place = f"{topic}/{partition}"
        event_id = named_id("market-data", self._venue, "time", place, at.isoformat(), closed_round)
        event = TimeAdvanced(event_id=event_id, at=at, partition=partition, closed_round=closed_round)
        record = encode(event, topic=topic, partition=partition)
        headers = numbered(record.headers, f"market-data/{self._venue}/{place}", self.sequences.get(place, 0))
        return record._replace(headers=headers)
