"""Pictures and crops that somebody wants to enrol: looked at while whoever asked waits."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from edged.api.problem import Code, Problem
from edged.api.requests import ImageItem
from edged.domain.errors import InputError
from edged.domain.face import Chip, Embedding
from edged.pipeline.admission import Admission
from edged.pipeline.desk import DeskTask, PictureDesk, Steps
from edged.pipeline.fetchers import Fetchers, Wanted
from edged.pipeline.picture import Manner, PictureLook, PictureWork, Tools


class _Answers:
    """What comes of some tasks; whoever asked waits for all of them, or for the first that fails."""

    def __init__(self, count: int) -> None:
        self._changed = threading.Condition()
        self._results: dict[int, Any] = {}
        self._count = count
        self._problem: Problem | None = None

    def put(self, number: int, result: Any) -> None:
        """One is done."""
        with self._changed:
            self._results[number] = result
            self._changed.notify_all()

    def fail(self, problem: Problem) -> None:
        """One is not, and so nothing is."""
        with self._changed:
            self._problem = self._problem or problem
            self._changed.notify_all()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits, and no task has failed."""
        with self._changed:
            return self._problem is None

    def wait(self, timeout_s: float) -> list[Any]:
        """All results, in their order; raises Problem."""
        with self._changed:
            self._changed.wait_for(lambda: self._problem or len(self._results) == self._count, timeout_s)
            if self._problem is None and len(self._results) < self._count:
                # Nobody waits any more: tasks that come to their turn end at once.
                self._problem = Problem(
                    Code.UNAVAILABLE, "it took too long; ask again when less is going on", retry_after_s=10
                )
            if self._problem is not None:
                raise self._problem
            return [self._results[number] for number in range(self._count)]


class PictureLooker:
    """Has pictures looked at, and waits for what comes of them. Any thread may ask."""

    def __init__(
        self,
        tools: Tools,
        desk: PictureDesk,
        fetchers: Fetchers,
        admission: Admission,
        new_id: Callable[[], str],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._fetchers = fetchers
        self._admission = admission
        self._new_id = new_id
        self._lock = threading.Lock()
        self._waiting: set[_Answers] = set()
        self._is_closed = False

    def looks(
        self, namespace: str, images: Sequence[ImageItem], timeout_s: float, manner: Manner
    ) -> list[PictureLook]:
        """See what could be enrolled of each picture; raises Problem."""
        self._admission.admit(len(images), sum(len(image.blob) for image in images if image.blob is not None))
        owner, answers = self._new_id(), self._begun(len(images))
        for number, image in enumerate(images):
            work = partial(self._look, owner, namespace, number, manner, answers)
            if image.blob is not None:
                work(image.blob)
            elif image.url is not None:
                self._fetchers.put(
                    Wanted(owner, image.url, work, partial(self._not_fetched, number, answers))
                )
        return self._waited(answers, timeout_s)

    def embed(self, chips: Sequence[Chip], timeout_s: float) -> list[Embedding]:
        """Embed each aligned crop; raises Problem."""
        answers = self._begun(1)
        task = DeskTask(
            self._new_id(),
            partial(self._embedding, chips),
            partial(answers.put, 0),
            partial(_broken, answers),
        )
        if not self._desk.put(task):
            answers.fail(ending())
        embeddings: list[Embedding] = self._waited(answers, timeout_s)[0]
        return embeddings

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._lock:
            self._is_closed = True
            for answers in self._waiting:
                answers.fail(ending())

    def _begun(self, count: int) -> _Answers:
        answers = _Answers(count)
        with self._lock:
            self._waiting.add(answers)
            if self._is_closed:
                answers.fail(ending())
        return answers

    def _waited(self, answers: _Answers, timeout_s: float) -> list[Any]:
        try:
            return answers.wait(timeout_s)
        finally:
            with self._lock:
                self._waiting.discard(answers)

    def _embedding(self, chips: Sequence[Chip]) -> Steps[list[Embedding]]:
        embeddings = []
        for chip in chips:
            embeddings.append(self._tools.models.embedder.embed(chip))
            yield
        return embeddings

    def _look(
        self, owner: str, namespace: str, number: int, manner: Manner, answers: _Answers, data: bytes
    ) -> None:
        name = f"picture {number + 1} of a request in namespace {namespace}"
        task = DeskTask(
            owner,
            partial(self._steps, PictureWork(self._tools, manner, data, name), answers),
            partial(self._looked, number, len(data), answers),
            partial(self._not_looked, number, len(data), answers),
        )
        if not self._desk.put(task):
            self._given_back(len(data))
            answers.fail(ending())

    def _steps(self, work: PictureWork, answers: _Answers) -> Steps[PictureLook | None]:
        if not answers.is_wanted:
            return None
        return (yield from work.look())

    def _looked(self, number: int, size: int, answers: _Answers, look: PictureLook | None) -> None:
        self._given_back(size)
        answers.put(number, look)

    def _not_looked(self, number: int, size: int, answers: _Answers, error: Exception) -> None:
        self._given_back(size)
        if isinstance(error, InputError):
            answers.fail(_unusable(number, error.what))
        else:
            _broken(answers, error)

    def _not_fetched(self, number: int, answers: _Answers, reason: str) -> None:
        self._given_back(0)
        answers.fail(_unusable(number, reason))

    def _given_back(self, size: int) -> None:
        self._admission.release(size)
        self._admission.finished()


def ending() -> Problem:
    """What is answered while the daemon ends."""
    return Problem(Code.UNAVAILABLE, "the daemon ends; ask again when it is back", retry_after_s=10)


def _unusable(number: int, reason: str) -> Problem:
    return Problem(Code.CONFLICT, f"the picture cannot be used: {reason}", field=f"images[{number}]")


def _broken(answers: _Answers, error: Exception) -> None:
    del error
    answers.fail(Problem(Code.INTERNAL, "the models failed; the daemon's log says how"))
