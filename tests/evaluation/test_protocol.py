import pytest

from edged.domain.errors import InputError
from edged.evaluation.protocol import Picture, parse_protocol


def lines(*rows):
    return "\n".join(rows) + "\n"


def test_folds_and_pairs_of_the_first_line_are_followed():
    protocol = parse_protocol(
        lines("2 1", "Ada\t1\t2", "Ada\t1\tBen\t3", "Ben\t1\t2", "Ada\t2\tCy\t1"), "pairs.txt"
    )

    assert protocol.folds == 2
    assert [pair.fold for pair in protocol.pairs] == [0, 0, 1, 1]
    assert [pair.is_genuine for pair in protocol.pairs] == [True, False, True, False]
    assert protocol.pairs[1].other == Picture("Ben", 3)
    assert protocol.pairs[3].line == 5


def test_a_plain_count_is_one_fold():
    protocol = parse_protocol(lines("1", "Ada 1 2", "Ada 1 Ben 3"), "pairsDevTest.txt")

    assert protocol.folds == 1
    assert len(protocol.pairs) == 2


def test_lines_without_a_first_line_of_numbers_are_one_fold():
    assert len(parse_protocol(lines("Ada 1 2", "Ada 1 Ben 3", "Ben 1 2"), "p").pairs) == 3


def test_pictures_are_named_as_lfw_names_them():
    protocol = parse_protocol(lines("1", "Aaron_Peirsol 1 12", "Aaron_Peirsol 1 Ben 1234"), "p")

    assert [picture.stem for picture in protocol.pictures()] == [
        "Aaron_Peirsol/Aaron_Peirsol_0001",
        "Aaron_Peirsol/Aaron_Peirsol_0012",
        "Ben/Ben_1234",
    ]


@pytest.mark.parametrize("name", ["Ada Lovelace", "O'Neil <b>", "7 of 9", "Zoë_Ångström", "3"])
def test_names_may_be_odd_where_tabs_part_them(name):
    protocol = parse_protocol(lines("1", f"{name}\t1\t2", f"{name}\t1\tBen\t3"), "p")

    assert {pair.one.name for pair in protocol.pairs} == {name}


def test_names_may_hold_spaces_even_where_spaces_part_them():
    protocol = parse_protocol(lines("1", "Ada Lovelace 1 2", "Ada Lovelace 1 Ben Nevis 3"), "p")

    assert protocol.pairs[1].other == Picture("Ben Nevis", 3)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm():
    assert len(parse_protocol("\ufeff1\r\nAda\t1\t2\r\nAda\t1\tBen\t1\r\n", "p").pairs) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("1\nAda 1 2\n", "1 lines follow"),
        ("10 300\nAda 1 2\nAda 1 Ben 2\n", "10 x 2 x 300"),
        ("0 3\nAda 1 2\n", "0 lines|1 lines follow"),
        ("1\nAda 1 2\nAda one Ben two\n", "line 3: 'Ada one Ben two' is no pair"),
        ("Ada 1 2\nBen 1 2\n", "every pair is of one person"),
        ("Ada 1 Cy 2\nBen 1 Cy 2\n", "every pair is of two people"),
    ],
)
def test_what_is_wrong_is_said(text, words):
    with pytest.raises(InputError, match=words):
        parse_protocol(text, "p")


def test_a_limit_takes_the_first_pairs_of_each_fold_and_kind():
    text = lines("2 2", *["Ada 1 2", "Ada 1 3", "Ada 1 Ben 1", "Ada 2 Ben 1"] * 2)

    limited = parse_protocol(text, "p").limited(1)

    assert [(pair.fold, pair.is_genuine) for pair in limited.pairs] == [
        (0, True),
        (0, False),
        (1, True),
        (1, False),
    ]
