"""Requests in, signals out: a FastStream subscriber that hands each record on and never fails by itself.

`connect` and plain arguments, no module-level router. Offsets are committed by `run`, for requests that are done: the
subscriber acknowledges nothing (AckPolicy.MANUAL), so a crash asks again, and the stored answers are said again.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from chassis.publish import acknowledged
from chassis.service import Resources
from contracts.competition import DecisionRequested
from contracts.topics import dead_letter_topic
from contracts.wire import BadRecord, Encoded, decode, numbered
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from signal_runtime.intake import Handle, Intake
from signal_runtime.runtime import SignalRuntime
from signal_runtime.settings import Settings

SERVICE = "signal-runtime"
PARTS_MAX = 1_000
"""The sequence of a part is round * PARTS_MAX + part: an answer said again has the numbers it had."""
COMMIT_EVERY_S = 1.0
FINISH_WITHIN_S = 5.0


def answering(runtime: SignalRuntime, resources: Resources) -> Handle:
    """Ask, and publish the answer as soon as it is there."""

    async def handle(request: DecisionRequested) -> None:
        traced = resources.telemetry.span(
            f"{SERVICE} decide", request.traceparent, competitor=request.competitor_id, round=request.round
        )
        with traced as traceparent:
            events = await runtime.generate_signal(request.model_copy(update={"traceparent": traceparent}))
            source = f"{SERVICE}/{request.competitor_id}"
            await resources.publisher.send(events, source, request.round * PARTS_MAX + 1)

    return handle


def connect(broker: KafkaBroker, intake: Intake, resources: Resources, settings: Settings) -> Any:
    """The subscriber; its consumer is there once the broker has started."""
    subscriber = broker.subscriber(
        DecisionRequested.topic,
        group_id=SERVICE,
        group_instance_id=f"{SERVICE}-{settings.instance}",
        batch=True,
        max_records=500,
        batch_timeout_ms=20,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        decoder=_as_it_came,
    )

    @subscriber
    async def on_requests(message: KafkaMessage) -> None:
        records = message.raw_message if isinstance(message.raw_message, tuple) else (message.raw_message,)
        try:
            for record in records:
                await _take(intake, resources, record)
        except Exception as error:  # FastStream would log it and go on
            intake.failure = intake.failure or error

    return subscriber


def broker_of(settings: Settings) -> KafkaBroker:
    return KafkaBroker(
        settings.kafka.split(","),  # FastStream takes one string for one address
        consumer_only=True,  # signals go out in numbered batches, through the chassis
        allow_auto_create_topics=False,
        graceful_timeout=FINISH_WITHIN_S,
        logger=logging.getLogger("signal_runtime.subscriber"),
        log_level=logging.DEBUG,
    )


async def run(resources: Resources, broker: KafkaBroker, subscriber: Any, intake: Intake) -> None:
    """Until the process is asked to end; raises what a request or the subscriber failed with."""
    loop = resources.health.loops["loop"]
    await broker.start()
    try:
        while not resources.stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(resources.stopping.wait(), COMMIT_EVERY_S)
            if intake.failure is not None:
                raise intake.failure
            if not subscriber.running:
                raise RuntimeError("the subscriber has stopped")
            await _commit(subscriber.consumer, intake)
            loop.turned()
            if subscriber.consumer.assignment():
                loop.ready()
        await intake.finish(FINISH_WITHIN_S)
        await _commit(subscriber.consumer, intake)
    finally:
        await broker.stop()


async def _take(intake: Intake, resources: Resources, record: Any) -> None:
    where = TopicPartition(record.topic, record.partition)
    try:
        request = decode(record.topic, record.value, record.headers)
    except BadRecord as error:
        await _set_aside(resources, record, str(error))
        intake.passed_over(where, record.offset)
    else:
        await intake.take(where, record.offset, request)


async def _set_aside(resources: Resources, record: Any, reason: str) -> None:
    """To the dead letters as it came; its own two numbers give way to where it stood."""
    resources.telemetry.dead_letters.labels(record.topic).inc()
    resources.telemetry.log.warning("dead letter", topic=record.topic, offset=record.offset, reason=reason)
    kept = [(f"dl_{name}" if name in {"ce_source", "ce_sequence"} else name, value) for name, value in record.headers]
    origin = [
        ("dl_reason", reason.encode()[:2_000]),
        ("dl_topic", record.topic.encode()),
        ("dl_partition", b"%d" % record.partition),
        ("dl_offset", b"%d" % record.offset),
    ]
    headers = numbered([*kept, *origin], f"{SERVICE}/{record.topic}/{record.partition}", record.offset)
    letter = Encoded(dead_letter_topic(SERVICE), None, record.key or b"", record.value, headers)
    await acknowledged(await resources.publisher.hand_over([letter]))


async def _commit(consumer: Any, intake: Intake) -> None:
    assigned = consumer.assignment()
    offsets = {where: offset for where, offset in intake.done_through().items() if where in assigned}
    if offsets:
        with suppress(KafkaError):  # a rebalance is under way; the next commit will do
            await consumer.commit(offsets)


async def _as_it_came(message: KafkaMessage) -> Sequence[bytes]:
    """Parsed record by record in `_take`: one bad record must not fail its batch."""
    body: Any = message.body
    return body  # type: ignore[no-any-return]  # FastStream's own type, not looked at
