import json
import os
from pathlib import Path

import pytest

from edged.cli.main import main
from edged.store.api_store import ApiStore, StoredToken

SECRET = "a-secret-of-enough-characters"


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(
        "data_dir: data\n"
        "feeds: [{id: door, source: {type: file, path: clip.mp4}}]\n"
        "sinks: [{type: console}]\n"
        "http:\n"
        "  clients:\n"
        "    - {id: house, secret: !secret house}\n"
        "    - {id: office, secret: !secret office}\n"
    )
    return path


def a_token(client: str, number: int) -> StoredToken:
    return StoredToken(os.urandom(32), client, "12345678", number, 10**15)


def tokens_of(data_dir: Path, client: str) -> int:
    store = ApiStore(data_dir)
    try:
        return len(store.tokens(client))
    finally:
        store.close()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    store = ApiStore(folder)
    for number in range(3):
        store.add_token(a_token("house", number))
    store.add_token(a_token("office", 0))
    store.close()
    return folder


def test_the_schema_is_openapi(capsys) -> None:
    assert main(["api", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["openapi"].startswith("3.1")
    assert "/v2/recognition/recognize/{namespace}" in schema["paths"]


def test_tokens_of_one_client_are_revoked(configuration, data_dir, capsys) -> None:
    assert main(["api", "revoke", "house", "--config", str(configuration)]) == 0
    assert capsys.readouterr().out == "3 access tokens revoked\n"
    assert tokens_of(data_dir, "house") == 0
    assert tokens_of(data_dir, "office") == 1


def test_tokens_of_every_client_are_revoked(configuration, data_dir, capsys) -> None:
    assert main(["api", "revoke", "--all", "--config", str(configuration)]) == 0
    assert capsys.readouterr().out == "4 access tokens revoked\n"
    assert tokens_of(data_dir, "office") == 0


def test_an_unknown_client_is_told_with_those_there_are(configuration, data_dir, capsys) -> None:
    assert main(["api", "revoke", "garage", "--config", str(configuration)]) == 1
    told = capsys.readouterr().err
    assert "garage" in told
    assert "house, office" in told
    assert tokens_of(data_dir, "house") == 3
