"""Finds many words in a text at once, each where it stands by itself, in capitals or not."""

import re
from collections.abc import Callable, Iterable
from typing import Final

_BEGIN: Final = re.compile(r"(?<![^\W_])\S")
"""Where a word may begin: an underline is no letter here, for names stand in names of files."""
_KEY: Final = 3


class WholeWords:
    """Takes time in proportion to the text, and hardly to the number of words.

    Args:
        words: in every spelling that is meant, blanks and signs within them allowed.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._by_beginning: dict[str, list[tuple[int, str]]] = {}
        for word in sorted({word for word in words if word.strip()}, key=len, reverse=True):
            beginning = word[:_KEY].casefold()
            self._by_beginning.setdefault(beginning, []).append((len(word), word.casefold()))

    def replaced(self, text: str, by: Callable[[str], str]) -> str:
        """The text with each word that is found, the longest at its place, exchanged for what `by` gives."""
        told: list[str] = []
        end = 0
        for begin in (found.start() for found in _BEGIN.finditer(text)):
            if begin < end:
                continue
            length = self._length_at(text, begin)
            if length:
                told += [text[end:begin], by(text[begin : begin + length])]
                end = begin + length
        return "".join([*told, text[end:]])

    def _length_at(self, text: str, begin: int) -> int:
        """How long the word is that stands there; 0 for none."""
        for size in range(_KEY, 0, -1):
            for length, word in self._by_beginning.get(text[begin : begin + size].casefold(), ()):
                after = text[begin + length : begin + length + 1]
                if not after.isalnum() and text[begin : begin + length].casefold() == word:
                    return length
        return 0
