import re

import pytest

from bench.checkout import ROOT
from edged.app.reference_page import BEGIN, END, reference, sections, with_reference
from edged.settings.kinds import keys_of

PAGE = ROOT / "docs" / "configuration.md"


def test_the_page_is_what_the_types_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_reference(page), "run scripts/make-config-page and read the difference"


def test_every_key_of_every_section_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)`", reference(), flags=re.MULTILINE)
    assert len(rows) == sum(len(keys_of(section)) for _, section in sections())


def test_a_row_has_all_four_cells() -> None:
    row = next(line for line in reference().splitlines() if line.startswith("| `keep_alive`"))
    assert row == (
        "| `keep_alive` | a duration from 1 s to 1 h | `15 s`"
        " | A partition is noticed after about one and a half of these. |"
    )


def test_what_a_reload_takes_over_is_marked() -> None:
    marked = re.findall(r"^\| `(\w+)` ↻", reference(), flags=re.MULTILINE)
    assert {"level", "min_face_px", "close_after", "margin", "open_at", "max_roll_deg"} <= set(marked)
    assert {"format", "min_score", "fps", "host", "url"} & set(marked) == set()


def test_words_around_the_tables_stay() -> None:
    made = with_reference(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert made.startswith(f"before\n{BEGIN}\n")
    assert made.endswith(f"{END}\nafter\n")
    assert "old\n" not in made


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        with_reference("words")
