"""The life of jobs that somebody asked for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.recognition import at
from edged.api.detect_job import DetectRequestJob, Found, looked_for, objects_of
from edged.api.problem import Code, Problem
from edged.api.request_job import RequestJob, asked_pictures, feed_of, named_feed
from edged.api.requests import ClassItem, DetectRequest, ExclusionZones, ImageItem, RecognizeRequest
from edged.domain.job import ImageStatus, JobStatus
from edged.domain.picture_address import PictureAddresses

ADDRESSES = PictureAddresses("porch", "https://cam.example", keeps_pictures=True)
GOOD = ImageStatus.COMPLETED_SUCCESSFULLY
ERRORS = sorted(set(ImageStatus) - {GOOD, ImageStatus.IN_PROGRESS})
FACE = (ClassItem(class_="face"),)


def a_job(count, feed_id=None):
    items = tuple(ImageItem(blob=b"x", custom_id=f"p{number}") for number in range(count))
    request = RecognizeRequest(images=items, feed_id=feed_id, custom_id="c", webhook_url="https://h.example")
    pictures = asked_pictures(items, "job", feed_id, ADDRESSES)
    return RequestJob(request, pictures, job_id="job", namespace="home", device="porch", at=at(0))


def a_detect_job(count):
    items = tuple(ImageItem(url=f"https://x.example/{number}") for number in range(count))
    request = DetectRequest(images=items, classes=FACE)
    pictures = asked_pictures(items, "job", None, ADDRESSES)
    return DetectRequestJob(request, pictures, job_id="job", device="porch", at=at(0))


def settle(job, number, status):
    if status is not GOOD:
        job.fail(number, status)
        return
    image = job.telling(at(0)).images[number]
    job.settle(number, msgspec.structs.replace(image, status=GOOD))


@given(st.permutations(range(5)), st.lists(st.sampled_from([GOOD, *ERRORS]), min_size=5, max_size=5))
def test_a_job_is_in_progress_until_its_last_picture_has_a_result(order, statuses):
    job = a_job(5)

    for done, number in enumerate(order, start=1):
        assert job.telling(at(0)).status is JobStatus.IN_PROGRESS
        assert not job.is_done
        settle(job, number, statuses[number])
        assert sum(i.status is not ImageStatus.IN_PROGRESS for i in job.telling(at(0)).images) == done

    assert job.is_done
    last = job.telling(at(9))
    assert [image.status for image in last.images] == statuses
    good = statuses.count(GOOD)
    expected = JobStatus.COMPLETED_PARTIAL_ERROR if good else JobStatus.COMPLETED_ALL_ERROR
    assert last.status is (JobStatus.COMPLETED_SUCCESSFULLY if good == 5 else expected)


def test_a_telling_that_failed_is_told_again_with_its_number():
    job = a_job(1)

    assert [job.telling(at(0)).edge.sequence for _ in range(2)] == [1, 1]
    job.told()
    assert job.telling(at(0)).edge.sequence == 2


def test_a_clock_that_is_set_back_does_not_make_a_job_older_than_itself():
    assert a_job(1).telling(at(-5000)).edge.updated_at == at(0).utc_ms


def test_what_the_request_said_is_told_again():
    job = a_job(2, feed_id="yard").telling(at(0))

    assert (job.custom_id, job.feed_id, job.webhook_url) == ("c", "yard", "https://h.example")
    assert [image.custom_id for image in job.images] == ["p0", "p1"]
    assert [image.url for image in job.images] == [f"edged://porch/yard/{image.id}" for image in job.images]
    assert len({image.id for image in job.images}) == 2


@pytest.mark.parametrize("feed_id", [None, "a b", "x/y", "#", "ü"])
def test_what_can_be_no_feed_stands_in_no_address(feed_id):
    assert (named_feed(feed_id), feed_of(feed_id)) == ("", "api")
    assert a_job(1, feed_id).telling(at(0)).images[0].url.startswith("edged://porch/api/")
    assert (named_feed("door"), feed_of("door")) == ("door", "door")


@pytest.mark.parametrize("image", [ImageItem(), ImageItem(url="https://x.example", blob=b"x")])
def test_a_picture_has_one_of_url_and_blob(image):
    with pytest.raises(Problem) as refused:
        asked_pictures((ImageItem(blob=b"x"), image), "job", None, ADDRESSES)

    assert (refused.value.code, refused.value.field) == (Code.MALFORMED, "images[1]")


def test_a_detect_job_names_the_best_picture_of_a_class():
    job = a_detect_job(3)
    grids = looked_for(FACE)

    job.settle(0, objects_of([Found(0.5, 0.5, 0.7)], grids, 0.6))
    job.settle(1, objects_of([Found(0.5, 0.5, 0.912345), Found(0.1, 0.1, 0.8)], grids, 0.6))
    assert job.telling(at(0)).status is JobStatus.IN_PROGRESS
    job.fail(2, ImageStatus.IMAGE_DOWNLOAD_ERROR)

    told = job.telling(at(0))
    assert told.status is JobStatus.COMPLETED_PARTIAL_ERROR
    (result,) = told.job_results
    assert (result.image.id, result.image.confidence) == (told.image_results[1].id, 0.9123)
    plain = msgspec.to_builtins(told)
    assert plain["jobResults"][0]["hitl"] is False
    assert plain["imageResults"][2]["objects"] == ()


def test_a_score_below_the_least_is_no_verdict():
    ((found,),) = [objects_of([Found(0, 0, 0.5)], looked_for(FACE), 0.6)]

    assert (found.confidence, found.verdict) == (0.5, False)


def test_a_face_in_an_excluded_cell_does_not_count():
    left_half = ExclusionZones(size=32, zones=((1,) * 16,) * 32)
    grids = looked_for((ClassItem(class_="face", exclusion_zones=left_half),))

    (found,) = objects_of([Found(0.2, 0.5, 0.9), Found(0.8, 0.5, 0.7)], grids, 0.5)

    assert found.confidence == 0.7
    assert objects_of([Found(0.2, 0.5, 0.9)], grids, 0.5) == ()


@pytest.mark.parametrize(
    ("classes", "words"), [(("face", "dog"), "installed: face"), (("face", "face"), "twice")]
)
def test_classes_that_cannot_be_looked_for_are_refused(classes, words):
    with pytest.raises(Problem, match=words) as refused:
        looked_for([ClassItem(class_=name) for name in classes])

    assert refused.value.field == "classes[1].class"
