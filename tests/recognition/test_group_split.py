"""A group that two people got into falls apart where they differ."""

from builders.groups import CALIBRATION, FALSE_MERGE, THEN_MS, a_track_id, looks_of
from edged.domain.group import KeptTrack
from edged.recognition.group_split import clusters, split


def a_kept_track(number, person, *, apart=0.15):
    mean = looks_of(person, view=number, apart=apart)
    return KeptTrack(a_track_id(number), 0, THEN_MS, THEN_MS, mean, 2.0)


def ids(*numbers):
    return tuple(a_track_id(number) for number in numbers)


def test_two_people_fall_into_two_clusters_with_the_oldest_track_first():
    tracks = [a_kept_track(n, person) for n, person in enumerate((5, 6, 5, 6, 5))]

    found = split(tracks, CALIBRATION, FALSE_MERGE)

    assert found is not None
    assert found.clusters == (ids(0, 2, 4), ids(1, 3))
    assert found.false_merge < FALSE_MERGE


def test_one_person_does_not_fall_apart():
    assert split([a_kept_track(n, 5, apart=0.01) for n in range(4)], CALIBRATION, FALSE_MERGE) is None


def test_tracks_without_a_mean_stay_with_the_oldest():
    blind = KeptTrack(a_track_id(9), 0, THEN_MS, THEN_MS, None, 0.0)
    tracks = [blind, a_kept_track(1, 5), a_kept_track(2, 6)]

    assert clusters(tracks, CALIBRATION, FALSE_MERGE) == (ids(9, 1), ids(2))
    assert clusters([blind], CALIBRATION, FALSE_MERGE) == (ids(9),)
    assert clusters([], CALIBRATION, FALSE_MERGE) == ()


def test_every_track_is_in_one_cluster_whatever_the_level():
    tracks = [a_kept_track(n, n % 4, apart=0.4) for n in range(9)]

    for level in (1e-1, 1e-3, 1e-6, 1e-12):
        found = clusters(tracks, CALIBRATION, level)
        assert sorted(one for cluster in found for one in cluster) == sorted(track.id for track in tracks)
