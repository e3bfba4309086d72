import os
from pathlib import Path

import pytest
from chassis.objects import ObjectStore


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_what_was_put_is_got_and_the_last_put_stands(kind: str, tmp_path: Path) -> None:
    store = ObjectStore(tmp_path.as_uri() if kind == "file" else f"memory://{tmp_path.name}")
    assert await store.get("prompts/1.json") is None
    await store.put("prompts/1.json", b"one")
    await store.put("prompts/1.json", b"two")
    assert await store.get("prompts/1.json") == b"two"
    assert await store.get("prompts/2.json") is None


async def test_a_folder_holds_no_half_written_object(tmp_path: Path) -> None:
    await ObjectStore(tmp_path.as_uri()).put("a/b", b"x")
    assert os.listdir(tmp_path / "a") == ["b"]  # a test may block


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../up", "a/../../up"])
async def test_a_path_out_of_the_store_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stays below the store"):
        await ObjectStore(tmp_path.as_uri()).get(path)


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_of_two_that_put_something_new_the_first_stands(kind: str, tmp_path: Path) -> None:
    store = ObjectStore(tmp_path.as_uri() if kind == "file" else f"memory://{tmp_path.name}-new")

    assert [await store.put_new("a/b", b"first"), await store.put_new("a/b", b"second")] == [True, False]
    assert await store.get("a/b") == b"first"
    if kind == "file":
        assert os.listdir(tmp_path / "a") == ["b"]  # no half of the other is left
