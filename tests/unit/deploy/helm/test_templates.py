"""Objects become templates that mean the same, and say where variants differ."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.helm import nodes, schemas
from deploy.helm.base import DEFAULT, Variant
from deploy.helm.merge import merged
from deploy.helm.templates import templates
from krkn_grpc.edge.settings import EnvoySettings

MESH = Variant("tls.mode", '(eq .Values.tls.mode "mesh")', DEFAULT)
DEBUG = Variant("debug.enabled", ".Values.debug.enabled", DEFAULT)

# What YAML reads in other ways than it is written. Braces in pairs are Helm's.
LETTERS = st.sampled_from(
    ["a", "1", "word ", "- ", ": ", "#", "'", '"', "\\", "%", "\n", "é", "\u2028", "{"]
)
TEXT = (
    st.lists(LETTERS, max_size=20)
    .map("".join)
    .filter(
        # A block keeps no spaces at the ends of its lines; what we write has none there.
        lambda text: "{{" not in text and not re.search(r"(?m)^\s|\s$|^$", text)
    )
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4, unique_by=repr)  # as where Kubernetes merges lists
        | st.dictionaries(st.text("abc-", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


def text_of(value: dict[str, Any], *varied: tuple[str, Any]) -> str:
    tree = merged(value, varied)
    assert isinstance(tree, nodes.Mapping)
    return nodes.text_of(tree)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text("abc-", min_size=1), VALUE, max_size=5))
def test_what_is_written_means_the_same(value: dict[str, Any]) -> None:
    assert repr(yaml.safe_load(text_of(value)) or {}) == repr(value)


@pytest.mark.parametrize(
    ("value", "other", "text"),
    [
        ({"a": 1}, {"a": 1}, "a: 1\n"),
        ({"a": 1}, {"a": 2}, "a: {{ ternary 2 1 .Values.on }}\n"),
        ({"a": "x"}, {"a": "y"}, 'a: {{ ternary "y" "x" .Values.on | quote }}\n'),
        ({"a": 1, "b": 2}, {"a": 1}, "a: 1\n{{- if not .Values.on }}\nb: 2\n{{- end }}\n"),
        ({"a": 1}, {"a": 1, "b": 2}, "a: 1\n{{- if .Values.on }}\nb: 2\n{{- end }}\n"),
        (
            {"a": [{"name": "x", "v": 1}]},
            {"a": [{"name": "x", "v": 1}, {"name": "y", "v": 2}]},
            "a:\n  - name: x\n    v: 1\n"
            "  {{- if .Values.on }}\n  - name: y\n    v: 2\n  {{- end }}\n",
        ),
    ],
)
def test_a_difference_has_a_condition(value: Any, other: Any, text: str) -> None:
    assert text_of(value, (".Values.on", other)) == text


def config(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "krkn-operator-system"},
        "data": data,
    }


def test_an_object_of_some_variants_only_has_their_conditions() -> None:
    always, sometimes = ("ConfigMap", "always"), ("ConfigMap", "sometimes")
    objects = {always: config("always")}
    more = {**objects, sometimes: config("sometimes")}
    text = templates(objects, [(MESH, more), (DEBUG, objects)])["settings.yaml"]
    assert '{{- if (eq .Values.tls.mode "mesh") }}\n---' in text
    assert text.count("---") == 2


def test_braces_of_the_kustomizations_are_no_expressions() -> None:
    key = ("ConfigMap", "a")
    text = templates({key: config("a", template="{{ $labels.pod }} is away")}, [])["settings.yaml"]
    assert '{{ "{{" }} $labels.pod }} is away' in text


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("rest_port", {"type": ["integer", "string"], "minimum": 1, "maximum": 65535}),
        ("auth", {"enum": ["none", "kubernetes"]}),
        ("access_log", {"type": ["boolean", "string"], "pattern": "^(true|false)$"}),
        ("probe_port", {"type": ["integer", "string"], "pattern": schemas.WHOLE}),
        ("allowed_origins", {"type": ["string", "array"], "items": {"type": "string"}}),
        ("tls_directory", {"type": "string"}),
    ],
)
def test_a_setting_has_the_schema_of_its_type(name: str, schema: dict[str, Any]) -> None:
    assert schema.items() <= schemas.of_setting(EnvoySettings.model_fields[name]).items()
