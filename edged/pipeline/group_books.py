"""The groups that the recogniser adds to, and the way in which others change them."""

import threading
from collections import deque
from collections.abc import Callable

from edged.domain.group import GroupChange
from edged.recognition.grouping import GroupBook


class GroupBooks:
    """One book of groups a namespace.

    The recogniser's thread owns the books. Whoever watches the stores hands changes in; they are applied
    when the recogniser next asks for the book.

    Args:
        make_book: gives a book with nobody in it.
        similarity_offset: as the settings of recognition have it; may be set at any time.
    """

    def __init__(self, make_book: Callable[[], GroupBook], similarity_offset: float = 0.0) -> None:
        self.similarity_offset = similarity_offset
        self._make_book = make_book
        self._books: dict[str, GroupBook] = {}
        self._lock = threading.Lock()
        self._changes: dict[str, deque[GroupChange]] = {}

    def apply(self, namespace: str, change: GroupChange) -> None:
        """Hand a change in. May be called by any thread."""
        with self._lock:
            waiting = self._changes.setdefault(namespace, deque())
            if change.is_whole:
                # What came before no longer matters, and a recogniser that stands still must not fill memory.
                waiting.clear()
            waiting.append(change)

    def of(self, namespace: str) -> GroupBook:
        """The book as it is now. For the recogniser's thread alone."""
        book = self._books.get(namespace)
        if book is None:
            book = self._books[namespace] = self._make_book()
        if self._changes.get(namespace):
            with self._lock:
                changes = list(self._changes[namespace])
                self._changes[namespace].clear()
            for change in changes:
                book.apply(change)
        book.similarity_offset = self.similarity_offset
        return book
