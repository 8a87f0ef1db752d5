"""What many objects say is in memory once, and no object says anything else than before."""

from datetime import UTC, datetime

import msgspec

from krkn_grpc.kube import interning
from krkn_grpc.kube.client import Change
from krkn_grpc.kube.index import everything
from krkn_grpc.kube.interning import Interner
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.chaos_job import ChaosJob

TARGET = "11111111-1111-4111-8111-111111111111"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def a_job(name: str) -> ChaosJob:
    """A job as it is decoded: each of its texts and times is an object of its own."""
    text = f"""{{
        "metadata": {{"name": "{name}", "labels": {{"team": "one of the teams"}},
            "creationTimestamp": "2026-01-01T00:00:00Z"}},
        "spec": {{"jobId": "{name}", "targetUUID": "{TARGET}", "targetUID": "u",
            "targetSecretUUID": "s", "clusterAPIURL": "https://example.com",
            "scenarioName": "pod-scenarios", "scenarioImage": "registry.example/image"}},
        "status": {{"phase": "Succeeded", "conditions": [{{"type": "Finished", "status": "True",
            "reason": "Completed", "lastTransitionTime": "2026-01-01T00:00:00Z"}}]}}
    }}"""
    return msgspec.json.decode(text, type=ChaosJob)


def test_equal_texts_and_times_are_the_same_objects() -> None:
    pool = Interner()
    one, other = pool.share(a_job("a")), pool.share(a_job("b"))
    assert one.spec.target_uuid is other.spec.target_uuid
    assert one.spec.scenario_image is other.spec.scenario_image
    assert one.metadata.labels["team"] is other.metadata.labels["team"]
    assert one.metadata.creation_timestamp is other.metadata.creation_timestamp
    assert one.status.conditions[0].reason is other.status.conditions[0].reason
    assert one.metadata.name is one.spec.job_id


def test_the_object_says_what_it_said() -> None:
    job = a_job("a")
    assert Interner().share(job) is job
    assert job == a_job("a")
    assert job.metadata.creation_timestamp == AT


def test_what_is_said_but_once_does_not_stay() -> None:
    pool = Interner()
    for number in range(interning.MOST // 2):
        pool.share(a_job(str(number)))
    assert len(pool) <= interning.MOST + 100


def test_what_a_cache_keeps_is_shared() -> None:
    contents: ObjectCache[ChaosJob] = ObjectCache(everything)
    for revision, name in enumerate(("a", "b"), start=2):
        contents.apply(Change("ADDED", a_job(name), revision))
    one, other = contents.values()
    assert one.spec.target_uuid is other.spec.target_uuid
