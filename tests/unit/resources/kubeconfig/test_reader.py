"""Whatever the text is, the reader gives a kubeconfig or says why not; nothing else happens."""

import contextlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.kubeconfig import (
    Kubeconfig,
    KubeconfigError,
    KubeconfigRules,
    decode_submitted,
    from_secret_data,
    read,
    render,
)
from krkn_grpc.resources.kubeconfig.tree import FIELD_NAMES

METHODS = KubeconfigRules(allow_proxy_url=True)
GOOD = sorted((Path(__file__).parent / "good").iterdir())
TEXTS = [path.read_text() for path in GOOD]

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
names = st.sampled_from(["a", "b", ""])
documents = st.recursive(
    st.one_of(scalars, names),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(sorted(FIELD_NAMES)), st.text(max_size=4)), inner, max_size=5
        ),
    ),
    max_leaves=12,
)
users = st.dictionaries(st.sampled_from(sorted(FIELD_NAMES)), documents, max_size=4)


def read_or_refuse(text: str) -> Kubeconfig | None:
    try:
        return read(text, METHODS)
    except KubeconfigError as refused:
        violations = refused.violations
    assert violations
    assert all(each.field.startswith("kubeconfig") for each in violations)
    return None


@given(st.text())
def test_any_text(text: str) -> None:
    read_or_refuse(text)
    for door in (decode_submitted, lambda given_text: from_secret_data(given_text, METHODS)):
        with contextlib.suppress(KubeconfigError):
            door(text)


@given(documents)
def test_any_document(document: object) -> None:
    read_or_refuse(json.dumps(document))
    read_or_refuse(yaml.safe_dump(document, allow_unicode=True))


@given(users, users)
def test_any_cluster_and_user(cluster: object, user: object) -> None:
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    read_or_refuse(json.dumps(document))


@given(st.sampled_from(TEXTS), st.data())
def test_any_change_of_a_good_one(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    changed = text[:start] + data.draw(st.text(max_size=5)) + text[end:]
    kubeconfig = read_or_refuse(changed)
    if kubeconfig is not None:
        assert read(render(kubeconfig), METHODS) == kubeconfig


class Dateless(yaml.SafeLoader):
    """Dates are text, as they are to Kubernetes."""


Dateless.yaml_implicit_resolvers = {
    first: [one for one in resolvers if "timestamp" not in one[0]]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.mark.parametrize(
    "path", [path for path in GOOD if path.suffix == ".yaml"], ids=lambda path: path.name
)
def test_json_and_yaml_mean_the_same(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig")
    [document] = filter(None, yaml.load_all(text, Loader=Dateless))
    assert read(json.dumps(document), METHODS) == read(text, METHODS)
