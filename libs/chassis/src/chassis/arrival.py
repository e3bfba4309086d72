"""Live: a unit's inputs are taken as they arrive, those of one turn by time; only at known moments it waits.

At a moment the orders of a round are due, or its portfolios. Nothing later is handed over before everything at or
before it is in: there everybody meets the same market, whichever process asks and whatever came first.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from contracts.types import EPOCH

from chassis.market_reader import INSTANT, MarketReader
from chassis.telling import Teller
from chassis.unit import OwnRecord, Unit


class Arrival:
    def __init__(self, market: MarketReader, tell: Teller) -> None:
        self._market, self._tell, self._stage = market, tell, tell.stage
        self._watermark: datetime | None = None

    async def turn(self, units: Collection[Unit]) -> None:
        passed: datetime | None = None
        while True:
            moment = self._moment(units)
            self._market.arrive(moment)
            for unit in units:
                self._advance(unit, moment)
            if moment is None or (passed is not None and moment <= passed) or not self._is_whole(moment, units):
                break
            passed = moment
            for unit in units:
                if unit.recalled:
                    self._tell.passed(unit, moment + INSTANT)
        self._say_time(units)

    def _moment(self, units: Collection[Unit]) -> datetime | None:
        """The next that any unit waits for."""
        moments = (self._stage.moment(unit.number) for unit in units)
        return min((moment for moment in moments if moment is not None), default=None)

    def _is_whole(self, moment: datetime, units: Collection[Unit]) -> bool:
        """Nothing at or before it is still to come, of the market and, where that carries time, of the own topic."""
        times = [self._market.watermark]
        if self._stage.merged:
            times += [unit.own_watermark for unit in units]
        return all(time is not None and time >= moment for time in times)

    def _advance(self, unit: Unit, limit: datetime | None) -> None:
        if not unit.recalled and not self._market.has_read(unit.offsets):
            return
        records, offsets = self._market.arrived(unit.place)
        fresh = [record for record in records if not unit.has_had(record)]
        if not unit.recalled:
            known = (record for record in records if unit.has_had(record))
            unit.recalls = {(record.topic, record.kind, record.instrument): record for record in known}
            self._tell.recall(unit)
        for record in fresh:
            self._hand_over_own(unit, record.at, limit)
            self._tell.market(unit, record)
        if offsets is not None:
            unit.go_on(offsets)
        latest = self._market.latest
        if latest is not None and (fresh or unit.through is None or latest > unit.through):
            self._tell.passed(unit, latest)
        self._hand_over_own(unit, latest if self._market.is_behind else None, limit)

    def _hand_over_own(self, unit: Unit, before: datetime | None, limit: datetime | None) -> None:
        """What came before that time; all, where none is given."""
        while unit.held and (before is None or self._time(unit.held[0]) < before):
            if self._stage.merged and limit is not None and unit.held[0].at > limit:
                return
            self._hand_over(unit, unit.held.popleft(), limit)

    def _hand_over(self, unit: Unit, own: OwnRecord, limit: datetime | None) -> None:
        """The unit's time is at least that of the record, but stays before what was awaited when it came."""
        time, moment = self._time(own), limit if self._stage.merged else self._stage.moment(unit.number)
        self._tell.own(unit, own)
        if moment is not None:
            time = min(time, moment - INSTANT)
        if not self._stage.merged:
            self._tell.passed(unit, time)
        elif unit.through is None or time > unit.through:
            unit.through = time

    def _time(self, own: OwnRecord) -> datetime:
        """Of a merged record its own; else when it was sent, which lies in the record and is no reading of a clock."""
        return own.at if self._stage.merged else EPOCH + timedelta(milliseconds=own.record.timestamp)

    def _say_time(self, units: Collection[Unit]) -> None:
        """As often as the market does. What follows may lie at the unit's time itself, but not before it."""
        if self._market.watermark == self._watermark:
            return
        self._watermark = self._market.watermark
        for unit in units:
            if unit.through is not None and (unit.told is None or unit.through - INSTANT > unit.told):
                unit.told = unit.through - INSTANT
                self._tell.time(unit, unit.told)
