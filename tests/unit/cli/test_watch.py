"""One story of the messages of several streams."""

import pytest

from krkn_grpc.cli.watch import WatchState
from krkn_grpc.v1.scenario_runs_pb2 import Job
from krkn_grpc.v1.scenario_runs_pb2 import WatchScenarioRunsResponse as Message

SYNCED = ("SYNCED", "", "")


def message(kind: str, job: str = "", status: str = "", token: str = "") -> Message:
    said = Message(type=kind, resume_token=token)
    if job:
        said.job.CopyFrom(Job(job_id=job, status=status))
    return said


def taken(picture: WatchState, *messages: Message) -> list[tuple[str, str, str]]:
    """What the messages add to the story: kind, job and status."""
    changes = [change for each in messages for change in picture.take(each)]
    jobs = [(change.kind, change.job or Job()) for change in changes]
    return [(kind, job.job_id, job.status) for kind, job in jobs]


@pytest.fixture
def picture() -> WatchState:
    """Two jobs have been told, and all that there was."""
    begun = WatchState()
    begun.stream_begins()
    present = message("ADDED", "a", "Pending"), message("ADDED", "b", "Pending")
    assert taken(begun, *present) == []
    assert taken(begun, message("SYNCED", token="1")) == [
        ("ADDED", "a", "Pending"),
        ("ADDED", "b", "Pending"),
        SYNCED,
    ]
    return begun


def test_changes_are_told(picture: WatchState) -> None:
    assert taken(
        picture,
        message("MODIFIED", "a", "Running", "2"),
        message("ADDED", "c", "Pending", "3"),
        message("DELETED", "b", "Failed", "4"),
    ) == [("MODIFIED", "a", "Running"), ("ADDED", "c", "Pending"), ("DELETED", "b", "Failed")]
    assert picture.resume_token == "4"


def test_what_was_told_is_not_told_again(picture: WatchState) -> None:
    picture.stream_begins()
    replayed = (
        message("ADDED", "a", "Pending", "2"),
        message("DELETED", "b", "Pending", "3"),
        message("DELETED", "b", "Pending", "3"),
    )
    assert taken(picture, *replayed) == [("DELETED", "b", "Pending")]


def test_a_message_without_a_token_keeps_the_last(picture: WatchState) -> None:
    taken(picture, message("MODIFIED", "a", "Running"))
    assert picture.resume_token == "1"


def test_begun_anew_only_what_differs_is_told(picture: WatchState) -> None:
    picture.token_is_too_old()
    picture.stream_begins()
    assert taken(
        picture,
        message("ADDED", "a", "Succeeded"),
        message("ADDED", "c", "Pending"),
        message("SYNCED", token="9"),
    ) == [("DELETED", "b", "Pending"), ("MODIFIED", "a", "Succeeded"), ("ADDED", "c", "Pending")]
    assert picture.resume_token == "9"


def test_a_beginning_that_was_cut_counts_for_nothing(picture: WatchState) -> None:
    picture.token_is_too_old()
    picture.stream_begins()
    assert taken(picture, message("ADDED", "b", "Failed")) == []
    picture.stream_begins()
    assert taken(picture, message("ADDED", "a", "Pending"), message("SYNCED")) == [
        ("DELETED", "b", "Pending")
    ]
