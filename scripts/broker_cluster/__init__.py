"""A cluster of real RabbitMQ nodes, and real nodes of edged that connect to different ones of them.

What the tests have for themselves is used here as well.
"""

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if _TESTS not in sys.path:
    sys.path.append(_TESTS)
