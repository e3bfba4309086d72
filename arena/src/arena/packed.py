"""A published file as bytes, gzipped or not, within a bound."""

import gzip
import zlib
from pathlib import Path

_GZIP = b"\x1f\x8b"


class Unreadable(ValueError):
    """The file holds not what it should; the message says what it is instead."""


def content(path: Path, bytes_max: int) -> bytes:
    """Unpacked. Raises Unreadable: missing, damaged, empty or longer than `bytes_max`."""
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as file:
            found = file.read(bytes_max + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(str(error)) from None
    if not found.strip():
        raise Unreadable("the file is empty")
    if len(found) > bytes_max:
        raise Unreadable(f"more than {bytes_max} bytes")
    return found
