"""Decodes what the API server sends: objects, lists, changes, and its other answers."""

from typing import TypeVar

import msgspec

from krkn_grpc.kube import answers, errors
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.told import told

T = TypeVar("T")
TOO_DEEP = "nested too deeply to be read"


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
    """Any answer of the API server; each one names its kind."""

    kind: str


class _Metadata(msgspec.Struct):
    metadata: ObjectMeta


class _MetadataList(msgspec.Struct):
    metadata: _ListMeta
    items: list[_Metadata] | None = None


# A list and a change keep their objects undecoded: each is decoded by itself, so that one that
# breaks our types hides no other.
LIST = msgspec.json.Decoder(_List)
CHANGE = msgspec.json.Decoder(_Change)
ANSWER = msgspec.json.Decoder(_Answer)
STATUS = msgspec.json.Decoder(answers.Status)
METADATA = msgspec.json.Decoder(_Metadata)
METADATA_LIST = msgspec.json.Decoder(_MetadataList)


def revision(version: str) -> int:
    """Return a resource version as the number that it is; raises Unreadable."""
    if not version.isdecimal():
        raise errors.Unreadable("not what the API server answers: no resource version")
    return int(version)


def metadata(content: bytes | msgspec.Raw) -> ObjectMeta:
    """Return the metadata of an object; raises Unreadable."""
    return read(content, METADATA).metadata


def read(content: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what the decoder makes of an answer; raises Unreadable, or TooDeep."""
    try:
        return decoder.decode(content)
    except RecursionError:
        raise errors.TooDeep(TOO_DEEP) from None
    except msgspec.MsgspecError as error:
        raise errors.Unreadable(f"not what the API server answers: {told(error)}") from None
