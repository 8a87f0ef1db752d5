"""How a scenario ended is known after its pod is gone, to a process that saw it go."""

import msgspec
import pytest

from controller.jobs.tombstones import Tombstones
from krkn_grpc.kube.client import Change
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.pod import Pod
from tests.unit.controller.jobs.builders import A_POD, POD_UID, PodBuilder


def at(revision: int, builder: PodBuilder = A_POD) -> Pod:
    pod = builder.build()
    metadata = msgspec.structs.replace(pod.metadata, resource_version=str(revision))
    return msgspec.structs.replace(pod, metadata=metadata)


class Followed:
    def __init__(self, most: int = 8) -> None:
        self.pods: ObjectCache[Pod] = ObjectCache()
        self.tombstones = Tombstones(self.pods, most)
        self.pods.replace([], 100)


@pytest.fixture
def followed() -> Followed:
    return Followed()


def test_the_last_state_of_a_pod_that_went(followed: Followed) -> None:
    followed.pods.apply(Change("ADDED", at(101), 101))
    ended = at(102, A_POD.ended(7))
    followed.pods.apply(Change("MODIFIED", ended, 102))
    assert followed.tombstones.get(POD_UID) is None
    followed.pods.apply(Change("DELETED", ended, 103))
    stone = followed.tombstones.get(POD_UID)
    assert stone is not None
    assert stone.pod == ended


def test_a_pod_that_took_the_place_of_another_at_once(followed: Followed) -> None:
    followed.pods.apply(Change("ADDED", at(101), 101))
    followed.pods.apply(Change("MODIFIED", at(103, A_POD.of("another")), 103))
    assert followed.tombstones.get(POD_UID) is not None
    assert followed.tombstones.get("another") is None


def test_a_pod_that_went_while_nothing_was_told(followed: Followed) -> None:
    followed.pods.apply(Change("ADDED", at(101, A_POD.running()), 101))
    followed.pods.replace([], 200)
    assert followed.tombstones.get(POD_UID) is None, "nobody knows its last state"


def test_an_end_that_was_seen_before_nothing_was_told(followed: Followed) -> None:
    followed.pods.apply(Change("ADDED", at(101, A_POD.ended(3)), 101))
    followed.pods.replace([], 200)
    stone = followed.tombstones.get(POD_UID)
    assert stone is not None
    assert stone.pod.is_terminal


def test_a_pod_that_was_never_seen(followed: Followed) -> None:
    assert followed.tombstones.get(POD_UID) is None


def test_the_oldest_are_forgotten() -> None:
    followed = Followed(most=2)
    for number in range(3):
        pod = at(110 + number, A_POD.of(f"uid-{number}"))
        followed.pods.apply(Change("ADDED", pod, 110 + number))
        followed.pods.apply(Change("DELETED", pod, 120 + number))
    known = [followed.tombstones.get(f"uid-{number}") is not None for number in range(3)]
    assert known == [False, True, True]
