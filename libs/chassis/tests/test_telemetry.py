import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from chassis.publish import encoded
from chassis.settings import ServiceSettings
from chassis.telemetry import Telemetry
from chassis.testing import halted
from contracts.base import named_id
from contracts.competition import DecisionRequested
from contracts.types import EPOCH

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans(tmp_path: Path) -> Path:
    return tmp_path / "spans.jsonl"


def telemetry_of(**settings: Any) -> Telemetry:
    return Telemetry("stage", ServiceSettings(**settings))


def rows(spans: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in spans.read_text().splitlines()]


def test_a_span_stands_below_the_one_it_continues_and_what_it_causes_below_it(spans: Path) -> None:
    telemetry = telemetry_of(traces_file=spans)
    with telemetry.span("ask", SAMPLED, model="trend") as outer, telemetry.span("store", outer):
        telemetry.log.info("within")
    telemetry.shutdown()
    store, ask = rows(spans)
    assert (ask["trace_id"], ask["parent_id"]) == (SAMPLED[3:35], SAMPLED[36:52])
    assert store["parent_id"] == ask["span_id"] == outer[36:52]
    assert ask["attributes"] == {"model": "trend"}


def test_an_events_span_stands_below_its_cause_or_begins_a_trace_where_that_is_none(spans: Path) -> None:
    telemetry = telemetry_of(traces_file=spans)
    said = []
    for parent in (SAMPLED, "nonsense-1"):
        span = telemetry.begin("stage halted", halted(1, traceparent=parent))
        assert span is not None
        said.append(span.traceparent)
        span.end()
    telemetry.shutdown()
    below, root = rows(spans)
    assert (below["trace_id"], below["parent_id"], root["parent_id"]) == (SAMPLED[3:35], SAMPLED[36:52], None)
    assert said == [f"00-{row['trace_id']}-{row['span_id']}-01" for row in (below, root)]
    assert root["trace_id"] != below["trace_id"]
    assert below["attributes"] == {"event_id": str(halted(1).event_id), "key": halted(1).key}
    assert below["start_ns"] <= below["end_ns"]


@pytest.mark.parametrize("traceparent", ["", SAMPLED[:-1] + "0"])
def test_what_is_not_sampled_is_handed_on_and_not_written(spans: Path, traceparent: str) -> None:
    telemetry = telemetry_of(traces_file=spans)
    with telemetry.span("ask", traceparent) as onwards:
        assert onwards == traceparent
    assert telemetry.begin("ask", halted(1, traceparent=traceparent)) is None
    telemetry.shutdown()
    assert rows(spans) == []


def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(spans: Path) -> None:
    telemetry = telemetry_of(traces_file=spans)
    with telemetry.span("ask", "nonsense-1") as onwards:
        pass
    telemetry.shutdown()
    (row,) = rows(spans)
    assert row["parent_id"] is None
    assert row["trace_id"] == onwards[3:35]


@pytest.mark.parametrize(("ratio", "sampled"), [(1.0, 1), (0.0, 0)])
def test_a_trace_begins_with_the_request_for_a_decision(ratio: float, sampled: int) -> None:
    request = DecisionRequested(
        event_id=named_id("request"), at=EPOCH, season_id="s", competitor_id="a", round=1, deadline=EPOCH,
        effective_at=EPOCH, snapshot_id="x", snapshot_sha256="0" * 64,
    )  # fmt: skip
    telemetry = telemetry_of(trace_ratio=ratio)
    traceparent = dict(encoded(request, telemetry).headers)["traceparent"].decode()
    assert int(traceparent[-2:], 16) & 1 == sampled
    known = request.model_copy(update={"traceparent": SAMPLED})
    assert dict(encoded(known, telemetry).headers)["traceparent"].decode() == SAMPLED
    assert "traceparent" not in dict(encoded(halted(1), telemetry).headers)


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, int]]]]:
    got: list[tuple[str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            got.append((self.path, len(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def test_spans_go_to_the_collector_that_is_configured(collector: tuple[str, list[tuple[str, int]]]) -> None:
    endpoint, got = collector
    telemetry = telemetry_of(otlp_endpoint=endpoint)
    span = telemetry.begin("stage decision_requested", halted(1, traceparent=telemetry.root("decision_requested")))
    assert span is not None
    span.end()
    telemetry.shutdown()
    assert [path for path, _ in got] == ["/v1/traces"]
    assert got[0][1] > 0


def test_a_log_line_is_json_and_names_its_trace(capsys: pytest.CaptureFixture[str], spans: Path) -> None:
    telemetry = telemetry_of(traces_file=spans)
    with telemetry.span("ask", SAMPLED):
        telemetry.log.info("asked", competitor="a")
    telemetry.shutdown()
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (line["event"], line["competitor"], line["service"]) == ("asked", "a", "stage")
    assert line["trace_id"] == SAMPLED[3:35]
