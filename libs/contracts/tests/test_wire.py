"""Events to records and back, and what becomes of records that break the contract."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from contracts.base import Event, named_id
from contracts.canonical import canonical_bytes
from contracts.competition import SeasonChanged, SeasonRules
from contracts.executions import OrderFilled
from contracts.market import MarkUpdated, TimeAdvanced
from contracts.signals import SignalProposed
from contracts.topics import TOPICS
from contracts.types import Price, Usd
from contracts.wire import BadRecord, decode, encode, header, numbered
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

AT = datetime(2026, 11, 22, 14, 3, 7, 250_000, tzinfo=UTC)


def fill(**changes: Any) -> OrderFilled:
    values: dict[str, Any] = {
        "event_id": UUID(int=1), "at": AT, "season_id": "s1", "competitor_id": "ann", "order_id": UUID(int=2),
        "instrument": "BTC-USDT-PERP", "trade_id": UUID(int=3), "side": "buy", "price": Decimal("108622.5"),
        "quantity": Decimal("0.001"), "fee": Decimal("0.05"), "liquidity": "taker", "remaining": Decimal(0),
        "leverage": Decimal(5), "purpose": "decision", "book_sequence": 12, "position_after": Decimal("0.001"),
    }  # fmt: skip
    return OrderFilled(**{**values, **changes})


def test_an_event_comes_back_as_it_went() -> None:
    record = encode(fill())

    assert decode(record.topic, record.value, record.headers) == fill()


def test_a_record_carries_cloudevents_headers_in_binary_mode() -> None:
    headers = dict(numbered(encode(fill()).headers, "order-executor/orders.v1/3", 42))

    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"00000000-0000-0000-0000-000000000001",
        "ce_type": b"arena.order_filled",
        "ce_time": b"2026-11-22T14:03:07.250000Z",
        "content-type": b"application/json",
        "ce_source": b"order-executor/orders.v1/3",
        "ce_sequence": b"42",
    }


@pytest.mark.parametrize("model", sorted({kind for each in TOPICS.values() for kind in each.event_types}, key=repr))
def test_the_value_of_every_event_begins_with_what_its_headers_repeat(model: type[Event]) -> None:
    event = model.made(event_id=UUID(int=1), at=AT)
    event.__dict__ |= {"type": "any"}

    assert list(model.model_fields)[:2] == ["event_id", "at"]
    assert event.__pydantic_serializer__.to_json(event, warnings=False).startswith(
        b'{"event_id":"00000000-0000-0000-0000-000000000001","at":"2026-11-22T14:03:07.250000Z"'
    )


@pytest.mark.parametrize("first", [["type"], ["event_id", "type"]])
def test_an_event_whose_fields_stand_in_another_order_is_not_sent_under_a_wrong_id(first: list[str]) -> None:
    fields = fill().__dict__

    with pytest.raises(ValueError, match="OrderFilled: event_id and at must be the first"):
        encode(OrderFilled.made(**{name: fields[name] for name in first} | fields))


def test_trace_context_travels_in_the_header_and_never_in_the_value() -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    record = encode(fill(traceparent=parent))

    assert b"traceparent" not in record.value
    assert header(record.headers, "traceparent") == parent
    assert decode(record.topic, record.value, record.headers).traceparent == parent


def test_the_same_cause_gives_the_same_ids_and_another_index_another() -> None:
    assert fill().child_id(0) == fill().child_id(0) != fill().child_id(1)
    assert named_id("season", 1) == named_id("season", "1")


def test_a_childs_id_is_the_version_5_uuid_of_its_parents_id_and_its_index() -> None:
    digest = hashlib.sha1(UUID(int=1).bytes + b"0", usedforsecurity=False).digest()

    assert fill(event_id=UUID(int=1)).child_id(0) == UUID(bytes=digest[:16], version=5)


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    beijing = AT.astimezone(timezone(timedelta(hours=8)))

    assert b'"at":"2026-11-22T14:03:07.250000Z"' in encode(fill(at=beijing)).value


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        fill(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"not json", "value: Invalid JSON"),
        (b'{"type":"order_filled"}', "event_id: Field required"),
        (b'{"type":"order_filled","at":7}', "event_id: Field required"),
        (b'{"type":"order_melted"}', "does not match any of the expected tags"),
        (b"[]", "value: "),
        (b"\xff\xfe", "value: Invalid JSON"),
    ],
)
def test_a_broken_record_is_refused_with_the_field_and_the_rule(value: bytes, says: str) -> None:
    with pytest.raises(BadRecord, match=says):
        decode("executions.v1", value)


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e400", "-1", "0", "1000000000001", "0.0000000000000000001", ""])
def test_a_number_outside_its_bounds_is_refused(price: str) -> None:
    value = encode(fill()).value.replace(b'"108622.5"', f'"{price}"'.encode())

    with pytest.raises(BadRecord, match=r"order_filled\.price"):
        decode("executions.v1", value)


@pytest.mark.parametrize("price", [b"108622.5", b"true", b"null", b"{}", b'["1"]', b"NaN"])
def test_a_decimal_that_is_not_a_string_is_refused(price: bytes) -> None:
    value = encode(fill()).value.replace(b'"108622.5"', price)

    with pytest.raises(BadRecord):
        decode("executions.v1", value)


def test_a_binary_float_never_becomes_money() -> None:
    with pytest.raises(ValidationError, match="never as a binary float"):
        fill(fee=0.05)


def test_an_oversized_record_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadRecord, match="at most 1000000 are read"):
        decode("executions.v1", b" " * 1_000_001)


def test_a_tombstone_is_refused() -> None:
    with pytest.raises(BadRecord, match="has one"):
        decode("executions.v1", None)


def test_an_unknown_field_is_passed_over() -> None:
    value = encode(fill()).value[:-1] + b',"added_later":"1"}'

    assert decode("executions.v1", value) == fill()


@given(st.decimals(min_value="-999999999999999999", max_value="999999999999999999", places=12))
def test_money_survives_the_wire_to_the_last_digit(amount: Decimal) -> None:
    adapter = TypeAdapter(Usd)

    assert adapter.validate_json(adapter.dump_json(amount)) == amount
    assert b"E" not in adapter.dump_json(amount)


def test_a_tiny_price_is_written_without_an_exponent() -> None:
    assert TypeAdapter(Price).dump_json(Decimal("1E-8")) == b'"0.00000001"'


def test_canonical_bytes_do_not_depend_on_the_order_of_keys() -> None:
    assert canonical_bytes({"b": "π", "a": [1, None]}) == '{"a":[1,null],"b":"π"}'.encode()


def test_every_event_type_knows_a_topic_that_lists_it() -> None:
    for topic in TOPICS.values():
        for event in topic.event_types:
            assert event.topic == topic.name or event is TimeAdvanced


def test_a_watermark_is_an_event_of_every_market_stream() -> None:
    record = encode(
        TimeAdvanced(event_id=UUID(int=9), at=AT, partition=3, closed_round=7), topic="market.marks.v1", partition=3
    )

    assert (record.topic, record.partition, record.key) == ("market.marks.v1", 3, b"partition/3")
    assert isinstance(decode("market.marks.v1", record.value), TimeAdvanced)


def test_a_mark_without_funding_says_null() -> None:
    mark = MarkUpdated(event_id=UUID(int=1), at=AT, instrument="BTC-USDT-PERP", venue="recorded", mark_price=Decimal(1))

    assert b'"funding_rate":null' in encode(mark).value


def season(**changes: Any) -> SeasonChanged:
    rules = SeasonRules(
        instruments=("BTC-USDT-PERP",), capital=Decimal(10_000), cadence_s=180, deadline_s=30, leverage_max=Decimal(10),
        order_notional_max=Decimal(50_000), position_notional_max=Decimal(50_000), price_band=Decimal("0.02"),
    )  # fmt: skip
    values: dict[str, Any] = {
        "event_id": UUID(int=1), "at": AT, "season_id": "s1", "name": "One", "venue": "synthetic", "clock": "lockstep",
        "starts_at": datetime(2026, 1, 1, tzinfo=UTC), "rules": rules, "rules_sha256": "0" * 64,
    }  # fmt: skip
    return SeasonChanged(**{**values, **changes})


def test_the_schedule_is_a_function_of_the_season() -> None:
    s = season()

    assert s.opened_at(1) == datetime(2026, 1, 1, tzinfo=UTC)
    assert s.opened_at(3) == datetime(2026, 1, 1, 0, 6, tzinfo=UTC)
    assert s.deadline(3) == s.held_at(3) == datetime(2026, 1, 1, 0, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-3600, 1), (-1, 1), (0, 2), (1, 2), (179, 2), (180, 3), (180.5, 3), (359, 3)]
)
def test_the_next_round_is_the_first_that_opens_later(seconds: float, expected: int) -> None:
    s = season()

    assert s.round_opening_after(s.starts_at + timedelta(seconds=seconds)) == expected


def test_no_round_opens_at_or_after_the_end_of_the_season() -> None:
    s = season(ends_at=datetime(2026, 1, 1, 0, 6, tzinfo=UTC))

    assert s.round_opening_after(s.starts_at) == 2
    assert s.round_opening_after(s.opened_at(2)) is None


def test_decided_at_once_market_time_stands_at_the_opening() -> None:
    rules = season().rules.model_copy(update={"execution": "as_decided"})

    s = season(rules=rules)

    assert s.held_at(2) == s.opened_at(2)


def test_rounds_that_overlap_are_refused() -> None:
    with pytest.raises(ValidationError, match="deadline_s: must be shorter than cadence_s"):
        SeasonRules(**{**season().rules.model_dump(), "deadline_s": 180})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"quantity": None}, "quantity: required to buy_to_enter"),
        ({"instrument": None}, "instrument: required to buy_to_enter"),
        ({"order_type": "limit", "time_in_force": "GTC"}, "limit_price: required by order_type limit"),
        ({"limit_price": Decimal(1)}, "limit_price: not for a market order"),
        ({"time_in_force": "GTC"}, "time_in_force: a market order is IOC"),
        (
            {"action": "cancel_orders", "instrument": None, "target_client_order_id": "mine"},
            "instrument: required to name an order",
        ),
        ({"part": 3}, "part: must not be above parts"),
    ],
)
def test_a_signal_that_contradicts_itself_is_refused(changes: dict[str, Any], says: str) -> None:
    values: dict[str, Any] = {
        "event_id": UUID(int=1), "at": AT, "season_id": "s1", "competitor_id": "ann", "round": 1,
        "decision_id": UUID(int=2), "part": 1, "parts": 2, "deadline": AT, "effective_at": AT,
        "action": "buy_to_enter", "instrument": "BTC-USDT-PERP", "quantity": Decimal(1),
        "attempt": {"model": "trend", "offline": True, "latency_ms": 0},
    }  # fmt: skip
    assert SignalProposed(**values).action == "buy_to_enter"

    with pytest.raises(ValidationError, match=says):
        SignalProposed(**{**values, **changes})
