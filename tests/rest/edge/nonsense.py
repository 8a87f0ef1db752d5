"""Requests with headers that HTTP lets pass and gRPC refuses: known ones, and random ones."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

Header = tuple[bytes, bytes]
MESSAGE = struct.pack(">BI", 0, 0)
"""An empty gRPC message."""

# What is wrong for each of the headers below.
_WORDS = [
    b"",
    b"x",
    b"-1",
    b"1.5",
    b"1e9",
    b"0x1",
    b"NaN",
    b"null",
    b"a b",
    b"a,b",
    b"a;q=1",
    b"*",
    b"%00",
    b"\xff",
    b"\x80\x80",
    "\N{INFINITY}".encode(),
    b"\xed\xa0\x80",
    b'"',
    b"{}",
    b"=" * 100,
    b"a" * 2000,
]
_TIMEOUTS = [
    b"10s",
    b"Infinitym",
    b"1",
    b"S",
    b"1SS",
    b"1 S",
    b"-1S",
    b"+1S",
    b"1.5S",
    b"1e3S",
    b"0x1S",
    b"1s",
    b"1h",
    b"1S;q=1",
    b"1S,1S",
    b"NaNS",
    b"",
    b"\xffS",
    b"1\xc2\xa0S",
    b"9" * 40 + b"x",
    b"S1",
]
_ENCODINGS = [
    b"br",
    b"zstd",
    b"GZIP",
    b"x-gzip",
    b"gzip;q=1",
    b"gzip,gzip",
    b"gzip gzip",
    b"identity,",
    b"snappy",
    b"stream/gzip",
    b"*",
    b"",
    b"\xff",
    b"gzip\xc2\xa0",
    b"gz",
    b"none",
    b"null",
    b"0",
    b"1",
    b"lz4",
]
_NOT_BASE64 = [
    b"!!!",
    b"=",
    b"a",
    b"ab=c",
    b"====",
    b"%%%",
    b"\xff",
    b"AA AA",
    b"AAAA!",
    b"A=A=",
    b"-_-_!",
    b"a,!",
    b"a,b",
    b"\x80",
    b"{}",
    b"~",
    b"'",
    b"AAAAA",
    b"A",
    b"#",
]
VALUES: dict[bytes, Sequence[bytes]] = {
    b"grpc-timeout": _TIMEOUTS,
    b"grpc-encoding": _ENCODINGS,
    b"grpc-accept-encoding": _ENCODINGS,
    **dict.fromkeys(
        [
            b"authorization",
            b"user-agent",
            b"te",
            b"krkn-revision",
            b"x-request-id",
            b"traceparent",
            b"tracestate",
            b"b3",
            b"x-forwarded-for",
            b"grpc-status",
            b"grpc-message",
            b"lb-token",
            b"grpc-previous-rpc-attempts",
            b"grpc-retry-pushback-ms",
            b"content-encoding",
            b"host",
            b"grpc-internal-encoding-request",
            b"cookie",
            b"accept-encoding",
            b"content-length",
        ],
        _WORDS,
    ),
    **dict.fromkeys(
        [
            b"x-bin",
            b"krkn-x-bin",
            b"grpc-trace-bin",
            b"grpc-tags-bin",
            b"lb-cost-bin",
            b"grpc-status-details-bin",
            b"grpc-server-stats-bin",
            b"endpoint-load-metrics-bin",
        ],
        _NOT_BASE64,
    ),
}
NAMES = [
    b"a|b",
    b"a!",
    b"a#",
    b"a$",
    b"a%",
    b"a&",
    b"a'",
    b"a*",
    b"a+",
    b"a^",
    b"a`",
    b"a~",
    b"grpc-",
    b"-bin",
    b"krkn-|",
    b"krkn-",
    b"krkn-~",
    b"grpc-nothing",
    b"grpc-timeout-bin",
    b":nothing",
    b"|",
]
_PSEUDO: dict[bytes, Sequence[bytes]] = {
    b":method": [
        b"GET",
        b"PUT",
        b"DELETE",
        b"HEAD",
        b"OPTIONS",
        b"TRACE",
        b"PATCH",
        b"NONE",
        b"post",
    ],
    b":scheme": [b"ftp", b"", b"x", b"\xff"],
    b":authority": [b"\xff", b"", b"a b", b"x" * 300],
    b":path": [b"/a\x80b", b"*", b"/", b"/a b", b"/\xff/\xff", b"//", b"/krkn.v1.TargetService/"],
    b"content-type": [
        b"application/grpc+\xff",
        b"application/grpc+",
        b"application/grpc;x",
        b"\xff",
    ],
}


@dataclass(frozen=True)
class Asked:
    """One request: its headers, what follows its message."""

    headers: tuple[Header, ...]
    trailers: tuple[Header, ...] = ()
    is_grpc: bool = True


def with_each_nonsense() -> Iterator[Asked]:
    """Yield requests of each protocol with each wrong header, as a header and as a trailer."""
    for kind in (b"application/grpc", b"application/grpc-web+proto", b"application/json"):
        usual = _usual(kind)
        is_grpc = kind == b"application/grpc"
        for name, value in _wrong():
            yield Asked((*usual, (name, value)), is_grpc=is_grpc)
        for name, values in _PSEUDO.items():
            others = tuple(header for header in usual if header[0] != name)
            for value in values:
                # Before all others, as HTTP/2 wants it.
                yield Asked(tuple(sorted((*others, (name, value)))), is_grpc=is_grpc)
        # One that is right beside it.
        yield Asked((*usual, (b"grpc-timeout", b"1S"), (b"grpc-timeout", b"10s")), is_grpc=is_grpc)
    for header in _wrong():
        yield Asked(_usual(b"application/grpc"), trailers=(header,))


def with_random_nonsense(random: Random, count: int) -> Iterator[Asked]:
    """Yield requests with several headers at once, of names and values that nobody has listed."""
    names = [*VALUES, *NAMES, *_PSEUDO]
    for _ in range(count):
        kind = random.choice(
            (b"application/grpc", b"application/grpc-web+proto", b"application/json")
        )
        wrong = [
            (_random_name(random, names), _random_value(random))
            for _ in range(random.randrange(1, 6))
        ]
        pseudo = tuple(header for header in wrong if header[0].startswith(b":"))
        taken = {name for name, _ in pseudo}
        usual = (header for header in _usual(kind) if header[0] not in taken)
        headers = (*pseudo, *usual, *(header for header in wrong if header not in pseudo))
        is_grpc = kind == b"application/grpc"
        trailers = (random.choice(headers),) if random.random() < 0.1 else ()
        yield Asked(tuple(sorted(headers, key=_is_plain)), trailers, is_grpc=is_grpc)


def _is_plain(header: Header) -> bool:
    return not header[0].startswith(b":")


def _random_name(random: Random, known: Sequence[bytes]) -> bytes:
    name = random.choice(known)
    match random.randrange(4):
        case 0:
            return name + random.choice((b"-bin", b"-x", b"2", b".", b"|"))
        case 1:
            return random.choice((b"grpc-", b"krkn-", b"x-")) + random.randbytes(4).hex().encode()
    return name


def _random_value(random: Random) -> bytes:
    """Any bytes that HTTP/2 carries; often one that somebody's program has sent, changed."""
    if random.random() < 0.5:
        value = bytearray(random.choice(random.choice(list(VALUES.values()))))
        for _ in range(random.randrange(3)):
            value.insert(random.randrange(len(value) + 1), random.randrange(33, 256))
    else:
        value = bytearray(random.randbytes(random.choice((0, 1, 3, 8, 40, 300))))
    return bytes(value).translate(None, b"\0\r\n").strip(b" \t")


def _wrong() -> Iterator[Header]:
    for name, values in VALUES.items():
        for value in values:
            yield name, value
    for name in NAMES:
        yield name, b"x"


def _usual(kind: bytes) -> tuple[Header, ...]:
    is_rest = kind == b"application/json"
    return (
        (b":method", b"GET" if is_rest else b"POST"),
        (b":scheme", b"http"),
        (
            b":path",
            b"/api/v1/operator/targets" if is_rest else b"/krkn.v1.TargetService/ListTargets",
        ),
        (b":authority", b"localhost"),
        (b"content-type", kind),
        (b"te", b"trailers"),
    )
