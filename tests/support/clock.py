"""The time as the API server has it."""

from datetime import datetime

from tests.support.jobs import Jobs


async def now(jobs: Jobs) -> str:
    """Return the API server's time."""
    made = await jobs.cluster.request(
        "POST",
        f"/api/v1/namespaces/{jobs.namespace}/secrets",
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "clock-"}},
    )
    text: str = made["metadata"]["creationTimestamp"]
    return text


def instant(text: str) -> datetime:
    """Return the moment that a timestamp names."""
    return datetime.fromisoformat(text)
