"""One scalar of the file to one value. What YAML takes plain text for is checked against what was meant."""

import math
import re
from typing import Any, Final

from edged.app.yaml_source import SECRET_TAG, Entries, Items, Node, Scalar
from edged.settings.expectations import expectation, written
from edged.settings.kinds import Choice, Flag, Kind, Number, Quantity, Text

_DECIMAL: Final = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_WHOLE: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_LONGEST_SHOWN: Final = 40

ScalarKind = Flag | Number | Text | Quantity | Choice

_SCHEME: Final = re.compile(r"[a-z]{1,10}://")
_TRUE: Final = frozenset({"true", "yes", "on", "y"})


class Unfit(Exception):  # noqa: N818 - never leaves the reading of one file; not an error of its own
    """The scalar is not what its key may hold; the text says what was found and what would be right."""


def read_scalar(node: Node, kind: ScalarKind) -> Any:
    """The value of a scalar; raises Unfit."""
    if not isinstance(node, Scalar):
        raise Unfit(f"found {found(node)}; must be {expectation(kind)}")
    if node.tag == SECRET_TAG:
        raise Unfit(f"is no secret: write the value itself; must be {expectation(kind)}")
    match kind:
        case Flag():
            return _flag(node)
        case Number():
            return _number(node, kind)
        case Text():
            return _text(node, kind)
        case Quantity():
            return _quantity(node, kind)
        case Choice():
            return _choice(node, kind)


def found(node: Node) -> str:
    """What stands in the file, in words; of an address, or what could be one, its scheme at most."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Entries):
        return "a mapping"
    if node.tag == SECRET_TAG:
        return f"the secret `{shortened(node.text)}`"
    if "://" in node.text or "@" in node.text:
        scheme = _SCHEME.match(node.text)
        return f"`{scheme[0]}…`" if scheme else "an address with an `@`"
    shown = f"`{shortened(node.text)}`"
    if node.tag == "bool":
        return f"{shown}, which YAML reads as {'true' if node.text.lower() in _TRUE else 'false'}"
    return "nothing" if node.tag == "null" and not node.text else shown


def shortened(text: str) -> str:
    """The text, printable, cut where it is long."""
    printable = "".join(character if character.isprintable() else "�" for character in text)
    return printable if len(printable) <= _LONGEST_SHOWN else printable[: _LONGEST_SHOWN - 1] + "…"


def _unfit(node: Scalar, kind: Kind, hint: str = "") -> Unfit:
    return Unfit(f"found {found(node)}; must be {expectation(kind)}{hint}")


def _flag(node: Scalar) -> bool:
    if node.tag == "bool":
        return node.text.lower() in _TRUE
    hint = ", without quotes" if node.text.lower() in ("true", "false") else ""
    raise _unfit(node, Flag(), hint)


def _number(node: Scalar, kind: Number) -> int | float:
    if node.tag == "str" and not _DECIMAL.fullmatch(node.text):
        raise _unfit(node, kind)
    if node.tag == "str" and _DECIMAL.fullmatch(node.text) and node.is_quoted:
        raise _unfit(node, kind, ", without quotes")
    form = _WHOLE if kind.whole else _DECIMAL
    if not form.fullmatch(node.text):
        # 1:30 is 90 to YAML, 010 is 8 and 1_000 is 1000: none of them is what a reader expects.
        raise _unfit(node, kind, ", in plain decimal digits")
    value = int(node.text) if kind.whole else float(node.text)
    if not math.isfinite(value) or not kind.allows(value):
        raise _unfit(node, kind)
    return value


def _text(node: Scalar, kind: Text) -> str:
    if node.tag not in ("str", "timestamp"):
        why = "" if node.tag == "bool" else ", which YAML does not take for text"
        raise Unfit(f'found {found(node)}{why}; write `"{shortened(node.text)}"`')
    if not node.text.isprintable():
        raise _unfit(node, kind, ", without line breaks and control characters")
    fits = (
        (kind.pattern is None or re.fullmatch(kind.pattern, node.text) is not None)
        and (kind.min_length is None or len(node.text) >= kind.min_length)
        and (kind.max_length is None or len(node.text) <= kind.max_length)
    )
    if not fits:
        raise _unfit(node, kind)
    return node.text


def _quantity(node: Scalar, kind: Quantity) -> float:
    try:
        value = kind.measure.parse(node.text)
    except ValueError as error:
        raise Unfit(f"found {found(node)}; must be {expectation(kind)}: {error}") from None
    least = None if kind.at_least is None else kind.measure.parse(kind.at_least)
    most = None if kind.at_most is None else kind.measure.parse(kind.at_most)
    if (least is not None and value < least) or (most is not None and value > most):
        raise _unfit(node, kind)
    return value


def _choice(node: Scalar, kind: Choice) -> str | int:
    for value in kind.values:
        if str(value) == node.text:
            if (node.tag == "int") is isinstance(value, int):
                return value
            raise _unfit(node, kind, f": write `{written(value)}`")
    close = [str(value) for value in kind.values if str(value).lower() == node.text.lower()]
    raise _unfit(node, kind, f"; did you mean `{close[0]}`?" if close else "")
