"""Bodies of requests into values, and what is wrong with those that are none: the same over HTTP and MQTT."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from edged.api.problem import Code, Problem
from edged.api.requests import AddPictures, DetectRequest, IdentityUpdate, ImageItem, RecognizeRequest

T = TypeVar("T")

_PATH: Final = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")
_JSON_NAMES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_TYPE_NAME: Final = re.compile(r"(?<=[` ])(str|int|float|bool)(?=[` ])")


def decode(body: bytes | bytearray, kind: type[T]) -> T:
    """A body of JSON as a value of this kind, checked as far as the body alone can say.

    Raises `Problem` 400, with `field` where one part is wrong: for what is no JSON in UTF-8, for what the
    kind's fields refuse, for texts that cannot be stored or shown (NUL, halves of surrogate pairs), for
    pictures that have both an address and bytes or neither, and for lists that name something twice.
    """
    try:
        if not body.isascii():
            body.decode()  # what nobody reads is passed over undecoded: it would not be looked at
        value = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from None
    except UnicodeDecodeError:
        raise _malformed("the body is not UTF-8") from None
    except RecursionError:
        raise _malformed("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        words = str(error).removeprefix("JSON is malformed: ")
        raise _malformed(f"the body is not JSON: {_begun_small(words)}") from None
    for path, text in _texts(value, ""):
        _check_text(path, text)
    _check_parts(value)
    return value


def _refused(words: str) -> Problem:
    found = _PATH.search(words)
    path = found["path"] if found else ""
    what = _TYPE_NAME.sub(lambda name: _JSON_NAMES[name[0]], words[: found.start()] if found else words)
    where = f"`{path}`" if path else "the body"
    return _malformed(f"{where}: {_begun_small(what)}", field=path or None)


def _malformed(message: str, *, field: str | None = None) -> Problem:
    return Problem(Code.MALFORMED, message, field=field)


def _begun_small(words: str) -> str:
    """As the second half of a sentence."""
    return words[:1].lower() + words[1:]


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a decoded value, with its path as the body spells it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for part in msgspec.structs.fields(value):
            yield from _texts(
                getattr(value, part.name), f"{path}.{part.encode_name}" if path else part.encode_name
            )
    elif isinstance(value, tuple) and value and not isinstance(value[0], int):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def _check_text(path: str, text: str) -> None:
    if "\0" in text:
        raise _malformed(f"`{path}`: a text may not hold the character NUL", field=path)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _malformed(f"`{path}`: half of a surrogate pair is no character", field=path)


def _check_parts(value: object) -> None:
    match value:
        case RecognizeRequest() | DetectRequest() | AddPictures():
            _check_pictures(value.images)
        case IdentityUpdate():
            _check_unique("images.add", value.images.add)
            _check_unique("images.remove", value.images.remove)
        case _:
            pass


def _check_pictures(images: Sequence[ImageItem]) -> None:
    for index, image in enumerate(images):
        path = f"images[{index}]"
        if image.url is None and image.blob is None:
            raise _malformed(f"`{path}`: a picture needs `url` or `blob`", field=path)
        if image.url is not None and image.blob is not None:
            raise _malformed(f"`{path}`: a picture has either `url` or `blob`, not both", field=path)
        if image.blob is not None and not image.blob:
            raise _malformed(f"`{path}.blob`: it has no bytes", field=f"{path}.blob")


def _check_unique(path: str, ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for index, one in enumerate(ids):
        if one in seen:
            raise _malformed(f"`{path}[{index}]`: the same id stands here twice", field=f"{path}[{index}]")
        seen.add(one)
