"""Lockstep: a unit's inputs are merged by event time, as far as every watermark allows."""

from collections.abc import Collection, Mapping
from datetime import datetime

from aiokafka import TopicPartition

from chassis.market_reader import MarketReader
from chassis.telling import Teller
from chassis.unit import Gate, Unit
from chassis.worker import Offsets


class Lockstep:
    def __init__(self, market: MarketReader, tell: Teller, offsets: Offsets, *, hold_for_rounds: bool) -> None:
        self._market, self._tell, self._stage = market, tell, tell.stage
        self._offsets, self._hold_for_rounds = offsets, hold_for_rounds

    async def turn(self, units: Collection[Unit]) -> None:
        self._market.release()
        for unit in units:
            self._hand_over_own(unit)
        await self._set_gates(units)
        for unit in units:
            self._advance(unit)

    async def _set_gates(self, units: Collection[Unit]) -> None:
        """Market time beyond a closed round waits until every order of that round was taken from the own topic."""
        closed_round = self._market.closed_round
        waiting = [unit for unit in units if unit.gate is None and unit.closed_round < closed_round]
        if not waiting:
            return
        ends: Mapping[TopicPartition, int] = {}
        if self._hold_for_rounds:
            ends = await self._offsets.ends([TopicPartition(*unit.position.partition) for unit in waiting])
        for unit in waiting:
            unit.gate = Gate(closed_round, ends.get(TopicPartition(*unit.position.partition), 0))
            self._pass_gate(unit)

    @staticmethod
    def _pass_gate(unit: Unit) -> None:
        if unit.gate is not None and unit.position.next_offset >= unit.gate.offset:
            unit.closed_round, unit.gate = unit.gate.closed_round, None

    def _limit(self, unit: Unit) -> datetime | None:
        """How far this unit's time may go now."""
        limit = self._market.watermark
        if limit is None:
            return None
        if self._stage.merged:
            return None if unit.own_watermark is None else min(limit, unit.own_watermark)
        if unit.closed_round < self._market.closed_round:
            return None if unit.through is None else min(limit, unit.through)
        return limit

    def _advance(self, unit: Unit) -> None:
        limit = self._limit(unit)
        if limit is None:
            return
        records, offsets = self._market.due(unit.place, limit)
        for record in records:
            if unit.through is not None and record.at <= unit.through:
                if not unit.recalled:
                    unit.recalls[record.topic, record.kind, record.instrument] = record
                continue
            self._tell.recall(unit)
            if self._stage.merged:
                self._hand_over_merged(unit, record.at, before=True)
            self._tell.market(unit, record)
        if unit.through is not None and limit < unit.through:
            return
        self._tell.recall(unit)
        if self._stage.merged:
            self._hand_over_merged(unit, limit, before=False)
        else:
            self._hand_over_own(unit)
        if unit.through is None or limit > unit.through:
            self._tell.passed(unit, limit)
            self._tell.time(unit, limit)
        if offsets is not None:
            unit.offsets, unit.moved = dict(offsets), True

    def _hand_over_own(self, unit: Unit) -> None:
        """As they come, once the market's latest values are known."""
        if self._stage.merged or not unit.recalled:
            return
        while unit.held:
            self._tell.own(unit, unit.held.popleft())
        self._pass_gate(unit)

    def _hand_over_merged(self, unit: Unit, at: datetime, *, before: bool) -> None:
        held = unit.held
        while held and (held[0].at < at or (not before and held[0].at == at)):
            self._tell.own(unit, held.popleft())
