"""Builds Envoy's Lua script from the files in `envoy/lua` and tables made from the protos."""

from collections.abc import Iterable
from dataclasses import dataclass

from krkn_grpc.edge.direct_responses import Page
from krkn_grpc.edge.files import FOLDER
from krkn_grpc.edge.http_rules import BodyField, RestApi, RestCall, Unsupported, segment_pattern
from krkn_grpc.edge.limits import (
    KNOWN_SECONDS,
    KNOWN_TOKENS,
    KNOWN_TOKENS_OF_ONE,
    MAX_HEADER_KIB,
    MAX_HEADERS,
    MAX_KNOWN_TOKEN_BYTES,
    MAX_OPEN_BYTES,
)
from krkn_grpc.edge.local_replies import HEADERS_TOO_LARGE

_LUA = FOLDER / "lua"
# No percent-encoding: an id is a UUID, and what a path cannot be mistaken for needs none.
_SEGMENT = "[%w%-._~]+"

STANDARD_METHODS = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
"""The server's methods besides those of the krkn protos."""

OPEN_METHODS = (
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.health.v1.Health/Watch",
    "/krkn.v1.HealthService/GetHealth",
)
"""The methods that need no token: the server's own list has them too."""


OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The hosts that are served where there is no authentication."""


@dataclass(frozen=True)
class WebRules:
    """Which web pages may call."""

    local_only: bool
    """Whether there is no authentication: only the hosts OWN_HOSTS, and few pages."""

    origins: tuple[str, ...] = ()
    """Those that may call as they are."""

    own_origins: tuple[str, ...] = ()
    """Those of our own page, which has to show `page_key`; without authentication only."""

    page_key: str = ""
    """Empty for no key: then our own page may not call either."""

    no_page: str = ""
    """What is said at `/` where there could be a page."""


@dataclass(frozen=True)
class UploadLimits:
    """Limits, per worker, for requests that have not arrived completely."""

    all_bytes: int
    share_bytes: int
    """Of one caller, or of one address for those who are not known."""

    seconds: int


@dataclass(frozen=True)
class PageLimits:
    """Limits, per worker, for the replies that Envoy gives by itself in so many seconds."""

    all_bytes: int
    share_bytes: int
    """Of one caller, or of one address for those who are not known."""

    seconds: int


def lua_script(
    api: RestApi,
    *,
    pages: Iterable[Page],
    max_body_bytes: int,
    uploads: UploadLimits,
    given_out: PageLimits,
    web: WebRules,
    in_mesh: bool = False,
) -> str:
    """Return the complete script, with two global functions for Envoy and all else local.

    `pages` are those that Envoy answers by itself.
    """
    return "\n".join(
        [
            _module("json"),
            _module("body_schema"),
            _module("reply"),
            "local header_limits = {",
            f"  bytes = {MAX_HEADER_KIB * 1024},",
            f"  count = {MAX_HEADERS},",
            f'  message = "{HEADERS_TOO_LARGE}",',
            "}",
            _module("headers"),
            _module("mesh"),
            "local web = {",
            f"  local_only = {'true' if web.local_only else 'false'},",
            f"  hosts = {_set(OWN_HOSTS)},",
            f"  origins = {_set(web.origins)},",
            f"  own_origins = {_set(web.own_origins)},",
            f'  key = "{web.page_key}",',
            "}",
            _module("web_pages"),
            "local limits = {",
            f"  all = {uploads.all_bytes},",
            f"  one_share = {uploads.share_bytes},",
            f"  seconds = {uploads.seconds},",
            "}",
            _module("upload_quota"),
            "local page_limits = {",
            f"  all = {given_out.all_bytes},",
            f"  one_share = {given_out.share_bytes},",
            f"  seconds = {given_out.seconds},",
            "}",
            _module("page_quota"),
            *_messages(api),
            "local methods = {",
            *(
                f'  ["{method}"] = "{"open" if method in OPEN_METHODS else "guarded"}",'
                for method in (*api.methods, *STANDARD_METHODS)
            ),
            "}",
            "local paths = {",
            *(_path(path, calls) for path, calls in _by_path(api.calls).items()),
            "}",
            "local pages = {",
            *map(_page, pages),
            "}",
            "local settings = {",
            f"  max_body_bytes = {max_body_bytes},",
            f"  max_open_bytes = {MAX_OPEN_BYTES},",
            f'  no_page = "{web.no_page}",',
            f"  mesh = {'true' if in_mesh else 'false'},",
            "}",
            "",
            (_LUA / "request_filter.lua").read_text(),
        ]
    )


def caller_script() -> str:
    """Return the script that says whose limits a request counts against."""
    return "\n".join(
        [
            _module("hash", file="halfsiphash"),
            "local key = (function()",
            '  local source = assert(io.open("/dev/urandom", "rb"))',
            "  local a, b, c, d, e, f, g, h = source:read(8):byte(1, 8)",
            "  source:close()",
            "  return {a + b * 2^8 + c * 2^16 + d * 2^24, e + f * 2^8 + g * 2^16 + h * 2^24}",
            "end)()",
            "local known = {",
            f"  tokens = {KNOWN_TOKENS},",
            f"  of_one = {KNOWN_TOKENS_OF_ONE},",
            f"  seconds = {KNOWN_SECONDS},",
            f"  token_bytes = {MAX_KNOWN_TOKEN_BYTES},",
            "}",
            _module("known_callers"),
            _module("unread"),
            (_LUA / "caller.lua").read_text(),
        ]
    )


def _module(name: str, *, file: str = "") -> str:
    return f"local {name} = (function()\n{(_LUA / f'{file or name}.lua').read_text()}end)()\n"


def _by_path(calls: Iterable[RestCall]) -> dict[str, list[RestCall]]:
    by_path: dict[str, list[RestCall]] = {}
    for call in calls:
        by_path.setdefault(segment_pattern(call.path, _SEGMENT, "%"), []).append(call)
    return by_path


def _path(pattern: str, calls: list[RestCall]) -> str:
    verbs = ", ".join(
        f"{call.verb} = {{query = {_message(call.query)}"
        + ("" if call.body is None else f", body = {_message(call.body, is_open=call.is_foreign)}")
        + ("" if call.most_bytes is None else f", most_bytes = {call.most_bytes}")
        + (", may_be_empty = true" if call.may_be_empty else "")
        + (", stream = true" if call.is_stream and call.is_json else "")
        + "}"
        for call in calls
    )
    return f'  {{path = "^{pattern}$", calls = {{{verbs}}}}},'


def _page(page: Page) -> str:
    whole = len(page.body)
    return f'  ["{page.path}"] = {{whole = {whole}, gzipped = {len(page.gzipped) or whole}}},'


def _set(values: Iterable[str]) -> str:
    return "{" + " ".join(f'["{value}"] = true,' for value in values) + "}"


def _messages(api: RestApi) -> list[str]:
    """Return the messages nested in bodies, each after those that it nests itself."""
    lines: dict[str, str] = {}
    opened: dict[str, bool] = {}

    def add(fields: tuple[BodyField, ...], around: tuple[str, ...], *, is_open: bool) -> None:
        for name in (field.message for field in fields if field.message):
            if name in around:
                msg = f"{name} nests itself: no rule for how deep"
                raise Unsupported(msg)
            if opened.setdefault(name, is_open) != is_open:
                msg = f"{name} is in a body of ours and in one of another program"
                raise Unsupported(msg)
            if name not in lines:
                nested = api.fields(name)
                add(nested, (*around, name), is_open=is_open)
                lines[name] = f'messages["{name}"] = {_message(nested, is_open=is_open)}'

    for call in api.calls:
        add(call.body or (), (), is_open=call.is_foreign)
    return ["local messages = {}", *lines.values()]


def _message(fields: tuple[BodyField, ...], *, is_open: bool = False) -> str:
    listed = f"{{{', '.join(_field(field) for field in fields)}}}"
    return f"body_schema.message({listed}{', true' if is_open else ''})"


def _field(field: BodyField) -> str:
    kind = f'"{field.scalar}"' if field.scalar else f'messages["{field.message}"]'
    shape = ", map = true" if field.is_map else ", repeated = true" if field.is_repeated else ""
    return f'{{name = "{field.name}", proto = "{field.proto}", type = {kind}{shape}}}'
