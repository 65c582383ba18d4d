"""The repository itself, for the tests that read it."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "node_modules"}


def files(under: str = ".", pattern: str = "*") -> list[Path]:
    """The project's files below a folder, sorted; what tools leave behind is not among them."""
    return sorted(path for path in _walk(ROOT / under) if path.match(pattern))


def modules(under: str = "edged") -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below a folder, parsed."""
    for path in files(under, "*.py"):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """A file as a reader of a failure wants it: relative to the project."""
    return path.relative_to(ROOT).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [
            each for each in folders if each not in _NOT_OURS and not each.endswith((".egg-info", "_cache"))
        ]
        yield from (Path(parent, each) for each in names)
