"""Errors for programs: with -o json or jsonl a JSON object, and the exit code that people get."""

import json
import uuid
from typing import Any

import pytest

from deploy.local.processes.ports import LOOPBACK, free_port
from tests.support.command import Command, Ended
from tests.support.requests import canary

FORMATS = (("-o", "json"), ("-ojsonl",), ("--output=json",), ("--output", "jsonl"))


def told(ended: Ended) -> dict[str, Any]:
    """The error, which is all that the command has printed."""
    assert ended.out == ""
    found: dict[str, Any] = json.loads(ended.line)
    assert list(found)[:4] == ["code", "reason", "message", "fields"]
    return found


@pytest.mark.parametrize("as_json", FORMATS, ids=" ".join)
async def test_what_the_service_refuses(cli: Command, as_json: tuple[str, ...]) -> None:
    wrong = ("targets", "add", "--name", " ", "--token-file", "-")
    for_people = await cli(*wrong, given=canary())
    refused = await cli(*wrong, *as_json, given=canary())
    assert refused.code == for_people.code == 3
    error = told(refused)
    assert (error["code"], error["reason"]) == (3, "INVALID_REQUEST")
    assert for_people.line == f"Error: {error['message']}"
    assert [each["field"] for each in error["fields"]] == ["clusterName", "clusterAPIURL"]
    assert error["fields"][0]["description"] == "must have 1 to 253 characters"


async def test_what_is_not_there(cli: Command) -> None:
    run = await cli("runs", "get", str(uuid.uuid4()), "-o", "json")
    assert (run.code, told(run)["code"], told(run)["reason"]) == (3, 5, "NOT_FOUND")
    # Found out by the command itself.
    target = await cli("targets", "get", "no-such-target", "-o", "json")
    assert (target.code, told(target)["code"], told(target)["reason"]) == (3, 5, "NOT_FOUND")
    assert told(target)["message"] == "there is no target 'no-such-target'"
    for given in (("jobs", "get", "0f"), ("runs", "get", ""), ("logs", "0f/demo-1")):
        short = await cli(*given)
        assert (short.code, short.line.endswith("has at least 3 characters")) == (3, True), short


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "list", "--nothing", "-o", "json"),
        ("runs", "list", "--limit", "x", "-o", "json"),
        ("run", "-o", "json", "--all"),
        ("run", "x", "--all", "--max-parallel", "99999999999", "-o", "json"),
        ("run", "x", "--all", "--max-failures", "-1", "-o", "json"),
        ("run", "x", "--all", "--ttl", "99999d", "-o", "json"),
        ("runs", "logs", "x", "--tail", "99999999999", "-o", "json"),
        ("targets", "limit", "x", "99999999999", "-o", "json"),
        ("--nothing", "runs", "list", "-o", "json"),
        ("--retries", "-1", "runs", "list", "-o", "json"),
    ],
    ids=" ".join,
)
async def test_wrong_usage(cli: Command, arguments: tuple[str, ...]) -> None:
    wrong = await cli(*arguments)
    assert (wrong.code, told(wrong)["code"], told(wrong)["reason"]) == (2, 3, "USAGE")
    assert told(wrong)["message"]


async def test_a_service_that_is_away() -> None:
    cli = Command(f"{LOOPBACK}:{free_port()}")
    away = await cli("--retries", "0", "runs", "list", "-o", "json")
    assert (away.code, told(away)["code"], told(away)["reason"]) == (4, 14, "")


async def test_each_of_several(cli: Command) -> None:
    names = [str(uuid.uuid4()) for _ in range(2)]
    stopped = await cli("stop", *names, "-o", "json")
    assert stopped.code == 3
    errors = [json.loads(line) for line in stopped.err.splitlines()]
    assert [error["reason"] for error in errors] == ["NOT_FOUND", "NOT_FOUND"]
    assert [error["message"].split(":")[0] for error in errors] == names


@pytest.mark.parametrize("given", [(), ("-o", "yaml"), ("-o", "json", "-o", "table")])
async def test_people_get_a_line(cli: Command, given: tuple[str, ...]) -> None:
    refused = await cli("targets", "get", "no-such-target", *given)
    assert (refused.code, refused.line) == (3, "Error: there is no target 'no-such-target'")
