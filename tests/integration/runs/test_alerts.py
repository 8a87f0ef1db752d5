"""ReceiveAlerts: the runs that name a firing alert are stopped, once, and no others."""

import asyncio
import uuid

import pytest
from grpc import StatusCode

from tests.integration.runs.conftest import Site, StartServer, Unsure
from tests.integration.runs.held import cut, heal
from tests.support.alerts import an_alert, send
from tests.support.custom_objects import GONE, RUNS, Manifest, collection, store
from tests.support.requests import IMAGE
from tests.support.rpc import refused
from tests.support.waiting import eventually

FOR_EVER = f"{IMAGE}-never-ends"


def a_name() -> str:
    """A name of an alert that no other test sends."""
    return f"Alert{uuid.uuid4().hex}"


async def a_run(site: Site, *abort_on: str, targets: int = 1, image: str = FOR_EVER) -> str:
    """Run on new targets; return the runId."""
    uuids = await site.some_targets(targets)
    run = await site.runs.ask(*uuids, scenarioImage=image, abortOn=[*abort_on])
    return run.run_id


async def stored(site: Site, run_id: str) -> Manifest:
    """Return a run as the API server has it."""
    return await site.cluster.request("GET", f"{collection(RUNS, site.namespace)}/{run_id}")


async def test_a_firing_alert_stops_the_runs_that_name_it(site: Site) -> None:
    name = a_name()
    both = [
        await a_run(site, f'{{alertname="{name}",env=~"p.*"}}', targets=2),
        await a_run(site, '{alertname="another"}', f'{{alertname=~"{name}"}}'),
    ]
    others = [
        await a_run(site, f'{{alertname="{name}",env!="prod"}}'),
        await a_run(site),
    ]
    channel = site.servers[0].channel
    unrelated = an_alert(a_name())
    assert await send(channel, an_alert(name, env="prod"), unrelated) == (1, 2)
    for run_id in both:
        run = await site.runs.get(run_id)
        stop = run.stop
        assert (stop.reason, stop.message) == ("AbortCondition", f"The alert {name} fires.")
        ended = await site.runs.run_when(run_id)
        assert (ended.status, ended.counts.stopped) == ("Stopped", len(ended.targets))
        for each in ended.targets:
            job = await site.runs.job(each.job_id)
            assert (job.status, job.reason) == ("Stopped", "AbortCondition")
    for run_id in others:
        assert "stop" not in (await stored(site, run_id))["spec"]
    assert await send(channel, an_alert(name, env="prod")) == (0, 0), "a repetition does nothing"
    for run_id in others:
        await site.runs.stop_run(run_id)


async def test_an_alert_that_does_not_fire_does_nothing(site: Site) -> None:
    name = a_name()
    run_id = await a_run(site, f'{{alertname="{name}"}}')
    channel = site.servers[0].channel
    for status in ("resolved", "", "Firing", "suppressed"):
        assert await send(channel, an_alert(name, status)) == (0, 0)
    assert "stop" not in (await stored(site, run_id))["spec"]
    assert await send(channel, an_alert(name, "resolved"), an_alert(name)) == (1, 1)


async def test_alerts_of_many_groups_are_counted_once_each(site: Site) -> None:
    names = [a_name() for _ in range(3)]
    runs = [await a_run(site, *(f'{{alertname="{name}"}}' for name in names)) for _ in range(2)]
    sent = [*(an_alert(name, pod=f"p{pod}") for name in names for pod in range(3)), an_alert("X")]
    assert await send(site.servers[0].channel, *sent) == (9, 2)
    for run_id in runs:
        assert (await site.runs.get(run_id)).stop.message == f"The alert {names[0]} fires."


async def test_a_run_that_has_just_been_made_is_known_to_all_servers(site: Site) -> None:
    for server in site.servers * 5:
        name = a_name()
        await a_run(site, f'{{alertname="{name}"}}')
        assert await send(server.channel, an_alert(name)) == (1, 1)


async def test_many_at_once_are_one_stop(site: Site) -> None:
    name = a_name()
    runs = [await a_run(site, f'{{alertname="{name}"}}') for _ in range(3)]
    replies = await asyncio.gather(
        *(send(server.channel, an_alert(name)) for server in site.servers * 5)
    )
    assert sum(stopped for _, stopped in replies) == 3
    for run_id in runs:
        assert (await stored(site, run_id))["metadata"]["generation"] == 2


async def test_what_has_ended_or_stops_is_left_alone(site: Site) -> None:
    name = a_name()
    ended = await a_run(site, f'{{alertname="{name}"}}', image=f"{IMAGE}-lasts-0s")
    await site.runs.run_when(ended, "Succeeded")
    stopping = await a_run(site, f'{{alertname="{name}"}}')
    await site.runs.stop_run(stopping)
    channel = site.servers[0].channel
    # Until the watch has told this server of the end.
    await eventually(lambda: send(channel, an_alert(name)), lambda counted: counted == (0, 0))
    assert "stop" not in (await stored(site, ended))["spec"]
    assert (await stored(site, stopping))["spec"]["stop"]["reason"] == "StopRequested"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "An alert without a name fires."),
        ("a\n\tb\u202e\u2028c", "The alert a b c fires."),
        ("Ü" * 100_000, f"The alert {'Ü' * 253} fires."),
    ],
)
async def test_a_strange_name_is_bounded_and_on_one_line(site: Site, name: str, shown: str) -> None:
    own = uuid.uuid4().hex
    run_id = await a_run(site, f'{{own="{own}"}}')
    assert await send(site.servers[0].channel, an_alert(name, own=own)) == (1, 1)
    assert (await site.runs.get(run_id)).stop.message == shown


async def test_a_stored_condition_that_cannot_be_read_is_met_by_any_alert(
    site: Site, a_server: StartServer
) -> None:
    async with a_server() as server:
        run = await store(site.cluster, site.namespace, RUNS, abortOn=["no condition"], stop=GONE)
        await send(server.channel, an_alert(a_name(), "resolved"))
        assert "stop" not in (await run.read())["spec"]
        assert await send(server.channel, an_alert(a_name())) == (1, 1)
        assert (await run.read())["spec"]["stop"]["reason"] == "AbortCondition"


@pytest.mark.parametrize("count", [0, 1001])
async def test_no_alerts_or_too_many_are_refused(site: Site, count: int) -> None:
    found = await refused(send(site.servers[0].channel, *[an_alert("X")] * count))
    assert (found.code, found.violations) == (
        StatusCode.INVALID_ARGUMENT,
        ["alerts"],
    )


async def test_1000_alerts_pass_and_more_than_1_mib_does_not(site: Site) -> None:
    channel = site.servers[0].channel
    many = [an_alert(f"X{number}", text="x" * 900) for number in range(1000)]
    assert await send(channel, *many) == (0, 0)
    found = await refused(send(channel, an_alert("X", text="x" * 1024 * 1024)))
    assert (found.code, found.reason) == (StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE")


async def test_what_is_no_condition_is_refused_at_submit(site: Site) -> None:
    [target] = await site.some_targets(1)
    found = await refused(site.runs.ask(target, abortOn=['{a="b"}', '{a=~"("}']))
    assert (found.code, found.violations) == (
        StatusCode.INVALID_ARGUMENT,
        ["abortOn[1]"],
    )
    assert await site.jobs_on(target) == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stop_that_is_not_answered_is_asked_for_again(
    site: Site, unsure: Unsure, when: str
) -> None:
    name = a_name()
    run_id = await a_run(site, f'{{alertname="{name}"}}')
    cut(unsure.proxy, when, lambda call: str(call) == f"PATCH {RUNS}", only_once=True)
    matched, stopped = await send(unsure.runs.channel, an_alert(name))
    # After an answer that was lost it is not known whose stop it is.
    assert (matched, stopped) == (1, 1 if when == "before" else 0)
    assert (await stored(site, run_id))["spec"]["stop"]["reason"] == "AbortCondition"


async def test_one_that_cannot_be_stopped_does_not_keep_the_others(
    site: Site, unsure: Unsure
) -> None:
    name = a_name()
    runs = [await a_run(site, f'{{alertname="{name}"}}') for _ in range(3)]
    cut(unsure.proxy, "before", lambda call: call.method == "PATCH" and runs[1] in call.path)
    found = await refused(send(unsure.runs.channel, an_alert(name)))
    assert found.code is StatusCode.UNAVAILABLE
    stops = [(await stored(site, run_id))["spec"].get("stop") for run_id in runs]
    assert [stop is not None for stop in stops] == [True, False, True]
    heal(unsure.proxy)
    assert await send(unsure.runs.channel, an_alert(name)) == (1, 1), "sent again, it does the rest"
    assert (await site.runs.run_when(runs[1])).status == "Stopped"


async def test_without_time_for_all_runs_those_that_were_found_are_stopped(
    site: Site, unsure: Unsure
) -> None:
    name = a_name()
    quick = [await a_run(site, f'{{alertname="{name}"}}') for _ in range(2)]
    # It takes longer than this server has for a call: RE2 can only simulate such expressions.
    slow = await a_run(site, *(f'{{text=~"(.*)a.{{{290 + n}}}c(.*)"}}' for n in range(16)))
    alerts = [an_alert(name), *(an_alert("X", text=f"{n}" + "ab" * 400) for n in range(999))]

    async def stopped() -> list[bool]:
        found = await refused(send(unsure.runs.channel, *alerts))
        assert found.code is StatusCode.UNAVAILABLE
        return ["stop" in (await stored(site, run_id))["spec"] for run_id in quick]

    # The order differs from call to call: sent again and again, they come before the slow one.
    await eventually(stopped, all)
    assert "stop" not in (await stored(site, slow))["spec"]
    await site.runs.stop_run(slow)


async def test_without_an_api_server_it_says_so(site: Site, unsure: Unsure) -> None:
    name = a_name()
    run_id = await a_run(site, f'{{alertname="{name}"}}')
    cut(unsure.proxy, "before", lambda call: call.method in ("GET", "PATCH"))
    found = await refused(send(unsure.runs.channel, an_alert(name)))
    assert found.code is StatusCode.UNAVAILABLE
    assert await send(unsure.runs.channel, an_alert(name, "resolved")) == (0, 0)
    heal(unsure.proxy)
    assert "stop" not in (await stored(site, run_id))["spec"]
    await site.runs.stop_run(run_id)
