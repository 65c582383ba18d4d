"""Reads a namespace's people and unknown people, and surveys them for `edged calibrate`."""

from collections.abc import Iterator
from dataclasses import dataclass

from edged.domain.errors import IdentityError, InputError
from edged.evaluation.site import EnrolledPerson, Site
from edged.evaluation.site_report import SiteReport
from edged.evaluation.site_survey import surveyed
from edged.recognition.advice import occasion_of
from edged.recognition.calibration import Calibration
from edged.settings.recognition import Recognition
from edged.store.group_store import GroupStore
from edged.store.namespace_chips import embeddings_from_bytes
from edged.store.namespace_store import NamespaceStore

_EMBED = "Start the daemon once: it embeds every face whose chip was kept."
_UNSEEN = "Not looked at, for want of an embedding by the model in use"


@dataclass(frozen=True, slots=True)
class InUse:
    """What the daemon decides by.

    Attributes:
        recognition: the settings as they are.
        model_hash, calibration: of the embedder.
        keeps_groups: whether unknown people are recorded.
    """

    recognition: Recognition
    model_hash: str
    calibration: Calibration
    keeps_groups: bool


@dataclass(frozen=True, slots=True)
class HouseReport:
    """What was found, and what could not be looked at.

    Attributes:
        found: the figures.
        notes: sentences about what is missing, and what to do about it.
    """

    found: SiteReport
    notes: tuple[str, ...]


def survey_namespace(store: NamespaceStore, namespace: str, in_use: InUse) -> HouseReport:
    """Survey one namespace by the model in use; changes nothing.

    Raises IdentityError where nobody is enrolled, InputError where nobody has a face by the model, and
    StoreError.
    """
    model_hash = in_use.model_hash
    people, unseen = _people(store, model_hash)
    if not people and not unseen:
        raise IdentityError(
            f"nobody is enrolled in namespace {namespace}",
            remedy="There is nothing to calibrate by: `edged identities add` enrols.",
        )
    if not people:
        raise InputError(
            f"none of the {unseen} enrolled faces in namespace {namespace} has an embedding by the model in"
            f" use ({model_hash[:12]})",
            remedy=_EMBED,
        )
    change = GroupStore(store).changes_since(-1, model_hash)
    site = Site(tuple(people), () if change is None else change.changed)
    found = surveyed(site, in_use.recognition, in_use.calibration)
    return HouseReport(found, tuple(_notes(site, found, unseen, keeps_groups=in_use.keeps_groups)))


def _people(store: NamespaceStore, model_hash: str) -> tuple[list[EnrolledPerson], int]:
    """Everybody with a face by the model, and how many faces have none."""
    people: list[EnrolledPerson] = []
    unseen = 0
    for identity in store.identities():
        vectors, occasions = [], []
        for face in store.face_records(identity.id, without_broken=True):
            vector = dict(face.vectors).get(model_hash)
            if vector is None:
                unseen += 1
                continue
            vectors.append(vector)
            occasions.append(occasion_of(face.source))
        if vectors:
            people.append(EnrolledPerson(identity, embeddings_from_bytes(vectors), tuple(occasions)))
    return people, unseen


def _notes(site: Site, found: SiteReport, unseen: int, *, keeps_groups: bool) -> Iterator[str]:
    if unseen:
        yield f"{_UNSEEN}: {unseen} of the enrolled faces. {_EMBED}"
    if found.people == 1:
        yield (
            f"Only {site.people[0].identity.label} is enrolled: whether two people are taken for one another"
            " cannot be seen."
        )
    if not found.pictures_tried:
        yield (
            "Nobody has two different enrolled faces, so that none can be tried against the others: whether"
            " the enrolled people are recognised cannot be seen. Enrol three varied pictures of everybody."
        )
    yield from _notes_of_groups(site, found, keeps_groups=keeps_groups)


def _notes_of_groups(site: Site, found: SiteReport, *, keeps_groups: bool) -> Iterator[str]:
    unseen = len(site.groups) - found.groups
    if not keeps_groups:
        yield (
            "`groups.enabled` is off: nothing of unknown people is kept. Without recorded strangers no offset"
            " can be found; switch it on for some days, and calibrate again."
        )
    elif not site.groups:
        yield (
            "No unknown people were recorded yet. Let the daemon run for some days, and calibrate again:"
            f" it takes {found.proposal.strangers_needed} strangers to find an offset."
        )
    if unseen:
        yield f"{_UNSEEN}: {unseen} of the groups. {_EMBED}"
