"""Resident memory of the daemon with one 720p feed at real time, HTTP and MQTT on, and whether it stays flat.

usage: scripts/benchmarks/memory.py [SECONDS]      120 without; 3600 for the hour of the budget
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from running import feed_of, get, hd_clip, http_on, running_daemon

from bench.mosquitto import Mosquitto, free_port

BUDGET_MIB = 150


def resident_mib(pid: int) -> float:
    """Resident set of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def cpu_s(pid: int) -> float:
    """CPU time of a process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main(seconds: int) -> None:
    """Print memory at READY, at the end, and the median of the last quarter over that of the second."""
    with tempfile.TemporaryDirectory() as folder, Mosquitto() as broker:
        configuration = feed_of(hd_clip(Path(folder)))
        configuration += f"sinks:\n  - {{type: mqtt, host: 127.0.0.1, port: {broker.port}}}\n"
        port = free_port()
        configuration += http_on(port)
        with running_daemon(configuration) as (process, _):
            at_ready = resident_mib(process.pid)
            samples = []
            begun_cpu_s = cpu_s(process.pid)
            for _ in range(seconds):
                time.sleep(1)
                get(port, "/readyz")
                samples.append(resident_mib(process.pid))
            share = (cpu_s(process.pid) - begun_cpu_s) / seconds
    quarter = max(1, len(samples) // 4)
    flatness = statistics.median(samples[-quarter:]) / statistics.median(samples[quarter : 2 * quarter])
    print(
        f"memory: {at_ready:.0f} MiB at READY, {samples[-1]:.0f} MiB after {seconds} s"
        f" (budget {BUDGET_MIB} MiB), last quarter over second {flatness:.3f};"
        f" CPU {share * 100:.0f} % of a core with decoding"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
