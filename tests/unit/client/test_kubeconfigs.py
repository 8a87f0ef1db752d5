"""Which contexts of which files are taken, and what is said of those that are not."""

import os
from pathlib import Path

import pytest
import yaml

from krkn_grpc.client.kubeconfigs import BadKubeconfig, load, server

USER = {"name": "u", "user": {"token": "secret"}}


def config(current: str = "x", url: str = "https://a") -> str:
    return yaml.safe_dump(
        {
            "current-context": current,
            "contexts": [{"name": current or "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [USER],
        }
    )


def test_the_first_of_several_files_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(config("x", "https://first"))
    second.write_text(config("y", "https://second"))
    missing = tmp_path / "missing"
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(map(str, (missing, first, second))))
    files = load()
    assert set(files.contexts) == {"x", "y"}
    assert server(files.embedded()) == server(files.embedded("y")) == "https://first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a: [secret", "is not YAML"),
        ("secret", "is no kubeconfig"),
        ("contexts: [secret]", "is no kubeconfig"),
        ("contexts: [{name: x, context: secret}]", "is no kubeconfig"),
    ],
)
def test_what_is_no_kubeconfig_is_not_quoted(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(BadKubeconfig, match=said) as bad:
        load(file)
    assert "secret" not in str(bad.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"current-context": ""}, "no current-context"),
        ({"current-context": "z"}, "no context 'z'"),
        ({"users": []}, "no user 'u'"),
        ({"clusters": []}, "no cluster 'c'"),
        ({"users": [{"name": "u", "user": {"exec": {}}}]}, "by a command"),
        ({"users": [{"name": "u", "user": {"auth-provider": {}}}]}, "an auth-provider"),
    ],
)
def test_a_context_that_cannot_be_taken(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(yaml.safe_load(config()) | change))
    with pytest.raises(BadKubeconfig, match=said):
        load(file).embedded()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    content = yaml.safe_load(config())
    content["users"][0]["user"] = {"client-key": "key.pem"}
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(OSError, match=r"key\.pem"):
        load(file).embedded()
