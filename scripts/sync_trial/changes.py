"""A stream of changes of a namespace's people, as commands would make them, in a thread of its own."""

import random
import threading
from collections import Counter

from builders.namespaces import a_new_face
from edged.app import sync_commands
from edged.domain.errors import EdgedError, IdentityError
from edged.store.namespace_store import NamespaceStore
from sync_trial.nodes import TrialNode, place

MANY = 100
PEOPLE = 400
_KINDS = ("rename", "rename", "rename", "enrol", "enrol", "remove", "many", "rotate", "proposal", "proposal")


def enrol(node: TrialNode, count: int) -> None:
    """Enrol so many people, each with two faces."""
    with node.store() as store:
        for number in range(count):
            faces = [a_new_face(2 * number + each, model=node.model) for each in (0, 1)]
            store.add_identity(f"Person {number}", faces)


class Changes:
    """Changes people until closed, but for pauses: mostly at the authority, now and then at a member.

    Args:
        authority: and where else the people are changed.
        member: whose changes are proposals.
        seed: of the chance that it goes by.
    """

    def __init__(self, authority: TrialNode, member: TrialNode, seed: int) -> None:
        self._authority = authority
        self._member = member
        self._chance = random.Random(seed)  # noqa: S311 - the same changes for the same seed
        self._goes_on = threading.Event()
        self._is_idle = threading.Event()
        self._is_closed = False
        self._number = 0
        self.made: Counter[str] = Counter()
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._run, name="changes")
        self._thread.start()

    def go_on(self) -> None:
        """Change people."""
        self._is_idle.clear()
        self._goes_on.set()

    def pause(self) -> None:
        """Change nobody; returns when the last change is committed."""
        self._goes_on.clear()
        self._is_idle.wait(60)

    def close(self) -> None:
        """End it."""
        self._is_closed = True
        self._goes_on.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._is_closed:
            if not self._goes_on.is_set():
                self._is_idle.set()
                self._goes_on.wait()
                continue
            try:
                self._change(self._chance.choice(_KINDS))
            except IdentityError:
                # An epoch that was applied meanwhile took the person out.
                self.made["in vain"] += 1
            except EdgedError as error:
                self.failed.append(str(error))
            threading.Event().wait(self._chance.uniform(0.0, 0.3))

    def _change(self, kind: str) -> None:
        self._number += 1
        node = self._member if kind == "proposal" else self._authority
        with node.store() as store:
            if kind == "rotate":
                sync_commands.rotate(place(store))
            else:
                self._change_people(store, kind, node.model)
        self.made[kind] += 1

    def _change_people(self, store: NamespaceStore, kind: str, model: str) -> None:
        people = store.identities()
        one = self._chance.choice(people).id if people else ""
        if kind == "enrol" or len(people) < PEOPLE // 2:
            store.add_identity(f"New {self._number}", [a_new_face(self._number, model=model)])
        elif kind == "remove":
            store.remove([one])
        elif kind == "many":
            with store.change() as (revision, now_ms):
                for person in self._chance.sample(people, MANY):
                    store.connection.execute(
                        "UPDATE identity SET name = ?, revision = ?, updated_ms = ? WHERE id = ?",
                        (f"Renamed {self._number}", revision, now_ms, person.id),
                    )
        else:
            store.rename(one, f"Renamed {self._number}")
