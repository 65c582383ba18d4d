"""A namespace of its own for each test."""

import pytest

from builders.namespaces import a_store


@pytest.fixture
def key():
    """What the store is sealed with. A module whose tests hold for both has a fixture of its own."""


@pytest.fixture
def store(tmp_path, key):
    with a_store(tmp_path, key=key) as opened:
        yield opened
