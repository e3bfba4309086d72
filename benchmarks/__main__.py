"""All benchmarks, one after the other: `python -m benchmarks [NAME …]`."""

import subprocess
import sys

NAMES = (
    "decision_round",
    "market_data_frames", "paper_venue", "paper_venue_peers", "prompt_rendering", "step_throughput", "three_stages",
)  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        print(f"# {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
