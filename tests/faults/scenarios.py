"""What is done with a job, and what must be true afterwards, whatever happened on the way."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from krkn_grpc.resources import names, well_known
from tests.support.chaos_runs import a_run
from tests.support.custom_objects import JOBS, LOGS, Manifest
from tests.support.jobs import FINAL, Jobs
from tests.support.kept_logs import why_not_kept
from tests.support.object_watch import ObjectWatch

Deed = Literal["nothing", "stop at once", "stop", "delete the pod", "delete the job"]


@dataclass(frozen=True)
class Play:
    """A job, what is done with it, and the ends that are right: phase and exit code."""

    name: str
    behaviour: str
    deed: Deed
    ends: tuple[tuple[str, int | None], ...]
    seconds: float = 60.0
    waits: bool = False
    """Whether it is the second job of a run that has one at a time."""

    async def act(self, jobs: Jobs, watch: ObjectWatch, target: Manifest, job: str) -> None:
        """Make the job, do what is to be done with it, and wait until nothing is left to do."""
        if self.waits:
            run = await a_run(jobs, [target] * 2, [str(uuid.uuid4()), job], maxParallel=1)
            await run.job(1, target, self.behaviour)
            await watch.until(
                "waiting", lambda: is_queued(watch, job) or is_over(watch, job), seconds=60
            )
            await run.job(0, target, "lasts-0s")
        else:
            await jobs.job(target, self.behaviour, jobId=job)
        if self.deed == "stop at once":
            await jobs.stop(job)
        elif self.deed != "nothing":
            await watch.until(
                "running", lambda: phase(watch, job) == "Running", seconds=self.seconds
            )
        match self.deed:
            case "stop":
                await jobs.stop(job)
            case "delete the pod":
                await jobs.delete_pod(job)
            case "delete the job":
                await jobs.delete(job)
            case _:
                pass
        await self.over(watch, job)

    async def over(self, watch: ObjectWatch, job: str) -> None:
        """Wait until the job is final, or is gone, and nothing is left of it."""
        await watch.until("over", lambda: is_over(watch, job), seconds=self.seconds)
        await watch.until("tidy", lambda: not left_of(watch, job), seconds=self.seconds)

    def check(self, watch: ObjectWatch, job: str) -> None:
        """Assert all that must be true of the job's whole life."""
        lived_rightly(watch, job)
        if self.ends:
            status = watch.versions_of(JOBS, job)[-1]["status"]
            assert (status["phase"], status.get("exitCode")) in self.ends, status


PLAYS = (
    Play("succeeds", "lasts-0s", "nothing", (("Succeeded", 0),)),
    Play("fails", "lasts-0s-exit-3", "nothing", (("Failed", 3),)),
    # Without an exit code where nobody was there to be told, or the watch had a gap then.
    Play("stopped", "never-ends", "stop", (("Stopped", 143), ("Stopped", None))),
    Play("stopped at once", "never-ends", "stop at once", (("Stopped", 143), ("Stopped", None))),
    Play("pod deleted", "never-ends", "delete the pod", (("Failed", 143), ("Failed", None))),
    Play("job deleted", "never-ends", "delete the job", ()),
    Play("waits", "lasts-0s", "nothing", (("Succeeded", 0),), waits=True),
)


def phase(watch: ObjectWatch, job: str) -> str:
    """Return the job's phase, empty when there is none."""
    found = (watch.latest(JOBS, job) or {}).get("status", {}).get("phase", "")
    return str(found)


def is_queued(watch: ObjectWatch, job: str) -> bool:
    """Whether the job waits for its turn."""
    found = (watch.latest(JOBS, job) or {}).get("status", {}).get("reason", "")
    return bool(found == "WaitingForTurn")


def is_over(watch: ObjectWatch, job: str) -> bool:
    """Whether the job is final or gone."""
    was_seen = bool(watch.versions_of(JOBS, job))
    return was_seen and (watch.latest(JOBS, job) is None or phase(watch, job) in FINAL)


def left_of(watch: ObjectWatch, job: str) -> list[str]:
    """Return what should not be there any more: Secrets, a pod that has no job."""
    left = [name for name in names.secrets_of(job) if watch.latest("secrets", name)]
    pod = watch.latest("pods", names.pod_for(job))
    has_job = watch.latest(JOBS, job) is not None
    if pod is not None and not has_job:
        left.append("pod")
    return left


def lived_rightly(watch: ObjectWatch, job: str) -> None:
    """Assert what is true of every job at every moment, whatever is done with it."""
    versions = watch.versions_of(JOBS, job)
    pods = watch.versions_of("pods", names.pod_for(job))
    started_at_most_once(versions, pods)
    final_for_ever(versions)
    if watch.is_whole:
        not_before_it_was_named(versions, pods)
        final_not_before_its_pod(versions, pods, watch.gone_at)
        kept_before_it_was_final(versions, watch.versions_of(LOGS, job))


def started_at_most_once(versions: list[Manifest], pods: list[Manifest]) -> None:
    """One pod at most was ever given to a node, and that one had been named before."""
    bound = {pod["metadata"]["uid"] for pod in pods if is_bound(pod)}
    assert len(bound) <= 1, f"more than one pod was started: {bound}"
    named = [each for each in versions if each.get("status", {}).get("podUID")]
    uids = {each["status"]["podUID"] for each in named}
    assert len(uids) <= 1, f"more than one pod was named: {uids}"
    if bound:
        assert bound == uids, "the pod that ran is not the one that was named"


def not_before_it_was_named(versions: list[Manifest], pods: list[Manifest]) -> None:
    """The gate of a pod went after the status had named it."""
    named = [each for each in versions if each.get("status", {}).get("podUID")]
    free = [pod for pod in pods if not is_held(pod)]
    if free:
        assert version(named[0]) < version(free[0]), "its gate went before it was named"


def final_for_ever(versions: list[Manifest]) -> None:
    """A final status stays."""
    phases = [each.get("status", {}).get("phase") in FINAL for each in versions]
    final = versions[phases.index(True) :] if True in phases else []
    outcomes = {(each["status"]["phase"], each["status"].get("exitCode")) for each in final}
    assert len(outcomes) <= 1, f"a final status changed: {outcomes}"


def final_not_before_its_pod(
    versions: list[Manifest], pods: list[Manifest], gone_at: Mapping[str, int]
) -> None:
    """When a final status was written no container could run any more."""
    final = [each for each in versions if each.get("status", {}).get("phase") in FINAL]
    if not final:
        return
    before = [pod for pod in pods if version(pod) < version(final[0])]
    for uid in {pod["metadata"]["uid"] for pod in before}:
        if gone_at.get(uid, version(final[0])) < version(final[0]):
            continue  # someone took it away by force
        last = [pod for pod in before if pod["metadata"]["uid"] == uid][-1]
        is_over = last["status"].get("phase") in ("Succeeded", "Failed")
        assert is_over or not is_bound(last), f"final while its pod could run: {last['status']}"


def kept_before_it_was_final(versions: list[Manifest], logs: list[Manifest]) -> None:
    """The log of a scenario that ran was kept, once, before the final status, or that says not."""
    final = [each for each in versions if each.get("status", {}).get("phase") in FINAL]
    assert len({log["metadata"]["uid"] for log in logs}) <= 1, "its log was kept twice"
    if not final or "startTime" not in final[0]["status"] or why_not_kept(final[0]["status"]):
        return
    assert logs, "its log was not kept, and nobody says why"
    assert version(logs[0]) < version(final[0]), "it was final before its log was kept"


def is_bound(pod: Manifest) -> bool:
    return bool(pod["spec"].get("nodeName"))


def is_held(pod: Manifest) -> bool:
    gates: list[dict[str, Any]] = pod["spec"].get("schedulingGates", [])
    return any(gate["name"] == well_known.START_GATE for gate in gates)


def version(manifest: Manifest) -> int:
    return int(manifest["metadata"]["resourceVersion"])
