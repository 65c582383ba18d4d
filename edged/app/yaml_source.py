"""YAML text to a tree of nodes that know their lines.

The tree is built from the parser's events and not by its composer, because that one recurses (a file of
brackets would exhaust the stack), takes the last of two equal keys without a word, and resolves plain text
before anybody knows which kind of value the key wants.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from edged.app.mistakes import Mistake

SECRET_TAG: Final = "!secret"  # noqa: S105 - the tag's name
_STANDARD: Final = "tag:yaml.org,2002:"
_MOST_LEVELS: Final = 32
_TOO_DEEP: Final = f"is nested more than {_MOST_LEVELS} levels deep"
_LONGEST_KEY: Final = 64
_MOST_MERGED: Final = 10_000
"""Keys that all `<<` of a file may bring together: a few lines could else ask for billions."""

# libyaml where PyYAML was built with it: 20 times as fast, which a Pi notices.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final[Any] = yaml.resolver.Resolver()


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `tag` is what YAML takes it for: `str`, `int`, `float`, `bool`, `null`, … or `!secret`."""

    line: int
    text: str = field(repr=False)
    tag: str
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of one key, and the line of the key."""

    line: int
    node: "Node"


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, in the order of the file."""

    line: int
    entries: Mapping[str, Entry]


Node = Scalar | Items | Entries


class UnreadableError(Exception):
    """The text is not the YAML that is understood here; nothing after this place was read."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.mistake = Mistake(line, "", what)


def parse(text: str) -> tuple[Node | None, list[Mistake]]:
    """The tree (None of an empty text), and what was wrong and could be left out: keys given twice.

    Raises UnreadableError where reading cannot go on.
    """
    builder = _Builder()
    for event in _events(text):
        builder.take(event)
    return builder.root, builder.mistakes


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise UnreadableError(line, _in_words(error.problem or "", text, line)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 0
        raise UnreadableError(line, "holds a control character") from None


def _in_words(problem: str, text: str, line: int) -> str:
    """The parser's complaint in words of use to somebody who edits a file; shows nothing of the file."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if re.match(r" *\t", here):
        return "is indented with a tab; YAML wants spaces"
    for sign, words in _WORDS.items():
        if sign in problem:
            return words
    # What stands in quotes may be a piece of the file, and that a piece of a password.
    return "is no YAML: " + re.sub(r"'[^']*'|\"[^\"]*\"", "…", problem)


_WORDS: Final[Mapping[str, str]] = {
    "mapping values are not allowed": (
        "is no YAML: a `:` where none can be; check the indentation of this line and the one before,"
        " and put quotes around text with `: ` in it"
    ),
    "could not find expected ':'": "is no YAML: a key without `:` (here or in the line before)",
    "cannot start any token": "is no YAML: text that begins with `%`, `@`, `` ` `` or a tab needs quotes",
    "expected key": "is no YAML: not indented like the lines around it",
    "expected <block end>": "is no YAML: not indented like the lines around it",
    "expected '-' indicator": "is no YAML: not indented like the other items of its list",
    "']'": "is no YAML: a `[` that is never closed, or a `,` missing",
    "'}'": "is no YAML: a `{` that is never closed, or a `,` missing",
    "end of stream": "is no YAML: a quote or bracket that is never closed",
    "control characters": "holds a control character",
    # libyaml has a limit of its own, which it may reach before any event comes.
    "maximum nesting depth": _TOO_DEEP,
}


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    event: Any
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Entries] = field(default_factory=list)
    key: Scalar | None = None


class _Builder:
    """Takes the parser's events one after the other."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.mistakes: list[Mistake] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0
        self._merged = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise UnreadableError(line, "begins a second document; the file holds one")
            case yaml.ScalarEvent():
                is_quoted = event.style in ("'", '"')
                self._add(Scalar(line, event.value, _scalar_tag(event, line), is_quoted), event)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise UnreadableError(
                        line, "text that begins with `*` needs quotes; as an alias it is unknown"
                    )
                self._add(self._anchors[event.anchor], None)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._begin(event, line)
            case yaml.SequenceEndEvent():
                ended = self._open.pop()
                self._add(Items(ended.event.start_mark.line + 1, tuple(ended.items)), ended.event)
            case yaml.MappingEndEvent():
                ended = self._open.pop()
                self._add(Entries(ended.event.start_mark.line + 1, self._with_merged(ended)), ended.event)

    def _begin(self, event: Any, line: int) -> None:
        own = "seq" if isinstance(event, yaml.SequenceStartEvent) else "map"
        if event.tag not in (None, "!", _STANDARD + own):
            raise UnreadableError(
                line, "a list or mapping takes no tag; text that begins with `!` needs quotes"
            )
        if len(self._open) >= _MOST_LEVELS:
            raise UnreadableError(line, _TOO_DEEP)
        if self._open and isinstance(self._open[-1].event, yaml.MappingStartEvent) and not self._open[-1].key:
            raise UnreadableError(line, "a key must be plain text, not a list or mapping")
        self._open.append(_Open(event))

    def _add(self, node: Node, event: Any) -> None:
        """Put a node that is complete where it belongs."""
        if event is not None and event.anchor is not None:
            self._anchors[event.anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if isinstance(parent.event, yaml.SequenceStartEvent):
            parent.items.append(node)
        elif parent.key is None:
            if not isinstance(node, Scalar):
                raise UnreadableError(node.line, "a key must be plain text, not a list or mapping")
            parent.key = node
        else:
            self._add_entry(parent, parent.key, node)
            parent.key = None

    def _add_entry(self, parent: _Open, key: Scalar, node: Node) -> None:
        if key.tag == "merge":
            self._merge(parent, node, key.line)
        elif key.text in parent.entries:
            first = parent.entries[key.text].line
            self.mistakes.append(
                Mistake(key.line, shown_key(key.text), f"is given twice, first in line {first}")
            )
        else:
            parent.entries[key.text] = Entry(key.line, node)

    def _merge(self, parent: _Open, node: Node, line: int) -> None:
        for part in node.items if isinstance(node, Items) else (node,):
            if not isinstance(part, Entries):
                raise UnreadableError(line, "`<<` takes a mapping or a list of mappings")
            self._merged += len(part.entries)
            if self._merged > _MOST_MERGED:
                raise UnreadableError(line, f"`<<` brings more than {_MOST_MERGED} keys together")
            parent.merged.append(part)

    @staticmethod
    def _with_merged(ended: _Open) -> dict[str, Entry]:
        """The mapping's own keys, then those of its `<<` that it has not: earlier ones win."""
        entries = dict(ended.entries)
        for part in ended.merged:
            entries = {
                **entries,
                **{name: entry for name, entry in part.entries.items() if name not in entries},
            }
        return entries


def shown_key(text: str) -> str:
    """A key as errors show it: without what a slip of indentation may have made a part of it."""
    if "://" in text or not text.isprintable() or len(text) > _LONGEST_KEY:
        return "…"
    return text


def _scalar_tag(event: Any, line: int) -> str:
    """What YAML takes a scalar for; refuses tags that are neither YAML's own nor `!secret`."""
    if event.tag is None or event.tag == "!":
        plain = event.tag is None and event.implicit[0]
        resolved = _RESOLVER.resolve(yaml.ScalarNode, event.value, (plain, not plain))
        return str(resolved).removeprefix(_STANDARD)
    tag = str(event.tag)
    if tag == SECRET_TAG:
        return tag
    name = tag.removeprefix(_STANDARD)
    if tag.startswith(_STANDARD) and name in ("str", "int", "float", "bool", "null"):
        return name
    raise UnreadableError(
        line, "has an unknown tag: there is `!secret NAME` only; text with a `!` needs quotes"
    )
