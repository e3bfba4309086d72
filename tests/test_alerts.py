"""Alert rules: what they name exists in the code, each has a runbook and fires in a test of its own."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy/observability/prometheus"
RULES = sorted((FOLDER / "rules").glob("*.yml"))
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
SOURCES = [path for top in ("libs", "services") for path in (ROOT / top).glob("*/src/**/*.py")]
SAMPLES = {
    "Counter": ("_total",), "Gauge": ("",), "Info": ("_info",),
    "Histogram": ("_bucket", "_sum", "_count"), "_histogram": ("_bucket", "_sum", "_count"),
}  # fmt: skip
GIVEN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
"""By Prometheus itself, and by its client library's ProcessCollector."""
NO_METRICS = {"and", "or", "unless", "bool", "offset", "group_left", "group_right"}
_NAME = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*(?![\w]|\s*\()")
_APART = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring)\s*\([^)]*\)|#.*')


def alerts(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"] if "alert" in rule]


ALERTS = [pytest.param(rule, id=rule["alert"]) for path in RULES for rule in alerts(path)]


def made(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """The metrics: their names, as they are written, and their kinds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAMPLES and node.args:
            yield node.args[0], node.func.id


def strings(tree: ast.AST) -> set[str]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and re.fullmatch(r"[a-z]+(_[a-z]+)*", value)}


def exported(tree: ast.AST) -> set[str]:
    """Samples of the metrics made there; where the name is a variable, of every name in the same function."""
    found: set[str] = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for name, kind in made(function):
            names = strings(name) or strings(function)
            found |= {f"{each}{suffix}" for each in names for suffix in SAMPLES[kind]}
    return found


@pytest.fixture(scope="module")
def trees() -> list[ast.Module]:
    return [ast.parse(path.read_text()) for path in SOURCES]


@pytest.mark.parametrize("rule", ALERTS)
def test_every_metric_in_a_rule_is_one_the_code_exports(rule: dict[str, Any], trees: list[ast.Module]) -> None:
    named = set(_NAME.findall(_APART.sub(" ", rule["expr"]))) - NO_METRICS

    assert named, "no metric is named"
    assert named <= GIVEN.union(*map(exported, trees))


@pytest.mark.parametrize("rule", ALERTS)
def test_every_kind_of_object_in_a_rule_is_counted_somewhere(rule: dict[str, Any], trees: list[ast.Module]) -> None:
    counted = {
        kind
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "sizes"
        for kind in strings(node)
    }

    assert set(re.findall(r'arena_state_objects\{[^}]*kind="(\w+)"', rule["expr"])) <= counted


@pytest.mark.parametrize("rule", ALERTS)
def test_every_alert_says_how_bad_it_is_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    runbook = ROOT / rule["annotations"]["runbook_url"]

    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert runbook.name == f"{rule['alert']}.md"
    headings = re.findall(r"^#+ (\w+)$", runbook.read_text(), flags=re.MULTILINE)
    assert headings == [rule["alert"], "Meaning", "Impact", "Diagnosis", "Mitigation"]


def test_every_alert_fires_in_a_test() -> None:
    fired = {
        case["alertname"]
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }

    assert fired == {rule["alert"] for path in RULES for rule in alerts(path)}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (Debian's package prometheus)")
@pytest.mark.parametrize(("verb", "files"), [("check", RULES), ("test", TESTS)])
def test_promtool_accepts_the_rules_and_their_tests(verb: str, files: list[Path]) -> None:
    done = subprocess.run(["promtool", verb, "rules", *files], capture_output=True, text=True, timeout=200, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
