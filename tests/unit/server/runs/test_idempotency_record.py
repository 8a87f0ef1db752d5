"""A repetition is the same call; whatever else was asked for is another one."""

import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from krkn_grpc.resources.chaos_run import RefusedTarget
from krkn_grpc.resources.ids import is_id
from krkn_grpc.server.runs.idempotency_record import Identity, Record, identity
from tests.unit.server.runs.requests import A_CHAOS_RUN, NOW, a_file, a_run

TARGETS = ["a", "b"]
REGISTRY = {"registry_url": "r.example", "username": "u", "password": "p"}
WHOLE: dict[str, Any] = {
    "target_uuids": TARGETS,
    "environment": {"A": "1", "B": "2"},
    "secret_environment": {"S": "one"},
    "files": [a_file(name="f", mount_path="/f"), a_file(name="g", mount_path="/g")],
    "labels": {"l": "m", "n": "o"},
    "timeout_seconds": 60,
    "ttl_seconds_after_finished": 60,
    **REGISTRY,
}


REQUEST_ID = str(uuid.uuid4())


def call(caller: str = "alice", call_id: str = "a-call", **changes: Any) -> Identity:
    """The identity of the whole request with these changes."""
    return identity(a_run(**(WHOLE | changes)), caller, call_id)


def of(**changes: Any) -> str:
    """The fingerprint of the whole request with these changes."""
    return call(**({"request_id": REQUEST_ID} | changes)).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"environment": {"B": "2", "A": "1"}}, id="the order of a map"),
        pytest.param({"kubeconfig_path": "/home/krkn/.kube/config"}, id="a default, written out"),
    ],
)
def test_the_same_request(changes: dict[str, Any]) -> None:
    assert of(**changes) == of()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"target_uuids": ["a"]}, id="fewer targets"),
        pytest.param({"target_uuids": ["a", "b", "c"]}, id="more targets"),
        pytest.param({"target_uuids": ["b", "a"]}, id="another order"),
        pytest.param({"scenario_image": "j"}, id="image"),
        pytest.param({"scenario_name": "o"}, id="name"),
        pytest.param({"kubeconfig_path": "/k"}, id="path"),
        pytest.param({"environment": {"A": "1"}}, id="a variable less"),
        pytest.param({"environment": {"A": "1", "B": "3"}}, id="a variable's value"),
        pytest.param({"secret_environment": {"T": "one"}}, id="a secret's name"),
        pytest.param({"secret_environment": {}}, id="no secret"),
        pytest.param({"secret_environment": {"S": "another"}}, id="a secret"),
        pytest.param({"password": "another"}, id="a password"),
        pytest.param({"password": "", "token": "t"}, id="a token for a password"),
        pytest.param(
            {
                "files": [
                    a_file(name="f", mount_path="/f", content="eA=="),
                    a_file(name="g", mount_path="/g"),
                ]
            },
            id="the content of a file",
        ),
        pytest.param({"files": [a_file(name="f", mount_path="/f")]}, id="a file less"),
        pytest.param({"files": [a_file(mount_path="/f"), a_file(mount_path="/h")]}, id="a place"),
        pytest.param({"labels": {"l": "m"}}, id="labels"),
        pytest.param({"timeout_seconds": 61}, id="timeout"),
        pytest.param({"ttl_seconds_after_finished": 0}, id="time to live"),
        pytest.param({"queue_seconds": 0}, id="time in the queue"),
        pytest.param({"on_busy": "Refuse"}, id="what to do on a busy target"),
        pytest.param({"max_parallel": 1}, id="how many at once"),
        pytest.param({"max_failures": 0}, id="how many may fail"),
        pytest.param({"abort_running": True}, id="what to do with those that run"),
        pytest.param({"abort_on": ['{a="b"}']}, id="alerts"),
        pytest.param({"require_ready": True}, id="requireReady"),
        pytest.param({"username": "v"}, id="user"),
        pytest.param({"registry_url": "s.example"}, id="registry"),
        pytest.param({"skip_tls": True}, id="an option without effect"),
        pytest.param({"scenario_repository": "x"}, id="another option without effect"),
    ],
)
def test_another_request(changes: dict[str, Any]) -> None:
    assert of(**changes) != of()


def test_what_is_not_used_is_asked_for_all_the_same() -> None:
    no_login = {"username": "", "password": "", "registry_url": ""}
    assert of(**no_login) != of(**(no_login | {"registry_url": "r.example"}))
    one, other = ({"scenario_repository": text} for text in "ab")
    assert of(**one) != of(**other)


def a_record(age: timedelta, *, is_new: bool = False) -> Record:
    """The record of a call that was made so long ago."""
    metadata = msgspec.structs.replace(A_CHAOS_RUN.metadata, creation_timestamp=NOW - age)
    return Record(msgspec.structs.replace(A_CHAOS_RUN, metadata=metadata), is_new=is_new)


def test_a_record_knows_the_job_of_each_target_and_who_gets_none() -> None:
    refused = RefusedTarget(target_uuid="b", error="no")
    spec = msgspec.structs.replace(A_CHAOS_RUN.spec, refused=[refused])
    record = Record(msgspec.structs.replace(A_CHAOS_RUN, spec=spec), is_new=False)
    [target] = spec.targets
    assert record.job_ids == {target.target_uuid: target.job_id}
    assert record.refused == {"b": "no"}


@pytest.mark.parametrize(
    ("seconds", "is_closed"), [(0, False), (119, False), (120, True), (1_000_000, True)]
)
def test_a_missing_job_is_written_only_for_a_while(seconds: int, is_closed: bool) -> None:
    """A call that begins now may write for 25 seconds; 145 after the first all is written."""
    longest, age = timedelta(seconds=25), timedelta(seconds=seconds)
    assert a_record(age).is_closed(NOW, longest) is is_closed
    assert not a_record(age, is_new=True).is_closed(NOW, longest)


def test_with_a_request_id_that_and_the_caller_name_the_record() -> None:
    first = call(request_id=REQUEST_ID)
    assert first.run_id == call(request_id=REQUEST_ID, call_id="another").run_id
    assert first.run_id == call(request_id=REQUEST_ID, timeout_seconds=5).run_id
    assert is_id(first.run_id)
    others = [
        call(request_id=str(uuid.uuid4())),
        call(request_id=REQUEST_ID, caller="bob"),
        call(call_id=REQUEST_ID),
    ]
    assert len({first.run_id, *(other.run_id for other in others)}) == 4


def test_without_one_a_call_is_the_same_only_when_all_of_it_is() -> None:
    first = call()
    assert first == call()
    assert is_id(first.run_id)
    others = [
        call(call_id="another"),
        call(caller="bob"),
        call(timeout_seconds=5),
        call(secret_environment={"S": "another"}),
        call(target_uuids=["b", "a"]),
    ]
    assert len({first.run_id, *(other.run_id for other in others)}) == 6


def test_a_reader_of_the_record_cannot_compare_secrets() -> None:
    one, other = (call(request_id=str(uuid.uuid4())).fingerprint for _ in range(2))
    assert one != other, "each record has a salt of its own"
