"""krkn-grpc targets discover: the clusters that all providers know."""

import time
import uuid
from typing import Annotated

import typer
from grpc import StatusCode

from krkn_grpc.cli import columns, display, errors, failures
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.v1.target_requests_pb2 import (
    DeleteDiscoveryRequest,
    DiscoverTargetsRequest,
    Discovery,
    GetDiscoveryRequest,
    ListClustersRequest,
    ListClustersResponse,
)

# Each call waits for the completion itself, for 10 seconds by default.
_PAUSE_SECONDS = 0.5

Timeout = Annotated[
    float, typer.Option(min=1, metavar="SECONDS", help="How long to wait for the providers.")
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the request, and print its id to standard error.")
]


def discover_targets(
    context: typer.Context,
    timeout: Timeout = 120.0,
    keep: Keep = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask all providers for the clusters they know, and list them."""
    client: Client = context.obj
    # With an id of its own, so that a retry of the call makes no second request.
    asked = DiscoverTargetsRequest(request_id=str(uuid.uuid4()))
    made = client.call(client.target_requests.DiscoverTargets, asked).uuid
    try:
        found = _completed(client, made, timeout)
        clusters = client.call(client.target_requests.ListClusters, ListClustersRequest(id=made))
        # Before the deletion, which may fail.
        _print(found, clusters, output)
    finally:
        if keep:
            typer.echo(made, err=True)
        else:
            # A retry would not find the request.
            deleted = DeleteDiscoveryRequest(uuid=made)
            client.call(client.target_requests.DeleteDiscovery, deleted, is_repeatable=False)


def _print(found: Discovery, clusters: ListClustersResponse, output: Format) -> None:
    if found.missing_providers:
        missing = ", ".join(found.missing_providers)
        typer.echo(display.cell(f"without an answer in time: {missing}").plain, err=True)
    display.show_list(columns.CLUSTERS, clusters, output)


def _completed(client: Client, uuid: str, seconds: float) -> Discovery:
    """Return the request when it is completed; ends the command if it is not in time."""
    end = time.monotonic() + seconds
    while True:
        request = GetDiscoveryRequest(uuid=uuid)
        found = client.call(client.target_requests.GetDiscovery, request)
        if found.status == "Completed":
            return found
        if time.monotonic() >= end:
            said = f"not completed after {seconds:g} s"
            errors.tell(said, code=StatusCode.DEADLINE_EXCEEDED, reason="NOT_COMPLETED")
            raise typer.Exit(failures.ExitCode.NO_ANSWER)
        time.sleep(_PAUSE_SECONDS)
