import os
from pathlib import Path

import pytest

from edged.app.evaluation_folders import people_in, pictures_of
from edged.domain.errors import InputError
from edged.evaluation.protocol import Picture, parse_protocol


@pytest.fixture
def folder(tmp_path):
    def fill(*names):
        for name in names:
            path = tmp_path / "people" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        return tmp_path / "people"

    return fill


def test_each_folder_is_a_person_and_each_picture_below_it_shows_them(folder):
    found = people_in(folder("Ada/2.jpg", "Ada/10.PNG", "Ada/more/1.webp", "Ben/1.jpeg", "Ben/notes.txt"))

    assert [(one.person, one.path.name) for one in found.pictures] == [
        ("Ada", "2.jpg"),
        ("Ada", "10.PNG"),
        ("Ada", "1.webp"),
        ("Ben", "1.jpeg"),
    ]
    assert found.people == ("Ada", "Ben")


@pytest.mark.parametrize("name", ["Ada & Co", '<script>"x"', "Zoë Ångström", "O'Neil", "人物", "a\nb"])
def test_names_may_be_odd(folder, name):
    assert people_in(folder(f"{name}/1.jpg")).people == (name,)


def test_names_that_are_no_utf8_do_no_harm(folder):
    path = Path(os.fsdecode(os.fsencode(folder("Ada/1.jpg")) + b"/\xff\xfe"))
    path.mkdir()
    (path / "1.jpg").write_bytes(b"x")

    assert len(people_in(folder()).people) == 2


def test_files_beside_the_folders_and_hidden_ones_are_passed_over(folder):
    found = people_in(folder("Ada/1.jpg", "Ada/.hidden.jpg", "readme.txt", "lonely.jpg"))

    assert len(found.pictures) == 1
    assert "2 files beside" in found.notes[0]


def test_a_link_that_leads_back_is_followed_once(folder):
    people = folder("Ada/1.jpg", "Ben/1.jpg")
    (people / "Ada" / "loop").symlink_to(people / "Ada")
    (people / "Ben" / "up").symlink_to(people)
    (people / "Cy").symlink_to("Cy")

    found = people_in(people)

    assert [one.path.name for one in found.pictures] == ["1.jpg", "1.jpg"]
    assert any("loop" in note for note in found.notes)


@pytest.mark.parametrize("names", [(), ("readme.txt",), ("Ada/notes.txt",)])
def test_a_folder_without_pictures_is_refused(folder, tmp_path, names):
    (tmp_path / "people").mkdir(exist_ok=True)

    with pytest.raises(InputError, match="holds no folder with pictures"):
        people_in(folder(*names) if names else tmp_path / "people")


def test_a_limit_takes_the_first_pictures_and_says_so(folder):
    found = people_in(folder("Ada/1.jpg", "Ada/2.jpg", "Ben/1.jpg")).limited(2)

    assert len(found.pictures) == 2
    assert "the first 2 of 3" in found.notes[-1]


def test_pictures_of_a_protocol_are_found_whatever_their_ending(folder):
    people = folder("Ada/Ada_0001.jpg", "Ada/Ada_0002.PNG", "Ben/Ben_0001.jpeg")

    found = pictures_of(parse_protocol("1\nAda 1 2\nAda 1 Ben 1\n", "pairs.txt"), people, "pairs.txt")

    assert found[Picture("Ada", 2)].name == "Ada_0002.PNG"
    assert len(found) == 3


def test_a_missing_picture_is_told_with_the_line_that_names_it(folder):
    people = folder("Ada/Ada_0001.jpg", "Ada/Ada_0002.jpg")

    with pytest.raises(InputError, match=r"pairs.txt, line 3: .*Ben_0001.jpg is not there"):
        pictures_of(parse_protocol("1\nAda 1 2\nAda 1 Ben 1\n", "pairs.txt"), people, "pairs.txt")


def test_many_missing_pictures_are_told_with_their_number(folder):
    protocol = parse_protocol("\n".join(f"Ada {n} Ben {n}" for n in range(1, 31)) + "\nAda 1 2\n", "p")

    with pytest.raises(InputError, match="60 pictures are missing in all"):
        pictures_of(protocol, folder("Cy/1.jpg"), "p")


@pytest.mark.parametrize("name", ["..", "../Ada", "/etc"])
def test_a_name_that_leads_elsewhere_names_no_picture(folder, name):
    people = folder("Ada/Ada_0001.jpg", "Ada/Ada_0002.jpg")

    with pytest.raises(InputError, match="line 3"):
        pictures_of(parse_protocol(f"1\nAda 1 2\nAda\t1\t{name}\t1\n", "p"), people, "p")
