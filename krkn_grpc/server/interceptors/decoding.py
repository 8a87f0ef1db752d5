"""Decodes a request, unless it has so many fields that decoding would block the event loop.

A field takes two bytes on the wire and some dozens when it is decoded: 4 MiB became 140.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError

from krkn_grpc.resources.violation import Violation
from krkn_grpc.server.errors import InvalidRequest, NotReceived, TooLarge

# A run on 1,000 targets with as many variables as 64 KiB hold has fewer. Only fields of the message
# itself count: each element of a list, each entry of a map.
MOST_FIELDS = 8_192
# A message of at most this many bytes may have more fields: it does no harm.
_SHORT = 64 * 1024


def decode(message: bytes, largest: int, decoder: Callable[[bytes], Any]) -> Any:
    """Return the decoded message; raises TooLarge, InvalidRequest and NotReceived."""
    if len(message) > largest:
        raise TooLarge(f"the request is larger than the {largest} bytes that this method takes")
    if len(message) > _SHORT and has_more_fields(message, MOST_FIELDS):
        rule = f"must have at most {MOST_FIELDS} fields, elements and entries together"
        raise InvalidRequest([Violation("request", rule)])
    try:
        return decoder(message)
    except DecodeError:
        raise NotReceived("the request is not a message of this method") from None


def has_more_fields(message: bytes, most: int) -> bool:
    """Whether the top-level message has more fields; any result for a malformed message."""
    at, fields = 0, 0
    try:
        while at < len(message) and fields <= most:
            fields += 1
            tag, at = _varint(message, at)
            match tag & 7:
                case 0:
                    _, at = _varint(message, at)
                case 1:
                    at += 8
                case 2:
                    size, at = _varint(message, at)
                    at += size
                case 5:
                    at += 4
    except IndexError:
        pass  # The message is truncated; its decoder raises the error.
    return fields > most


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the varint at this offset, and the offset after it."""
    number, shift = message[at] & 0x7F, 0
    while message[at] > 0x7F:
        at += 1
        shift += 7
        number |= (message[at] & 0x7F) << shift
    return number, at + 1
