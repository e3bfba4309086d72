from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from contracts.signals import Attempt, Condition, ExitChanges, ExitPlan, SignalProposed
from contracts.topics import TOPICS
from signal_runtime.core.decision import CoinDecision, Decision
from signal_runtime.core.signals import Asked, missed, signals
from signal_runtime.testing import BTC, ETH, START, request, season, spec

SPECS = {BTC: spec(BTC), ETH: spec(ETH)}
ATTEMPT = Attempt(model="momentum", offline=True, latency_ms=0)
ENTRY: dict[str, Any] = {"coin": "BTC", "signal": "buy_to_enter", "quantity": Decimal("1.2349")}


def parts(*coins: CoinDecision, late_ms: int = 0, **rules: Any) -> list[SignalProposed]:
    of = season(**rules)
    asked = request().model_copy(update={"effective_at": START if rules else request().effective_at})
    at = asked.at + timedelta(milliseconds=late_ms)
    return signals(Asked(asked, of, at, asked.traceparent), Decision(coins), SPECS, ATTEMPT)


def test_each_coin_is_a_part_and_the_parts_know_how_many_they_are() -> None:
    first, second = parts(CoinDecision(**ENTRY), CoinDecision("ETH", "hold", justification="Fine."))

    assert (first.part, first.parts, second.part, second.parts) == (1, 2, 2, 2)
    assert first.decision_id == second.decision_id
    assert first.event_id != second.event_id
    assert (first.instrument, first.action, second.instrument, second.action) == (BTC, "buy_to_enter", ETH, "hold")
    assert second.justification == "Fine."
    assert first.traceparent == request().traceparent
    assert (first.deadline, first.effective_at) == (START + timedelta(seconds=30), START + timedelta(seconds=30))


def test_a_decision_that_touches_nothing_is_one_hold_of_everything() -> None:
    (part,) = parts()

    assert (part.action, part.instrument, part.part, part.parts) == ("hold", None, 1, 1)


def test_sizes_are_cut_to_the_lot_and_prices_put_on_the_tick() -> None:
    (part,) = parts(CoinDecision(**ENTRY, profit_target=Decimal("1100.26"), stop_loss=Decimal("900.04")))

    assert part.quantity == Decimal("1.234")
    assert part.exit_plan is not None
    assert (part.exit_plan.take_profit, part.exit_plan.stop_loss) == (Decimal("1100.3"), Decimal("900.0"))


@pytest.mark.parametrize(("signal", "on_tick"), [("buy_to_enter", "999.9"), ("sell_to_enter", "1000.0")])
def test_a_limit_never_becomes_worse_than_it_was_said(signal: Any, on_tick: str) -> None:
    coin = CoinDecision("BTC", signal, Decimal(1), limit_price=Decimal("999.95"), time_in_force="GTC")

    (part,) = parts(coin)

    assert (part.order_type, part.limit_price, part.time_in_force) == ("limit", Decimal(on_tick), "GTC")


def test_less_than_a_lot_goes_on_as_it_was_said_for_the_gate_to_refuse() -> None:
    (part,) = parts(CoinDecision("BTC", "buy_to_enter", Decimal("0.0004")))

    assert part.quantity == Decimal("0.0004")


@pytest.mark.parametrize(
    ("coin", "instrument"),
    [("ETH", ETH), (ETH, ETH), ("PEPE", "PEPE-USDT-PERP"), ("BTC-USD", "BTC-USD"), ("BTCUSDT", BTC)],
)
def test_a_coin_is_the_seasons_instrument_or_its_would_be_name(coin: str, instrument: str) -> None:
    assert parts(CoinDecision(coin, "hold"))[0].instrument == instrument


def test_a_close_without_a_quantity_is_of_everything() -> None:
    (part,) = parts(CoinDecision("BTC", "close_position"))

    assert (part.action, part.quantity, part.order_type) == ("close_position", None, "market")


def test_an_invalidation_goes_on_to_the_venue_with_its_words() -> None:
    below = Condition(comparison="below", price=Decimal("990.05"), interval="3m")
    (part,) = parts(CoinDecision(**ENTRY, invalidation=below, invalidation_condition="Below its base"))

    assert part.exit_plan == ExitPlan(invalidation="Below its base", invalidation_condition=below)


def test_a_change_of_exits_names_its_legs_and_leaves_the_others() -> None:
    (part,) = parts(CoinDecision("BTC", "change_exits", stop_loss=Decimal("900.04")))

    assert (part.action, part.exit_plan) == ("change_exits", None)
    assert part.exit_changes == ExitChanges(stop_loss=Decimal("900.0"))


def test_taking_back_resting_orders_is_a_part_of_its_own() -> None:
    (part,) = parts(CoinDecision("BTC", "cancel_orders", quantity=Decimal(1)))

    assert (part.action, part.instrument, part.target_client_order_id) == ("cancel_orders", BTC, "")


def test_orders_as_decided_are_effective_a_latency_after_the_answer() -> None:
    (part,) = parts(late_ms=1_500, execution="as_decided", latency_ms=200)

    assert part.at == START + timedelta(milliseconds=1_500)
    assert part.effective_at == START + timedelta(milliseconds=1_700)


def test_a_missed_decision_keeps_the_reason_within_its_bound() -> None:
    event = missed(Asked(request(), season(), START), "malformed", "x" * 2_000, ATTEMPT)

    assert (event.reason, len(event.detail), event.round) == ("malformed", 1_000, 1)


def test_signals_survive_the_wire() -> None:
    sent = [*parts(CoinDecision(**ENTRY)), missed(Asked(request(), season(), START), "late", "", None)]
    adapter = TOPICS["signals.v1"].adapter

    assert [adapter.validate_json(event.model_dump_json()).event_id for event in sent] == [e.event_id for e in sent]
