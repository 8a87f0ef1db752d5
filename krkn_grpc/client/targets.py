"""Targets: the clusters that scenarios run on."""

import asyncio
import builtins
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from krkn_grpc.client import kubeconfigs, watching
from krkn_grpc.client.connection import Connection
from krkn_grpc.client.credentials import Credential, Kubeconfig, fill
from krkn_grpc.client.errors import AlreadyExists, KrknError, NotFound, NotReady
from krkn_grpc.client.models import Target
from krkn_grpc.client.options import several, uuids
from krkn_grpc.client.pages import all_pages
from krkn_grpc.client.reading import read
from krkn_grpc.client.selectors import not_blank
from krkn_grpc.client.statuses import ChangeType
from krkn_grpc.client.watching import Change
from krkn_grpc.v1 import targets_pb2 as pb

READY_SECONDS = 60.0


@dataclass(frozen=True)
class Imported:
    """What became of one context: its target, or `error` says why there is none.

    `is_new` is False if the target was registered before.
    """

    context: str
    target: Target | None
    is_new: bool = False
    error: KrknError | kubeconfigs.BadKubeconfig | None = None


class Targets:
    """`krkn.targets`: registers clusters, and looks at them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stubs = connection.targets

    async def register(
        self,
        cluster_name: str,
        credential: Credential,
        *,
        labels: Mapping[str, str] | None = None,
        max_concurrent_jobs: int | None = None,
    ) -> Target:
        """Register a cluster and return the target, which is not ready yet.

        Raises InvalidArgument, and AlreadyExists if another target has the name or the address. A
        call without an answer is not repeated: see whether the target is there.
        """
        request = pb.CreateTargetRequest(
            cluster_name=cluster_name, labels=labels, max_concurrent_jobs=max_concurrent_jobs
        )
        fill(request, credential)
        try:
            made = await self._connection.call(
                self._stubs.CreateTarget, request, is_repeatable=False
            )
        except AlreadyExists as error:
            error.existing = await self._holder(cluster_name, credential)
            raise
        return await self.get(made.uuid)

    async def import_kubeconfig(
        self,
        path: Path | str | None = None,
        *,
        contexts: Iterable[str] | None = None,
        name_prefix: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> builtins.list[Imported]:
        """Register each context of a kubeconfig, named by the prefix and the context.

        Left out: kubectl's own files, all contexts. Best effort: a context that cannot be
        registered does not affect the others. If another target has its address, that is its
        target; one that has its name alone is another cluster, and the error is AlreadyExists.
        Raises OSError and BadKubeconfig if the file as a whole cannot be read.
        """
        files = kubeconfigs.load(path)
        wanted = several("contexts", files.contexts if contexts is None else contexts)
        return [await self._imported(files, each, name_prefix, labels) for each in wanted]

    async def update(
        self,
        uuid: str,
        cluster_name: str,
        credential: Credential,
        *,
        labels: Mapping[str, str] | None = None,
        max_concurrent_jobs: int | None = None,
    ) -> Target:
        """Replace a target as a whole, and return it; its uuid stays."""
        request = pb.UpdateTargetRequest(
            uuid=uuid,
            cluster_name=cluster_name,
            labels=labels,
            max_concurrent_jobs=max_concurrent_jobs,
        )
        fill(request, credential)
        try:
            await self._connection.call(self._stubs.UpdateTarget, request)
        except AlreadyExists as error:
            error.existing = await self._holder(cluster_name, credential, but=uuid)
            raise
        return await self.get(uuid)

    async def patch(
        self,
        uuid: str,
        *,
        cluster_name: str | None = None,
        labels: Mapping[str, str] | None = None,
        remove_labels: Iterable[str] = (),
        max_concurrent_jobs: int | None = None,
    ) -> Target:
        """Change what is given and nothing else, and return the target; needs no credential."""
        request = pb.PatchTargetRequest(
            uuid=uuid,
            cluster_name=cluster_name,
            labels=labels,
            remove_labels=several("remove_labels", remove_labels),
            max_concurrent_jobs=max_concurrent_jobs,
        )
        return await self._connection.ask(self._stubs.PatchTarget, request, Target)

    async def get(self, uuid: str) -> Target:
        """Return a target; raises NotFound."""
        request = pb.GetTargetRequest(uuid=uuid)
        return await self._connection.ask(self._stubs.GetTarget, request, Target)

    async def check(self, uuid: str) -> Target:
        """Ask for a check of the cluster now; return the target as it was before."""
        request = pb.CheckTargetRequest(uuid=uuid)
        return await self._connection.ask(self._stubs.CheckTarget, request, Target)

    async def delete(self, uuid: str) -> None:
        """Delete a target and its credential; raises NotFound. Running jobs go on."""
        try:
            request = pb.DeleteTargetRequest(uuid=uuid)
            await self._connection.call(self._stubs.DeleteTarget, request)
        except NotFound as error:
            # An earlier attempt, whose answer was lost, has deleted it: a uuid never comes again.
            if not error.was_lost_before:
                raise

    def list(self, *, selector: str = "", ready: bool | None = None) -> AsyncIterator[Target]:
        """Yield the targets with these labels (`a=b,c!=d,e in (f,g)`), page after page."""
        request = pb.ListTargetsRequest(label_selector=selector, ready=ready)
        return all_pages(
            self._connection,
            self._stubs.ListTargets,
            request,
            lambda page: (read(each, Target) for each in page.targets),
        )

    async def select(
        self, selector: str | None = None, *, ready: bool | None = None
    ) -> builtins.list[Target]:
        """Return all targets, or those with these labels, as `list` yields them.

        Raises ValueError for a blank selector, which would select all.
        """
        return [each async for each in self.list(selector=not_blank(selector), ready=ready)]

    def watch(
        self, *, selector: str = "", ready: bool | None = None
    ) -> AsyncIterator[Change[Target]]:
        """Yield each target with these labels as ADDED, then each change, without end."""
        told = watching.watch(
            watched(self._connection, selector, ready), self._connection.way.patience
        )
        return watching.changes_only(told, lambda target: read(target, Target))

    async def wait_ready(
        self, targets: Iterable[str | Target], *, timeout: float = READY_SECONDS
    ) -> builtins.list[Target]:
        """Return the targets, in the order given, as soon as all of them are ready.

        Raises NotReady after `timeout` seconds, and NotFound if one does not exist.
        """
        wanted = uuids(targets)
        seen = {uuid: await self.get(uuid) for uuid in wanted}
        try:
            async with asyncio.timeout(timeout), aclosing(self._changes()) as changes:
                while not all(each.ready for each in seen.values()):
                    change = await anext(changes)
                    if change.object.uuid in seen and change.type is ChangeType.DELETED:
                        raise NotFound(f"{change.object.cluster_name} was deleted")
                    if change.object.uuid in seen:
                        seen[change.object.uuid] = change.object
        except TimeoutError:
            late = [each for each in seen.values() if not each.ready]
            why = [f"{each.cluster_name}: {each.message or 'not checked yet'}" for each in late]
            raise NotReady("; ".join(why)) from None
        return [seen[uuid] for uuid in wanted]

    def _changes(self) -> AsyncGenerator[Change[Target], None]:
        told = watching.watch(watched(self._connection), self._connection.way.patience)
        return watching.changes_only(told, lambda target: read(target, Target))

    async def _imported(
        self,
        files: kubeconfigs.KubeconfigFiles,
        context: str,
        name_prefix: str,
        labels: Mapping[str, str] | None,
    ) -> Imported:
        try:
            credential = Kubeconfig(files.embedded(context))
            target = await self.register(name_prefix + context, credential, labels=labels)
        except AlreadyExists as error:
            if error.existing is None:
                return Imported(context, None, error=error)
            try:
                found = await self.get(error.existing)
            except KrknError as unseen:
                return Imported(context, None, error=unseen)
            if not is_same_address(found.cluster_api_url, kubeconfigs.server(credential.text)):
                # Contexts of different clusters have the same name: default, kind-kind.
                return Imported(context, None, error=error)
            return Imported(context, found)
        except (KrknError, kubeconfigs.BadKubeconfig) as error:
            return Imported(context, None, error=error)
        except OSError as error:
            said = f"context {context}: {error.filename}: {error.strerror}"
            return Imported(context, None, error=kubeconfigs.BadKubeconfig(said))
        return Imported(context, target, is_new=True)

    async def _holder(self, name: str, credential: Credential, but: str = "") -> str | None:
        """Return the uuid of the other target with this address, else of the one with this name.

        None if the caller sees none.
        """
        url = (
            kubeconfigs.server(credential.text)
            if isinstance(credential, Kubeconfig)
            else credential.api_url
        )
        of_name: str | None = None
        with suppress(KrknError):
            async for each in self.list():
                if each.uuid != but and is_same_address(each.cluster_api_url, url):
                    return each.uuid
                if each.uuid != but and each.cluster_name == name.strip():
                    of_name = each.uuid
        return of_name


def is_same_address(one: str, other: str) -> bool:
    """Whether two URLs of clusters are the same but for their spelling."""
    return _comparable(one) == _comparable(other)


def watched(
    connection: Connection, selector: str = "", ready: bool | None = None
) -> watching.Watched[pb.WatchTargetsResponse, pb.Target]:
    """Return how the targets with these labels are watched."""

    def open_stream(resume_token: str) -> AsyncGenerator[pb.WatchTargetsResponse, None]:
        request = pb.WatchTargetsRequest(
            label_selector=selector, ready=ready, resume_token=resume_token
        )
        return connection.stream(connection.targets.WatchTargets, request)

    return watching.Watched(open_stream, lambda told: told.target, lambda each: each.uuid)


def _comparable(url: str) -> tuple[str, int, str]:
    """Return what tells two addresses apart: case, default port and a last slash do not."""
    try:
        parts = urlsplit(url.strip())
        return (parts.hostname or "", parts.port or 443, parts.path.rstrip("/"))
    except ValueError:
        return ("", 0, url)
