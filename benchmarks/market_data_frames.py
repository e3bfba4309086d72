"""Recorded Binance frames parsed, sequenced and applied to the books, beside the floor in the same run.

`python -m benchmarks.market_data_frames [FILE.jsonl.gz …]`, by default the recorded streams. The floor reads the
same lines and decodes each frame without its data (msgspec.Raw): no clock, no merge, no book. CPU seconds are this
process's own: what others do on the machine counts less than in wall time.
"""

import gzip
import sys
import time
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path

import msgspec
from exchanges.recorded import RecordedStreams

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "market"
TURNS = 3


class Bare(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()


def floor(paths: Sequence[Path]) -> int:
    decode, frames = msgspec.json.Decoder(Bare).decode, 0
    for path in paths:
        for line in BufferedReader(gzip.GzipFile(path), 1 << 16):
            decode(line.partition(b" ")[2])
            frames += 1
    return frames


def books(paths: Sequence[Path]) -> int:
    venue = RecordedStreams(paths)
    assert venue.starts_at is not None
    feed = venue.feed(venue.starts_at)
    for _ in feed:
        pass
    assert not venue.defects.counts, str(venue.defects)
    return feed.frames


def best_of(turns: int, run: Callable[[Sequence[Path]], int], paths: Sequence[Path]) -> float:
    """Frames a CPU second, the fastest of a few turns."""
    rates = []
    for _ in range(turns):
        began = time.process_time()
        frames = run(paths)
        rates.append(frames / (time.process_time() - began))
    return max(rates)


def main() -> None:
    paths = [Path(given) for given in sys.argv[1:]] or sorted(RECORDED.glob("binance_usdm_*.jsonl.gz"))
    if not paths:
        sys.exit(f"no recordings in {RECORDED}; name them")
    bare, whole = best_of(TURNS, floor, paths), best_of(TURNS, books, paths)
    print(f"floor: lines read and frames decoded     {bare:>10,.0f} frames/s")
    print(f"parsed, sequenced, applied to the books  {whole:>10,.0f} frames/s ({whole / bare:.2f} of the floor)")


if __name__ == "__main__":
    main()
