"""The house is in order: rules about the tree itself that no other tool checks."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from contracts.topics import SERVICES

ROOT = Path(__file__).parents[1]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(work|root|home|farm)/\w")


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def package(service: str) -> str:
    return service.replace("-", "_")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_shape(service: str) -> None:
    source = ROOT / "services" / service / "src" / package(service)

    for name in ("app.py", "handlers.py", "settings.py", "__main__.py"):
        assert (source / name).is_file(), f"{service} has no {name}"
    assert (source / "core.py").is_file() or (source / "core").is_dir(), f"{service} has no core"
    assert (ROOT / "services" / service / "README.md").is_file()


def test_every_package_is_in_the_lock_and_asks_for_the_same_python() -> None:
    for path in tracked("*/pyproject.toml", "pyproject.toml"):
        project = tomllib.loads(path.read_text())["project"]
        assert project["requires-python"] == ">=3.11", path
        assert project["license"] == "Apache-2.0", path


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked("*.py", "*.md", "*.yaml", "*.yml", "*.toml", "*.ts", "*.tsx", "*.mjs", "Makefile")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]

    assert found == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_says_context_decision_alternatives_and_what_enforces_it(page: Path) -> None:
    text = page.read_text()

    for part in ("**Context.**", "**Decision.**", "**Alternatives.**", "**Enforced by**"):
        assert part in text, f"{page.name} lacks {part}"
    assert page.name in (ROOT / "docs/decisions/README.md").read_text()


def test_links_between_the_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert broken == []


def test_both_readmes_give_the_same_commands() -> None:
    def commands(name: str) -> list[str]:
        return re.findall(r"^(?:make|\.venv/bin/arena) .*$", (ROOT / name).read_text(), flags=re.MULTILINE)

    english = commands("README.md")

    assert "make demo" in english
    assert "make test" in english
    assert english == commands("README.zh-CN.md")
