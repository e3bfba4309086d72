"""The code, broken on purpose: each is one line that somebody might get wrong, and the invariant that must notice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from unittest.mock import PropertyMock, patch

from chassis.rows import Writing
from chassis.step import PlainStep, Position, Step
from competition import core as competition_core
from contracts import wire
from contracts.base import child_of
from contracts.competition import Clock
from contracts.portfolios import PortfolioUpdated
from dashboard_api import handlers as dashboard
from dashboard_api.core import fold as dashboard_fold
from order_executor import store as venue_store
from order_executor.core import desk, funding
from order_executor.core.agenda import Agenda
from order_executor.core.orders import Order
from pnl_tracker.core import ledger, portfolio
from risk_gate.core import proposal
from risk_gate.core.engine import Engine
from risk_gate.core.facts import Case as GateCase
from risk_gate.core.standing import Standing
from signal_runtime.core import reply
from signal_runtime.records import Records

from arena.simulation.database import Database
from arena.simulation.faults import FAULTS, Fault

Break = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Mutation:
    what: str
    broken: Break
    found_by: tuple[str, ...]
    faults: str = "none"
    rates: tuple[tuple[str, float], ...] = ()
    """Made so likely that few seeds show it."""
    clock: Clock | None = "lockstep"
    hours: float = 0.4


@contextmanager
def likelier(rates: tuple[tuple[str, float], ...]) -> Iterator[None]:
    with patch.dict(FAULTS, {name: Fault(rate, FAULTS[name].what) for name, rate in rates}):
        yield


def _fence_dropped() -> AbstractContextManager[Any]:
    real = Database.advance

    def advance(self: Database, arguments: Any) -> None:
        table = self.tables["step_position"]
        place = table.places["version"]
        now = [table.rows[key][place] for key in zip(arguments[0], arguments[1], strict=True)]
        real(self, [*arguments[:2], now, *arguments[3:]])

    return patch.object(Database, "advance", advance)


def _repeats_taken() -> AbstractContextManager[Any]:
    return patch.object(Step, "_is_repeat", lambda *_: False)


def _gaps_taken() -> AbstractContextManager[Any]:
    real = PlainStep.run

    async def run(self: PlainStep, batch: Any) -> Any:
        for partition, records in batch.items():
            position = self._step.positions.get(partition)
            if position is not None:
                position.next_offset = max(position.next_offset, records[0].offset)
        return await real(self, batch)

    return patch.object(PlainStep, "run", run)


def _published_first() -> AbstractContextManager[Any]:
    real = Step.commit

    async def commit(self: Step, positions: list[Position]) -> None:
        for position in positions:
            await self._send(position.partition, position.sequence, position.outs)
        await real(self, positions)

    return patch.object(Step, "commit", commit)


def _staged_forgotten() -> AbstractContextManager[Any]:
    return patch("chassis.step.unpack", lambda _: [])


def _acknowledgement_not_awaited() -> AbstractContextManager[Any]:
    async def at_once(futures: list[Any]) -> None:
        futures.clear()

    return patch("chassis.step.acknowledged", at_once)


def _leg_skipped() -> AbstractContextManager[Any]:
    real = ledger.Ledger._post

    def post(self: Any, event_id: Any, trade_id: Any, at: Any, amounts: Any) -> None:
        real(self, event_id, trade_id, at, amounts)
        self.fresh[:] = [entry for entry in self.fresh if entry.account != ledger.FEES]

    return patch.object(ledger.Ledger, "_post", post)


def _rules_dropped(*names: str) -> Break:
    real = Engine.judge

    def judge(self: Engine, case: GateCase) -> Any:
        return real(Engine([each for each in self.rules if each.name not in names]), case)

    return lambda: patch.object(Engine, "judge", judge)


def _halts_ignored() -> AbstractContextManager[Any]:
    return patch.object(GateCase, "operator_halt", PropertyMock(return_value=False))


def _breakers_ignored() -> AbstractContextManager[Any]:
    return patch.object(Standing, "tripped", PropertyMock(return_value=None))


def _funding_not_taken() -> AbstractContextManager[Any]:
    real = funding.settle

    def settle(account: Any, position: Any, due: Any) -> Any:
        settled = real(account, position, due)
        account.funding -= settled.payment
        return settled

    return patch.object(funding, "settle", settle)


def _funding_not_booked() -> AbstractContextManager[Any]:
    return patch.object(portfolio.Account, "settle", lambda *_: None)


def _positions_not_saved() -> AbstractContextManager[Any]:
    real = Writing.rows

    def rows(self: Writing, statement: str, values: Any) -> None:
        if statement != venue_store._POSITIONS:
            real(self, statement, values)

    return patch.object(Writing, "rows", rows)


def _closes_untrimmed() -> AbstractContextManager[Any]:
    real = proposal._asked

    def asked(case: GateCase) -> Any:
        side, quantity = real(case)
        return side, quantity * 2 if case.signal.action == "close_position" else quantity

    stack = ExitStack()
    stack.enter_context(patch.object(desk, "_trimmed", lambda _, order: order.quantity))
    stack.enter_context(patch.object(proposal, "_asked", asked))
    return stack


def _order_waits_twice() -> AbstractContextManager[Any]:
    """The second under an id of its own, so that the venue's own state machine does not notice."""
    real = Agenda.wait

    def wait(self: Agenda, item: Any) -> None:
        real(self, item)
        if isinstance(item, Order):
            real(self, replace(item, order_id=child_of(item.order_id, "again"), client_order_id=""))

    return patch.object(Agenda, "wait", wait)


def _verdict_not_folded() -> AbstractContextManager[Any]:
    real = dashboard_fold.fold

    def fold(book: Any, event: Any) -> Any:
        return () if event.type == "decision_judged" else real(book, event)

    return patch.object(dashboard, "fold", fold)


def _verdict_lost() -> AbstractContextManager[Any]:
    real = competition_core._on_verdict

    def on_verdict(season: Any, state: Any, verdict: Any) -> Any:
        return () if verdict.competitor_id == "desk-2" and verdict.round == 2 else real(season, state, verdict)

    return patch.object(competition_core, "_on_verdict", on_verdict)


def _answer_not_kept() -> AbstractContextManager[Any]:
    async def answer(*_: Any) -> None:
        return None

    return patch.object(Records, "answer", answer)


def _unrounded() -> AbstractContextManager[Any]:
    return patch.object(portfolio, "quotient", lambda value, divisor: value / divisor)


@contextmanager
def _fields_disordered() -> Iterator[None]:
    made = PortfolioUpdated.made

    def disordered(**fields: Any) -> PortfolioUpdated:
        return made(**{"type": fields["type"], **fields})

    with patch.object(wire, "_in_order", lambda _: True), patch.object(PortfolioUpdated, "made", disordered):
        yield


def _anything_said() -> AbstractContextManager[Any]:
    return patch.object(reply, "Signal", Literal["hold", "buy_to_enter", "amend_order", "change_exits"])


CRASHES = (("crashed", 0.006), ("venue_lost", 0.05))
HOLES = (("stale", 1.0), ("market_gap", 1.0))
MUTATIONS = (
    Mutation(
        "the fence is dropped", _fence_dropped, ("published_as_committed",), "zombie", (("zombie", 1.0),), "live"
    ),
    Mutation(
        "repeats are not dropped", _repeats_taken, ("judged_once", "one_id_one_event"), "redelivered",
        (("redelivered", 0.3),),
    ),
    Mutation(
        "a batch from beyond is taken", _gaps_taken, ("judged_once", "every_round_closes", "progress"), "gap,reordered",
        (("gap", 0.5), ("reordered", 0.3)),
    ),
    Mutation("outputs go out before the commit", _published_first, ("published_as_committed",)),
    Mutation(
        "what was staged is not sent again", _staged_forgotten, ("published_as_committed", "progress"),
        "crashed,venue_lost", CRASHES,
    ),
    Mutation(
        "the acknowledgement is not awaited", _acknowledgement_not_awaited, ("published_as_committed",),
        "crashed,venue_lost", (("crashed", 0.02), ("venue_lost", 0.2)),
    ),
    Mutation("a ledger leg is skipped", _leg_skipped, ("ledger_sums_to_zero",)),
    Mutation(
        "an order may be of any size", _rules_dropped("notional_max", "position_max", "margin", "leverage_max"),
        ("within_limits",),
    ),
    Mutation(
        "operators' halts are ignored", _halts_ignored, ("no_risk_while_halted",), "operator", (("operator", 1.0),)
    ),
    Mutation("breakers are ignored", _breakers_ignored, ("no_risk_while_halted",)),
    Mutation(
        "stale prices are taken", _rules_dropped("price_fresh"), ("no_risk_at_stale_prices",), "stale,market_gap", HOLES
    ),
    Mutation("funding is told, not taken", _funding_not_taken, ("equity_is_explained", "venue_agrees_with_ledger")),
    Mutation(
        "the ledger forgets funding", _funding_not_booked, ("venue_agrees_with_ledger",)
    ),
    Mutation(
        "the venue forgets to save positions", _positions_not_saved, ("fills_are_position",), "crashed,venue_lost",
        (("crashed", 0.02), ("venue_lost", 0.4)),
    ),
    Mutation("a close may be larger than the position", _closes_untrimmed, ("reduce_only_never_flips",)),
    Mutation("an order waits twice", _order_waits_twice, ("one_order",)),
    Mutation("the read model drops a kind of event", _verdict_not_folded, ("read_model_is_fold",)),
    Mutation("a verdict is lost", _verdict_lost, ("progress", "every_round_closes")),
    Mutation(
        "an answer is asked for again", _answer_not_kept, ("one_id_one_event",), "crashed,llm_malformed",
        (("crashed", 0.02), ("llm_malformed", 0.5)),
    ),
    Mutation("a ratio has all its digits", _unrounded, ("contracts",)),
    Mutation("headers are cut out of the wrong place", _fields_disordered, ("contracts",)),
    Mutation(
        "a reply may say what it cannot express", _anything_said, ("no_exception",), "llm_malformed",
        (("llm_malformed", 0.5),),
    ),
)  # fmt: skip
