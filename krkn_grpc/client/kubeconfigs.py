"""Kubeconfig files of the person who registers clusters: their contexts, each made self-contained.

The service takes data only. So the files that a context names are read here, and a context whose
user runs a command for its credential is refused here, with what to do instead.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# The field that names a file, and the field that has its content.
_FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
}
_RUNS_CODE = ("exec", "auth-provider")
Section = dict[str, Any]


class BadKubeconfig(ValueError):
    """The file is no kubeconfig, or a context of it cannot be registered; the message says why."""


@dataclass(frozen=True)
class KubeconfigFiles:
    """The merged files: of a name that occurs twice the first one counts, as for kubectl."""

    current: str
    contexts: Mapping[str, Section]
    clusters: Mapping[str, Section]
    users: Mapping[str, Section]

    def embedded(self, context: str = "") -> str:
        """Return a kubeconfig with this context alone, files read in; "" is the current one.

        Raises BadKubeconfig and OSError.
        """
        name = context or self.current
        if not name:
            raise BadKubeconfig("there is no current-context: name one")
        if name not in self.contexts:
            raise BadKubeconfig(f"there is no context {name}")
        chosen = self.contexts[name]
        cluster = _embedded(_named(self.clusters, chosen, "cluster", name))
        user = _embedded(_named(self.users, chosen, "user", name))
        for field in _RUNS_CODE:
            if field in user:
                raise BadKubeconfig(
                    f"context {name}: its user runs a command for its credential ({field}), which "
                    "the service does not: register a token of a ServiceAccount instead "
                    "(kubectl create token)"
                )
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": "cluster", "user": "user"}}],
                "clusters": [{"name": "cluster", "cluster": cluster}],
                "users": [{"name": "user", "user": user}],
            }
        )


def load(path: Path | str | None = None) -> KubeconfigFiles:
    """Read a kubeconfig file; None: kubectl's own. Raises OSError and BadKubeconfig."""
    if path is not None:
        paths = [Path(path)]
    elif listed := os.environ.get("KUBECONFIG"):
        # kubectl passes over those of the list that do not exist.
        paths = [Path(each) for each in listed.split(os.pathsep) if each and Path(each).exists()]
    else:
        paths = [Path.home() / ".kube" / "config"]
    current, sections = "", [dict[str, Section](), dict[str, Section](), dict[str, Section]()]
    for each in paths:
        content = _read(each)
        current = current or str(content.get("current-context") or "")
        for merged, kind in zip(sections, ("context", "cluster", "user"), strict=True):
            for item in content.get(f"{kind}s") or ():
                section = _section(item, kind, each)
                merged.setdefault(str(item["name"]), {_FOLDER: each.parent, **section})
    contexts, clusters, users = sections
    return KubeconfigFiles(current, contexts, clusters, users)


_FOLDER = ""
"""The key of the folder that a section's file names are relative to; no field has this name."""


def _read(path: Path) -> Section:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own message quotes the line, which may be a credential.
        raise BadKubeconfig(f"{path} is not YAML") from None
    if content is None:
        raise BadKubeconfig(f"{path} is empty")
    if not isinstance(content, dict):
        raise BadKubeconfig(f"{path} is no kubeconfig")
    return content


def _section(item: Any, kind: str, path: Path) -> Section:
    if isinstance(item, dict) and "name" in item and isinstance(item.get(kind) or {}, dict):
        return item.get(kind) or {}
    raise BadKubeconfig(f"{path} is no kubeconfig: {kind}s must have a name and a {kind}")


def _named(sections: Mapping[str, Section], chosen: Section, kind: str, context: str) -> Section:
    name = str(chosen.get(kind) or "")
    if name not in sections:
        raise BadKubeconfig(f"context {context}: there is no {kind} {name}")
    return sections[name]


def _embedded(section: Section) -> Section:
    """Return the section with the content of the files that it names."""
    folder: Path = section[_FOLDER]
    made = {key: value for key, value in section.items() if key != _FOLDER}
    for file, data in _FILES.items():
        if name := made.pop(file, None):
            # As for kubectl: data that is there counts.
            content = base64.b64encode((folder / str(name)).read_bytes()).decode()
            made[data] = made.get(data) or content
    if name := made.pop("tokenFile", None):
        made["token"] = (folder / str(name)).read_text().strip()
    return made


def server(text: str) -> str:
    """Return the address of the current context's cluster in a kubeconfig; "" for none."""
    try:
        content = yaml.safe_load(text)
        contexts = {each["name"]: each["context"] for each in content["contexts"]}
        clusters = {each["name"]: each["cluster"] for each in content["clusters"]}
        return str(clusters[contexts[content["current-context"]]["cluster"]]["server"])
    except (yaml.YAMLError, KeyError, TypeError):
        return ""
