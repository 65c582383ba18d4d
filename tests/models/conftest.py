"""Lets tests import the scripts that make the models; `scripts/models/check` tests what needs TensorFlow."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "models"))
