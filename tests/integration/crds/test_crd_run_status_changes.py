"""What may change in a run's status: its phase, and the claims of the start protocol."""

import uuid
from itertools import product

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.custom_objects import RUNS, Stored, assert_refused, store

PHASES = ["Pending", "Running", "Succeeded", "PartiallyFailed", "Failed", "Stopped"]
ALLOWED = {("Pending", "Running"), *product(PHASES[:2], PHASES[2:]), *((p, p) for p in PHASES)}
STAYS = "a claim stays"
JOB, OTHER_JOB = str(uuid.uuid4()), str(uuid.uuid4())


@pytest.mark.parametrize(("before", "after"), list(product(PHASES, PHASES)))
async def test_a_phase_goes_forward_only(
    control_plane: ControlPlane, namespace: str, before: str, after: str
) -> None:
    run = await store(control_plane.cluster, namespace, RUNS)
    await run.set_status(phase=before)
    if (before, after) in ALLOWED:
        assert (await run.set_status(phase=after))["status"]["phase"] == after
    else:
        await assert_refused(run.set_status(phase=after), "a phase goes from Pending to Running")


@pytest.mark.parametrize("phase", PHASES[1:])
async def test_a_phase_is_not_taken_away(
    control_plane: ControlPlane, namespace: str, phase: str
) -> None:
    # Its default is Pending.
    run = await store(control_plane.cluster, namespace, RUNS)
    await run.set_status(phase=phase)
    await assert_refused(run.set_status(phase=None), "a phase goes")
    await assert_refused(run.merge({"status": None}, "/status"), "a phase goes")


@pytest.mark.parametrize("phase", ["Stopping", "Unknown", ""])
async def test_there_is_no_other_phase(
    control_plane: ControlPlane, namespace: str, phase: str
) -> None:
    run = await store(control_plane.cluster, namespace, RUNS)
    await assert_refused(run.set_status(phase=phase), "status.phase: Unsupported value")


async def _claimed(control_plane: ControlPlane, namespace: str, phase: str) -> Stored:
    run = await store(control_plane.cluster, namespace, RUNS)
    await run.set_status(phase=phase, claims={JOB: "the-uid"})
    return run


@pytest.mark.parametrize("phase", PHASES)
async def test_a_claim_stays(control_plane: ControlPlane, namespace: str, phase: str) -> None:
    run = await _claimed(control_plane, namespace, phase)
    claimed = await run.read()
    await assert_refused(run.set_status(claims={JOB: "another"}), STAYS)
    await assert_refused(run.set_status(claims={JOB: ""}), STAYS)
    await assert_refused(run.set_status(claims={JOB: None}), STAYS)
    await assert_refused(run.set_status(claims={JOB: None, OTHER_JOB: "the-uid"}), STAYS)
    await assert_refused(run.set_status(claims=None), STAYS)
    await assert_refused(run.merge({"status": None}, "/status"), STAYS)
    await assert_refused(run.replace(claimed | {"status": {"phase": phase}}, "/status"), STAYS)
    without = {name: part for name, part in claimed.items() if name != "status"}
    await assert_refused(run.replace(without, "/status"), STAYS)
    assert await run.read() == claimed


async def test_other_claims_may_be_added(control_plane: ControlPlane, namespace: str) -> None:
    run = await _claimed(control_plane, namespace, "Running")
    added = await run.set_status(claims={OTHER_JOB: "another"})
    assert added["status"]["claims"] == {JOB: "the-uid", OTHER_JOB: "another"}
    await assert_refused(run.set_status(claims={OTHER_JOB: "the-uid"}), STAYS)


async def test_a_change_of_the_spec_leaves_the_claims(
    control_plane: ControlPlane, namespace: str
) -> None:
    run = await _claimed(control_plane, namespace, "Running")
    await run.merge({"metadata": {"annotations": {"a": "b"}}, "status": {"claims": None}})
    assert (await run.read())["status"]["claims"] == {JOB: "the-uid"}


@pytest.mark.parametrize(
    ("status", "violation"),
    [
        ({"counts": {"total": -1}}, "status.counts.total"),
        ({"startTime": "today"}, "status.startTime"),
        ({"completionTime": "today"}, "status.completionTime"),
        ({"departed": ["a"]}, "status.departed[0]"),
        ({"departed": [JOB] * 1001}, "status.departed: Too many"),
        ({"departedCounts": {"failed": -1}}, "status.departedCounts.failed"),
        ({"claims": {JOB: "a" * 65}}, "status.claims"),
        ({"claims": {f"a{number}": "" for number in range(1001)}}, "status.claims: Too many"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_wrong_field_of_the_status_is_refused(
    control_plane: ControlPlane, namespace: str, status: dict[str, object], violation: str
) -> None:
    run = await store(control_plane.cluster, namespace, RUNS)
    await assert_refused(run.set_status(**status), violation)
