"""A backup is a folder: database, objects, how the arena was started, and a manifest that names and checks them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena.exits import Exit, Stopped

FORMAT = 1
NAME = "manifest.json"
DATABASE, OBJECTS = "postgres.dump", "objects.tar"
STARTED_WITH = "options.json", "season.yaml"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Manifest:
    format: int
    taken_at: str
    """UTC, when the database's snapshot was taken."""
    kafka_cluster: str
    ends: dict[str, dict[str, int]]
    """Where each partition of each topic ended just before: what the snapshot caused later lies at or beyond."""
    files: dict[str, dict[str, Any]]
    """By name: bytes and sha256."""

    def write(self, folder: Path) -> None:
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1) + "\n")


def described(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def read(folder: Path) -> Manifest:
    """The manifest, once every file was found to be what it says. Raises Stopped."""
    try:
        manifest = Manifest(**json.loads((folder / NAME).read_text()))
    except FileNotFoundError:
        raise Stopped(Exit.USAGE, f"{folder} is no backup: it has no {NAME}") from None
    except (ValueError, TypeError) as error:
        raise Stopped(Exit.FAILED, f"{folder / NAME} cannot be read: {error}") from None
    if manifest.format != FORMAT:
        raise Stopped(Exit.FAILED, f"{folder} has format {manifest.format}, this arena reads {FORMAT}")
    for name, said in manifest.files.items():
        path = folder / name
        if not path.is_file() or described(path) != said:
            raise Stopped(Exit.FAILED, f"{path} is not what the manifest says: the backup is damaged")
    return manifest
