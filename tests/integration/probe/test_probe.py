"""Readiness is told truly by real API servers, and nobody is told it whom TLS does not name."""

import base64
import datetime
import os
from dataclasses import replace

import pytest

from controller.targets.probe.result import ProbeReason, ProbeResult
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.kubeconfig import (
    ClientCertificate,
    Kubeconfig,
    KubeconfigRules,
    Token,
    from_credentials,
    from_token,
    read,
)
from tests.integration.probe.probing import (
    AUTHORITY,
    CANARY,
    GOOD_CONTEXT,
    OTHER_AUTHORITY,
    Names,
    look,
    open_files,
    until,
    with_token,
)
from tests.integration.probe.servers import (
    answer,
    picky_server,
    review,
    says,
    server_context,
    serving,
)

# --- a real API server, with anonymous access as by default ---


@pytest.fixture
async def token(target_cluster: ControlPlane) -> str:
    metadata = {"name": "probed", "namespace": "default"}
    await target_cluster.cluster.apply(
        [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}]
    )
    return await target_cluster.cluster.token("default", "probed", seconds=600)


async def test_the_right_token(target_cluster: ControlPlane, token: str) -> None:
    found = await look(from_token(target_cluster.url, token, target_cluster.ca_pem))
    assert found.reason is ProbeReason.REACHABLE
    unverified = await look(from_token(target_cluster.url, token))
    assert unverified.reason is ProbeReason.REACHABLE


async def test_a_wrong_token(target_cluster: ControlPlane, token: str) -> None:
    for wrong in (CANARY, token[:-8] + "AAAAAAAA"):
        found = await look(from_token(target_cluster.url, wrong, target_cluster.ca_pem))
        assert found == ProbeResult(
            ProbeReason.UNAUTHORIZED, "The cluster refused the credentials."
        )


async def test_a_client_certificate(target_cluster: ControlPlane) -> None:
    admin = read(target_cluster.admin_kubeconfig.read_text(), KubeconfigRules())
    assert (await look(admin)).reason is ProbeReason.REACHABLE
    stranger = Kubeconfig(
        server=admin.server,
        credentials=OTHER_AUTHORITY.issue("admin"),
        certificate_authority=admin.certificate_authority,
    )
    assert (await look(stranger)).reason is ProbeReason.UNAUTHORIZED


async def test_a_password_that_the_cluster_takes_no_notice_of(target_cluster: ControlPlane) -> None:
    kubeconfig = from_credentials(target_cluster.url, "admin", CANARY, target_cluster.ca_pem)
    found = await look(kubeconfig)
    assert found.reason is ProbeReason.UNAUTHORIZED
    assert "anonymous" in found.message


async def test_another_authority_and_another_name(target_cluster: ControlPlane, token: str) -> None:
    found = await look(from_token(target_cluster.url, token, AUTHORITY.pem))
    assert found.reason is ProbeReason.TLS_FAILED
    assert "not signed" in found.message
    named = Kubeconfig(
        server=target_cluster.url,
        credentials=Token(token),
        certificate_authority=target_cluster.ca_pem,
        tls_server_name="kubernetes.default.svc",
    )
    assert (await look(named)).reason is ProbeReason.REACHABLE


async def test_loopback_is_refused_by_default(target_cluster: ControlPlane, token: str) -> None:
    kubeconfig = from_token(target_cluster.url, token, target_cluster.ca_pem)
    found = await look(kubeconfig, AddressRules())
    assert found.reason is ProbeReason.ADDRESS_REFUSED


# --- TLS ---


async def test_a_bundle_really_verifies() -> None:
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        pem, other = AUTHORITY.pem, OTHER_AUTHORITY.pem
        encoded = base64.b64encode(pem.encode()).decode()
        for bundle in (pem, encoded, other + pem, None):
            assert (await look(with_token(seen, bundle))).reason is ProbeReason.REACHABLE
        connections = seen.connections
        assert (await look(with_token(seen, other))).reason is ProbeReason.TLS_FAILED
        assert seen.connections == connections, "the handshake must not have been completed"


@pytest.mark.parametrize(
    ("certificate", "word"),
    [
        pytest.param(OTHER_AUTHORITY.issue("x", "127.0.0.1"), "signed", id="wrong authority"),
        pytest.param(AUTHORITY.issue("x", "127.0.0.2"), "another address", id="wrong address"),
        pytest.param(AUTHORITY.issue("127.0.0.1"), "another address", id="address as a name"),
        pytest.param(
            AUTHORITY.issue("x", "127.0.0.1", age=datetime.timedelta(days=9)),
            "expired",
            id="expired",
        ),
        pytest.param(
            AUTHORITY.issue("x", "127.0.0.1", age=datetime.timedelta(days=-9)),
            "not valid yet",
            id="not valid yet",
        ),
    ],
)
async def test_nothing_is_sent_to_who_cannot_be_verified(certificate: object, word: str) -> None:
    context = server_context(certificate)  # type: ignore[arg-type]
    async with serving(says(answer(201, review())), context) as seen:
        found = await look(with_token(seen))
        assert found.reason is ProbeReason.TLS_FAILED
        assert word in found.message
        assert (seen.connections, bytes(seen.received)) == (0, b"")


async def test_the_name_is_verified_and_may_be_given() -> None:
    names = Names(cluster=["127.0.0.1"], other=["127.0.0.1"])
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        by_name = with_token(seen, host="cluster.example")
        assert (await look(by_name, names=names)).reason is ProbeReason.REACHABLE
        other = with_token(seen, host="other.example")
        found = await look(other, names=names)
        assert (found.reason, "another name" in found.message) == (ProbeReason.TLS_FAILED, True)
        told = Kubeconfig(
            other.server, Token("t"), AUTHORITY.pem, tls_server_name="cluster.example"
        )
        assert (await look(told, names=names)).reason is ProbeReason.REACHABLE


async def test_the_subject_is_no_name() -> None:
    context = server_context(AUTHORITY.issue("cluster.example", bare=True))
    async with serving(says(answer(201, review())), context) as seen:
        kubeconfig = with_token(seen, host="cluster.example")
        found = await look(kubeconfig, names=Names(cluster=["127.0.0.1"]))
    assert found.reason is ProbeReason.TLS_FAILED


async def test_a_server_that_asks_for_a_client_certificate() -> None:
    context = server_context(AUTHORITY.issue("x", "127.0.0.1"), clients=AUTHORITY.pem)
    with picky_server(context, answer(201, review())) as port:
        server = f"https://127.0.0.1:{port}"
        mine = Kubeconfig(server, AUTHORITY.issue("me"), AUTHORITY.pem)
        assert (await look(mine)).reason is ProbeReason.REACHABLE
        for bad in (Token("t"), OTHER_AUTHORITY.issue("me")):
            found = await look(Kubeconfig(server, bad, AUTHORITY.pem))
            assert found.reason is ProbeReason.UNAUTHORIZED, found


async def test_a_token_is_sent_beside_a_client_certificate() -> None:
    context = server_context(AUTHORITY.issue("x", "127.0.0.1"), clients=AUTHORITY.pem)
    async with serving(says(answer(201, review())), context) as seen:
        both = replace(AUTHORITY.issue("me"), token="abc")
        mine = Kubeconfig(f"https://127.0.0.1:{seen.port}", both, AUTHORITY.pem)
        assert (await look(mine)).reason is ProbeReason.REACHABLE
        assert b"Authorization: Bearer abc\r\n" in seen.received


async def test_either_of_a_client_certificate_and_a_token_is_enough(
    target_cluster: ControlPlane, token: str
) -> None:
    """As for kubectl: the cluster takes what it knows."""
    admin = read(target_cluster.admin_kubeconfig.read_text(), KubeconfigRules())
    assert isinstance(admin.credentials, ClientCertificate)
    stranger = OTHER_AUTHORITY.issue("admin")
    for credentials, reason in (
        (replace(admin.credentials, token=token), ProbeReason.REACHABLE),
        (replace(stranger, token=token), ProbeReason.REACHABLE),
        (replace(stranger, token=CANARY), ProbeReason.UNAUTHORIZED),
    ):
        found = await look(replace(admin, credentials=credentials))
        assert found.reason is reason


async def test_a_client_certificate_leaves_no_file(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    before = set(os.listdir("/tmp")), open_files()
    async with serving(says(answer(201, review())), GOOD_CONTEXT) as seen:
        mine = Kubeconfig(f"https://127.0.0.1:{seen.port}", AUTHORITY.issue("me"), AUTHORITY.pem)
        assert (await look(mine)).reason is ProbeReason.REACHABLE
    await until(lambda: open_files() <= before[1])
    assert not [name for name in set(os.listdir("/tmp")) - before[0] if "client" in name]
