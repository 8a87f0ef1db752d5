"""One story of the messages of several streams."""

from collections.abc import AsyncGenerator

import pytest

from krkn_grpc.client.errors import TooOld
from krkn_grpc.client.watching import Change, Watched, WatchState
from krkn_grpc.v1.scenario_runs_pb2 import Job
from krkn_grpc.v1.scenario_runs_pb2 import WatchScenarioRunsResponse as Message

SYNCED = ("SYNCED", "", "")
State = WatchState[Message, Job]


def message(kind: str, job: str = "", status: str = "", token: str = "") -> Message:
    said = Message(type=kind, resume_token=token)
    if job:
        said.job.CopyFrom(Job(job_id=job, status=status))
    return said


def taken(picture: State, *messages: Message) -> list[tuple[str, str, str]]:
    """What the messages add to the story: kind, job and status."""
    changes = [change for each in messages for change in picture.take(each)]
    return [
        (str(change.type), change.object.job_id, change.object.status)
        if isinstance(change, Change)
        else SYNCED
        for change in changes
    ]


async def never(resume_token: str) -> AsyncGenerator[Message, None]:
    """Open no stream: these tests bring the messages."""
    raise AssertionError(resume_token)
    yield


@pytest.fixture
def picture() -> State:
    """Two jobs have been told, and all that there was."""
    watched = Watched[Message, Job](never, lambda told: told.job, lambda job: job.job_id)
    begun = WatchState(watched)
    begun.stream_begins()
    present = message("ADDED", "a", "Pending"), message("ADDED", "b", "Pending")
    assert taken(begun, *present) == []
    assert taken(begun, message("SYNCED", token="1")) == [
        ("ADDED", "a", "Pending"),
        ("ADDED", "b", "Pending"),
        SYNCED,
    ]
    return begun


def test_changes_are_told(picture: State) -> None:
    assert taken(
        picture,
        message("MODIFIED", "a", "Running", "2"),
        message("ADDED", "c", "Pending", "3"),
        message("DELETED", "b", "Failed", "4"),
    ) == [("MODIFIED", "a", "Running"), ("ADDED", "c", "Pending"), ("DELETED", "b", "Failed")]
    assert picture.resume_token == "4"


def test_what_was_told_is_not_told_again(picture: State) -> None:
    picture.stream_begins()
    replayed = (
        message("ADDED", "a", "Pending", "2"),
        message("DELETED", "b", "Pending", "3"),
        message("DELETED", "b", "Pending", "3"),
    )
    assert taken(picture, *replayed) == [("DELETED", "b", "Pending")]


def test_a_message_without_a_token_keeps_the_last(picture: State) -> None:
    taken(picture, message("MODIFIED", "a", "Running"))
    assert picture.resume_token == "1"


def test_begun_anew_only_what_differs_is_told(picture: State) -> None:
    picture.token_is_too_old()
    picture.stream_begins()
    assert taken(
        picture,
        message("ADDED", "a", "Succeeded"),
        message("ADDED", "c", "Pending"),
        message("SYNCED", token="9"),
    ) == [("DELETED", "b", "Pending"), ("MODIFIED", "a", "Succeeded"), ("ADDED", "c", "Pending")]
    assert picture.resume_token == "9"


def test_a_beginning_that_was_cut_counts_for_nothing(picture: State) -> None:
    picture.token_is_too_old()
    picture.stream_begins()
    assert taken(picture, message("ADDED", "b", "Failed")) == []
    picture.stream_begins()
    assert taken(picture, message("ADDED", "a", "Pending"), message("SYNCED")) == [
        ("DELETED", "b", "Pending")
    ]


def test_an_error_is_typed(picture: State) -> None:
    ended = message("ERROR")
    ended.error.code, ended.error.message = 11, "the token is too old"
    with pytest.raises(TooOld, match="the token is too old"):
        picture.take(ended)
