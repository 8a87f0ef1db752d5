"""Reads this user's kubeconfigs: one context becomes a kubeconfig that needs no other file.

The service takes only credentials that are inside. So certificates and tokens in files are read in
here; a command that gets a credential cannot be taken along, and is refused with the way out.
"""

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
}


class BadKubeconfig(ValueError):
    """A kubeconfig cannot be used; the message says why."""


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig file, parsed; paths in it are relative to `folder`."""

    name: str
    folder: Path
    content: dict[str, Any]

    @property
    def contexts(self) -> list[str]:
        """The names of its contexts."""
        return [str(each.get("name", "")) for each in self._list("contexts")]

    @property
    def current(self) -> str:
        """The name of its current context, "" for none."""
        return str(self.content.get("current-context") or "")

    def url(self, context: str) -> str:
        """Return the URL of a context's cluster; raises BadKubeconfig."""
        return str(self._parts(context)[0].get("server", ""))

    def alone(self, context: str) -> str:
        """Return a kubeconfig with this context alone, and all that it needs inside.

        Raises BadKubeconfig.
        """
        cluster, user = self._parts(context)
        for runs in ("exec", "auth-provider"):
            if runs in user:
                raise BadKubeconfig(
                    f"the user of context {context!r} gets its credential by {_what(user)}, which "
                    "the service cannot run: krkn-grpc targets import --context "
                    f"{context} --create-service-account makes an account in the cluster"
                )
        return _dump(context, self._embedded(cluster), self._embedded(user))

    def with_token(self, context: str, token: str) -> str:
        """Return a kubeconfig of this context's cluster, with a token instead of its user."""
        return _dump(context, self._embedded(self._parts(context)[0]), {"token": token})

    def _parts(self, context: str) -> tuple[dict[str, Any], dict[str, Any]]:
        found = self._named("contexts", context, "context")
        cluster = self._named("clusters", str(found.get("cluster", "")), "cluster")
        return cluster, self._named("users", str(found.get("user", "")), "user")

    def _named(self, plural: str, name: str, field: str) -> dict[str, Any]:
        for each in self._list(plural):
            if each.get("name") == name and isinstance(each.get(field), dict):
                found: dict[str, Any] = each[field]
                return found
        known = ", ".join(str(each.get("name")) for each in self._list(plural)) or "none"
        raise BadKubeconfig(f"{self.name}: there is no {field} {name!r}; known: {known}")

    def _list(self, plural: str) -> list[dict[str, Any]]:
        listed = self.content.get(plural) or []
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise BadKubeconfig(f"{self.name}: {plural} is not a list of maps")
        return listed

    def _embedded(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return a cluster or a user with the contents of its files instead of their paths."""
        read: dict[str, Any] = {}
        for key, value in part.items():
            if key in _FILES:
                content = self._content(str(value))
                # As with kubectl, what is inside wins over a path.
                read.setdefault(_FILES[key], base64.b64encode(content).decode())
            elif key == "tokenFile":
                read.setdefault("token", self._content(str(value)).decode().strip())
            else:
                read[key] = value
        return read

    def _content(self, file: str) -> bytes:
        try:
            return (self.folder / file).read_bytes()
        except OSError as error:
            raise BadKubeconfig(f"{self.name}: {file}: {error.strerror}") from None


def usual_file() -> Path:
    """Return the kubeconfig that kubectl uses: the first of KUBECONFIG, else ~/.kube/config."""
    given = [each for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    return Path(given[0]) if given else Path.home() / ".kube" / "config"


def parsed(name: str, text: str, folder: Path) -> Kubeconfig:
    """Return a kubeconfig; raises BadKubeconfig."""
    if not text.strip():
        raise BadKubeconfig(f"{name}: is empty")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise BadKubeconfig(f"{name}: is not YAML{where}") from None
    if not isinstance(content, dict):
        raise BadKubeconfig(f"{name}: is no kubeconfig")
    return Kubeconfig(name, folder, content)


def summary(kubeconfig: Kubeconfig, context: str) -> str:
    """Return which cluster it is, and what else is in the file, for the user to see."""
    others = [each for each in kubeconfig.contexts if each != context]
    more = f"; {len(others)} more: {', '.join(others[:3])}" if others else ""
    return f"{kubeconfig.url(context)} (context {context}{more})"


def _what(user: dict[str, Any]) -> str:
    command = user.get("exec")
    named = command.get("command") if isinstance(command, dict) else None
    return f"running {named}" if named else "an auth-provider"


def _dump(context: str, cluster: dict[str, Any], user: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": user}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "current-context": context,
        },
        sort_keys=False,
    )
    return text
