"""An API server that has just started knows no roles: its refusals are not believed until then."""

import pytest
from grpc import StatusCode

from tests.integration.runs.conftest import Site, Unsure
from tests.integration.runs.held import told
from tests.support.api_proxy import ApiProxy, Call, Refused
from tests.support.custom_objects import JOBS
from tests.support.rpc import refused

NO_ROLE = 'it is forbidden: User "someone" cannot create resource "krknchaosjobs"'
NOT_KNOWN = "Unauthorized"
DENIALS = [
    pytest.param(Refused(403, "Forbidden", NO_ROLE), id="no roles"),
    pytest.param(Refused(401, "Unauthorized", NOT_KNOWN), id="no accounts"),
]


def starts(proxy: ApiProxy, denial: Refused, *, refusals: int, is_ready: bool = False) -> None:
    """Refuse so many creations of jobs as an API server does at its start."""
    left = refusals

    async def gate(call: Call) -> None:
        nonlocal left
        if str(call) == f"POST {JOBS}" and left:
            left -= 1
            raise denial
        if call.path == "/readyz" and left and not is_ready:
            raise Refused(500, "InternalError")

    proxy.before = gate


@pytest.mark.parametrize("denial", DENIALS)
@pytest.mark.parametrize("refusals", [1, 3])
async def test_a_run_waits_until_it_has_started(
    site: Site, unsure: Unsure, denial: Refused, refusals: int
) -> None:
    [target] = await site.some_targets(1)
    starts(unsure.proxy, denial, refusals=refusals)
    [job_id] = await unsure.runs.run(target)
    [job] = await site.jobs_on(target)
    assert job["metadata"]["name"] == job_id


@pytest.mark.parametrize("denial", DENIALS)
async def test_one_that_does_not_get_ready_is_away(
    site: Site, unsure: Unsure, denial: Refused
) -> None:
    [target] = await site.some_targets(1)
    starts(unsure.proxy, denial, refusals=1_000)
    found = await refused(unsure.runs.start(target))
    assert (found.code, found.retry_seconds) == (StatusCode.UNAVAILABLE, 1)
    assert await site.jobs_on(target) == []


async def test_one_that_was_ready_at_the_second_look_is_asked_again(
    site: Site, unsure: Unsure
) -> None:
    [target] = await site.some_targets(1)
    starts(unsure.proxy, Refused(403, "Forbidden", NO_ROLE), refusals=1, is_ready=True)
    assert len(await unsure.runs.run(target)) == 1


async def test_one_that_is_ready_is_believed(site: Site, unsure: Unsure) -> None:
    """Then a role is missing, which no waiting heals; its text is for the log alone."""
    [target] = await site.some_targets(1)
    starts(unsure.proxy, Refused(403, "Forbidden", NO_ROLE), refusals=1_000, is_ready=True)
    reply = await unsure.runs.ask(target)
    assert told(reply) == [(target, "Failed", False)]
    assert reply.jobs[0].error == "internal error"
