"""A company of ten thousand cameras: the real code, and real MQTT clients as far as one machine carries them.

What the tests have for themselves (brokers, builders) is used here as well.
"""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
