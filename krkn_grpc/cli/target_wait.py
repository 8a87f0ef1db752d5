"""krkn-grpc targets wait: until targets are ready, or gone."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import Annotated

import typer
from grpc import StatusCode

from krkn_grpc.cli import completion, display, errors, failures, target_names, times
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.failures import NotFound
from krkn_grpc.client import loop_thread, watching
from krkn_grpc.client.statuses import ChangeType
from krkn_grpc.client.targets import watched
from krkn_grpc.v1.targets_pb2 import Target

_SECONDS = 60
# Named when the time is over.
_MOST = 20

Wait = Annotated[bool, typer.Option("--wait", help="Wait until ready, for a minute at most.")]


class Condition(StrEnum):
    """What is waited for."""

    READY = "ready"
    DELETED = "deleted"


READY = Condition.READY


def wait_for_targets(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET...",
            help="Targets: names, UUIDs or patterns ('eu-*').",
            autocompletion=completion.target_names,
        ),
    ] = None,
    selector: Annotated[
        str,
        typer.Option(
            "--selector", "-l", metavar="LABELS", help="Every target with these labels: a=b,c!=d."
        ),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every target.")] = False,
    condition: Annotated[Condition, typer.Option("--for", help="What to wait for.")] = READY,
    timeout: Annotated[
        int, typer.Option(metavar="TIME", parser=times.option, help="How long: 60, 5m.")
    ] = _SECONDS,
) -> None:
    """Wait until targets are ready, or until a time is over.

    Then it exits with 1 and names those that are not ready.
    """
    client: Client = context.obj
    if [bool(targets), bool(selector.strip()), every].count(True) != 1:
        raise typer.BadParameter("name targets, or use --selector or --all")
    if condition is Condition.DELETED:
        until(client, _present(client, targets or [], selector), condition, timeout)
        return
    names = target_names.chosen(client, targets or [], None, selector, every=every)
    until(client, list(names.values()), condition, timeout)


def until(
    client: Client, wanted: Sequence[str], condition: Condition, seconds: int = _SECONDS
) -> None:
    """Wait for the targets, by name or uuid; raises Exit when the time is over."""
    known = {target.uuid: target for target in target_names.all_targets(client)}
    left = _left(wanted, known.values(), condition)
    if left and seconds:
        waiting = _left_after(client, wanted, known, condition, seconds)
        left = loop_thread.shared().result(waiting)
    if not left:
        typer.echo(f"{len(wanted)} {_targets(wanted)} {condition}.", err=True)
        return
    if not errors.are_objects():
        for name, why in list(left.items())[:_MOST]:
            typer.echo(display.printable(f"{name}  {why}"), err=True)
    more = f" ({len(left) - _MOST} more)" if len(left) > _MOST else ""
    errors.tell(
        f"after {times.span(seconds)} {len(left)} of {len(wanted)} not {condition}{more}",
        code=StatusCode.DEADLINE_EXCEEDED,
        reason="NOT_READY" if condition is READY else "NOT_DELETED",
        details=[{"target": name, "message": why} for name, why in left.items()],
    )
    raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


def _present(client: Client, given: Sequence[str], selector: str) -> list[str]:
    """Return the names of those that are there: one that is gone says nothing of the others."""
    if not given:
        return [target.cluster_name for target in target_names.all_targets(client, selector)]
    names: dict[str, str] = {}
    for each in given:
        with contextlib.suppress(NotFound):
            names |= target_names.uuids(client, [each])
    return list(names.values())


async def _left_after(
    client: Client,
    wanted: Collection[str],
    known: dict[str, Target],
    condition: Condition,
    seconds: int,
) -> dict[str, str]:
    """Follow the targets until the condition holds for all that are wanted, for so long at most.

    Returns those for which it does not hold. `known` is what is known of the targets before.
    """
    connection = client.connection
    told = watching.watch(watched(connection), connection.way.patience)
    has_synced = False
    seen: dict[str, Target] = {}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), aclosing(told) as changes:
            async for change in changes:
                if isinstance(change, watching.Synced):
                    # Not before: those that are told first are all that there are.
                    has_synced, known = True, seen
                elif change.type is ChangeType.DELETED:
                    seen.pop(change.object.uuid, None)
                else:
                    seen[change.object.uuid] = change.object
                if has_synced and not _left(wanted, known.values(), condition):
                    break
    return _left(wanted, known.values(), condition)


def _left(
    wanted: Collection[str], targets: Iterable[Target], condition: Condition
) -> dict[str, str]:
    """Return those that are waited for still, and what is known of each."""
    by_uuid = {target.uuid: target for target in targets}
    known = {target.cluster_name: target for target in by_uuid.values()} | by_uuid
    left: dict[str, str] = {}
    for name in wanted:
        target = known.get(name)
        if condition is Condition.DELETED:
            if target is not None:
                left[name] = "is there"
        elif target is None:
            left[name] = "there is no such target"
        elif not target.ready:
            left[name] = f"{target.reason or 'not checked yet'}  {target.message}".rstrip()
    return left


def _targets(wanted: Collection[str]) -> str:
    return "target" if len(wanted) == 1 else "targets"
