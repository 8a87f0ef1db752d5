"""What Alertmanager sends, through Envoy, to a service that has a run which names an alert."""

import uuid
from typing import Any

import pytest

from tests.support.alerts import PATH, a_notification, an_alert
from tests.support.requests import IMAGE
from tests.support.rest import Rest, assert_invalid

FOR_EVER = f"{IMAGE}-never-ends"


async def a_run(rest: Rest, **changes: Any) -> tuple[str, str]:
    """Start a run; return its id, and the name of the alert that stops it."""
    name = f"Alert{uuid.uuid4().hex}"
    target = await rest.register()
    condition = f'{{alertname="{name}",env=~"p.*"}}'
    run_id = await rest.run_of(target, scenarioImage=FOR_EVER, abortOn=[condition], **changes)
    return run_id, name


@pytest.mark.parametrize("truncated", [0, 12])
async def test_a_group_in_which_one_fires(rest: Rest, truncated: int) -> None:
    run_id, name = await a_run(rest)
    group = a_notification(
        an_alert(name, "resolved", env="prod"),
        an_alert(name, env="test"),
        an_alert(name, env="prod", pod="a"),
        an_alert(name, env="pre", pod="b"),
        truncatedAlerts=truncated,
    )
    reply = await rest.post(PATH, group)
    assert (reply.status, reply.body) == (200, {"matched": 2, "stopped": 1})
    assert "krkn-revision" in reply.headers
    run = await rest.run_when(run_id, "Stopped")
    assert run["stop"]["reason"] == "AbortCondition"
    assert run["stop"]["message"] == f"The alert {name} fires."
    reply = await rest.post(PATH, group)
    assert (reply.status, reply.body) == (200, {"matched": 0, "stopped": 0})


async def test_a_group_that_is_resolved_does_nothing(rest: Rest) -> None:
    run_id, name = await a_run(rest)
    # Before Alertmanager forgets the group, it says so of each alert too.
    resolved = a_notification(an_alert(name, "resolved", env="prod"), status="resolved")
    reply = await rest.post(PATH, resolved)
    assert (reply.status, reply.body) == (200, {"matched": 0, "stopped": 0})
    assert "stop" not in await rest.get_run(run_id)
    await rest.delete(f"/api/v1/runs/{run_id}")


async def test_what_the_labels_of_the_group_say_is_no_alert(rest: Rest) -> None:
    run_id, name = await a_run(rest)
    common = {"alertname": name, "env": "prod"}
    reply = await rest.post(PATH, a_notification(an_alert("another"), commonLabels=common))
    assert (reply.status, reply.body) == (200, {"matched": 0, "stopped": 0})
    reply = await rest.post(PATH, a_notification(an_alert(name, env="prod"), alien={"a": [None]}))
    assert (reply.status, reply.body) == (200, {"matched": 1, "stopped": 1})
    assert (await rest.get_run(run_id))["status"] in ("Stopping", "Stopped")


@pytest.mark.parametrize("count", [0, 1001])
async def test_no_alerts_or_too_many(rest: Rest, count: int) -> None:
    reply = await rest.post(PATH, a_notification(*[an_alert("X")] * count))
    assert_invalid(reply, "alerts")


async def test_1000_alerts(rest: Rest) -> None:
    run_id, name = await a_run(rest)
    many = [an_alert(name, env="prod", pod=f"p{number}") for number in range(1000)]
    reply = await rest.post(PATH, a_notification(*many))
    assert (reply.status, reply.body) == (200, {"matched": 1000, "stopped": 1})
    await rest.run_when(run_id, "Stopped")


async def test_a_body_of_more_than_1_mib(rest: Rest) -> None:
    reply = await rest.post(PATH, a_notification(an_alert("X", text="x" * 1024 * 1024)))
    assert reply.status == 413
    assert "1048576" in reply.body["message"]


async def test_a_body_that_is_no_json(rest: Rest) -> None:
    headers = {"content-type": "application/json"}
    async with rest.session.post(PATH, data=b"alertname=X", headers=headers) as reply:
        assert reply.status == 400
        assert "is not JSON" in (await reply.json())["message"]


async def test_a_condition_that_is_none_is_named(rest: Rest) -> None:
    target = await rest.register()
    body = {"targetUUIDs": [target], "scenarioImage": IMAGE, "scenarioName": "s"}
    reply = await rest.post("/api/v1/scenarios/run", body | {"abortOn": ["X"]})
    assert_invalid(reply, "abortOn[0]")
    assert "{ is expected at 1" in reply.body["message"]
