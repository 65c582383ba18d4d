import os

import pytest

from edged.domain.errors import StoreError
from edged.system.lock import FILE_NAME, FolderLock, holder


def test_one_daemon_a_folder(tmp_path):
    with FolderLock(tmp_path):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(StoreError, match=f"another edged \\(process {os.getpid()}\\) already runs"):
            FolderLock(tmp_path).__enter__()
    assert holder(tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_lock_that_root_made_can_be_taken_by_the_folders_owner(tmp_path):
    os.chown(tmp_path, 12345, 12346)
    with FolderLock(tmp_path):
        pass
    status = (tmp_path / FILE_NAME).stat()
    assert (status.st_uid, status.st_gid) == (12345, 12346)
