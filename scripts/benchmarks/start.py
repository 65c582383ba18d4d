"""From the start of the process to READY, over a bare Python that imports the same libraries."""

import statistics
import subprocess
import sys
import time

from footage import SAMPLE
from running import feed_of, running_daemon

ROUNDS = 5
BUDGET_S = 1.5
LIBRARIES = "import cv2, msgspec, numpy, paho.mqtt.client, sqlite3, urllib3, yaml, ai_edge_litert.interpreter"


def main() -> None:
    """Print both medians."""
    configuration = feed_of(SAMPLE) + "sinks:\n  - {type: mqtt, host: 127.0.0.1, port: 9}\n"
    starts, floors = [], []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
        floors.append(time.perf_counter() - begun)
        with running_daemon(configuration) as (_, took_s):
            starts.append(took_s)
    start, floor = statistics.median(starts), statistics.median(floors)
    print(
        f"start to READY: {start:.2f} s (budget {BUDGET_S} s),"
        f" {start / floor:.2f} x the bare imports ({floor:.2f} s)"
    )


if __name__ == "__main__":
    main()
