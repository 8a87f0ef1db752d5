"""Looks up targets by cluster name, by patterns of names, or by labels."""

import fnmatch
from collections.abc import Sequence
from pathlib import Path

import typer

from krkn_grpc.cli import ids, sources
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.failures import NotFound
from krkn_grpc.cli.lookup import meant
from krkn_grpc.v1.targets_pb2 import ListTargetsRequest, Target


def all_targets(client: Client, selector: str = "", *, ready: bool | None = None) -> list[Target]:
    """Return every target whose labels match, newest first; with `ready` only such ones."""
    request = ListTargetsRequest(label_selector=selector, ready=ready)
    return list(client.pages(client.targets.ListTargets, request, lambda page: page.targets))


def uuids(client: Client, given: Sequence[str]) -> dict[str, str]:
    """Map the uuids of targets, given by uuid, name or pattern of names, to their display names.

    A uuid is not looked up. Raises NotFound, before anything starts, with all that no target has.
    """
    is_lookup_needed = not all(map(ids.is_uuid, given))
    targets = all_targets(client) if is_lookup_needed else ()
    by_name = {target.cluster_name: target.uuid for target in targets}
    found: dict[str, str] = {}
    unknown: list[str] = []
    for text in given:
        # A name may have the characters of a pattern: then it is meant.
        if text not in by_name and _is_pattern(text):
            matching = fnmatch.filter(by_name, text)
            if not matching:
                unknown.append(repr(text))
            found = {by_name[name]: name for name in matching} | found
            continue
        target = text if ids.is_uuid(text) else by_name.get(text, "")
        if not target:
            unknown.append(f"{text!r}{meant(text, list(by_name))}")
        elif found.get(target, text) != text:
            raise typer.BadParameter(f"{found[target]!r} and {text!r} are the same target")
        else:
            found[target] = text
    if unknown:
        raise NotFound(f"there is no target {', '.join(unknown)}")
    return found


def chosen(
    client: Client, given: Sequence[str], file: Path | None, selector: str, *, every: bool
) -> dict[str, str]:
    """Map the uuids of the targets of a run to their display names; there is at least one.

    They are `given` by uuid, name or pattern, also in the lines of a file, or all whose labels
    match `selector`, or with `every` all.
    """
    # A blank selector, of a variable that is not set, would select everything.
    if [bool(given) or file is not None, bool(selector.strip()), every].count(True) != 1:
        raise typer.BadParameter(
            "name targets with --target or --targets-file, by their labels with --selector, "
            "or all with --all"
        )
    if given or file is not None:
        named = [*given, *(_lines(file) if file is not None else ())]
        return uuids(client, list(dict.fromkeys(named)))
    names = {target.uuid: target.cluster_name for target in all_targets(client, selector)}
    if not names:
        raise NotFound(
            f"no target has the labels {selector!r}"
            if selector
            else "there are no targets: register one with `krkn-grpc targets add`"
        )
    return names


def one_uuid(client: Client, given: str) -> str:
    """Return the uuid of one target, given by uuid or name; raises NotFound."""
    found = uuids(client, [given])
    if len(found) > 1:
        raise NotFound(f"{len(found)} targets are like {given!r}: name one")
    return next(iter(found))


def _lines(file: Path) -> list[str]:
    """Return the lines of a file; empty ones and # comments are skipped."""
    lines = [line.strip() for line in sources.text_of(file).splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise typer.BadParameter(f"{file}: names no target", param_hint="--targets-file")
    return named


def _is_pattern(text: str) -> bool:
    return any(each in text for each in "*?[")
