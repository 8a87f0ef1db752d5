"""What others say fits into a status, whatever they say."""

from typing import Any

import pytest
import yaml

from controller.jobs import statuses
from controller.jobs.events import event_for
from controller.reason import Reason
from deploy.local.services import REPOSITORY
from krkn_grpc.resources import target_conditions
from krkn_grpc.resources.bounds import LONGEST, cut
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.meta import Condition, Resource
from krkn_grpc.resources.target import Target
from tests.unit.controller.jobs.builders import NOW, a_job, a_target, running

CRDS = REPOSITORY / "deploy" / "crds"
NASTY = ["x" * 70_000, "\U000e0001" * 20_000, "é" * 40_000, "\n" * 70_000]


def bounds_of(resource: type[Resource]) -> dict[str, int]:
    """What the CRD says of the texts in a status that are not ours alone."""
    crd = yaml.safe_load((CRDS / f"{resource.KIND.plural}.yaml").read_text())
    [version] = crd["spec"]["versions"]
    status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
    parts: dict[str, Any] = {name: status[name] for name in ("reason", "message") if name in status}
    condition = status["conditions"]["items"]["properties"]
    parts |= {f"conditions[].{name}": condition[name] for name in ("reason", "message")}
    return {path: part["maxLength"] for path, part in parts.items()}


def test_the_bounds_are_those_of_the_crds() -> None:
    assert bounds_of(ChaosJob) == dict(LONGEST)
    assert bounds_of(Target).items() <= LONGEST.items()


@pytest.mark.parametrize(
    ("text", "most", "mark", "expected"),
    [
        pytest.param("fits", 4, "...", "fits", id="it fits"),
        pytest.param("too long", 7, "...", "too ...", id="it is cut"),
        pytest.param("word", 3, "", "wor", id="a word is cut without a mark"),
        pytest.param("ééé", 6, "...", "ééé", id="bytes count"),
        pytest.param("éééé", 6, "...", "é...", id="no character is cut in two"),
        pytest.param("\U000e0001" * 3, 9, "...", "\U000e0001...", id="of four bytes each"),
        pytest.param("", 4, "...", "", id="nothing"),
    ],
)
def test_a_text_is_cut(text: str, most: int, mark: str, expected: str) -> None:
    assert cut(text, most, mark) == expected


def fits(text: str, path: str) -> bool:
    return len(text.encode()) <= LONGEST[path]


def all_fit(found: list[Condition]) -> bool:
    return all(
        fits(each.reason, "conditions[].reason") and fits(each.message, "conditions[].message")
        for each in found
    )


@pytest.mark.parametrize("text", NASTY, ids=["ASCII", "four bytes", "two bytes", "line breaks"])
def test_every_status_of_a_job_fits(text: str) -> None:
    job, why = running(a_job()), Reason(text, text)
    for status in (
        statuses.waiting(job, why),
        statuses.ending(job, why, NOW),
        statuses.failed(job, why, NOW),
        statuses.without_pod(job, why, NOW),
    ):
        assert fits(status.reason, "reason")
        assert fits(status.message, "message")
        assert all_fit(status.conditions)
        plain = statuses.plain(status)
        assert (plain.phase, plain.reason) == (status.phase, "Unknown")
        assert plain.message == "The API server refused the text that says why."


@pytest.mark.parametrize("text", NASTY, ids=["ASCII", "four bytes", "two bytes", "line breaks"])
def test_every_status_of_a_target_fits(text: str) -> None:
    for status in (
        target_conditions.refused(a_target(), "DuplicateName", text, NOW),
        target_conditions.checked(a_target(), False, "Unreachable", text, NOW),
    ):
        assert all_fit(status.conditions)
        plain = target_conditions.plain(status)
        assert [one.reason for one in plain.conditions] == [one.reason for one in status.conditions]
        assert text[:10] not in str(plain)


@pytest.mark.parametrize("text", NASTY, ids=["ASCII", "four bytes", "two bytes", "line breaks"])
def test_an_event_fits(text: str) -> None:
    """Kubernetes counts its bytes."""
    job = running(a_job())
    status = statuses.failed(job, Reason(text, text), NOW)
    told = event_for(job, ChaosJob(metadata=job.metadata, spec=job.spec, status=status), NOW)
    assert told is not None
    assert len(told.note.encode()) <= 1_024
    assert len(told.reason.encode()) <= 128


def test_a_plain_status_keeps_its_word() -> None:
    status = statuses.failed(running(a_job()), Reason("ScenarioFailed", "It said something."), NOW)
    assert statuses.plain(status).reason == "ScenarioFailed"
    assert statuses.plain(statuses.waiting(a_job(), Reason("", ""))).message == ""
