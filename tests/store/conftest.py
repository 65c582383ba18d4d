"""A namespace of its own for each test."""

import pytest

from builders.namespaces import a_store


@pytest.fixture
def store(tmp_path):
    with a_store(tmp_path) as opened:
        yield opened
