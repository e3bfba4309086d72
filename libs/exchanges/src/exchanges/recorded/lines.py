"""Recorded lines in order of their receive time: `<nanoseconds> <JSON>`, several files merged."""

import gzip
import heapq
import zlib
from collections.abc import Iterator, Sequence
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from exchanges.defects import Defects

BUFFER_BYTES = 1 << 16

Line = tuple[int, int, bytes]
"""(received, microseconds since 1970; number of the file; the frame)"""


def merged(paths: Sequence[Path], defects: Defects) -> Iterator[Line]:
    """Lines of one time come in the order of the files. A line without a time is a defect and passed over."""
    files = [_lines(path, number, defects) for number, path in enumerate(paths)]
    return files[0] if len(files) == 1 else heapq.merge(*files)


def head(path: Path, count: int) -> list[bytes]:
    """The first frames of a file, whatever they are; fewer where it cannot be read further."""
    return [frame for _, _, frame in islice(_lines(path, 0, Defects()), count)]


def _lines(path: Path, number: int, defects: Defects) -> Iterator[Line]:
    latest, count = 0, 0
    try:
        with _opened(path) as file:
            for count, line in enumerate(file, 1):
                time, _, frame = line.partition(b" ")
                try:
                    received = int(time) // 1000
                except ValueError:
                    defects.note("line without a time", f"{path.name}:{count}")
                    continue
                if received < latest:  # a clock that was set back: arena time never is
                    defects.note("time runs backwards", f"{path.name}:{count}")
                    received = latest
                latest = received
                yield received, number, frame
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        defects.ended_by = f"{path.name} is damaged after line {count}: {error}"


def _opened(path: Path) -> BinaryIO:
    # gzip's own lines are read in Python, a buffer's in C
    return BufferedReader(gzip.GzipFile(path), BUFFER_BYTES) if path.suffix == ".gz" else path.open("rb")
