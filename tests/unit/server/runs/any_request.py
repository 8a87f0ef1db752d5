"""Requests as anybody may send them: each field is in order, nearly so, or anything at all."""

import base64
from typing import Any

from hypothesis import strategies as st

from krkn_grpc.v1 import scenario_runs_pb2 as pb

Strategy = st.SearchStrategy[Any]

# Protobuf strings are UTF-8, so they have no surrogates.
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
int32s = st.integers(-(2**31), 2**31 - 1)


def some(in_order: Strategy, *others: Strategy) -> Strategy:
    """Mostly what is in order; once in twenty times each of the others."""
    drawn = dict(enumerate(others))
    return st.integers(0, 19).flatmap(lambda number: drawn.get(19 - number, in_order))


def of(*, good: Strategy | list[Any], near: list[Any]) -> Strategy:
    """Mostly what is in order, sometimes what nearly is, sometimes anything."""
    in_order = st.sampled_from(good) if isinstance(good, list) else good
    return some(in_order, st.sampled_from(near), anything)


IMAGES = ["i", f"host:5000/a/b@sha256:{'0' * 64}"]
_words = st.from_regex(r"[A-Za-z0-9]{1,10}([-._][A-Za-z0-9]{1,10})?", fullmatch=True)
_paths = of(
    good=st.lists(_words, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    near=["/", "/tmp", "/tmp/x", "/proc/x", "/a/../b", "//a", "/a/", "a", "/a:b", "/" + "x" * 4096],
)
_variables = st.dictionaries(
    of(
        good=st.from_regex(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,12}", fullmatch=True),
        near=[
            "KUBECONFIG",
            "LD_PRELOAD",
            "KRKN_KUBE_CONFIG",
            "A_TOKEN",
            ".",
            "..",
            "..x",
            "a" * 201,
            "1",
        ],
    ),
    of(good=anything, near=["$(A)", "\0", "x" * 70_000]),
    max_size=5,
)
_files = st.builds(
    lambda name, content, path: pb.ScenarioFile(name=name, content=content, mount_path=path),
    of(good=_words, near=[".", "..", "a/b", "x" * 254]),
    of(
        good=st.binary(max_size=100).map(lambda data: base64.b64encode(data).decode()),
        near=["", "a", "ab==\n", base64.b64encode(bytes(200_000)).decode()],
    ),
    _paths,
)
_labels = st.dictionaries(
    of(
        good=_words,
        near=["a.example/b", "krkn-job-id", "krkn.krkn-chaos.dev/x", "/a", "a/", "x" * 64, "a/b/c"],
    ),
    of(good=_words, near=["", "-", "x" * 64, "a b"]),
    max_size=5,
)
_address = of(
    good=["registry.example", "https://r.example:5000/v2/", "[::1]:5000"],
    near=["", "https://", "https://[::1", "u:p@r", "https:///x", "[x", "r" * 3000],
)
_username = of(good=_words, near=["", "a:b", "u" * 9000])
_registry = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "registry_url": _address,
            "username": _username,
            "password": of(good=_words, near=["", "p" * 9000]),
        }
    ),
    st.fixed_dictionaries(
        {"registry_url": _address, "token": of(good=_words, near=["", "t" * 9000])},
        optional={"username": _username},
    ),
)
_fields = st.fixed_dictionaries(
    {
        "target_uuids": some(
            st.lists(_words, min_size=1, max_size=4, unique=True),
            st.lists(anything, max_size=3),
            st.just([str(number) for number in range(1001)]),
        ),
        "scenario_image": of(good=IMAGES, near=["", "a b", "a:", "x" * 513]),
        "scenario_name": of(good=_words, near=["", " ", "-", "...", "x" * 253, "x" * 254]),
    },
    optional={
        "kubeconfig_path": _paths,
        "environment": _variables,
        "secret_environment": _variables,
        "files": st.lists(_files, max_size=4),
        "scenario_repository": anything,
        "skip_tls": st.booleans(),
        "insecure": st.booleans(),
        "request_id": of(good=st.uuids().map(str), near=["", "x", "0" * 32]),
        "validate_only": st.booleans(),
        "require_ready": st.booleans(),
        "timeout_seconds": some(st.integers(1, 86_400), int32s),
        "ttl_seconds_after_finished": some(st.integers(0, 2**31 - 1), int32s),
        "queue_seconds": some(st.integers(0, 2_592_000), int32s),
        "on_busy": of(good=st.sampled_from(["", "Wait", "Refuse"]), near=["wait", "REFUSE", " "]),
        "labels": _labels,
        "max_parallel": some(st.integers(0, 2**31 - 1), int32s),
        "max_failures": some(st.integers(0, 2**31 - 1), int32s),
        "abort_running": st.booleans(),
        "abort_on": st.lists(
            of(good=['{alertname="X"}'], near=["", "X", '{a=~"("}', "x" * 1025]), max_size=17
        ),
    },
)
requests = st.builds(
    lambda fields, registry: pb.RunScenarioRequest(**fields, **registry), _fields, _registry
)
"""RunScenario requests; about half of them are in order."""
