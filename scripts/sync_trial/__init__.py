"""Nodes of edged as processes of their own, a real broker, and proofs of what their databases hold.

What the tests have for themselves (brokers, daemons, builders) is used here as well.
"""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
