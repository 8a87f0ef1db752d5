"""krkn-grpc halt and krkn-grpc halts, against the real services."""

import uuid

from tests.support.command import Command
from tests.support.rest import Rest


async def test_the_life_of_a_halt(cli: Command, rest: Rest) -> None:
    # A label that no target has: the services are shared.
    selector, reason = f"test={uuid.uuid4().hex}", f"an incident {uuid.uuid4().hex}"
    halted = await cli("halt", "--reason", reason, "-l", selector)
    assert halted.code == 0
    first, second = halted.out.splitlines()
    assert first == f"Halted: {selector}"
    name = second.rpartition(" ")[2]
    assert second == f"To lift it: krkn-grpc halts delete {name}"

    again = await cli("halt", "--reason", reason, "--selector", selector, "-o", "json")
    assert (again.json["name"], again.json["targetSelector"]) == (name, selector)

    listed = await cli("halts", "list", "-o", "json")
    assert listed.json == (await rest.get("/api/v1/halts")).body
    header, *rows = (await cli("halts", "list")).out.splitlines()
    assert header.split() == ["NAME", "TARGETS", "BY", "AGE", "REASON"]
    [row] = [row for row in rows if name in row]
    assert selector in row
    assert reason in row

    lifted = await cli("halts", "delete", name)
    assert (lifted.code, lifted.out) == (0, f"{name} Halt deleted\n")
    gone = await cli("halts", "delete", name)
    assert (gone.code, gone.line) == (3, "Error: there is no such halt")


async def test_what_is_wrong_is_said(cli: Command) -> None:
    without = await cli("halt")
    assert without.code == 2
    assert "--reason" in without.err
    wrong = await cli("halt", "--reason", "an incident", "-l", "env=(")
    assert (wrong.code, wrong.line) == (
        3,
        "Error: targetSelector: is not a label selector (character 5)",
    )
