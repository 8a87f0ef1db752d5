"""Checks the labels and label selectors of requests."""

from collections.abc import Iterable, Mapping

from krkn_grpc.resources import label_grammar, label_selector, well_known
from krkn_grpc.resources.label_selector import BadSelector, Selector
from krkn_grpc.server.errors import Findings

MOST_LABELS = 64
_MOST = f"must be at most {MOST_LABELS}"
_LONGEST_KEY = 253


def check_labels(labels: Mapping[str, str], findings: Findings) -> None:
    """Note what is wrong with the labels that the field `labels` sets."""
    if not findings.expect(len(labels) <= MOST_LABELS, "labels", _MOST):
        return
    for key, value in sorted(labels.items()):
        field = f"labels[{key[:_LONGEST_KEY]}]"
        _check_key(key, field, findings)
        is_value = label_grammar.is_value(value)
        findings.expect(is_value, field, "has a value that Kubernetes does not allow")


def check_removals(keys: Iterable[str], labels: Mapping[str, str], findings: Findings) -> None:
    """Note what is wrong with the keys that `removeLabels` names, besides those of `labels`."""
    for index, key in enumerate(keys):
        if not findings.expect(index < MOST_LABELS, "removeLabels", _MOST):
            return
        field = f"removeLabels[{index}]"
        _check_key(key, field, findings)
        findings.expect(key not in labels, field, "is among the labels to set, too")


def selector(text: str, findings: Findings, field: str = "labelSelector") -> Selector:
    """Return the selector of a field; one for everything if it is not valid."""
    try:
        return label_selector.parse(text)
    except BadSelector as error:
        findings.expect(False, field, str(error))
        return Selector()


def shown(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels without this service's own."""
    return {key: value for key, value in labels.items() if not well_known.is_reserved(key)}


def _check_key(key: str, field: str, findings: Findings) -> None:
    is_key = label_grammar.is_key(key)
    findings.expect(is_key, field, "is not a label key that Kubernetes allows")
    findings.expect(not well_known.is_reserved(key), field, "is reserved for this service")
