"""Linters written as tests: sizes, names, and who may ask for time and chance."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.checkout import files, modules, name

MOST_LINES_OF_A_FILE = {"edged": 350, "scripts": 350, "tests": 500}
MOST_LINES_OF_A_FUNCTION = 60
DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc", "shared", "tools"}

CLOCK = "edged/system/clock.py"
CHANCE = "edged/system/chance.py"
RUNTIME = "edged/inference/runtime.py"

OF_TIME = {"time"}
OF_CHANCE = {"random", "secrets"}
OF_INFERENCE = {"ai_edge_litert", "tflite_runtime"}
CALLS_OF_TIME = {"now", "utcnow", "today"}
CALLS_OF_CHANCE = {"urandom", "uuid1", "uuid4", "default_rng", "getrandom"}


def _imports(tree: ast.Module) -> Iterator[str]:
    """Modules that are imported, by statement or by name in a string (`importlib.import_module`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield node.value


def _calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            elif isinstance(node.func, ast.Name):
                yield node.func.id


def _importers_of(packages: set[str]) -> set[str]:
    return {
        name(path)
        for path, tree in modules()
        if packages & {imported.partition(".")[0] for imported in _imports(tree)}
    }


def _callers_of(functions: set[str]) -> set[str]:
    return {name(path) for path, tree in modules() if functions & set(_calls(tree))}


@pytest.mark.parametrize("folder", MOST_LINES_OF_A_FILE)
def test_a_file_can_be_read_in_one_sitting(folder: str) -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in files(folder, "*.py")}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE[folder]} == {}


def test_a_function_can_be_seen_at_once() -> None:
    lengths = {
        f"{name(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {place: lines for place, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_no_module_is_a_drawer() -> None:
    def parts(path: Path) -> set[str]:
        return {*path.parts[-2:-1], path.stem}

    assert [name(path) for path in files("edged", "*.py") if DRAWERS & parts(path)] == []


def test_one_file_asks_for_the_time() -> None:
    assert _importers_of(OF_TIME) == {CLOCK}
    assert _callers_of(CALLS_OF_TIME) <= {CLOCK}


def test_one_file_asks_for_chance() -> None:
    assert _importers_of(OF_CHANCE) == {CHANCE}
    assert _callers_of(CALLS_OF_CHANCE) == {CHANCE}


def test_one_file_imports_the_inference_runtime() -> None:
    assert _importers_of(OF_INFERENCE) == {RUNTIME}


def test_a_room_says_what_it_is_for() -> None:
    silent = [name(path) for path, tree in modules() if ast.get_docstring(tree) is None]
    assert silent == []


def test_test_files_have_names_of_their_own() -> None:
    # Pytest's importlib mode takes equal names, people who read its output do not.
    names = [path.name for path in files("tests", "test_*.py")]
    assert sorted({each for each in names if names.count(each) > 1}) == []
