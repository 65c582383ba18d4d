import pytest

from edged.domain.errors import InputError
from edged.evaluation.clip_list import LabelledClip, parse_clip_list, splits_of


def clips_of(*people):
    return [LabelledClip(person, f"{number}.mkv", number + 2) for number, person in enumerate(people)]


def test_each_line_is_a_clip_of_a_person():
    clips = parse_clip_list('person,clip\n"Lovelace, Ada",a b.mkv\n\n,empty.mkv\n', "list.csv")

    assert clips == [LabelledClip("Lovelace, Ada", "a b.mkv", 2), LabelledClip("", "empty.mkv", 4)]


def test_columns_may_come_in_any_order_and_mark_clips_for_enrolment():
    clips = parse_clip_list("enrol,clip,Person\nyes,a.mkv,Ada\nno,b.mkv,Ada\n", "list.csv")

    assert [clip.enrol for clip in clips] == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the columns are missing"),
        ("who,clip\nAda,a.mkv\n", "line 1: the columns are who, clip"),
        ("person,clip\n", "names no clip"),
        ("person,clip\nAda\n", "line 2: 1 columns instead of 2"),
        ("person,clip\nAda,a.mkv,b.mkv\n", "line 2: 3 columns"),
        ("person,clip\nAda,a.mkv\nAda,\n", "line 3: the clip is missing"),
        ("person,clip,enrol\nAda,a.mkv,maybe\n", "line 2: enrol is 'maybe'"),
        ("person,clip,enrol\n,a.mkv,yes\n", "line 2: nobody cannot be enrolled"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, words):
    with pytest.raises(InputError, match=words):
        parse_clip_list(text, "list.csv")


def test_everybody_is_enrolled_from_each_of_their_clips_and_people_of_one_clip_are_strangers():
    splits = splits_of(clips_of("Ada", "Ada", "Ben", "Ben", "Cy"), [True] * 5, 64, seed=1)

    assert [dict(split.enrolled) for split in splits] == [
        {"Ada": (a,), "Ben": (b,)} for a in (0, 1) for b in (2, 3)
    ]
    assert [splits[0].is_probe(number) for number in range(5)] == [False, True, False, True, True]


def test_nobody_is_enrolled_from_a_clip_that_cannot_be_used():
    splits = splits_of(clips_of("Ada", "Ada"), [False, True], 64, seed=1)

    assert [dict(split.enrolled) for split in splits] == [{"Ada": (1,)}]


def test_marked_clips_are_the_only_way():
    clips = [
        LabelledClip("Ada", "a", 2, enrol=True),
        LabelledClip("Ada", "b", 3, enrol=True),
        LabelledClip("Ada", "c", 4),
        LabelledClip("Ben", "d", 5),
        LabelledClip("Ben", "e", 6),
    ]

    assert [dict(split.enrolled) for split in splits_of(clips, [True] * 5, 64, seed=1)] == [{"Ada": (0, 1)}]


def test_of_too_many_ways_each_clip_still_gets_its_turn():
    clips = clips_of(*(name for name in "abcdefgh" for _ in range(3)))

    splits = splits_of(clips, [True] * len(clips), 20, seed=1)

    assert len(splits) <= 20
    assert {number for split in splits for way in split.enrolled.values() for number in way} == set(range(24))


@pytest.mark.parametrize(
    ("people", "usable"), [(["Ada", "Ben"], [True, True]), (["Ada", "Ada"], [False, False])]
)
def test_where_nobody_can_be_enrolled_and_recognised_it_is_said(people, usable):
    with pytest.raises(InputError, match="nobody can be recognised"):
        splits_of(clips_of(*people), usable, 64, seed=1)
