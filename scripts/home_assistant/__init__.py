"""A real Home Assistant, a real broker and a real daemon together."""

import sys
from pathlib import Path

# What starts daemons and brokers is the tests' bench.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
