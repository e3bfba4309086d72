"""All benchmarks, one after the other: `python -m benchmarks [NAME …]`."""

import subprocess
import sys

NAMES = ("market_data_frames", "paper_venue", "prompt_rendering", "step_throughput", "three_stages")

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        print(f"# {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
