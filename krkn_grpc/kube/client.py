"""Typed access to all objects of one kind in one namespace."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec
import structlog

from krkn_grpc.kube import errors, paths
from krkn_grpc.kube.session import DEFAULT_SECONDS, JSON, JSON_PATCH, MERGE_PATCH, Session
from krkn_grpc.resources.meta import ObjectMeta, Resource

R = TypeVar("R", bound=Resource)
W = TypeVar("W", bound=Resource)
T = TypeVar("T")
_log = structlog.get_logger(__name__)

# Bookmarks come once a minute: a watch that is silent for longer has lost its other end.
_WATCH_SILENCE_SECONDS = 90.0
_WATCH_SECONDS = 280
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# A field that the API server does not know is dropped in any case. It would look for such fields
# and warn of them, which nobody here reads.
_UNCHECKED = "?fieldValidation=Ignore"


class _ListMeta(msgspec.Struct, rename={"resource_version": "resourceVersion", "next": "continue"}):
    resource_version: str = ""
    next: str = ""


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _Change(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Answer(msgspec.Struct):
    """Whatever the API server answers says of what kind it is."""

    kind: str


class _Metadata(msgspec.Struct):
    metadata: ObjectMeta


class _MetadataList(msgspec.Struct):
    items: list[_Metadata] | None = None


_LIST_DECODER = msgspec.json.Decoder(_List)
_CHANGE_DECODER = msgspec.json.Decoder(_Change)
_ANSWER_DECODER = msgspec.json.Decoder(_Answer)
_METADATA_DECODER = msgspec.json.Decoder(_Metadata)
_METADATA_LIST_DECODER = msgspec.json.Decoder(_MetadataList)


class _Status(msgspec.Struct):
    code: int = 500
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Page(Generic[R]):
    """A part of a list: the objects, the revision they were read at, and the way to the rest."""

    items: list[R]
    revision: int
    next: str


@dataclass(frozen=True)
class Change(Generic[R]):
    """A change that a watch reported; a bookmark has no object, only the revision."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: R | None
    revision: int


class Store(Generic[R]):
    """Create, read, change and delete objects of one kind.

    A write is answered with the metadata of what is stored now, and nothing else of it, which
    costs the API server less. What a write returns is what was sent, with that metadata.

    Every method raises a KubeError as `Session.call` does, and BadName for a name that no object
    can have.
    """

    def __init__(self, session: Session, kind: type[R], namespace: str) -> None:
        """Speak of `kind` in `namespace` over `session`."""
        self.kind = kind
        self.namespace = namespace
        self._session = session
        self._path = paths.collection(kind.KIND, namespace)
        self._decoder = msgspec.json.Decoder(kind)
        self._encoder = msgspec.json.Encoder()
        api_version, name, _ = kind.KIND
        # The kind is the class's, so it is written in front of what the object itself says.
        self._head = f'{{"apiVersion":"{api_version}","kind":"{name}",'.encode()

    async def create(self, new: W, seconds: float = DEFAULT_SECONDS) -> W:
        """Create the object and return it with the metadata that it was stored with."""
        body = self._encode(new)
        stored = await self._write("POST", self._path, body, seconds=seconds)
        return msgspec.structs.replace(new, metadata=stored)

    async def get(self, name: str) -> R:
        """Return the object as it is now."""
        return _read(await self._session.call("GET", paths.single(self._path, name)), self._decoder)

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
        _read(await self._session.call("DELETE", path, body=body), _ANSWER_DECODER)

    async def get_metadata(self, name: str) -> ObjectMeta:
        """Return the metadata of the object and nothing else of it."""
        path = paths.single(self._path, name)
        return _metadata(await self._session.call("GET", path, accept=_METADATA))

    async def list_metadata(self, *, labels: str = "") -> list[ObjectMeta]:
        """Return the metadata of all objects and nothing else of them."""
        content = await self._session.call(
            "GET",
            self._path,
            query={"labelSelector": labels} if labels else None,
            accept=_METADATA_LIST,
        )
        listed = _read(content, _METADATA_LIST_DECODER)
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
        content = await self._session.call(
            "GET",
            self._path,
            query={key: value for key, value in query.items() if value},
            seconds=seconds,
        )
        listed = _read(content, _LIST_DECODER)
        items = [item for raw in listed.items or [] if (item := self._readable(raw)) is not None]
        return Page(items, int(listed.metadata.resource_version), listed.metadata.next)

    async def watch(self, revision: int, *, labels: str = "") -> AsyncIterator[Change[R]]:
        """Yield every change after `revision` until the API server ends the watch.

        Raises Expired when that revision is no longer kept, OutcomeUnknown when the connection
        is lost.
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
            self._path, query, silence_seconds=_WATCH_SILENCE_SECONDS
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
        return _metadata(content)

    def _change(self, line: bytes) -> Change[R]:
        change = _read(line, _CHANGE_DECODER)
        if change.type == "ERROR":
            status = msgspec.json.decode(change.object, type=_Status)
            raise errors.from_answer(status.code, status, None)
        if change.type == "BOOKMARK":
            bookmark = msgspec.json.decode(change.object, type=_Metadata)
            return Change("BOOKMARK", None, int(bookmark.metadata.resource_version))
        item = self._readable(change.object)
        if item is None:
            unreadable = msgspec.json.decode(change.object, type=_Metadata)
            return Change("BOOKMARK", None, int(unreadable.metadata.resource_version))
        kind: Literal["ADDED", "MODIFIED", "DELETED"] = change.type  # type: ignore[assignment]  # the API has no others
        return Change(kind, item, int(item.metadata.resource_version))

    def _readable(self, raw: msgspec.Raw) -> R | None:
        """Decode one object; one that breaks our types must not hide all the others."""
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            name = msgspec.json.decode(raw, type=_Metadata).metadata.name
            _log.error(
                "unreadable object",
                kind=self.kind.KIND.name,
                name=name,
                error=str(error),
            )
            return None

    def _encode(self, resource: Resource) -> bytes:
        return self._head + self._encoder.encode(resource)[1:]


def _metadata(content: bytes) -> ObjectMeta:
    return _read(content, _METADATA_DECODER).metadata


def _read(content: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise errors.Unreadable(f"not what the API server answers: {error}") from error
