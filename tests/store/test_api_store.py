"""Access tokens and detect jobs on the disk."""

import hashlib
import stat
import threading

import msgspec
import pytest

from builders.namespaces import raw_bytes
from edged.api.answers import DetectEdge, DetectImage, DetectJob
from edged.delivery.orphans import OpenJob, closing_message
from edged.domain.errors import StoreError
from edged.domain.job import ImageStatus, JobStatus
from edged.settings.history import JobHistory
from edged.settings.quantities import Duration
from edged.store.api_store import MOST_FOUND, MOST_TOKENS, ApiStore, StoredToken

DAY_MS = 86_400_000


@pytest.fixture
def api(tmp_path):
    store = ApiStore(tmp_path)
    yield store
    store.close()


def a_token(number=1, client_id="kitchen", *, issued_ms=0):
    digest = hashlib.sha256(f"{client_id}-{number}".encode()).digest()
    return StoredToken(digest, client_id, "print", issued_ms, issued_ms + DAY_MS)


def a_detect_job(number=1, *, sequence=1, status=JobStatus.IN_PROGRESS, at_ms=0, **named):
    image = DetectImage(
        id=f"image-{number}",
        url="edged://porch/api/image",
        status=ImageStatus(status.value) if status is not JobStatus.IN_PROGRESS else ImageStatus.IN_PROGRESS,
        objects=(),
    )
    return DetectJob(
        id=f"job-{number}",
        created_at=at_ms,
        status=status,
        job_results=(),
        image_results=(image,),
        edge=DetectEdge(schema=1, device="porch", sequence=sequence, updated_at=at_ms),
        **named,
    )


def found(bodies):
    return [msgspec.json.decode(body)["id"] for body in bodies]


class TestTokens:
    def test_a_token_is_found_until_it_is_revoked(self, api, tmp_path):
        api.add_token(a_token())

        assert api.token(a_token().digest) == a_token()
        assert stat.S_IMODE((tmp_path / "api.db").stat().st_mode) == 0o600
        assert api.revoke(a_token().digest)
        assert not api.revoke(a_token().digest)
        assert api.token(a_token().digest) is None

    def test_they_survive_a_restart(self, api, tmp_path):
        api.add_token(a_token())
        api.close()

        again = ApiStore(tmp_path)

        assert again.token(a_token().digest) == a_token()
        again.close()

    def test_all_of_a_client_end_at_once_and_nobody_elses(self, api):
        for number in range(3):
            api.add_token(a_token(number, issued_ms=number))
        api.add_token(a_token(1, "hall"))

        assert [one.issued_ms for one in api.tokens("kitchen")] == [2, 1, 0]
        assert api.revoke_client("kitchen") == 3
        assert api.tokens("kitchen") == []
        assert len(api.tokens("hall")) == 1

    def test_the_oldest_makes_room_also_where_the_clock_went_back(self, api):
        for number in range(MOST_TOKENS):
            api.add_token(a_token(number, issued_ms=1000 + number))
        late = a_token("late", issued_ms=5)

        api.add_token(late)

        kept = api.tokens("kitchen")
        assert len(kept) == MOST_TOKENS
        assert late in kept
        assert a_token(0, issued_ms=1000) not in kept

    def test_what_is_over_is_swept(self, api):
        api.add_token(a_token())
        api.sweep(JobHistory(), DAY_MS - 1)
        assert api.token(a_token().digest) is not None

        api.sweep(JobHistory(), DAY_MS)

        assert api.token(a_token().digest) is None


class TestDetectJobs:
    def test_a_job_is_its_clients_alone(self, api):
        api.record_detect("kitchen", a_detect_job(), 0)

        assert msgspec.json.decode(api.detect_job("kitchen", "job-1"), type=DetectJob) == a_detect_job()
        assert api.detect_job("hall", "job-1") is None
        assert api.detect_jobs("hall") == []

    def test_a_later_telling_replaces_it_and_an_earlier_one_does_not(self, api):
        done = a_detect_job(sequence=2, status=JobStatus.COMPLETED_SUCCESSFULLY)
        api.record_detect("kitchen", done, 0)
        api.record_detect("kitchen", a_detect_job(), 0)

        assert msgspec.json.decode(api.detect_job("kitchen", "job-1"), type=DetectJob) == done

    def test_a_search_asks_for_one_thing_or_for_several(self, api):
        for number in range(6):
            named = {"feed_id": "door" if number % 2 else None, "custom_id": f"c{number // 3}"}
            api.record_detect("kitchen", a_detect_job(number, at_ms=number, **named), 0)

        assert found(api.detect_jobs("kitchen")) == [f"job-{n}" for n in (5, 4, 3, 2, 1, 0)]
        assert found(api.detect_jobs("kitchen", custom_id="c1")) == ["job-5", "job-4", "job-3"]
        assert found(api.detect_jobs("kitchen", "c1", "door")) == ["job-5", "job-3"]
        assert found(api.detect_jobs("kitchen", feed_id="door", before_ms=5, after_ms=1)) == ["job-3"]
        assert found(api.detect_jobs("kitchen", after_ms=3.5)) == ["job-5", "job-4"]

    def test_a_search_gives_so_many_and_no_more(self, api):
        for number in range(MOST_FOUND + 5):
            api.record_detect("kitchen", a_detect_job(number, at_ms=number), 0)

        assert len(api.detect_jobs("kitchen")) == MOST_FOUND

    def test_what_a_dead_daemon_left_open_is_closed(self, api):
        api.record_detect("kitchen", a_detect_job(1), 0)
        done = a_detect_job(2, status=JobStatus.COMPLETED_SUCCESSFULLY)
        api.record_detect("kitchen", done, 0)

        assert api.begin(5000) == 1

        closed = msgspec.json.decode(api.detect_job("kitchen", "job-1"), type=DetectJob)
        assert closed.status is JobStatus.COMPLETED_ALL_ERROR
        assert closed.image_results[0].status is ImageStatus.JOB_ERROR
        assert (closed.edge.sequence, closed.edge.updated_at) == (2, 5000)
        assert msgspec.json.decode(api.detect_job("kitchen", "job-2"), type=DetectJob) == done
        assert api.begin(6000) == 0

    def test_it_is_closed_in_the_words_that_everybody_else_was_told(self, api):
        api.record_detect("kitchen", a_detect_job(1), 0)
        body = api.detect_job("kitchen", "job-1")
        left = OpenJob("job-1", "", "", 1, body, is_replay=False, is_request=True, client_id="kitchen")
        told = closing_message(left, 4000)

        assert api.begin(5000, [told]) == 0

        assert api.detect_job("kitchen", "job-1") == told.body

    def test_one_that_cannot_be_read_is_deleted(self, api, caplog):
        api.record_detect("kitchen", a_detect_job(1), 0)
        api._write(lambda connection: connection.execute("UPDATE detect_job SET body = x'5B5D'"))

        assert api.begin(5000) == 1

        assert api.detect_job("kitchen", "job-1") is None
        assert "job-1" in caplog.text

    def test_the_oldest_make_room_and_what_is_too_old_goes(self, api):
        for number in range(15):
            api.record_detect("kitchen", a_detect_job(number, at_ms=number), number)

        assert not api.sweep(JobHistory(most=10), 20)
        assert len(api.detect_jobs("kitchen")) == 10
        assert not api.sweep(JobHistory(max_age=Duration(60)), 60_010)
        assert found(api.detect_jobs("kitchen")) == [f"job-{n}" for n in (14, 13, 12, 11, 10)]


def test_several_threads_may_use_it(api):
    def write(client_id):
        for number in range(20):
            api.add_token(a_token(number, client_id))

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [len(api.tokens(name)) for name in "abcd"] == [20] * 4


class TestDamage:
    @pytest.fixture
    def damaged(self, tmp_path):
        (tmp_path / "api.db").write_bytes(b"not a database, whatever its name says" * 500)
        return tmp_path

    def test_the_daemon_moves_the_file_aside_and_goes_on(self, damaged, caplog):
        api = ApiStore(damaged, may_replace=True)

        api.add_token(a_token())

        assert api.token(a_token().digest) == a_token()
        assert (damaged / "api.db.corrupt-1").exists()
        assert "api.db.corrupt-1" in caplog.text
        api.close()

    def test_a_command_says_so_and_moves_nothing(self, damaged):
        api = ApiStore(damaged)
        with pytest.raises(StoreError, match="is damaged"):
            api.token(a_token().digest)
        assert [path.name for path in damaged.iterdir()] == ["api.db"]

    def test_a_closed_one_stays_closed(self, api):
        api.close()
        with pytest.raises(StoreError, match="was closed"):
            api.token(b"")


def test_a_revoked_token_leaves_no_bytes_behind(tmp_path):
    api = ApiStore(tmp_path)
    api.add_token(a_token(client_id="a-client-to-be-forgotten"))
    api.revoke_client("a-client-to-be-forgotten")
    api.add_token(a_token(2))
    api.close()

    assert b"a-client-to-be-forgotten" not in raw_bytes(tmp_path)
