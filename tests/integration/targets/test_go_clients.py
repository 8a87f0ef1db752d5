"""What Go's own libraries, and so kubectl and the nodes, make of what we write and take."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploy.local.services import REPOSITORY
from krkn_grpc.resources import images
from krkn_grpc.resources.kubeconfig import (
    ClientCertificate,
    Kubeconfig,
    KubeconfigError,
    KubeconfigRules,
    Password,
    Token,
    from_credentials,
    from_token,
    read,
    render,
)
from tests.support.go_reads import Answer, GoReads, go_reads

URL = "https://203.0.113.1:6443"
METHODS = KubeconfigRules(allow_proxy_url=True)
GOOD = sorted((REPOSITORY / "tests/unit/resources/kubeconfig/good").iterdir())
# The program may have to be built first.
pytestmark = pytest.mark.timeout(600)

# Plain, Go takes each for a number or a boolean; Python takes them for text.
NUMBERS_TO_GO = ("1e3", "1E5", f"{12345678}e9", ".5e3", "1.e3", "+1e3", "0o17", "08", "09_")
READ_OTHERWISE = (*NUMBERS_TO_GO, *"yYnN")

plain_text = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=300)
tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=300)
# What YAML's readers have different thoughts about.
ODD_PARTS = [*"0123456789aeExXoO_.:+-yYnN=<~", "true", "null", "inf", "nan", "NO", "2026-01-01"]
odd = st.lists(st.sampled_from(ODD_PARTS), min_size=1, max_size=6).map("".join)


@pytest.fixture(scope="module")
def go() -> Iterator[GoReads]:
    with go_reads() as started:
        yield started


def as_go_reads_it(kubeconfig: Kubeconfig, read_by_go: Answer) -> Kubeconfig:
    """The same kubeconfig with all that Go has read; equal where Go has read the same."""
    assert read_by_go.error == ""
    credentials = kubeconfig.credentials
    match credentials:
        case Token():
            credentials = Token(read_by_go.token)
        case Password():
            credentials = Password(read_by_go.username, read_by_go.password)
        case ClientCertificate():
            credentials = ClientCertificate(
                read_by_go.cert, read_by_go.key, read_by_go.token or None
            )
    return replace(
        kubeconfig,
        server=read_by_go.host,
        credentials=credentials,
        certificate_authority=read_by_go.ca or None,
        insecure_skip_tls_verify=read_by_go.insecure,
        tls_server_name=read_by_go.name or None,
    )


@pytest.mark.parametrize("value", READ_OTHERWISE)
def test_what_go_would_read_otherwise_is_quoted(go: GoReads, value: str) -> None:
    for built in (from_token(URL, value), from_credentials(URL, value, value)):
        assert as_go_reads_it(built, go.kubeconfig(render(built))) == built


@settings(deadline=None)
@given(token=st.one_of(tokens, odd))
def test_any_token_is_the_same_to_go(go: GoReads, token: str) -> None:
    built = from_token(URL, token)
    assert as_go_reads_it(built, go.kubeconfig(render(built))) == built


@settings(deadline=None)
@given(
    username=st.one_of(plain_text, odd).filter(lambda name: ":" not in name),
    password=st.one_of(plain_text, odd),
)
@example(username="\u2028ä\ufeff", password="\N{ROCKET} \\ \" ' #: \ufffe")
def test_any_user_and_password_are_the_same_to_go(
    go: GoReads, username: str, password: str
) -> None:
    built = from_credentials(URL, username, password)
    assert as_go_reads_it(built, go.kubeconfig(render(built))) == built


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_what_we_make_of_a_submitted_one_is_the_same_to_go(go: GoReads, path: Path) -> None:
    kubeconfig = read(path.read_text(encoding="utf-8"), METHODS)
    assert as_go_reads_it(kubeconfig, go.kubeconfig(render(kubeconfig))) == kubeconfig


SUBMITTED = """\
apiVersion: v1
kind: Config
current-context: {name}
contexts: [{{name: {name}, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "https://203.0.113.1"}}}}]
users:
- name: u
  user:
    username: u
    password: {value}
"""


@settings(deadline=None)
@given(value=odd.filter(lambda text: text[-1] != ":" and text != "-"))
@example(value="2026-01-01")
@example(value="2026-01-01T10:00:00Z")
@example(value="1:30")
@example(value="=")
@example(value=".8_")
def test_plain_text_that_kubectl_takes_is_taken_as_the_same(go: GoReads, value: str) -> None:
    submitted = SUBMITTED.format(name="c", value=value)
    by_go = go.kubeconfig(submitted)
    if by_go.error or not by_go.password:
        return  # refusing it, or taking it as it is written, are both right
    assert read(submitted, METHODS).credentials == Password("u", by_go.password)


@pytest.mark.parametrize("name", ["2026-01-01", "1:30", "="])
@pytest.mark.parametrize("around", ["{}", "---\n{}", "{}---\n", "---\n{}\n---\n# x\n", "\ufeff{}"])
def test_what_kubectl_takes_around_it_and_as_a_name_is_taken(
    go: GoReads, name: str, around: str
) -> None:
    submitted = around.format(SUBMITTED.format(name=name, value="x"))
    assert go.kubeconfig(submitted).password == "x"
    assert read(submitted, METHODS).credentials == Password("u", "x")


def test_of_two_documents_neither_is_taken() -> None:
    one = SUBMITTED.format(name="c", value="x")
    with pytest.raises(KubeconfigError, match="one YAML document"):
        read(f"{one}---\n{one}", METHODS)


IMAGES = {
    "quay.io/krkn-chaos/krkn-hub:pod-scenarios": True,
    "krkn-hub": True,
    "localhost:5000/a/b-c_d__e.f:v1.2": True,
    "[::1]:5000/a": True,
    "Registry/a": True,
    f"a@sha256:{'0' * 64}": True,
    f"a:b@sha512:{'0' * 128}": True,
    "https://quay.io/a": False,
    "a:": False,
    "a@": False,
    "quay.io//a": False,
    "/a": False,
    "a/": False,
    "quay.io/Team/a": False,
    "Krkn-hub:x": False,
    "a:b:c": False,
    f"a:{'t' * 129}": False,
    "a/../b": False,
    "a b": False,
    "-a": False,
    f"a@sha256:{'0' * 63}": False,
    f"a@md5:{'0' * 32}": False,
    "0" * 64: False,
    "quay.io/" + "a" * 256: False,
}
LONG_PARTS = ["a" * 63, "a" * 64, "f" * 128]
parts = st.sampled_from(
    [*"aB0-_./:@[] é", "sha256:", "localhost", "::1", "://", "quay.io", *LONG_PARTS]
)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_what_a_node_takes(go: GoReads, image: str) -> None:
    assert images.is_reference(image) is IMAGES[image]
    assert go.takes_image(image) is IMAGES[image]


@settings(deadline=None, max_examples=300)
@given(image=st.lists(parts, min_size=1, max_size=8).map("".join))
def test_any_text_is_an_image_to_us_where_it_is_one_to_a_node(go: GoReads, image: str) -> None:
    assert images.is_reference(image) is go.takes_image(image)
