"""Whatever the venue answers, loses, repeats or says late, and wherever the process ends: one order an intent.

The venue here is a model of one: it has the truth, and the rules decide what of it anybody is told, and when.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from contracts.base import Event
from contracts.executions import OrderFilled
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from order_executor.exchange.core import Desk, Order, Rules, Snapshot, Wanted
from order_executor.exchange.core import said as core
from order_executor.exchange.core.ids import client_order_id
from order_executor.exchange.doubles import Execution, View
from order_executor.testing import BTC, D, at, cancel, order

RULES = Rules(clock_skew=timedelta(seconds=1), valid_for=timedelta(seconds=120), human_after=timedelta(hours=9))
ANN = ("s1", "ann")
LAG_S = 5
"""How long the model's lists may lack an order: what `visible_within` promises."""


@dataclass
class Venue:
    """The truth: every order that came in, in order, with what was traded of it."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    trades: list[Any] = field(default_factory=list)

    def take(self, name: str, quantity: Decimal, t: float, listed_at: float) -> bool:
        if any(each["name"] == name and each["status"] == "open" for each in self.orders):
            return False
        self.orders.append({"name": name, "quantity": quantity, "status": "open", "listed_at": listed_at, "at": t})
        return True

    def fill(self, number: int, share: Decimal, t: float) -> Any:
        each = self.orders[number]
        quantity = min(each["quantity"] - self.filled(each["name"]), each["quantity"] * share)
        trade = Execution(each["name"], f"t{len(self.trades)}", quantity)
        self.trades.append(trade)
        if self.filled(each["name"]) == each["quantity"]:
            each["status"] = "filled"
        return trade

    def filled(self, name: str) -> Decimal:
        return sum((trade.quantity for trade in self.trades if trade.client_order_id == name), D(0))

    def view(self, each: dict[str, Any]) -> Any:
        return View(each["name"], each["status"], self.filled(each["name"]))

    def find(self, name: str, t: float) -> Any:
        found = [each for each in self.orders if each["name"] == name and each["listed_at"] <= t]
        return self.view(found[-1]) if found else None


class Exchange(RuleBasedStateMachine):
    views = Bundle("views")
    """What the venue has said and may say again at any time."""

    @initialize()
    def begin(self) -> None:
        self.t, self.n = 0.0, 0
        self.venue, self.desk = Venue(), Desk(RULES)
        self.saved: dict[str, Order] = {}
        self.told: list[Event] = []
        self.on_the_way: list[tuple[Order, float]] = []
        """Requests that left and have not arrived, with the time at which they are void."""
        self.sent: set[tuple[str, Any]] = set()
        self.desk.sweep(ANN, self.snapshot())
        self.commit()

    # helpers

    def snapshot(self) -> Snapshot:
        open_orders = [
            self.venue.view(o) for o in self.venue.orders if o["status"] == "open" and o["listed_at"] <= self.t
        ]
        held = sum((trade.quantity for trade in self.venue.trades), D(0))
        return Snapshot(at(self.t), at(self.t), open_orders, list(self.venue.trades), {BTC: held} if held else {})

    def hear(self, events: Any) -> None:
        self.told += events
        self.commit()

    def commit(self) -> None:
        """Everything that is said was saved with it."""
        self.saved |= self.desk.changed
        self.desk.changed = {}
        for placed in self.saved.values():
            what = placed.intent.client_order_id, placed.send_by
            if placed.state == "sending" and what not in self.sent:
                self.sent.add(what)
                self.on_the_way.append((placed, self.t + 5))

    def arrives(self, number: int) -> tuple[Order, bool] | None:
        """A request that comes in: taken once by its id, and never after its window."""
        if not self.on_the_way:
            return None
        placed, void_at = self.on_the_way.pop(number % len(self.on_the_way))
        if self.t > void_at:
            return placed, False
        listed_at = self.t + (number % 3) * LAG_S / 2
        return placed, self.venue.take(placed.intent.client_order_id, placed.intent.quantity, self.t, listed_at)

    # what happens

    @rule(seconds=st.sampled_from([0.1, 1, 3, 8, 25]))
    def time(self, seconds: float) -> None:
        self.t += seconds
        self.hear(self.desk.tick(at(self.t)))

    @rule(quantity=st.integers(1, 3))
    def approve(self, quantity: int) -> None:
        self.n += 1
        self.hear(self.desk.approve(order(self.n, "buy", str(quantity), self.t), at(self.t)))

    @rule()
    def cancel_all(self) -> None:
        self.n += 1
        self.hear(self.desk.instruct(cancel(self.n, self.t), at(self.t)))

    @rule(number=st.integers(0, 5), answer=st.sampled_from(["answered", "lost", "lost", "error"]))
    def request_arrives(self, number: int, answer: str) -> None:
        arrived = self.arrives(number)
        if arrived is None:
            return
        placed, taken = arrived
        name = placed.intent.client_order_id
        if answer == "lost":
            return
        if answer == "error":
            self.hear(self.desk.tell(name, core.Ambiguous(at(self.t), "503")))
        elif taken:
            self.hear(self.desk.tell(name, core.Taken(at(self.t), "v")))
        else:
            self.hear(self.desk.tell(name, core.Refused(at(self.t), "duplicate", "")))

    @rule(number=st.integers(0, 5))
    def request_never_arrives(self, number: int) -> None:
        if self.on_the_way:
            self.on_the_way.pop(number % len(self.on_the_way))

    @rule(number=st.integers(0, 9), share=st.sampled_from([D("0.5"), D(1)]), told=st.integers(0, 2))
    def fill(self, number: int, share: Decimal, told: int) -> None:
        open_ones = [n for n, each in enumerate(self.venue.orders) if each["status"] == "open"]
        if open_ones:
            trade = self.venue.fill(open_ones[number % len(open_ones)], share, self.t)
            for _ in range(told):  # not at all, once, twice
                self.hear(self.desk.trade(trade, at(self.t)))

    @rule(number=st.integers(0, 9))
    def venue_cancels(self, number: int) -> None:
        open_ones = [each for each in self.venue.orders if each["status"] == "open"]
        if open_ones:
            open_ones[number % len(open_ones)]["status"] = "cancelled"

    @rule(target=views, number=st.integers(0, 9))
    def venue_looks(self, number: int) -> Any:
        return self.venue.view(self.venue.orders[number % len(self.venue.orders)]) if self.venue.orders else None

    @rule(view=views)
    def stream_says(self, view: Any) -> None:
        """Now, later, or again when it is long stale."""
        if view is not None:
            self.hear(self.desk.tell(view.client_order_id, core.Seen(at(self.t), view)))

    @rule(view=consumes(views))
    def stream_loses(self, view: Any) -> None:
        pass

    @rule(fails=st.booleans())
    def calls(self, fails: bool) -> None:
        wanted, self.desk.wanted = self.desk.wanted, []
        for each in wanted:
            if not fails:
                self.call(each)

    def call(self, wanted: Wanted) -> None:
        name = wanted.client_order_id
        if wanted.call == "cancel":
            for each in self.venue.orders:
                if each["name"] == name and each["status"] == "open":
                    each["status"] = "cancelled"
            self.hear(self.desk.tell(name, core.CancelAnswered(at(self.t))))
            return
        found = self.venue.find(name, self.t)
        if found is None:
            self.hear(self.desk.tell(name, core.Absent(at(self.t), at(self.t))))
            return
        for trade in self.venue.trades:
            if trade.client_order_id == name:
                self.hear(self.desk.trade(trade, at(self.t)))
        self.hear(self.desk.tell(name, core.Seen(at(self.t), found)))

    @rule()
    def sweep(self) -> None:
        self.hear(self.desk.sweep(ANN, self.snapshot()))

    @rule()
    def process_ends(self) -> None:
        """What was committed is all that the next one knows; a request that left is still on its way."""
        positions: dict[tuple[str, str, str], Decimal] = {}
        for event in self.told:
            if isinstance(event, OrderFilled):
                key = ("s1", "ann", event.instrument)
                positions[key] = positions.get(key, D(0)) + event.quantity
        self.desk = Desk(RULES)
        self.desk.restore(self.saved.values(), positions, [], {})
        self.hear(self.desk.resume(at(self.t)))

    # what holds

    @invariant()
    def one_venue_order_an_intent(self) -> None:
        names = [each["name"] for each in self.venue.orders]
        assert len(names) == len(set(names))

    @invariant()
    def an_unknown_order_is_not_sent_and_nobody_else_in_its_instrument(self) -> None:
        states = {each.intent.client_order_id: each.state for each in self.desk.orders()}
        account = self.desk.accounts.get(ANN)
        if account is None or "unknown" not in states.values():
            return
        assert account.unknown[BTC] == {name for name, state in states.items() if state == "unknown"}
        assert not any(self.desk.may_send(each.intent) for each in self.desk.orders())

    @invariant()
    def the_position_is_the_sum_of_the_trades_told_once_each(self) -> None:
        fills = [event for event in self.told if isinstance(event, OrderFilled)]
        assert len({fill.trade_id for fill in fills}) == len(fills)
        account = self.desk.accounts.get(ANN)
        position = account.positions.get(BTC, D(0)) if account else D(0)
        assert position == sum((fill.quantity for fill in fills), D(0))

    def teardown(self) -> None:
        """The venue heals: it ends what rests, tells everything, answers everything. Then all is final and agrees."""
        if not hasattr(self, "desk"):
            return
        for _ in range(60):
            self.t += 4
            while self.on_the_way:
                self.request_arrives(0, "lost")
            for each in self.venue.orders:
                if each["status"] == "open" and self.t - each["at"] > 8:
                    each["status"] = "cancelled"
            self.hear(self.desk.sweep(ANN, self.snapshot()))
            self.hear(self.desk.tick(at(self.t)))
            self.calls(fails=False)
            self.one_venue_order_an_intent()
        assert all(each.is_final for each in self.desk.orders()), [each.state for each in self.desk.orders()]
        self.the_position_is_the_sum_of_the_trades_told_once_each()
        account = self.desk.accounts[ANN]
        assert account.positions.get(BTC, D(0)) == sum((trade.quantity for trade in self.venue.trades), D(0))
        assert {event.order_id for event in self.told} <= {each.intent.order_id for each in self.saved.values()}  # type: ignore[attr-defined]


TestExchange = Exchange.TestCase
TestExchange.settings = settings(max_examples=150, stateful_step_count=40)


def test_the_id_of_an_intent_is_the_same_in_every_life() -> None:
    assert client_order_id(order(1, "buy", "1").event_id) == client_order_id(order(1, "buy", "1").event_id)
