"""Kubeconfigs of a user become such as the service takes."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from krkn_grpc.cli import accounts, kubeconfigs
from krkn_grpc.client.kubeconfigs import BadKubeconfig, KubeconfigFiles

TEXT = """
apiVersion: v1
kind: Config
current-context: a
clusters:
- {name: one, cluster: {server: "https://10.9.0.1:6443", certificate-authority: ca.pem}}
users:
- {name: files, user: {client-certificate: cert.pem, client-key: key.pem}}
- {name: token, user: {tokenFile: token}}
- {name: cloud, user: {exec: {command: aws, apiVersion: v1}}}
contexts:
- {name: a, context: {cluster: one, user: files}}
- {name: b, context: {cluster: one, user: token}}
- {name: c, context: {cluster: one, user: cloud}}
- {name: d, context: {cluster: two, user: token}}
"""


@pytest.fixture
def found(tmp_path: Path) -> KubeconfigFiles:
    for name in ("ca.pem", "cert.pem", "key.pem", "token"):
        (tmp_path / name).write_text(f"content of {name}\n")
    (tmp_path / "config").write_text(TEXT)
    return kubeconfigs.read(tmp_path / "config")


def encoded(name: str) -> str:
    return base64.b64encode(f"content of {name}\n".encode()).decode()


def only(made: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cluster and the user of a kubeconfig that has one of each."""
    content = yaml.safe_load(made)
    [cluster], [user], [context] = content["clusters"], content["users"], content["contexts"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert content["current-context"] == context["name"]
    return cluster["cluster"], user["user"]


def test_files_are_read_in(found: KubeconfigFiles) -> None:
    cluster, user = only(kubeconfigs.alone(found, "a"))
    url = "https://10.9.0.1:6443"
    assert cluster == {"server": url, "certificate-authority-data": encoded("ca.pem")}
    assert user == {
        "client-certificate-data": encoded("cert.pem"),
        "client-key-data": encoded("key.pem"),
    }
    assert only(kubeconfigs.alone(found, "b"))[1] == {"token": "content of token"}
    assert only(kubeconfigs.with_token(found, "c", "made")) == (cluster, {"token": "made"})
    assert kubeconfigs.summary(found, "a") == f"{url} (context a; 3 more: b, c, d)"


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ("c", "by running aws, .*targets import --context c --create-service-account"),
        ("d", "there is no cluster 'two'; known: one"),
        ("e", "there is no context 'e'; known: a, b, c, d"),
    ],
)
def test_what_cannot_be_taken_along_is_said(
    found: KubeconfigFiles, context: str, said: str
) -> None:
    with pytest.raises(BadKubeconfig, match=said):
        kubeconfigs.alone(found, context)


@pytest.mark.parametrize(
    ("text", "said"),
    [(" \n", "f: is empty"), ("a:\n- [", r"f: is not YAML \(line 2\)"), ("a", "is no kubeconfig")],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(BadKubeconfig, match=said):
        kubeconfigs.read(tmp_path / "f")


def test_a_file_that_is_missing(found: KubeconfigFiles, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(BadKubeconfig, match="token: No such file"):
        kubeconfigs.alone(found, "b")


def test_without_a_file_it_is_kubectls_own_also_if_there_are_several(
    found: KubeconfigFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "first"
    empty.write_text("current-context: b")
    monkeypatch.setenv("KUBECONFIG", f"{empty}{os.pathsep}{tmp_path / 'config'}")
    assert list(kubeconfigs.read(None).contexts) == list(found.contexts)
    assert kubeconfigs.alone(kubeconfigs.read(None)) == kubeconfigs.alone(found, "b")


def test_a_file_with_a_token_counts_more_than_a_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of the file")
    (tmp_path / "config").write_text(
        TEXT.replace("{tokenFile: token}", "{token: a, tokenFile: token}")
    )
    found = kubeconfigs.read(tmp_path / "config")
    (tmp_path / "ca.pem").write_text("")
    assert only(kubeconfigs.alone(found, "b"))[1] == {"token": "of the file"}


def test_the_account_has_one_role() -> None:
    made = {each["kind"]: each for each in accounts.objects("view")}
    assert made["ClusterRoleBinding"]["roleRef"]["name"] == "view"
    assert made["Secret"]["type"] == "kubernetes.io/service-account-token"
