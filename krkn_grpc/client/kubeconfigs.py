"""Kubeconfig files of the person who registers clusters: their contexts, each made self-contained.

The service takes data only. So the files that a context names are read here, and a context whose
user runs a command for its credential is refused here, with what to do instead.
"""

import base64
import os
from collections.abc import Iterable, Mapping
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


class CredentialByCommand(BadKubeconfig):
    """The user of a context runs a command for its credential, which the service does not."""

    def __init__(self, context: str, user: Section) -> None:
        command = user.get("exec")
        named = command.get("command") if isinstance(command, dict) else None
        how = f"by running {named}" if named else "by a command or an auth-provider"
        self.context = context
        whose = f"the user of context {context!r}"
        self.fault = f"{whose} gets its credential {how}, which the service cannot run"
        super().__init__(
            f"{self.fault}: register a token of a ServiceAccount instead (kubectl create token)"
        )


@dataclass(frozen=True)
class KubeconfigFiles:
    """The merged files: of a name that occurs twice the first one counts, as for kubectl."""

    current: str
    contexts: Mapping[str, Section]
    clusters: Mapping[str, Section]
    users: Mapping[str, Section]

    def url(self, context: str = "") -> str:
        """Return the URL of a context's cluster, "" for none; raises BadKubeconfig."""
        return str(self._part("cluster", context).get("server") or "")

    def embedded(self, context: str = "") -> str:
        """Return a kubeconfig with this context alone, files read in; "" is the current one.

        Raises BadKubeconfig, CredentialByCommand, and OSError for a file that it names.
        """
        user = self._part("user", context)
        if any(field in user for field in _RUNS_CODE):
            raise CredentialByCommand(context or self.current, user)
        return self._alone(context, _embedded(user))

    def with_token(self, context: str, token: str) -> str:
        """Return a kubeconfig of this context's cluster, with a token instead of its user.

        Raises BadKubeconfig, and OSError for a file that it names.
        """
        return self._alone(context, {"token": token})

    def _alone(self, context: str, user: Section) -> str:
        name = context or self.current
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": "cluster", "user": "user"}}],
                "clusters": [
                    {"name": "cluster", "cluster": _embedded(self._part("cluster", context))}
                ],
                "users": [{"name": "user", "user": user}],
            }
        )

    def _part(self, kind: str, context: str) -> Section:
        """Return the cluster or the user of a context; raises BadKubeconfig."""
        name = context or self.current
        if not name:
            raise BadKubeconfig("there is no current-context: name one")
        chosen = _named(self.contexts, name, "context")
        sections = self.clusters if kind == "cluster" else self.users
        return _named(sections, str(chosen.get(kind) or ""), kind)


def load(path: Path | str | None = None) -> KubeconfigFiles:
    """Read a kubeconfig file; None: kubectl's own. Raises OSError and BadKubeconfig."""
    if path is not None:
        paths = [Path(path)]
    elif listed := os.environ.get("KUBECONFIG"):
        # kubectl passes over those of the list that do not exist.
        paths = [Path(each) for each in listed.split(os.pathsep) if each and Path(each).exists()]
    else:
        paths = [Path.home() / ".kube" / "config"]
    return _merged((each, _content(each.read_bytes(), str(each))) for each in paths)


def parsed(text: str, name: str, folder: Path) -> KubeconfigFiles:
    """Return what a text says that is called `name`, with files beside it in `folder`.

    Raises BadKubeconfig.
    """
    return _merged([(folder / name, _content(text.encode(), name))])


_FOLDER = ""
"""The key of the folder that a section's file names are relative to; no field has this name."""


def _merged(files: Iterable[tuple[Path, Section]]) -> KubeconfigFiles:
    current, sections = "", [dict[str, Section](), dict[str, Section](), dict[str, Section]()]
    for path, content in files:
        current = current or str(content.get("current-context") or "")
        for merged, kind in zip(sections, ("context", "cluster", "user"), strict=True):
            for item in content.get(f"{kind}s") or ():
                section = _section(item, kind, path)
                merged.setdefault(str(item["name"]), {_FOLDER: path.parent, **section})
    contexts, clusters, users = sections
    return KubeconfigFiles(current, contexts, clusters, users)


def _content(text: bytes, name: str) -> Section:
    try:
        content = yaml.safe_load(text.decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The parser's own message quotes the line, which may be a credential.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise BadKubeconfig(f"{name}: is not YAML{where}") from None
    if content is None:
        raise BadKubeconfig(f"{name}: is empty")
    if not isinstance(content, dict):
        raise BadKubeconfig(f"{name}: is no kubeconfig")
    return content


def _section(item: Any, kind: str, path: Path) -> Section:
    if isinstance(item, dict) and "name" in item and isinstance(item.get(kind) or {}, dict):
        return item.get(kind) or {}
    raise BadKubeconfig(f"{path}: is no kubeconfig: {kind}s must have a name and a {kind}")


def _named(sections: Mapping[str, Section], name: str, kind: str) -> Section:
    if name not in sections:
        known = ", ".join(sections) or "none"
        raise BadKubeconfig(f"there is no {kind} {name!r}; known: {known}")
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
        # As for kubectl: the file counts.
        made["token"] = (folder / str(name)).read_text().strip()
    return made


def server(text: str) -> str:
    """Return the address of the current context's cluster in a kubeconfig; "" for none."""
    try:
        return parsed(text, "", Path()).url()
    except BadKubeconfig:
        return ""
