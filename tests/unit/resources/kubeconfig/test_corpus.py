"""Every hostile kubeconfig is refused for its own reason, and none makes anything happen."""

import base64
import os
import re
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import pytest

from krkn_grpc.resources.kubeconfig import (
    ClientCertificate,
    Kubeconfig,
    KubeconfigError,
    KubeconfigRules,
    Password,
    decode_submitted,
    read,
    render,
)
from tests.unit.resources.kubeconfig.corpus import GOOD, HOSTILE

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
CLUSTER = "kubeconfig.clusters[0].cluster"
CANARY = "canary-5ecret"
METHODS = KubeconfigRules()


def read_file(path: Path) -> Kubeconfig:
    """Read a file as a client would submit it: plain, or in base64 where it is no UTF-8."""
    content = path.read_bytes()
    text = content.decode("utf-8", "replace")
    if "\ufffd" in text:
        text = decode_submitted(base64.b64encode(content).decode())
    return read(text, METHODS)


@pytest.mark.parametrize(("file", "field", "word"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_is_refused_for_its_own_reason(file: str, field: str, word: str) -> None:
    with pytest.raises(KubeconfigError) as refused:
        read_file(FOLDER / "hostile" / file)
    reasons = [each.description for each in refused.value.violations if each.field == field]
    assert any(word in reason for reason in reasons), refused.value.violations


@pytest.mark.parametrize("file", [row[0] for row in HOSTILE])
def test_refusal_repeats_no_credential(file: str) -> None:
    with pytest.raises(KubeconfigError) as refused:
        read_file(FOLDER / "hostile" / file)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value)
    assert CANARY not in shown
    assert "5ecret" not in shown
    # A log that follows the chain finds no parser's error, which would quote the text.
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("file", "server", "kind", "own_authority"), GOOD, ids=[row[0] for row in GOOD]
)
def test_good_one_is_read(file: str, server: str, kind: type, own_authority: bool) -> None:
    kubeconfig = read_file(FOLDER / "good" / file)
    assert kubeconfig.server == server
    assert type(kubeconfig.credentials) is kind
    assert (kubeconfig.certificate_authority is not None) is own_authority
    assert kubeconfig.insecure_skip_tls_verify is (file == "insecure.yaml")
    assert read(render(kubeconfig), METHODS) == kubeconfig


def test_values_come_through_as_written() -> None:
    password = read_file(FOLDER / "good" / "password.yaml").credentials
    assert password == Password("ädmin", "canary: '5ecret' # \" \\")
    emoji = read_file(FOLDER / "good" / "tabs.json").credentials
    assert emoji == Password("admin", "p\N{GRINNING FACE}ss")
    assert read_file(FOLDER / "good" / "server-name.yaml").tls_server_name == "api.internal"
    both = read_file(FOLDER / "good" / "token-and-certificate.yaml").credentials
    assert isinstance(both, ClientCertificate)
    assert both.token == CANARY
    two = read_file(FOLDER / "good" / "folded-data.yaml").certificate_authority
    assert two is not None
    assert two.count("BEGIN CERTIFICATE") == 2


def test_of_a_file_with_certificate_and_key_each_field_keeps_its_own() -> None:
    both = read_file(FOLDER / "good" / "certificate-and-key-in-one.yaml").credentials
    assert isinstance(both, ClientCertificate)
    assert re.findall("BEGIN ([A-Z ]+)", both.certificate) == ["CERTIFICATE"]
    assert re.findall("BEGIN ([A-Z ]+)", both.key) == ["PRIVATE KEY"]
    authority = read_file(FOLDER / "good" / "ca-with-key.yaml").certificate_authority
    assert authority is not None
    assert "PRIVATE KEY" not in authority


def test_no_more_than_the_file_is_wrong_where_one_is_named() -> None:
    for file in ("client-key-file.yaml", "client-certificate-file.yaml", "token-file.yaml"):
        with pytest.raises(KubeconfigError) as refused:
            read_file(FOLDER / "hostile" / file)
        assert len(refused.value.violations) == 1


def test_every_file_of_the_corpus_is_in_the_tables() -> None:
    for folder, rows in (("hostile", HOSTILE), ("good", GOOD)):
        files = sorted(path.name for path in (FOLDER / folder).iterdir())
        assert files == sorted({row[0] for row in rows})


def test_only_the_current_context_is_kept() -> None:
    kubeconfig = read_file(FOLDER / "good" / "eks-in-another-context.yaml")
    assert "exec" not in render(kubeconfig)
    assert "127.0.0.1" not in render(kubeconfig)


def test_proxy_is_read_where_it_is_allowed() -> None:
    text = (FOLDER / "hostile" / "proxy-url.yaml").read_text()
    allowed = KubeconfigRules(allow_proxy_url=True)
    kubeconfig = read(text, allowed)
    assert kubeconfig.proxy_url == "http://proxy.example.com:3128"
    assert read(render(kubeconfig), allowed) == kubeconfig
    for url in ("http://user:canary@proxy.example.com", "socks5://proxy", "http://proxy/path"):
        with pytest.raises(KubeconfigError) as refused:
            read(text.replace("http://proxy.example.com:3128", url), allowed)
        assert refused.value.violations[0].field == f"{CLUSTER}.proxy-url"


def test_largest_text_is_read_and_one_more_byte_is_not() -> None:
    text = (FOLDER / "good" / "k3s.yaml").read_text()
    filled = text + "#" * (256 * 1024 - len(text))
    assert read(filled, METHODS) == read(text, METHODS)
    with pytest.raises(KubeconfigError, match="256 KiB"):
        read(filled + "#", METHODS)
    with pytest.raises(KubeconfigError, match="256 KiB"):
        read(text + "# é" * (128 * 1024), METHODS)


@pytest.mark.parametrize("form", ["a: [{}]", '{{"a": [{}]}}'], ids=["YAML", "JSON"])
def test_a_text_of_many_values_is_read_no_further_than_its_bound(form: str) -> None:
    """Ten thousand values take a tenth of a second; as many as fit take one."""
    for count, bound in (
        (9_900, "current-context"),
        (10_100, "at most 10000 values"),
        (130_000, "at most 10000"),
    ):
        with pytest.raises(KubeconfigError, match=bound):
            read(form.format(",".join(["1"] * count)), METHODS)


@pytest.mark.timeout(20)  # libyaml alone takes half a minute for each of the first three
@pytest.mark.parametrize(
    "start", ["[", "{", "[{},", "- ", "? ", "a: [", '{"a":', "&a ", "*a ", "!"]
)
def test_largest_nonsense_is_refused_at_once(start: str) -> None:
    with pytest.raises(KubeconfigError):
        read(start * (256 * 1024 // len(start)), METHODS)


def test_reading_the_corpus_opens_nothing_and_runs_nothing() -> None:
    """In an interpreter of its own: an audit hook cannot be taken off again."""
    script = textwrap.dedent(
        """
        import os, pathlib, sys
        from krkn_grpc.resources.kubeconfig import KubeconfigError, KubeconfigRules
        from krkn_grpc.resources.kubeconfig import decode_submitted, read

        folder = pathlib.Path(sys.argv[1])
        good = [path.read_bytes() for path in sorted((folder / "good").iterdir())]
        hostile = [path.read_bytes() for path in sorted((folder / "hostile").iterdir())]

        def read_all(contents):
            for content in contents:
                try:
                    read(content.decode("utf-8", "surrogateescape"), KubeconfigRules())
                except KubeconfigError:
                    pass
                try:
                    decode_submitted(content.decode("latin-1"))
                except KubeconfigError:
                    pass

        read_all(good)  # imports what is imported late

        def refuse(event, arguments):
            quiet = event.startswith(("sys._getframe", "object.", "builtins.id", "gc."))
            if not quiet:
                print("did", event, file=sys.stderr, flush=True)
                os._exit(3)

        sys.addaudithook(refuse)
        read_all(hostile)
        read_all(good)
        sys.stdout.write("nothing")
        sys.stdout.flush()
        open(os.devnull)  # and the hook would have told
        """
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(FOLDER)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr.split()) == (3, "nothing", ["did", "open"])
