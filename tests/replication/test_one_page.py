"""One changed person among ten thousand is one changed page: every bucket fits one."""

import random
import uuid
from collections import Counter

from builders.sync import a_person
from edged.replication.people import CONTENT_BYTES, bucket_of, buckets_for, content_of, parts_of

PEOPLE, FACES = 10_000, 3
PERSON_BYTES = len(content_of([a_person(1, faces=FACES, name="x" * 40, custom_id="E000001")]))


def a_company(seed):
    """Ids of people by chance."""
    chance = random.Random(seed)
    return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(PEOPLE)]


def test_no_bucket_of_ten_thousand_random_people_needs_a_second_page():
    buckets = buckets_for(PEOPLE * PERSON_BYTES)
    fullest = [
        max(Counter(bucket_of(each, buckets) for each in a_company(seed)).values()) for seed in range(12)
    ]
    assert buckets == 512
    assert max(fullest) * PERSON_BYTES < CONTENT_BYTES
    # Not by a hair: it is no luck of these.
    assert max(fullest) * PERSON_BYTES < 0.85 * CONTENT_BYTES


def test_a_bucket_that_just_fits_is_one_page_and_one_byte_more_is_two():
    assert len(parts_of(bytes(CONTENT_BYTES))) == 1
    assert len(parts_of(bytes(CONTENT_BYTES + 1))) == 2
