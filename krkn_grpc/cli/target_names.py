"""Looks up targets by cluster name."""

import uuid
from collections.abc import Sequence

import typer

from krkn_grpc.cli.client import Client
from krkn_grpc.v1.targets_pb2 import ListTargetsRequest, Target

_PAGE = 1_000


def all_targets(client: Client, selector: str = "") -> list[Target]:
    """Return every target whose labels match, newest first."""
    targets: list[Target] = []
    request = ListTargetsRequest(page_size=_PAGE, label_selector=selector)
    while True:
        page = client.call(client.targets.ListTargets, request)
        targets += page.targets
        if not page.next_page_token:
            return targets
        request.page_token = page.next_page_token


def uuids(client: Client, given: Sequence[str]) -> dict[str, str]:
    """Map the uuids of targets, given by uuid or name, to the given texts.

    A uuid is not looked up. A name that no target has is a usage error, before anything starts.
    """
    is_lookup_needed = not all(map(_is_uuid, given))
    targets = all_targets(client) if is_lookup_needed else ()
    by_name = {target.cluster_name: target.uuid for target in targets}
    found: dict[str, str] = {}
    for text in given:
        target = text if _is_uuid(text) else by_name.get(text, "")
        if not target:
            raise typer.BadParameter(f"there is no target of the name {text!r}")
        if target in found:
            raise typer.BadParameter(f"{found[target]!r} and {text!r} are the same target")
        found[target] = text
    return found


def chosen(client: Client, given: Sequence[str], selector: str, *, every: bool) -> dict[str, str]:
    """Map the uuids of the targets of a run to their display names; there is at least one.

    They are `given` by uuid or name, or all whose labels match `selector`, or with `every` all.
    """
    if [bool(given), bool(selector), every].count(True) != 1:
        raise typer.BadParameter(
            "name targets with --target, by their labels with --selector, or all with --all"
        )
    if given:
        return uuids(client, given)
    names = {target.uuid: target.cluster_name for target in all_targets(client, selector)}
    if not names:
        raise typer.BadParameter(
            f"no target has the labels {selector!r}"
            if selector
            else "there are no targets: register one with `krkn-grpc targets add`"
        )
    return names


def one_uuid(client: Client, given: str) -> str:
    """Return the uuid of one target, given by uuid or name."""
    return next(iter(uuids(client, [given])))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
