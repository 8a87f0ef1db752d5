"""Watchers with the same filter are told of a change by the same message."""

from krkn_grpc.kube.object_cache import CacheChange
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobSpec, ChaosJobStatus, Phase
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server import tokens
from krkn_grpc.server.runs import filters
from krkn_grpc.server.runs.filters import Filter
from krkn_grpc.server.runs.watch import FORM, Message
from krkn_grpc.server.watch import MOST_MESSAGES, Messages
from krkn_grpc.v1 import scenario_runs_pb2 as pb


def job(phase: Phase, revision: int) -> ChaosJob:
    spec = ChaosJobSpec(
        job_id="a",
        target_uuid="t",
        target_uid="u",
        target_secret_uuid="s",
        cluster_api_url="https://example.com",
        scenario_name="pods",
        scenario_image="i",
    )
    metadata = ObjectMeta(name="a", resource_version=str(revision))
    return ChaosJob(metadata=metadata, spec=spec, status=ChaosJobStatus(phase=phase))


def change(before: Phase, after: Phase, revision: int) -> CacheChange[ChaosJob]:
    return CacheChange(job(before, revision - 1), job(after, revision), revision, is_whole=True)


def only(status: str = "") -> Filter:
    return filters.checked(pb.WatchScenarioRunsRequest(status=status))


def told(
    messages: Messages[ChaosJob, Message], of: CacheChange[ChaosJob], status: str = ""
) -> Message:
    message = messages.of(of, only(status))
    assert message is not None
    return message


def test_one_message_for_all_with_the_same_filter() -> None:
    messages, started = Messages(FORM), change("Pending", "Running", 2)
    assert told(messages, started) is told(messages, started)
    assert told(messages, started).job.status == "Running"


def test_what_changes_nothing_that_is_shown_is_not_told() -> None:
    unseen = change("Running", "Running", 2)
    assert Messages(FORM).of(unseen, only()) is None
    assert Messages(FORM).of(unseen, only("Running")) is None


def test_each_filter_has_its_own() -> None:
    messages, started = Messages(FORM), change("Pending", "Running", 2)
    types = [told(messages, started, status).type for status in ("", "Running", "Pending")]
    assert types == ["MODIFIED", "ADDED", "DELETED"]
    assert messages.of(started, only("Failed")) is None
    given = {told(messages, started, status).resume_token for status in ("", "Running")}
    assert len(given) == 2


def test_each_change_has_its_own_though_they_are_many() -> None:
    messages = Messages(FORM)
    for revision in range(2, 3 * MOST_MESSAGES):
        # Each is gone at once, so that the next may well be in its place in memory.
        message = told(messages, change("Pending", "Running", revision))
        assert message.resume_token == tokens.write_revision(revision, only().spelling)
