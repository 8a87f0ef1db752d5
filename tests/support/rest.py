"""REST as a caller sees it: the status, the headers and the JSON of each reply."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from tests.support.requests import a_run, token_target
from tests.support.waiting import eventually

TARGETS = "/api/v1/operator/targets"
RUNS = "/api/v1/scenarios/run"
CHAOS_RUNS = "/api/v1/runs"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
FINAL = ("Succeeded", "Failed", "Stopped")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The JSON of the reply."""
        assert self.headers["content-type"] == "application/json", (self.status, self.text)
        return json.loads(self.text)


@dataclass(frozen=True)
class Rest:
    """Calls through Envoy. Paths are sent as they stand, without being quoted again."""

    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Reply:
        """GET; `headers` are given with `_` for `-`."""
        return await self._call("GET", path, headers=headers)

    async def post(self, path: str, body: object) -> Reply:
        """POST a JSON body."""
        return await self._call("POST", path, body)

    async def put(self, path: str, body: object) -> Reply:
        """PUT a JSON body."""
        return await self._call("PUT", path, body)

    async def patch(self, path: str, body: object) -> Reply:
        """PATCH with a JSON body."""
        return await self._call("PATCH", path, body)

    async def delete(self, path: str) -> Reply:
        """DELETE."""
        return await self._call("DELETE", path)

    async def register(self, **changes: Any) -> str:
        """Register a target that nobody answers for; return its uuid."""
        reply = await self.post(TARGETS, token_target(**changes))
        assert reply.status == 201, reply
        uuid: str = reply.body["uuid"]
        return uuid

    async def run(self, *targets: str, **changes: Any) -> list[str]:
        """Run a scenario that every target takes; return the jobIds."""
        reply = await self.post(RUNS, a_run(*targets, **changes))
        assert reply.status == 201, reply
        assert reply.body["failedJobs"] == 0, reply
        return [job["jobId"] for job in reply.body["jobs"]]

    async def run_of(self, *targets: str, **changes: Any) -> str:
        """Run a scenario that at least one target takes; return the runId."""
        reply = await self.post(RUNS, a_run(*targets, **changes))
        assert reply.status == 201, reply
        run_id: str = reply.body["runId"]
        return run_id

    async def get_run(self, run_id: str) -> dict[str, Any]:
        """Return a run as it is shown now."""
        reply = await self.get(f"{CHAOS_RUNS}/{run_id}")
        assert reply.status == 200, reply
        body: dict[str, Any] = reply.body
        return body

    async def run_when(self, run_id: str, *statuses: str) -> dict[str, Any]:
        """Return a run as soon as it has one of the statuses, a final one if none is said."""
        return await eventually(
            lambda: self.get_run(run_id),
            lambda run: run["status"] in (statuses or (*FINAL, "PartiallyFailed")),
        )

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is shown now."""
        reply = await self.get(f"{RUNS}/{job_id}")
        assert reply.status == 200, reply
        body: dict[str, Any] = reply.body
        return body

    async def job_when(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """Return a job as soon as it has one of the statuses, a final one if none is said."""
        return await eventually(
            lambda: self.job(job_id), lambda job: job["status"] in (statuses or FINAL)
        )

    async def job_gone(self, job_id: str) -> None:
        """Return as soon as there is no such job any more."""
        path = f"{RUNS}/{job_id}"
        await eventually(lambda: self.get(path), lambda reply: reply.status == 404)

    async def _call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        async with self.session.request(
            method, URL(path, encoded=True), json=body, headers=sent
        ) as response:
            return Reply(response.status, response.headers, await response.text())


def assert_error(reply: Reply, status: int, code: int, reason: str) -> dict[str, Any]:
    """Assert that a reply is an error of the service, in the form of all; return its JSON."""
    body: dict[str, Any] = reply.body
    assert (reply.status, body["code"]) == (status, code), reply
    assert list(body) == ["code", "message", "details"]
    assert body["message"]
    expected = {"@type": ERROR_INFO, "reason": reason, "domain": "krkn.krkn-chaos.dev"}
    assert body["details"][0] == expected | {"metadata": {}}
    return body


def assert_invalid(reply: Reply, *fields: str) -> None:
    """Assert that a request was refused for these fields, in this order, and for no others."""
    body = assert_error(reply, 400, 3, "INVALID_REQUEST")
    [violations] = [each for each in body["details"] if each["@type"] == BAD_REQUEST]
    found = violations["fieldViolations"]
    assert [violation["field"] for violation in found] == list(fields)
    assert all(violation["description"] for violation in found)
    assert body["message"].startswith(f"{fields[0]}: ")
