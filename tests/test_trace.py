"""One trace runs unbroken from a decision's request to the frame that shows its fill."""

import json
from collections import defaultdict

from arena.rehearsal import Run

WAY = ("competition", "signal-runtime", "risk-gate", "order-executor", "pnl-tracker", "dashboard-api")


async def test_a_decision_can_be_followed_from_its_request_to_the_websocket_frame(baseline: Run) -> None:
    spans = [json.loads(line) for line in baseline.traces.read_text().splitlines()]
    by_id = {span["span_id"]: span for span in spans}
    traces = defaultdict(set)
    for span in spans:
        traces[span["trace_id"]].add(span["service"])
    whole = [trace for trace, services in traces.items() if services >= set(WAY)]

    assert whole, f"no trace visits all of {WAY}: {sorted(map(sorted, traces.values()), key=len)[-3:]}"
    frames = [span for span in spans if span["trace_id"] in whole and "frame" in span["name"]]
    assert frames
    for frame in frames:
        assert ancestors(frame, by_id)[-1]["service"] == "competition", frame


def ancestors(span: dict[str, str], by_id: dict[str, dict[str, str]]) -> list[dict[str, str]]:
    """From the span itself up to the root; fails where a parent is missing."""
    line = [span]
    while line[-1].get("parent_id"):
        line.append(by_id[line[-1]["parent_id"]])
        assert len(line) < 50, "a circle"
    return line
