"""A repetition is the same call; whatever else was asked for is another one."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.runs.idempotency_record import Identity, Record, identity
from tests.unit.server.runs.requests import NOW, a_file, a_run

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


def a_record(uid: str, at: datetime = NOW, **annotations: str) -> Record:
    metadata = ObjectMeta(uid=uid, annotations=annotations)
    return Record(Lease(metadata=metadata, spec=LeaseSpec(acquire_time=at)), is_new=False)


def test_a_record_and_a_target_give_a_job_its_id() -> None:
    one, other = a_record(str(uuid.uuid4())), a_record(str(uuid.uuid4()))
    ids = [record.job_id(target) for record in (one, other) for target in ("a", "b", "../x", "")]
    assert all(map(is_id, ids))
    assert len(set(ids)) == len(ids)
    assert one.job_id("a") == a_record(one.lease.metadata.uid).job_id("a")


def test_the_jobs_of_a_later_request_have_greater_ids() -> None:
    moments = [NOW + timedelta(milliseconds=number) for number in range(20)]
    ids = [a_record(str(uuid.uuid4()), at).job_id("a") for at in moments]
    assert ids == sorted(ids)


def test_a_record_knows_which_of_its_jobs_a_controller_has_seen() -> None:
    uid = str(uuid.uuid4())
    seen = a_record(uid).job_id("a")
    record = a_record(uid, NOW, **{well_known.claimed(seen): "uid-of-job"})
    assert record.is_claimed(seen)
    assert not record.is_claimed(record.job_id("b"))


def test_with_a_request_id_that_and_the_caller_name_the_record() -> None:
    first = call(request_id=REQUEST_ID)
    assert first.run_id == call(request_id=REQUEST_ID, call_id="another").run_id
    assert first.run_id == call(request_id=REQUEST_ID, timeout_seconds=5).run_id
    assert is_id(first.run_id)
    assert first.holder == REQUEST_ID
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


def test_a_run_id_is_in_the_name_of_its_record() -> None:
    metadata = ObjectMeta(name=names.request_record(REQUEST_ID), uid="uid")
    assert Record(Lease(metadata=metadata), is_new=True).run_id == REQUEST_ID
