"""Which Home Assistants are tried, and their environments below `.cache`."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.daemon import PROJECT


@dataclass(frozen=True, slots=True)
class Version:
    """A Home Assistant.

    Attributes:
        number: its version.
        python: the Python that it runs on.
        form: the form of announcement that it is tried with.
    """

    number: str
    python: str
    form: str

    @property
    def requirements(self) -> Path:
        """Its packages, pinned."""
        return Path(__file__).with_name(f"requirements-{self.number}.txt")

    @property
    def environment(self) -> Path:
        """Where they are installed."""
        return PROJECT / ".cache" / f"home-assistant-{self.number}-venv"

    @property
    def program(self) -> Path:
        """What starts it."""
        return self.environment / "bin" / "hass"

    def has_python(self) -> bool:
        """Whether the Python that it needs is here."""
        return self._python() is not None

    def install(self) -> None:
        """Make the environment where it is not there, or not of these packages."""
        stamp = self.environment / "installed"
        wanted = self.requirements.read_text()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        python = self._python()
        if python is None:
            raise SystemExit(f"Home Assistant {self.number} needs {self.python}, which is not here")
        print(
            f"installing Home Assistant {self.number} into {self.environment} (some minutes, once)",
            flush=True,
        )
        subprocess.run([python, "-m", "venv", "--clear", str(self.environment)], check=True)
        pip = [str(self.environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "install", "--quiet", "--no-deps", "--requirement", str(self.requirements)], check=True
        )
        stamp.write_text(wanted)

    def _python(self) -> str | None:
        if f"python{sys.version_info.major}.{sys.version_info.minor}" == self.python:
            return sys.executable
        for found in (
            shutil.which(self.python),
            *Path.home().glob(f".pyenv/versions/{self.python[6:]}.*/bin/python"),
        ):
            if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
                return str(found)
        return None


OLD = Version("2024.3.3", "python3.11", "components")
"""The last that knows nothing of whole devices in one message."""
NEW = Version("2025.4.4", "python3.13", "device")
"""The newest that runs on every Python 3.13."""
