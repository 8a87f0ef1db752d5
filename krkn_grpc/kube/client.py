"""Typed access to all objects of one kind in one namespace."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec
import structlog

from krkn_grpc.kube import answers, decoding, errors, paths
from krkn_grpc.kube.session import DEFAULT_SECONDS, JSON, JSON_PATCH, MERGE_PATCH, Session
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.resources.well_known import bounded
from krkn_grpc.told import told

R = TypeVar("R", bound=Resource)
W = TypeVar("W", bound=Resource)
_log = structlog.get_logger(__name__)

# Bookmarks come once per minute: a watch that is silent for longer has lost its connection.
_WATCH_SILENCE_SECONDS = 90.0
_WATCH_SECONDS = 280
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# The API server drops unknown fields in any case. By default it would also search for them and send
# warnings, which nothing here reads.
_UNCHECKED = "?fieldValidation=Ignore"


@dataclass(frozen=True)
class Page(Generic[R]):
    """One page of a list: the objects, their list's revision, and the token for the next page."""

    items: list[R]
    revision: int
    next: str


@dataclass(frozen=True)
class Change(Generic[R]):
    """A watch event; a bookmark has no object, only the revision.

    An event of an unreadable object becomes a bookmark; if it was deleted, `gone` is its name.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: R | None
    revision: int
    gone: str = ""


class ResourceClient(Generic[R]):
    """Create, read, change and delete objects of one kind.

    The API server answers a write with only the metadata of the stored object, which costs it less.
    `create` and `replace` return the object that was sent, with that metadata.

    Every method raises a KubeError as `Session.call` does, and BadName for a name that no object
    can have.
    """

    def __init__(
        self, session: Session, kind: type[R], namespace: str, *, metadata_only: bool = False
    ) -> None:
        """Access the objects of `kind` in `namespace` over `session`.

        With `metadata_only` lists and watches bring only the objects' metadata; `kind` needs no
        other field then.
        """
        self.kind = kind
        self._list_accept = _METADATA_LIST if metadata_only else JSON
        self._watch_accept = _METADATA if metadata_only else JSON
        self.namespace = namespace
        self._session = session
        self._path = paths.collection(kind.KIND, namespace)
        self._decoder = msgspec.json.Decoder(kind)
        self._encoder = msgspec.json.Encoder()
        api_version, name, _ = kind.KIND
        # The kind belongs to the class, so it is written in front of the encoded object.
        self._head = f'{{"apiVersion":"{api_version}","kind":"{name}",'.encode()

    async def create(self, new: W, seconds: float = DEFAULT_SECONDS) -> W:
        """Create the object and return it with the metadata that it was stored with."""
        body = self._encode(new)
        stored = await self._write("POST", self._path, body, seconds=seconds)
        return msgspec.structs.replace(new, metadata=stored)

    async def get(self, name: str) -> R:
        """Return the object as it is now."""
        return decoding.read(
            await self._session.call("GET", paths.single(self._path, name)), self._decoder
        )

    async def replace(self, changed: R) -> R:
        """Write the whole object; Conflict when its resource version is not the current one."""
        path = paths.single(self._path, changed.metadata.name)
        stored = await self._write("PUT", path, self._encode(changed))
        return msgspec.structs.replace(changed, metadata=stored)

    async def replace_status(self, seen: R, status: msgspec.Struct) -> R:
        """Write the status of exactly the version that was seen; Conflict when it changed since."""
        metadata = ObjectMeta(
            name=seen.metadata.name,
            namespace=seen.metadata.namespace,
            uid=seen.metadata.uid,
            resource_version=seen.metadata.resource_version,
        )
        body = self._head + self._encoder.encode({"metadata": metadata, "status": status})[1:]
        path = paths.single(self._path, seen.metadata.name, "status")
        stored = await self._write("PUT", path, body)
        return msgspec.structs.replace(seen, metadata=stored, status=status)

    async def patch(self, name: str, operations: Iterable[dict[str, Any]]) -> ObjectMeta:
        """Apply a JSON patch; Invalid when one of its `test` operations fails."""
        body = self._encoder.encode(list(operations))
        return await self._write("PATCH", paths.single(self._path, name), body, JSON_PATCH)

    async def merge(self, name: str, part: dict[str, Any]) -> ObjectMeta:
        """Apply a JSON merge patch; a resource version in its metadata is a precondition."""
        body = self._encoder.encode(part)
        return await self._write("PATCH", paths.single(self._path, name), body, MERGE_PATCH)

    async def merge_status(self, name: str, part: dict[str, Any]) -> ObjectMeta:
        """Apply a JSON merge patch to the status alone; other fields of `part` are preconditions.

        So other writers of the same status keep what they have written.
        """
        body = self._encoder.encode(part)
        return await self._write(
            "PATCH", paths.single(self._path, name, "status"), body, MERGE_PATCH
        )

    async def delete(
        self, name: str, *, uid: str | None = None, resource_version: str | None = None
    ) -> None:
        """Delete the object; Conflict when it is not the one with this uid and version."""
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        body = self._encoder.encode(
            {
                "propagationPolicy": "Background",
                "preconditions": {key: value for key, value in preconditions.items() if value},
            }
        )
        path = paths.single(self._path, name)
        decoding.read(await self._session.call("DELETE", path, body=body), decoding.ANSWER)

    async def get_metadata(self, name: str) -> ObjectMeta:
        """Return only the metadata of the object."""
        path = paths.single(self._path, name)
        return decoding.metadata(await self._session.call("GET", path, accept=_METADATA))

    async def list_metadata(self, *, labels: str = "") -> list[ObjectMeta]:
        """Return only the metadata of all objects."""
        content = await self._session.call(
            "GET",
            self._path,
            query={"labelSelector": labels} if labels else None,
            accept=_METADATA_LIST,
        )
        listed = decoding.read(content, decoding.METADATA_LIST)
        return [item.metadata for item in listed.items or []]

    async def list(
        self,
        *,
        labels: str = "",
        limit: int = 0,
        after: str = "",
        seconds: float = DEFAULT_SECONDS,
    ) -> Page[R]:
        """Return one page of the objects; `after` is the `next` of the page before."""
        query = {"labelSelector": labels, "limit": str(limit or ""), "continue": after}
        asked = {key: value for key, value in query.items() if value}
        content = await self._session.call(
            "GET", self._path, query=asked, accept=self._list_accept, seconds=seconds
        )
        try:
            listed = decoding.read(content, decoding.LIST)
            found = map(self._readable, listed.items or [])
            items = [item for item in found if item is not None]
        except errors.TooDeep:
            return await self._list_singly(asked, seconds)
        return Page(
            items, decoding.revision(listed.metadata.resource_version), listed.metadata.next
        )

    async def _list_singly(self, query: dict[str, str], seconds: float) -> Page[R]:
        """Return one page, read object by object: one that is too deep must not hide the others."""
        content = await self._session.call(
            "GET", self._path, query=query, accept=_METADATA_LIST, seconds=seconds
        )
        listed = decoding.read(content, decoding.METADATA_LIST)
        items: list[R] = []
        for name in (item.metadata.name for item in listed.items or []):
            try:
                content = await self._session.call("GET", paths.single(self._path, name))
                decoding.read(content, decoding.ANSWER)
                found = self._readable(msgspec.Raw(content))
            except errors.NotFound:
                continue
            except errors.TooDeep as error:
                self._tell_unreadable(name, error)
                continue
            if found is not None:
                items.append(found)
        return Page(
            items, decoding.revision(listed.metadata.resource_version), listed.metadata.next
        )

    async def watch(self, revision: int, *, labels: str = "") -> AsyncIterator[Change[R]]:
        """Yield every change after `revision` until the API server ends the watch.

        Raises Expired when that revision is no longer kept, TooDeep after a change that cannot be
        read, OutcomeUnknown when the connection is lost.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": str(revision),
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        if labels:
            query["labelSelector"] = labels
        async with self._session.stream(
            self._path,
            query,
            silence_seconds=_WATCH_SILENCE_SECONDS,
            accept=self._watch_accept,
        ) as stream:
            rest = b""
            async for chunk in stream.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield self._change(line)

    async def _write(
        self,
        method: str,
        path: str,
        body: bytes,
        content_type: str = JSON,
        seconds: float = DEFAULT_SECONDS,
    ) -> ObjectMeta:
        content = await self._session.call(
            method,
            path + _UNCHECKED,
            body=body,
            content_type=content_type,
            accept=_METADATA,
            seconds=seconds,
        )
        return decoding.metadata(content)

    def _change(self, line: bytes) -> Change[R]:
        change = decoding.read(line, decoding.CHANGE)
        if change.type == "ERROR":
            status = decoding.read(change.object, decoding.STATUS)
            raise answers.error_for("GET", status.code, status)
        item = None if change.type == "BOOKMARK" else self._readable(change.object)
        if item is None:
            metadata = decoding.metadata(change.object)
            gone = metadata.name if change.type == "DELETED" else ""
            return Change("BOOKMARK", None, decoding.revision(metadata.resource_version), gone)
        kind: Literal["ADDED", "MODIFIED", "DELETED"] = change.type  # type: ignore[assignment]  # the API has no others
        return Change(kind, item, decoding.revision(item.metadata.resource_version))

    def _readable(self, raw: msgspec.Raw) -> R | None:
        """Decode one object, or return None: one that breaks our types must not hide the others."""
        try:
            return bounded(self._decoder.decode(raw))
        except RecursionError:
            raise errors.TooDeep(decoding.TOO_DEEP) from None
        except msgspec.ValidationError as error:
            self._tell_unreadable(decoding.metadata(raw).name, error)
            return None

    def _tell_unreadable(self, name: str, error: Exception) -> None:
        _log.error("unreadable object", kind=self.kind.KIND.name, name=name, error=told(error))

    def _encode(self, resource: Resource) -> bytes:
        return self._head + self._encoder.encode(resource)[1:]
