import os
import subprocess
import sys
from pathlib import Path

import pytest
from arena.datadir import DataDir
from arena.exits import Exit, Stopped


def refused(folder: DataDir, *, resume: bool = False) -> Stopped:
    with pytest.raises(Stopped) as refusal:
        folder.prepare(resume=resume)
    assert refusal.value.code is Exit.DATA_DIR
    return refusal.value


def test_a_folder_that_no_arena_made_stays_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")

    assert "was not made by arena" in str(refused(DataDir(tmp_path)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_new_run_starts_clean(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "new")
    folder.prepare(resume=False)
    folder.logs.mkdir()
    (folder.logs / "old.log").write_text("old")
    (folder.path / "link").symlink_to(tmp_path)

    folder.prepare(resume=False)

    assert [entry.name for entry in folder.path.iterdir()] == ["ARENA"]
    assert tmp_path.exists()


def test_resume_keeps_everything_and_needs_something_to_go_on_from(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    assert "holds no run to resume" in str(refused(folder, resume=True))

    folder.prepare(resume=False)
    folder.note_options({"seed": 7})
    folder.season.write_text("season_id: kept")
    folder.prepare(resume=True)

    assert folder.season.read_text() == "season_id: kept"
    assert folder.options() == {"seed": 7}


def test_a_folder_in_which_an_arena_runs_is_refused(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.prepare(resume=False)
    folder.note_running("http://127.0.0.1:1/", "127.0.0.1:2", {})

    assert f"pid {os.getpid()}" in str(refused(folder))


def test_a_process_that_has_ended_does_not_run_any_more(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    folder.prepare(resume=False)
    note = "import sys; from pathlib import Path; from arena.datadir import DataDir\n"
    note += "DataDir(Path(sys.argv[1])).note_running('u', 'k', {})"
    subprocess.run([sys.executable, "-c", note, str(tmp_path)], check=True)

    assert (tmp_path / "running.json").exists()
    assert folder.running() is None
    folder.prepare(resume=False)
