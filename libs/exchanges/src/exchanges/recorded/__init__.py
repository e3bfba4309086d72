"""A market that was: raw Binance USD-M stream files, or a file of one-minute bars."""

from collections.abc import Sequence
from pathlib import Path

from exchanges.recorded.bars import RecordedBars
from exchanges.recorded.streams import RecordedStreams
from exchanges.venue import Venue

__all__ = ["RecordedBars", "RecordedStreams", "open_recording"]


def open_recording(paths: Sequence[Path]) -> Venue:
    """By what the files are: `*.jsonl[.gz]` streams (one or several), or one `*.csv[.gz]` of bars."""
    missing = [str(path) for path in paths if not path.is_file()]
    if missing or not paths:
        raise FileNotFoundError(f"no such recording: {', '.join(missing) or 'none was named'}")
    bars = [path for path in paths if ".csv" in path.suffixes]
    if not bars:
        return RecordedStreams(paths)
    if len(paths) > 1:
        raise ValueError("a bar file is replayed alone: it and a stream file are of different times")
    return RecordedBars(paths[0])
