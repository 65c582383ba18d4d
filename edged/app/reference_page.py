"""The tables of docs/configuration.md, made from the sections' types."""

from collections.abc import Iterator
from typing import Any, Final

from edged.settings.expectations import expectation, written
from edged.settings.kinds import Block, Choice, Key, Kind, Listing, Variants, keys_of, tag_of
from edged.settings.quantities import Duration, FalseAccept, Section, Size
from edged.settings.reload import is_reloadable
from edged.settings.root import Settings

BEGIN: Final = "<!-- keys: made by scripts/make-config-page, not by hand -->"
END: Final = "<!-- end of keys -->"


def with_reference(page: str) -> str:
    """The page with the tables between its two marks made anew; raises ValueError without the marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def reference() -> str:
    """One table a section, in the order in which they come up."""
    return "\n".join(_table(path, section) for path, section in sections())


def sections() -> Iterator[tuple[str, type[Section]]]:
    """Every section with the path it is found at: `feeds[].source`; the file as a whole has none.

    A section that is found at several places (`retry`) comes once with each.
    """
    return iter(dict.fromkeys(_sections("", Settings)))


def _sections(path: str, section: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    yield path, section
    for key in keys_of(section).values():
        below = f"{path}.{key.name}" if path else key.name
        yield from _sections_of(below, key.kind)


def _sections_of(path: str, kind: Kind) -> Iterator[tuple[str, type[Section]]]:
    match kind:
        case Listing():
            yield from _sections_of(f"{path}[]", kind.item)
        case Block():
            yield from _sections(path, kind.section)
        case Variants():
            for section in kind.sections.values():
                yield from _sections(path, section)
        case _:
            return


def _table(path: str, section: type[Section]) -> str:
    tag = tag_of(section)
    heading = f"`{path}`" if path else "The file"
    if tag:
        heading += f" with `{tag[0]}: {tag[1]}`"
    lines = [
        f"### {heading}",
        "",
        (section.__doc__ or "").strip(),
        "",
        "| key | may be | default | meaning |",
        "|---|---|---|---|",
    ]
    keys = sorted(keys_of(section).values(), key=lambda key: not key.required)
    lines += [_row(path, key) for key in keys]
    return "\n".join([*lines, ""])


def _row(path: str, key: Key) -> str:
    full = f"{path}.{key.name}" if path else key.name
    mark = " ↻" if is_reloadable(full) else ""
    allowed = expectation(key.kind) + (" or `null`" if key.nullable else "")
    cells = (f"`{key.name}`{mark}", allowed, _default(key), key.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(key: Key) -> str:
    if key.required:
        return "must be given"
    if isinstance(key.kind, Choice):
        return f"`{written(key.default)}`"
    return _written(key.default)


def _written(value: Any) -> str:
    match value:
        case None:
            return "`null`"
        case bool():
            return f"`{str(value).lower()}`"
        case Duration() | Size() | FalseAccept() | str():
            return f"`{value}`"
        case int() | float():
            return f"`{value:.15g}`"
        case tuple():
            return f"`[{', '.join(str(item) for item in value)}]`"
        case _:
            return "see there"
