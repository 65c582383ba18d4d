"""What the API does with people: identities made of faces seen before, faces, groups and their pictures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import numpy as np
from msgspec import UNSET

from edged.api.answers import FaceAnswer, GroupAnswer, IdentityAnswer
from edged.api.problem import Code, Problem, not_found
from edged.api.requests import (
    AddPictures,
    IdentityCreate,
    IdentityUpdate,
    ImageItem,
    MergeIdentities,
    Search,
)
from edged.api.resources import Resources
from edged.app.api_enrolment import NewPictures
from edged.app.api_stores import ApiStores
from edged.domain.errors import IdentityError
from edged.domain.face import Chip, Embedding
from edged.domain.history import StoredGroup
from edged.domain.identity import Identity
from edged.domain.picture_address import PictureAddresses
from edged.pipeline.kept_picture import kept_jpeg
from edged.pipeline.picture import PictureLook
from edged.store.group_queries import Group
from edged.store.history_store import HistoryStore
from edged.store.namespace_store import NamespaceStore

LOOK_TIMEOUT_S: Final = 30.0
"""How long whoever enrols waits for the models."""


class Looks(Protocol):
    """Whoever has the models look at pictures: the clerk."""

    def looks(self, namespace: str, images: Sequence[ImageItem], timeout_s: float) -> list[PictureLook]:
        """See what could be enrolled of pictures; raises `Problem`."""
        ...

    def embed(self, chips: Sequence[Chip], timeout_s: float) -> list[Embedding]:
        """Embed aligned crops; raises `Problem`."""
        ...


class ApiPeople:
    """Identities, faces and groups. Any thread may call anything; every method raises `Problem`.

    Args:
        stores: the namespaces' databases.
        looks: runs the models.
        new_pictures: says what of pictures can be enrolled.
        addresses: how pictures are called.
        model_hash: of the embedder in use.
        changed: says that people changed, so that cameras know them at once.
        settle: waits until faces that were told of are written down.
        erase: forgets a person of a namespace for good, everywhere; says what could not be done.
    """

    def __init__(
        self,
        stores: ApiStores,
        looks: Looks,
        new_pictures: NewPictures,
        addresses: PictureAddresses,
        model_hash: str,
        changed: Callable[[], None],
        settle: Callable[[], None],
        erase: Callable[[NamespaceStore, str, str], tuple[str, ...]],
    ) -> None:
        self._stores = stores
        self._looks = looks
        self._new_pictures = new_pictures
        self._addresses = addresses
        self._model_hash = model_hash
        self._changed = changed
        self._settle = settle
        self._erase = erase

    # --- identities

    def create(self, namespace: str, request: IdentityCreate) -> IdentityAnswer:
        """Make an identity out of faces seen before; without any it is known by nobody yet."""
        name = "" if request.edge.name is UNSET else request.edge.name
        face_ids = request.image_ids or ()
        with self._stores.of(namespace) as store, _refusals():
            self._embed_lacking(store, face_ids)
            identity = store.enrol_seen(face_ids, name, request.custom_id, model_hash=self._model_hash)
            return self._told(store, namespace, identity)

    def identity(self, namespace: str, identity_id: str) -> IdentityAnswer:
        """One identity."""
        with self._stores.of(namespace) as store:
            return self._answer(store, namespace, _known(store, identity_id))

    def identities(self, namespace: str, search: Search) -> list[IdentityAnswer]:
        """Identities."""
        with self._stores.of(namespace) as store:
            return [self._answer(store, namespace, one) for one in store.identities(search)]

    def update(self, namespace: str, identity_id: str, request: IdentityUpdate) -> IdentityAnswer:
        """Change an identity: all of it, or nothing."""
        with self._stores.of(namespace) as store, _refusals():
            _known(store, identity_id)
            self._embed_lacking(store, request.images.add)
            identity = store.change_identity(
                identity_id,
                name=request.edge.name,
                custom_id=request.custom_id,
                add=request.images.add,
                remove=request.images.remove,
                model_hash=self._model_hash,
            )
            return self._told(store, namespace, identity)

    def delete(self, namespace: str, identity_id: str) -> tuple[str, ...]:
        """Forget a person for good; what of that could not be done yet, for the log."""
        with self._stores.of(namespace) as store:
            _known(store, identity_id)
            warnings = self._erase(store.people, namespace, identity_id)
        self._changed()
        return warnings

    def add_pictures(self, namespace: str, identity_id: str, request: AddPictures) -> IdentityAnswer:
        """Enrol pictures into an identity, each with one face; waits until they are looked at."""
        with self._stores.of(namespace) as store:
            _known(store, identity_id)
        looks = self._looks.looks(namespace, request.images, LOOK_TIMEOUT_S)
        with self._stores.of(namespace) as store, _refusals():
            _known(store, identity_id)
            gallery = store.people.changes_since(0, self._model_hash)
            chosen = self._new_pictures.chosen(identity_id, request.images, looks, gallery)
            identity = store.add_pictures(identity_id, chosen.faces)
            return self._told(store, namespace, identity, chosen.warnings)

    def merge(self, namespace: str, identity_id: str, request: MergeIdentities) -> IdentityAnswer:
        """Give one identity the faces of others, which are gone then."""
        with self._stores.of(namespace) as store, _refusals():
            _known(store, identity_id)
            for other in request.ids:
                if store.identity(other) is None:
                    raise Problem(Code.CONFLICT, f"there is no identity {other!r} here", field="ids")
            return self._told(store, namespace, store.merge(identity_id, request.ids))

    # --- faces and pictures

    def face(self, namespace: str, face_id: str) -> FaceAnswer:
        """One face."""
        with self._stores.of(namespace) as store:
            face = store.face(face_id)
        if face is None:
            raise not_found("image", face_id)
        return self._resources(namespace).face(face)

    def faces(self, namespace: str, search: Search) -> list[FaceAnswer]:
        """Faces, of jobs and of identities."""
        with self._stores.of(namespace) as store:
            return list(map(self._resources(namespace).face, store.faces(search)))

    def face_picture(self, namespace: str, face_id: str) -> bytes:
        """The picture of a face, JPEG: its aligned crop."""
        with self._stores.of(namespace) as store:
            chip = store.chip(face_id)
        if chip is None:
            raise not_found("picture of the image", face_id)
        return kept_jpeg(np.ascontiguousarray(chip[:, :, ::-1]))

    def picture(self, namespace: str, image_id: str) -> bytes:
        """The whole picture of one image of a job, JPEG."""
        with self._stores.of(namespace) as store:
            jpeg = store.picture(image_id)
        if jpeg is None:
            raise not_found("picture", image_id)
        return jpeg

    # --- groups

    def group(self, namespace: str, group_id: str) -> GroupAnswer:
        """One group."""
        with self._stores.of(namespace) as store:
            group = store.group(group_id)
            if group is None:
                raise not_found("group", group_id)
            return self._group_answer(store, namespace, group)

    def groups(self, namespace: str, search: Search) -> list[GroupAnswer]:
        """Groups."""
        with self._stores.of(namespace) as store:
            return [self._group_answer(store, namespace, group) for group in store.groups(search)]

    # ---

    def _embed_lacking(self, store: HistoryStore, face_ids: Sequence[str]) -> None:
        """Have faces embedded that were kept with another model, or not good enough at the time."""
        if len(store.faces_by(face_ids)) < len(set(face_ids)):
            # Whoever heard of a camera's job may be quicker than the thread that writes it down.
            self._settle()
        lacking = store.chips_to_embed(face_ids, self._model_hash)
        if not lacking:
            return
        embeddings = self._looks.embed([chip for _, chip in lacking], LOOK_TIMEOUT_S)
        ids = [face_id for face_id, _ in lacking]
        store.add_embeddings_to_seen(self._model_hash, zip(ids, embeddings, strict=True))

    def _told(
        self, store: HistoryStore, namespace: str, identity: Identity, warnings: Sequence[str] = ()
    ) -> IdentityAnswer:
        self._changed()
        return self._answer(store, namespace, identity, warnings)

    def _answer(
        self, store: HistoryStore, namespace: str, identity: Identity, warnings: Sequence[str] = ()
    ) -> IdentityAnswer:
        return self._resources(namespace).identity(identity, store.faces_of_identity(identity.id), warnings)

    def _group_answer(self, store: HistoryStore, namespace: str, group: Group) -> GroupAnswer:
        faces = tuple(store.faces_of_group(group))
        return self._resources(namespace).group(
            StoredGroup(group.id, group.first_seen_ms, group.last_seen_ms, group.visits, faces)
        )

    def _resources(self, namespace: str) -> Resources:
        return Resources(namespace, self._addresses)


def _known(store: HistoryStore, identity_id: str) -> Identity:
    identity = store.identity(identity_id)
    if identity is None:
        raise not_found("identity", identity_id)
    return identity


@contextmanager
def _refusals() -> Iterator[None]:
    """What the store will not do contradicts what is there: a Problem (409)."""
    try:
        yield
    except IdentityError as error:
        raise Problem(
            Code.CONFLICT, f"{error.what}. {error.remedy}" if error.remedy else error.what
        ) from error
