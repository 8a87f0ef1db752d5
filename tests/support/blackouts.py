"""Blackouts as one makes them with kubectl."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local.cluster.api import Cluster
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import BLACKOUTS, MERGE, Manifest, collection
from tests.support.jobs import Jobs

ALWAYS: dict[str, Any] = {"schedule": "* * * * *", "durationSeconds": 60}
NOT_NOW: dict[str, Any] = {"schedule": "0 0 29 2 *", "durationSeconds": 60}
MINUTE = timedelta(minutes=1)
DONE = ("Succeeded", "Completed")


async def blackout(cluster: Cluster, namespace: str, **spec: object) -> Manifest:
    """Make a blackout; without more, one of everything at all times."""
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "KrknChaosBlackout",
        "metadata": {"name": f"test-{uuid.uuid4().hex[:8]}"},
        "spec": ALWAYS | spec,
    }
    return await cluster.request("POST", collection(BLACKOUTS, namespace), manifest)


async def lift(cluster: Cluster, made: Manifest) -> None:
    """Delete a blackout."""
    await cluster.request("DELETE", path_of(made))


async def change(cluster: Cluster, made: Manifest, **spec: object) -> None:
    """Change fields of its spec; None takes one away."""
    await cluster.request("PATCH", path_of(made), {"spec": spec}, MERGE)


async def invalid(cluster: Cluster, made: Manifest) -> tuple[str, str] | None:
    """Return status and reason of its condition Invalid, None without one."""
    seen = await cluster.request("GET", path_of(made))
    conditions = seen.get("status", {}).get("conditions", [])
    found = [(each["status"], each["reason"]) for each in conditions if each["type"] == "Invalid"]
    return found[0] if found else None


def path_of(made: Manifest) -> str:
    """The path of a blackout."""
    metadata = made["metadata"]
    return f"{collection(BLACKOUTS, metadata['namespace'])}/{metadata['name']}"


def ending_in(seconds: float) -> tuple[dict[str, Any], datetime]:
    """Return the schedule of one that has begun, and when it ends."""
    now = datetime.now(UTC)
    begin = now.replace(second=0, microsecond=0) - MINUTE
    lasts = round((now - begin).total_seconds() + seconds)
    return {"schedule": once_at(begin), "durationSeconds": lasts}, begin + timedelta(seconds=lasts)


def once_at(moment: datetime) -> str:
    """Return the schedule of a minute that comes once a year, in UTC."""
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} *"


def outcome(status: Manifest) -> tuple[str, str]:
    """How a job ended."""
    return status["phase"], status["reason"]


def queue_of(status: Manifest) -> tuple[str, str] | None:
    """Status and reason of the job's condition Queued, None without one."""
    found = [each for each in status.get("conditions", []) if each["type"] == "Queued"]
    return (found[0]["status"], found[0]["reason"]) if found else None


async def waits(jobs: Jobs, job: str) -> Manifest:
    """Wait until the job says that it waits for the end of a blackout, and has no pod."""
    status = await jobs.waiting(job, "Blackout")
    assert (status["phase"], queue_of(status)) == ("Pending", ("True", "Blackout"))
    assert "podUID" not in status
    assert await jobs.pod(job) is None
    return status


async def is_waiting(jobs: Jobs, job: str) -> bool:
    """Wait until the job has ended or waits for a blackout; tell whether it waits."""
    status = await jobs.when(
        job, lambda seen: seen.get("phase") == "Succeeded" or seen.get("reason") == "Blackout"
    )
    return bool(status["reason"] == "Blackout")
