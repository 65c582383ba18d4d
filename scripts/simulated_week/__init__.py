"""A week of a house in minutes: the real parts on a clock that is handed in, and a script of what happens.

What the tests have for themselves (brokers, builders) is used here as well.
"""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
