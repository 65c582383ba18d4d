"""Trials of the API: a real daemon, bad requests in numbers, loads, conformance to its descriptions."""

import sys
from pathlib import Path

# What starts daemons and brokers is the tests' bench.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
