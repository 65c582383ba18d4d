"""From the tree of a YAML file to settings: every mistake is collected, and what is right is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from edged.app.mistakes import Mistake
from edged.app.scalars import Unfit, found, read_scalar
from edged.app.yaml_source import (
    SECRET_TAG,
    Entries,
    Entry,
    Items,
    Node,
    Scalar,
    UnreadableError,
    shown_key,
)
from edged.domain.errors import ConfigurationError
from edged.settings.consistency import conflicts, repeated
from edged.settings.expectations import expectation
from edged.settings.kinds import Block, Hidden, Kind, Listing, Variants, keys_of, tag_of
from edged.settings.quantities import Secret, Section

_MOST_NODES: Final = 20_000
"""Values of a file, aliases counted as often as they are used: a few lines could else ask for billions."""


class _Invalid:
    """Stands for a value that could not be read; the mistake is in the list."""


_INVALID: Final = _Invalid()


@dataclass(slots=True)
class _Draft:
    """A section while it is read: the keys that were right, and whether all were."""

    section: type[Section]
    values: dict[str, Any] = field(default_factory=dict)
    is_sound: bool = True


class Reader:
    """Walks a tree along the sections' types.

    Args:
        look_up: gives the secret of a name, or raises ConfigurationError.
    """

    def __init__(self, look_up: Callable[[str], Secret]) -> None:
        self.mistakes: list[Mistake] = []
        self._look_up = look_up
        self._nodes = 0

    def read(self, node: Node, section: type[Section]) -> Section | None:
        """The section that the tree holds, or None when anything in it is wrong.

        Raises UnreadableError when it holds more than can be meant.
        """
        value = self._value(node, Block(section), "")
        return value if isinstance(value, Section) and not self.mistakes else None

    def _mistake(self, line: int, path: str, what: str) -> _Invalid:
        self.mistakes.append(Mistake(line, path, what))
        return _INVALID

    def _count(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise UnreadableError(node.line, f"the file holds more than {_MOST_NODES} values")

    def _value(self, node: Node, kind: Kind, path: str, *, nullable: bool = False) -> Any:
        if isinstance(node, Scalar) and node.tag == "null":
            return self._nothing(node, kind, path, nullable=nullable)
        match kind:
            case Block() | Variants():
                return self._finished(self._draft_of(node, kind, path), node, path)
            case Listing():
                return self._listing(node, kind, path)
            case Hidden():
                return self._secret(node, path)
            case _:
                try:
                    return read_scalar(node, kind)
                except Unfit as unfit:
                    return self._mistake(node.line, path, str(unfit))

    def _nothing(self, node: Scalar, kind: Kind, path: str, *, nullable: bool) -> Any:
        # An empty value is refused even where null is allowed: it is most often a slip, and for `tls:`
        # with all its keys commented out, "none" would silently mean a plain connection.
        if nullable and node.text:
            return None
        none = ", or write `null` for none" if nullable else ""
        if node.text:
            return self._mistake(node.line, path, f"found `{node.text}`; must be {expectation(kind)}")
        return self._mistake(node.line, path, f"has no value; must be {expectation(kind)}{none}")

    def _secret(self, node: Node, path: str) -> Any:
        if not isinstance(node, Scalar) or node.tag != SECRET_TAG:
            return self._mistake(
                node.line,
                path,
                "a secret does not belong in this file; write `!secret NAME` here and put the secret"
                " where docs/configuration.md says",
            )
        try:
            return self._look_up(node.text)
        except ConfigurationError as error:
            return self._mistake(node.line, path, str(error))

    def _listing(self, node: Node, kind: Listing, path: str) -> Any:
        if not isinstance(node, Items):
            return self._mistake(node.line, path, f"found {found(node)}; must be {expectation(kind)}")
        count = len(node.items)
        too_few = kind.min_length is not None and count < kind.min_length
        too_many = kind.max_length is not None and count > kind.max_length
        if too_few or too_many:
            self._mistake(node.line, path, f"has {count} items; must be {expectation(kind)}")
        values = []
        drafts: list[_Draft | None] = []
        for position, item in enumerate(node.items):
            self._count(item)
            below = f"{path}[{position}]"
            draft = self._draft_of(item, kind.item, below)
            drafts.append(draft)
            if isinstance(kind.item, Block | Variants):
                values.append(self._finished(draft, item, below))
            else:
                values.append(self._value(item, kind.item, below))
        self._refuse_repeated_ids(node, drafts, path)
        is_sound = not (too_few or too_many) and _INVALID not in values
        return tuple(values) if is_sound else _INVALID

    def _refuse_repeated_ids(self, node: Items, drafts: list[_Draft | None], path: str) -> None:
        """The items of a list must be told apart by `id`, which is a sink's type where it has none."""
        names = [_id_of(draft) for draft in drafts]
        for position, first in repeated(names):
            self._mistake(
                node.items[position].line,
                f"{path}[{position}].id",
                f"is `{names[position]}` like that of {path}[{first}]; give each its own",
            )

    def _draft_of(self, node: Node, kind: Kind, path: str) -> _Draft | None:
        """What the node gives of a section; None where it is none, or the kind is another."""
        match kind:
            case Block():
                return self._draft(node, kind.section, path, tag=None)
            case Variants():
                return self._variant(node, kind, path)
            case _:
                return None

    def _variant(self, node: Node, kind: Variants, path: str) -> _Draft | None:
        """The section that the tag chooses, or None where it chooses none."""
        if not isinstance(node, Entries):
            self._mistake(node.line, path, f"found {found(node)}; must be {expectation(kind)}")
            return None
        names = ", ".join(f"`{name}`" for name in kind.sections)
        tag = node.entries.get(kind.tag)
        if tag is None:
            self._mistake(node.line, f"{path}.{kind.tag}", f"is missing; one of {names}")
            return None
        named = tag.node.text if isinstance(tag.node, Scalar) else ""
        if named not in kind.sections:
            guess = _guess(named, kind.sections)
            self._mistake(
                tag.line, f"{path}.{kind.tag}", f"found {found(tag.node)}; must be one of {names}{guess}"
            )
            return None
        return self._draft(node, kind.sections[named], path, tag=kind.tag)

    def _draft(self, node: Node, section: type[Section], path: str, *, tag: str | None) -> _Draft | None:
        if not isinstance(node, Entries):
            what = f"found {found(node)}; must be a mapping with " + _names(keys_of(section))
            self._mistake(node.line, path, what)
            return None
        draft = _Draft(section)
        for name, entry in node.entries.items():
            if name != tag:
                self._take(draft, name, entry, path)
        for key in keys_of(section).values():
            if key.required and key.name not in node.entries:
                self._mistake(
                    node.line,
                    _below(path, key.name),
                    f"is missing: {key.description} Must be {expectation(key.kind)}",
                )
                draft.is_sound = False
        return draft

    def _take(self, draft: _Draft, name: str, entry: Entry, path: str) -> None:
        key = keys_of(draft.section).get(name)
        below = _below(path, shown_key(name))
        self._count(entry.node)
        if key is None:
            self._mistake(entry.line, below, f"is no key here{_advice(name, draft.section)}")
            draft.is_sound = False
            return
        value = self._value(entry.node, key.kind, below, nullable=key.nullable)
        if value is _INVALID:
            draft.is_sound = False
        else:
            draft.values[name] = value

    def _finished(self, draft: _Draft | None, node: Node, path: str) -> Any:
        """The section, once its keys are right by themselves and with each other."""
        if draft is None or not draft.is_sound:
            return _INVALID
        section = draft.section(**draft.values)
        is_sound = True
        for conflict in conflicts(section):
            entry = node.entries.get(conflict.key) if isinstance(node, Entries) else None
            self._mistake(entry.line if entry else node.line, _below(path, conflict.key), conflict.what)
            is_sound = False
        return section if is_sound else _INVALID


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _id_of(draft: _Draft | None) -> str | None:
    if draft is None or "id" not in keys_of(draft.section):
        return None
    named = draft.values.get("id")
    if named is None and not keys_of(draft.section)["id"].required:
        return str(draft.section.__struct_config__.tag)
    return named if isinstance(named, str) else None


def _names(keys: Any) -> str:
    return ", ".join(f"`{name}`" for name in keys)


def _guess(name: str, known: Any) -> str:
    close = get_close_matches(name.lower(), list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _advice(name: str, section: type[Section]) -> str:
    """What an unknown key was most likely meant to be: one spelled alike, or one a level below."""
    guess = _guess(name, keys_of(section))
    if guess:
        return guess
    inside = [key.name for key in keys_of(section).values() if name in _keys_inside(key.kind)]
    if inside:
        return f"; it belongs inside `{inside[0]}`"
    tag = tag_of(section)
    return f"; the keys here are {_names([*([tag[0]] if tag else []), *keys_of(section)])}"


def _keys_inside(kind: Kind) -> Iterator[str]:
    match kind:
        case Block():
            yield from keys_of(kind.section)
        case Variants():
            for section in kind.sections.values():
                yield from keys_of(section)
        case Listing():
            yield from _keys_inside(kind.item)
        case _:
            return
