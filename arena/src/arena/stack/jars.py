"""Apache Kafka's jars: locked by coordinates and sha256, fetched once, kept in the cache.

`python -m arena.stack.jars` writes the lock anew.
"""

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

KAFKA_VERSION = "4.4.0"
# slf4j-api comes as 1.7.36; a slf4j-simple of the 2.x line would log nothing
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
LOCK = Path(__file__).with_name("kafka.lock.toml")
PARALLEL = 8


class Tampered(Exception):
    """A jar is not the one that was locked."""


def cache_dir() -> Path:
    """Where fetched parts are kept between runs and clones: $ARENA_CACHE, else the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("ARENA_CACHE") or home / "open-nof1").absolute()


@cache
def locked(lock: Path = LOCK) -> Mapping[str, str]:
    """sha256 by `group:artifact:version`."""
    jars: dict[str, str] = tomllib.loads(lock.read_text())["jars"]
    return jars


def kafka_home(lock: Path = LOCK) -> Path:
    """One folder a lock: another lock means other jars and another AOT cache."""
    return cache_dir() / "kafka" / f"{KAFKA_VERSION}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"


def jars_fetched(lock: Path = LOCK) -> bool:
    return (kafka_home(lock) / "jars").is_dir()


def class_path(lock: Path = LOCK) -> str:
    """Fetches what is missing; raises Tampered where a jar is not the locked one."""
    jars = kafka_home(lock) / "jars"
    if not jars_fetched(lock):
        with one_at_a_time(jars.parent):
            if not jars_fetched(lock):
                fetch(locked(lock), jars)
    return os.pathsep.join(str(jars / file_name(name)) for name in locked(lock))


def fetch(wanted: Mapping[str, str], jars: Path) -> None:
    """All or nothing: the folder appears when every jar in it has been verified."""
    with tempfile.TemporaryDirectory(dir=jars.parent) as scratch:
        ready = Path(scratch) / "ready"
        ready.mkdir()
        with ThreadPoolExecutor(PARALLEL) as pool:
            for name, path in zip(wanted, pool.map(lambda name: download(name, Path(scratch)), wanted), strict=True):
                verify(name, path, wanted[name])
                shutil.move(path, ready / file_name(name))
        ready.rename(jars)


def download(name: str, repository: Path) -> Path:
    from jgo.maven import MavenContext

    group, artifact, version = name.split(":")
    context = MavenContext(repo_cache=repository / "repository", timeout=60)
    path: Path = context.project(group, artifact).at_version(version).artifact().resolve()
    return path


def verify(name: str, path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise Tampered(f"{name}: sha256 is {found}, locked is {expected}")


def file_name(name: str) -> str:
    _, artifact, version = name.split(":")
    return f"{artifact}-{version}.jar"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_lock() -> None:
    """Resolves the newest state of ENDPOINT's dependencies and locks what came."""
    import jgo

    with tempfile.TemporaryDirectory() as scratch:
        environment = jgo.build(ENDPOINT, cache_dir=Path(scratch))
        entries = tomllib.loads((environment.path / "jgo.lock.toml").read_text())["dependencies"]
    lines = sorted(f'"{e["groupId"]}:{e["artifactId"]}:{e["version"]}" = "{e["sha256"]}"' for e in entries)
    head = "# Written by `python -m arena.stack.jars`; every jar is held against its sha256 when it is fetched."
    LOCK.write_text("\n".join([head, "[jars]", *lines, ""]))


if __name__ == "__main__":
    write_lock()
    sys.stdout.write(f"{len(locked())} jars locked\n")
