import threading

import pytest

from edged.domain.errors import StoreError
from edged.store.outbox_file import OutboxFile


def test_whoever_has_no_time_is_told_that_the_file_is_in_use(tmp_path):
    file = OutboxFile(tmp_path / "outbox.db", may_replace=True)
    begun, released = threading.Event(), threading.Event()

    def hold(_connection):
        begun.set()
        released.wait(60)

    other = threading.Thread(target=file.change, args=(hold,))
    other.start()
    try:
        assert begun.wait(20)
        for ask in (file.look, file.change):
            with pytest.raises(StoreError, match="in use"):
                ask(lambda _connection: None, patience_s=0.01)
    finally:
        released.set()
        other.join(20)

    assert file.look(lambda _connection: "free", patience_s=0.01) == "free"
    file.close()
