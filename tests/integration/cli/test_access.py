"""Who calls, and over which connection."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.cluster.certificates import CertificateAuthority
from tests.conftest import StartServices
from tests.rest.edge.running import Door, open_door
from tests.support.accounts import make_account
from tests.support.command import Command
from tests.support.running import Wanted
from tests.support.waiting import eventually

AUDIENCE = "krkn-grpc"


async def test_the_caller_is_known_by_a_token(
    start_services: StartServices, tmp_path: Path
) -> None:
    environment = {"KRKN_AUTH": "kubernetes"}
    running = await start_services(Wanted(controller=False, envoy=False, environment=environment))
    await make_account(running.cluster, running.namespace, "caller", "krkn-viewer")
    token = await running.cluster.token(
        running.namespace, "caller", seconds=600, audiences=[AUDIENCE]
    )
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    cli = Command(running.processes.grpc_address)

    nobody = await cli("jobs", "list")
    assert nobody.code == 3
    assert nobody.line.startswith("Error: a bearer token is required: set KRKN_TOKEN_FILE")
    by_file = cli.with_environment(KRKN_TOKEN_FILE=str(file))
    listed = await eventually(lambda: by_file("jobs", "list"), lambda ended: ended.code == 0)
    assert (listed.out, listed.line) == ("", "There are no such jobs.")
    mine = await by_file("access")
    assert mine.out.splitlines()[0] == f"User: system:serviceaccount:{running.namespace}:caller"
    assert mine.out.splitlines()[1] == f"Namespace: {running.namespace}"
    assert mine.out.splitlines()[2].split() == ["RESOURCE", "VERBS"]
    assert "krknchaosruns        get, list" in mine.out
    assert "get krknchaosjobs" in (await by_file("access", "-o", "name")).out.splitlines()
    by_variable = await cli.with_environment(KRKN_TOKEN=token)("targets", "list")
    assert by_variable.code == 0
    denied = await by_file("targets", "delete", "00000000-0000-4000-8000-000000000000")
    assert denied.code == 3
    assert denied.line.startswith("Error: you may not delete krknoperatortargets: an admin")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        pytest.param({"KRKN_TOKEN": "se cret"}, "holds no bearer token", id="no token"),
        pytest.param(
            {"KRKN_TOKEN_FILE": "/nonexistent"}, "/nonexistent: No such file", id="no file"
        ),
        pytest.param({"KRKN_CA": "/nonexistent"}, "/nonexistent: No such file", id="no CA"),
        pytest.param({"KRKN_CERT": "/dev/null"}, "given together", id="no key"),
        pytest.param({"KRKN_SERVER": "ftp://a"}, "'ftp://a': ftp:// is not", id="no address"),
    ],
)
async def test_settings_that_cannot_be_are_wrong_usage(
    variables: dict[str, str], said: str
) -> None:
    wrong = await Command("127.0.0.1:1").with_environment(**variables)("jobs", "list")
    assert wrong.code == 2
    assert said in wrong.err
    assert "cret" not in wrong.err


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority(tmp_path)


@pytest.fixture
def door(authority: CertificateAuthority, tmp_path: Path) -> Iterator[Door]:
    """Envoy that speaks TLS and wants a certificate of its callers."""
    pair = authority.server("edge")
    folder = tmp_path / "tls"
    folder.mkdir()
    (folder / "tls.crt").symlink_to(pair.certificate)
    (folder / "tls.key").symlink_to(pair.key)
    (folder / "ca.crt").symlink_to(authority.file)
    with open_door(
        tmp_path, tls="on", tls_directory=folder, tls_client_certificates=True
    ) as opened:
        yield opened


async def test_tls_with_certificates_on_both_sides(
    door: Door, authority: CertificateAuthority
) -> None:
    mine = authority.client("me", "people")
    pair = {"KRKN_CERT": str(mine.certificate), "KRKN_KEY": str(mine.key)}
    cli = Command(door.address).with_environment(KRKN_RETRIES="0")
    trusting = cli.with_environment(KRKN_CA=str(authority.file))
    assert (await trusting.with_environment(**pair)("jobs", "list")).code == 0

    unanswered = f"{door.address} does not answer: "
    for without, said in (
        (trusting, unanswered),
        (
            cli.with_environment(**pair),
            f"the certificate of {door.address} is not trusted: give its CA with --ca or KRKN_CA",
        ),
        (cli.with_environment(KRKN_SERVER=f"http://{door.address}"), unanswered),
    ):
        refused = await without("jobs", "list")
        assert refused.code == 4
        assert refused.line.startswith(f"Error: {said}")
