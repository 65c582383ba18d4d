"""Who has to wait takes turns: a queue in which a long list does not hold up a short one."""

from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Rounds(Generic[Item]):
    """Items of several owners, taken one from each owner in turn; those of one owner in their order."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Item]] = {}
        """In the order of their turns; an owner without items is not there."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, owner: str, item: Item) -> None:
        """Let an item wait; a new owner's turn comes after that of all who wait."""
        self._waiting.setdefault(owner, deque()).append(item)
        self._count += 1

    def take(self) -> Item | None:
        """The next item; None where nothing waits."""
        if not self._waiting:
            return None
        owner, items = next(iter(self._waiting.items()))
        del self._waiting[owner]
        item = items.popleft()
        if items:
            self._waiting[owner] = items
        self._count -= 1
        return item

    def clear(self) -> None:
        """Forget all that waits."""
        self._waiting.clear()
        self._count = 0
