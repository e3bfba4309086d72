from datetime import UTC, datetime
from pathlib import Path

import pytest
from arena.datadir import DataDir
from arena.options import Options
from arena.stack.services import Parts, Spec, specs
from contracts.topics import SERVICES


def of(options: Options) -> dict[str, Spec]:
    dsns = {service: f"postgresql://{service}" for service in SERVICES}
    parts = Parts("127.0.0.1:1", dsns, DataDir(options.data_dir), datetime(2026, 1, 5, tzinfo=UTC))
    return {spec.name: spec for spec in specs(options, parts)}


def test_every_service_is_told_its_own_account_and_where_the_broker_is(tmp_path: Path) -> None:
    started = of(Options(tmp_path))

    assert list(started) == list(SERVICES)
    gate = started["risk-gate"]
    assert gate.command[-2:] == ["-m", "risk_gate"]
    assert gate.env["RISK_GATE_POSTGRES"] == "postgresql://risk-gate"
    assert gate.env["RISK_GATE_KAFKA"] == "127.0.0.1:1"
    assert gate.env["RISK_GATE_HEALTH_PORT"] == str(gate.port)
    assert gate.env["RISK_GATE_OBJECT_STORE"] == f"file://{tmp_path}/objects"
    assert not any("postgresql://order-executor" in value for value in gate.env.values())


def test_the_feed_is_told_market_seed_speed_and_its_end(tmp_path: Path) -> None:
    feed = of(Options(tmp_path, seed=7, speed="max", seconds=300, fast_forward_s=60))["market-data"].env

    told = {name.removeprefix("MARKET_DATA_"): value for name, value in feed.items()}
    assert told["VENUE"] == "synthetic"
    assert (told["SEED"], told["SPEED"], told["END_AFTER_S"], told["FAST_FORWARD_S"]) == ("7", "max", "300", "60")


def test_replicas_have_instances_ports_and_logs_of_their_own(tmp_path: Path) -> None:
    started = of(Options(tmp_path, replicas={"order-executor": 2, "dashboard-api": 2}, port=8099))

    one, two = started["order-executor"], started["order-executor-1"]
    assert (one.env["ORDER_EXECUTOR_INSTANCE"], two.env["ORDER_EXECUTOR_INSTANCE"]) == ("0", "1")
    assert one.port != two.port
    assert (one.log.name, two.log.name) == ("order-executor.log", "order-executor-1.log")
    assert started["dashboard-api"].env["DASHBOARD_API_PORT"] == "8099"
    assert started["dashboard-api-1"].env["DASHBOARD_API_PORT"] != "8099"


def test_variables_of_libpq_do_not_reach_a_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere.example")
    assert "PGHOST" not in of(Options(tmp_path))["risk-gate"].env
