"""What each key may hold, as values: read from the sections' types once, used by whoever walks them.

The reader of the configuration file, the JSON Schema, the reference page and `edged config show` all walk
these, so that a key is declared in one place only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec

from edged.settings.quantities import Duration, FalseAccept, Secret, Section, Size

REQUIRED: Final = msgspec.NODEFAULT
"""Stands for the default of a key that must be given."""


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in decimal digits; `ge`, `gt`, `le` and `lt` are its bounds where it has them."""

    whole: bool
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def allows(self, value: float) -> bool:
        """Whether the value is within the bounds."""
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """Text; `form` says in words what `pattern` demands."""

    pattern: str | None = None
    form: str | None = None
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A duration, a size or a rate as people write it, its bounds in the words of the file."""

    measure: type[Duration] | type[Size] | type[FalseAccept]
    at_least: str | None = None
    at_most: str | None = None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret, given by its name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values, in the order of their declaration."""

    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list whose items are all of one kind."""

    item: "Kind"
    min_length: int | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping with known keys."""

    section: type[Section]


@dataclass(frozen=True, slots=True)
class Variants:
    """A mapping whose key `tag` says which section it is."""

    tag: str
    sections: Mapping[str, type[Section]]


Kind = Flag | Number | Text | Quantity | Hidden | Choice | Listing | Block | Variants


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a section; `default` is REQUIRED where it must be given."""

    name: str
    kind: Kind
    nullable: bool
    description: str
    default: Any

    @property
    def required(self) -> bool:
        """Whether the key must be given."""
        return self.default is REQUIRED


@cache
def keys_of(section: type[Section]) -> Mapping[str, Key]:
    """The keys of a section by name, in the order of their declaration, without its tag."""
    return {field.name: _key(field) for field in msgspec.structs.fields(section)}


def tag_of(section: type[Section]) -> tuple[str, str] | None:
    """The key and the value by which a section of a tagged union is told apart, if it is one."""
    config = section.__struct_config__
    return (str(config.tag_field), str(config.tag)) if config.tag_field else None


def _key(field: msgspec.structs.FieldInfo) -> Key:
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    annotation, meta = _without_meta(field.type)
    choices = [part for part in _parts(annotation) if part is not NoneType]
    return Key(
        name=field.encode_name,
        kind=_kind(choices, dict(meta.extra or {})),
        nullable=NoneType in _parts(annotation),
        description=meta.description or "",
        default=default,
    )


def _without_meta(annotation: Any) -> tuple[Any, msgspec.Meta]:
    if get_origin(annotation) is Annotated:
        plain, meta = get_args(annotation)
        return plain, meta
    return annotation, msgspec.Meta()


def _parts(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (UnionType, Union) else (annotation,)


def _kind(choices: list[Any], limits: dict[str, Any]) -> Kind:
    """The kind of a value that may be one of these types; several only as sections told apart by a tag."""
    if len(choices) > 1:
        tags = {tag: section for section in choices for tag in (tag_of(section),) if tag}
        return Variants(next(iter(tags))[0], {value: section for (_, value), section in tags.items()})
    only = choices[0]
    if get_origin(only) is Literal:
        return Choice(get_args(only))
    if get_origin(only) is tuple:
        item, meta = _without_meta(get_args(only)[0])
        return Listing(_kind(list(_parts(item)), dict(meta.extra or {})), **limits)
    return _simple_kind(only, limits)


def _simple_kind(only: Any, limits: dict[str, Any]) -> Kind:
    if only is bool:
        return Flag()
    if only in (int, float):
        return Number(whole=only is int, **limits)
    if only is str:
        return Text(**limits)
    if only in (Duration, Size, FalseAccept):
        return Quantity(only, **limits)
    if only is Secret:
        return Hidden()
    if isinstance(only, type) and issubclass(only, Section):
        return Block(only)
    raise TypeError(f"no key can hold a {only!r}")
