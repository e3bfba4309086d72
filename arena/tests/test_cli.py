import json
import socket
from pathlib import Path

import pytest
from arena.cli import main
from arena.exits import MEANING, Exit
from arena.stack.processes import free_port


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def last_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_help_tells_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == Exit.OK
    told = " ".join(capsys.readouterr().out.split())
    for command in ("up", "down", "status", "doctor", "chaos"):
        assert f"│ {command} " in told
    assert all(f"{int(code)} {meaning.split(',')[0].split(':')[0]}" in told for code, meaning in MEANING.items())


def test_help_of_up_tells_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("up", "--help") == Exit.OK
    told = capsys.readouterr().out
    options = "market seed speed seconds kafka postgres data-dir resume season fast-forward competitors replicas"
    options += " port traces json"
    assert [name for name in options.split() if f"--{name}" not in told] == []


def test_a_wrong_option_is_a_usage_error() -> None:
    assert run("up", "--no-such-option") == Exit.USAGE
    assert run("up", "--speed", "fast") == Exit.USAGE
    assert run("up", "--market", "recorded:nowhere.jsonl") == Exit.USAGE
    assert run("up", "--market", "recorded:nowhere.jsonl", "--fast-forward") == Exit.USAGE


def test_a_foreign_data_folder_is_refused_in_words_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")

    assert run("up", "--data-dir", str(tmp_path), "--port", free(), "--json") == Exit.DATA_DIR

    output = capsys.readouterr()
    told = json.loads(output.out.splitlines()[-1])
    assert told["error"] == "data_dir"
    assert "was not made by arena" in output.err
    assert (tmp_path / "thesis.txt").read_text() == "three years of work"


def test_there_is_nothing_to_resume_in_an_empty_folder(tmp_path: Path) -> None:
    assert run("up", "--resume", "--data-dir", str(tmp_path / "none"), "--port", free()) == Exit.DATA_DIR


def test_status_of_nothing_is_unhealthy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--data-dir", str(tmp_path), "--json") == Exit.UNHEALTHY
    assert last_json(capsys) == {"healthy": False, "running": False, "data_dir": str(tmp_path)}


def test_down_of_nothing_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("down", "--data-dir", str(tmp_path), "--json") == Exit.OK
    assert last_json(capsys) == {"stopped": False}


def test_doctor_names_what_it_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--port", free(), "--json") == Exit.OK
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {check["name"] for check in told["checks"]} == {
        "python", "memory", "disk", "port", "java", "kafka", "postgres", "page", "clock",
    }  # fmt: skip
    assert all(check["level"] in ("ok", "warn") for check in told["checks"])


def test_doctor_finds_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert run("doctor", "--port", str(port), "--json") == Exit.UNHEALTHY
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [check["name"] for check in told["checks"] if check["level"] == "fail"] == ["port"]


def free() -> str:
    return str(free_port())


def test_the_readme_tells_every_exit_code() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert [line for code, why in MEANING.items() if (line := f"| {int(code)} | {why} |") not in readme] == []
