"""What docs/guides/determinism.md promises is tested where it says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs/guides/determinism.md").read_text()
NAMED = re.findall(r"`([\w/.-]+\.py)::(\w+)`", GUIDE)


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_promise_names_a_test_that_is_there(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_every_promise_names_one() -> None:
    promises = [
        row for row in GUIDE.partition("## Not promised")[0].splitlines() if re.match(r"\| (?!promise)\w|\| …", row)
    ]

    assert len(promises) >= 15
    assert [row for row in promises if ".py" not in row] == []
