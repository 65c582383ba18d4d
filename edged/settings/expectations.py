"""What a key may hold, in words: said in errors and in the reference page alike."""

from edged.settings.kinds import (
    Block,
    Choice,
    Flag,
    Hidden,
    Kind,
    Listing,
    Number,
    Quantity,
    Text,
    Variants,
)


def expectation(kind: Kind) -> str:  # noqa: PLR0911 - one sentence a kind
    """What is right, to be read after "must be" or in a table: ``a whole number from 1 to 16``."""
    match kind:
        case Flag():
            return "`true` or `false`"
        case Number():
            noun = "a whole number" if kind.whole else "a number"
            return f"{noun}{_number_range(kind)}"
        case Text():
            return _text(kind)
        case Quantity():
            return f"{kind.measure.NOUN}{_range(kind.at_least, kind.at_most)}"
        case Hidden():
            return "`!secret NAME`"
        case Choice():
            return "one of " + ", ".join(f"`{written(value)}`" for value in kind.values)
        case Listing():
            return f"a list{_count(kind)}, each item {expectation(kind.item)}"
        case Block():
            return "a mapping"
        case Variants():
            return f"a mapping with `{kind.tag}`: one of " + ", ".join(f"`{name}`" for name in kind.sections)


def written(value: str | int) -> str:
    """A choice as it has to be written in YAML: text that reads like a number is quoted."""
    looks_like_number = isinstance(value, str) and value.replace(".", "", 1).isdigit()
    return f'"{value}"' if looks_like_number else str(value)


def _number_range(kind: Number) -> str:
    if kind.gt is None and kind.lt is None:
        return _range(*(None if bound is None else f"{bound:.15g}" for bound in (kind.ge, kind.le)))
    bounds = (("of at least", kind.ge), ("above", kind.gt), ("at most", kind.le), ("below", kind.lt))
    return " " + " and ".join(f"{words} {bound:.15g}" for words, bound in bounds if bound is not None)


def _range(least: str | None, most: str | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return f" of at most {most}" if most is not None else ""


def _text(kind: Text) -> str:
    if kind.form is not None:
        return kind.form
    if kind.min_length is not None and kind.min_length == kind.max_length:
        return f"text of {kind.min_length} characters"
    if kind.max_length is not None:
        return f"text{_range(str(kind.min_length or 0), str(kind.max_length))} characters"
    return "text that is not empty" if kind.min_length else "text"


def _count(kind: Listing) -> str:
    if kind.min_length is not None and kind.max_length is not None:
        return f" of {kind.min_length} to {kind.max_length} items"
    return " that is not empty" if kind.min_length else ""
