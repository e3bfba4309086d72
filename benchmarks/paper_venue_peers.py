"""The paper venue's core beside nautilus_trader and hftbacktest: the same recorded events, the same orders, one run.

`python -m benchmarks.paper_venue_peers [--steps N]`. Each peer has an environment of its own, made with uv in the cache
folder (Python >= 3.12); one that cannot be made is passed over and says so. All are fed what the paper venue is fed:
books of 20 levels each 100 ms, every trade, the mark; and an order of 0.01 in every hundred of them. What is read and
parsed beforehand is not measured; CPU seconds are the best of three turns.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import starmap
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arena.stack.jars import cache_dir
from contracts.executions import OrderFilled
from contracts.orders import OrderApproved
from contracts.types import EPOCH
from order_executor.testing import Fact

from benchmarks.paper_venue import TURNS, facts, spent, venue, with_orders

MICROSECOND = timedelta(microseconds=1)
ROOT = Path(__file__).resolve().parents[1]
PEERS = {
    "nautilus_trader": ("1.231.0", ROOT / "benchmarks/peers/nautilus.py"),
    "hftbacktest": ("2.4.4", ROOT / "benchmarks/peers/hft.py"),
}


def interpreters() -> Iterator[Path]:
    """Python >= 3.12: pyenv's, then those on the path."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for minor in (12, 13):
        yield from sorted((pyenv / "versions").glob(f"3.{minor}.*/bin/python"))
        if found := shutil.which(f"python3.{minor}"):
            yield Path(found)


def environment(name: str, version: str) -> Path | None:
    """Its interpreter; None, with a line that says why, where it cannot be made."""
    folder = cache_dir() / "peers" / f"{name}-{version}"
    python = folder / "bin/python"
    if (folder / ".made").exists():
        return python
    uv = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    for base in interpreters():
        made = [uv, "venv", "--quiet", "--clear", "--python", str(base), str(folder)]
        filled = [uv, "pip", "install", "--quiet", "--python", str(python), f"{name}=={version}"]
        if all(subprocess.run(command, check=False).returncode == 0 for command in (made, filled)):
            (folder / ".made").touch()
            return python
    print(f"{name} {version} is passed over: no Python >= 3.12 that it installs in", flush=True)
    return None


def line(n: int, each: Fact | OrderApproved) -> str:
    said: dict[str, Any] = {"n": n, "i": each.instrument}
    if isinstance(each, OrderApproved):
        said |= {"k": "order", "s": each.side, "p": None if each.limit_price is None else str(each.limit_price)}
    elif each.kind == "book_updated":
        sides = {"b": each.event.bids, "a": each.event.asks}
        said |= {"k": "book"} | {name: [(str(p), str(q)) for p, q in levels] for name, levels in sides.items()}
    elif each.kind == "trade_printed":
        said |= {"k": "trade", "p": str(each.event.price), "q": str(each.event.quantity), "s": each.event.aggressor}
    else:
        said |= {"k": "mark", "p": str(each.event.mark_price)}
    moment = each.effective_at if isinstance(each, OrderApproved) else each.at
    return json.dumps(said | {"t": (moment - EPOCH) // MICROSECOND})


def ours(mixed: list[Fact | OrderApproved]) -> dict[str, Any]:
    made = venue()
    fills = 0
    for each in mixed:
        said = made.market(each) if isinstance(each, Fact) else made.own(each)
        fills += sum(isinstance(event, OrderFilled) for event in said)
        made.changes.clear()
    return {"version": "", "seconds": min(spent(venue(), mixed) for _ in range(TURNS)), "fills": fills}


def peer(name: str, file: Path) -> dict[str, Any] | None:
    version, script = PEERS[name]
    python = environment(name, version)
    if python is None:
        return None
    done = subprocess.run(
        [python, "-W", "ignore", script, file], stdout=subprocess.PIPE, text=True, check=False, timeout=600
    )
    if done.returncode:
        print(f"{name} {version} is passed over: it ended with {done.returncode}", flush=True)
        return None
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=3_400)
    mixed = with_orders(facts(parser.parse_args().steps))
    orders = sum(isinstance(each, OrderApproved) for each in mixed)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        file.write_text("\n".join(starmap(line, enumerate(mixed))))
        mine = ours(mixed)
        found = {"open_nof1": mine} | {name: made for name in PEERS if (made := peer(name, file)) is not None}
    figures = {
        name: each | {
            "events_per_s": round((len(mixed) - orders) / each["seconds"]),
            "orders_per_s": round(orders / each["seconds"]),
            "ratio": round(each["seconds"] / mine["seconds"], 3),
        }
        for name, each in found.items()
    }  # fmt: skip
    print(
        json.dumps(
            {"market_events": len(mixed) - orders, "orders": orders, "python": sys.version.split()[0], **figures}
        )
    )
    for name, each in figures.items():
        print(
            f"{name:<16} {each['version']:<8} {each['events_per_s']:>10,} events/s {each['orders_per_s']:>8,} orders/s"
        )


if __name__ == "__main__":
    main()
