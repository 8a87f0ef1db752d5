"""A token that cannot be replaced for a moment, in the middle of a long wait."""

import base64
import json
import time
from pathlib import Path

import pytest

from krkn_grpc.client import BadToken, Krkn, Unavailable, tokens
from krkn_grpc.client.logs import LogOptions, Source, merged


def jwt(ends: float) -> str:
    return f"a.{base64.urlsafe_b64encode(json.dumps({'exp': ends}).encode()).decode()}.c"


@pytest.mark.parametrize(("seconds", "is_kept"), [(600.0, True), (0.0, False)])
async def test_one_of_kubectl_is_used_until_it_expires(
    tmp_path: Path, seconds: float, is_kept: bool
) -> None:
    made = jwt(time.time() + seconds)
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho '{made}'\n")
    program.chmod(0o755)
    source = tokens.Kubectl("ci", program=str(program))
    assert await source.token() == made
    program.write_text("#!/bin/sh\necho it is away >&2; exit 1\n")
    # Most of its life is over.
    source._replaced_at = 0.0
    if is_kept:
        assert await source.token() == made
    else:
        with pytest.raises(BadToken, match="it is away"):
            await source.token()
    # One that the service refuses is not used again.
    with pytest.raises(BadToken, match="it is away"):
        await source.token(fresh=True)


async def test_it_is_made_again_before_it_expires(tmp_path: Path) -> None:
    now, file = 1_000.0, tmp_path / "token"
    file.write_text(jwt(1_600))
    source = tokens.Command(["cat", str(file)], clock=lambda: now)
    assert await source.token() == jwt(1_600)
    file.write_text(jwt(9_000))
    now = 1_479.0
    assert await source.token() == jwt(1_600)
    now = 1_481.0
    assert await source.token() == jwt(9_000)
    # It is used until it expires if there is no other.
    file.unlink()
    now = 8_999.0
    assert await source.token() == jwt(9_000)
    now = 9_000.0
    with pytest.raises(BadToken):
        await source.token()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["sh", "-c", "echo no rights >&2; exit 3"], r"exit code 3\): no rights"),
        (["/nonexistent/command"], "No such file"),
        (["true"], "printed nothing"),
        ([], "is empty"),
    ],
)
async def test_a_command_that_gives_no_token(command: list[str], said: str) -> None:
    with pytest.raises(BadToken, match=said):
        await tokens.Command(command).token()


async def test_logs_raise_what_the_source_raises() -> None:
    def token() -> str:
        raise BadToken("it is away")

    async with Krkn("127.0.0.1:1", token=token, retry_seconds=0) as krkn:
        sources = [Source("a"), Source("b")]
        with pytest.raises(BadToken, match="it is away"):
            async for _ in merged(krkn.jobs._connection, sources, LogOptions()):
                pass


async def test_calls_that_are_refused_one_after_the_other_share_a_fresh_token(
    tmp_path: Path,
) -> None:
    made, program = tmp_path / "made", tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho >> {made}\nwc -l < {made}\n")
    program.chmod(0o755)
    source = tokens.Kubectl("ci", program=str(program))
    assert [await source.token()] + [await source.token(fresh=True) for _ in range(5)] == [
        "1",
        *["2"] * 5,
    ]


async def test_a_run_that_was_sent_is_not_forgotten_because_there_is_no_token() -> None:
    given = iter(["token"])

    def token() -> str:
        try:
            return next(given)
        except StopIteration:
            raise BadToken("it is away") from None

    async with Krkn("127.0.0.1:1", token=token) as krkn:
        with pytest.raises(Unavailable) as unknown:
            await krkn.run("s", ["a"])
    assert unknown.value.request_id
