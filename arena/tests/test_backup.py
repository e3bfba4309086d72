"""What a backup and a restore refuse; that they work is shown on a season: tests/test_backup.py of the root."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from arena.backup import backup as take
from arena.backup_manifest import FORMAT, Manifest, described
from arena.datadir import DataDir
from arena.exits import Exit, Stopped
from arena.restore import restore

from arena import backup_manifest

FILES = "postgres.dump", "objects.tar", "options.json", "season.yaml"


def say(_: str) -> None: ...


def taken(folder: Path, cluster: str = "cluster-1") -> Path:
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(json.dumps({"kafka": "embedded", "postgres": "embedded", "of": name}))
    files = {name: described(folder / name) for name in FILES}
    Manifest(FORMAT, "2026-01-01T00:00:00+00:00", cluster, {}, files).write(folder)
    return folder


def standing(path: Path, cluster: str = "cluster-1") -> DataDir:
    folder = DataDir(path)
    folder.prepare(resume=False)
    folder.kafka.mkdir()
    (folder.kafka / "cluster-id").write_text(cluster)
    return folder


async def refused(backup: Path, folder: DataDir, *, aside: bool = False) -> Stopped:
    with pytest.raises(Stopped) as refusal:
        await restore(backup, folder, replace=aside, say=say)
    return refusal.value


async def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()

    with pytest.raises(Stopped, match="overwrites nothing"):
        await take(DataDir(tmp_path / "data"), tmp_path / "there", say)
    with pytest.raises(Stopped, match="holds no arena"):
        await take(DataDir(tmp_path / "data"), tmp_path / "new", say)
    assert os.listdir(tmp_path) == ["there"]


@pytest.mark.parametrize("name", FILES)
async def test_a_damaged_backup_is_refused_by_the_name_of_its_file(tmp_path: Path, name: str) -> None:
    damaged = taken(tmp_path / "backup")
    (damaged / name).write_text("other bytes")

    refusal = await refused(damaged, standing(tmp_path / "data"))

    assert name in str(refusal)
    assert "damaged" in str(refusal)


def test_another_format_is_refused_and_a_folder_without_manifest_is_none(tmp_path: Path) -> None:
    later = taken(tmp_path / "later")
    replace(backup_manifest.read(later), format=FORMAT + 1).write(later)

    with pytest.raises(Stopped, match=f"format {FORMAT + 1}"):
        backup_manifest.read(later)
    with pytest.raises(Stopped, match="is no backup"):
        backup_manifest.read(tmp_path)


async def test_a_restore_wants_the_topics_of_the_backup_and_a_database_moved_aside_by_word(tmp_path: Path) -> None:
    one = taken(tmp_path / "backup")
    other = await refused(one, standing(tmp_path / "other", cluster="cluster-2"))
    assert other.code is Exit.DATA_DIR
    assert "topics that belong to this backup" in str(other)

    folder = standing(tmp_path / "data")
    folder.postgres.mkdir()
    assert "--replace" in str(await refused(one, folder))
    folder.note_running("", "127.0.0.1:1", {})
    assert "arena runs" in str(await refused(one, folder, aside=True))
    assert folder.postgres.exists()
