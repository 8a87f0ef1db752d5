"""Says in one line why the configuration of our own cluster cannot be used.

The `kubernetes` package checks little of what it reads: an empty file, say, is a TypeError there.
"""

import ssl
from pathlib import Path

import yaml
from kubernetes.aio.config import ConfigException

from krkn_grpc.told import without_credentials


class Unusable(Exception):
    """No connection can be made from the configuration; the message is one line for its owner."""


def unusable(kubeconfig: Path | None, error: Exception) -> Unusable:
    """Turn what reading the kubeconfig raised into the reason; None stands for a pod's account."""
    if kubeconfig is None:
        return Unusable(f"KRKN_KUBECONFIG is not set, and this is no pod: {_text(error)}")
    return Unusable(f"KRKN_KUBECONFIG={kubeconfig}: {_reason(kubeconfig, error)}")


def _reason(kubeconfig: Path, error: Exception) -> str:
    match error:
        case yaml.MarkedYAMLError(problem_mark=yaml.Mark(line=line)):
            return f"is not YAML (line {line + 1})"
        case yaml.YAMLError():
            return "is not YAML"
        case UnicodeDecodeError():
            return "holds bytes that are not UTF-8"
        case ConfigException():
            return _text(error)
        case ssl.SSLError():
            return f"its certificates or key cannot be used: {error.reason or _text(error)}"
        case OSError():
            return f"cannot be read: {error.strerror or _text(error)}"
        case ValueError():  # of Base64, say: its text quotes nothing
            return f"holds a value that cannot be read: {_text(error)}"
        case _:
            return "is empty" if _is_empty(kubeconfig) else "is not a kubeconfig"


def _is_empty(kubeconfig: Path) -> bool:
    try:
        return not kubeconfig.read_bytes().strip()
    except OSError:
        return False


def _text(error: Exception) -> str:
    return without_credentials(" ".join(str(error).split()))
