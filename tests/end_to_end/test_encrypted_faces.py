"""A daemon whose pictures and embeddings are encrypted: it recognises as ever, and its disk shows nobody."""

import numpy as np
import pytest

from bench.api import SCENE, ApiDaemon
from bench.daemon import edged, final, json_lines, secret
from builders.namespaces import a_store, raw_bytes
from builders.scenes import portrait, real_models
from edged.domain.identity import NewFace
from edged.pipeline.examine import examine
from edged.settings.recognition import Quality
from edged.store.namespace_chips import chip_to_png


def settings(folder, **changes):
    return {
        "feeds": [{"id": "hall", "source": {"type": "file", "path": str(SCENE), "pace": "fast"}}],
        "sinks": [{"type": "file", "path": str(folder / "told"), "send": ["job"]}],
        "log": {"level": "info"},
        "history": {"pictures": {"keep": True}},
    } | changes


@pytest.fixture
def enrolled(tmp_path):
    """Eileen Collins, enrolled in a plain data folder; her face."""
    (face,) = examine(real_models(), Quality(), portrait())
    with a_store(tmp_path / "data") as store:
        new = NewFace(real_models().embedder.model_hash, face.embedding, face.chip, 0.9, "portrait")
        store.add_identity("Eileen Collins", [new])
    return face


def test_a_key_is_in_force_from_the_next_start_and_without_it_the_daemon_does_not_start(tmp_path, enrolled):
    pieces = [enrolled.embedding.astype(np.float32).tobytes()[:32], chip_to_png(enrolled.chip)[5000:5032]]
    assert all(piece in raw_bytes(tmp_path / "data") for piece in pieces)
    (tmp_path / "secrets").mkdir()
    key = tmp_path / "secrets" / "faces"
    assert edged("privacy", "new-key", "--file", key).returncode == 0

    with ApiDaemon(tmp_path, settings(tmp_path, privacy={"encryption_key": secret("faces")})) as daemon:
        assert daemon.run_to_the_end() == 0, daemon.log_text()
        assert "Encrypting: namespace home" in daemon.log_text()
        jobs = final(json_lines(tmp_path / "told"))
        said = {
            one["edge"].get("name") for job in jobs for image in job["images"] for one in image["objects"]
        }
        assert said == {"Eileen Collins", None}
        raw = raw_bytes(tmp_path / "data")
        assert not [piece for piece in pieces if piece in raw]
        assert b"\x89PNG\r\n\x1a\n" not in raw
        assert b"\xff\xd8\xff" not in raw
        with a_store(tmp_path / "data") as store:
            kept = store.connection.execute(
                "SELECT (SELECT count(*) FROM seen_chip), (SELECT count(*) FROM picture)"
            ).fetchone()
            assert min(kept) > 0, "there was something to encrypt"

    with ApiDaemon(tmp_path, settings(tmp_path)) as daemon:
        assert daemon.run_to_the_end() == 78
        assert "edged privacy decrypt" in (daemon.log_text() + (tmp_path / "daemon.out").read_text())
