"""The command's file: servers by name (contexts), and how a token for each is got."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

_KEYS = {
    "server": "server",
    "ca": "ca",
    "cert": "cert",
    "key": "key",
    "token_file": "token-file",
    "token_command": "token-command",
}


class BadConfig(ValueError):
    """The file cannot be used; the message says why."""


@dataclass(frozen=True)
class Context:
    """A server, the files to know it by, and where the caller's token comes from."""

    server: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    token_file: str = ""
    token_command: str = ""
    """Prints a token, such as `kubectl create token ci --audience krkn-grpc`."""


@dataclass(frozen=True)
class Config:
    """The contexts by name; `current` is the one that is used, "" for none."""

    current: str = ""
    contexts: Mapping[str, Context] = field(default_factory=dict)

    def chosen(self, name: str = "") -> Context:
        """Return the context of this name, the current one without; raises BadConfig."""
        wanted = name or self.current
        if wanted and wanted not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "none"
            raise BadConfig(f"there is no context {wanted!r}; known: {known}")
        return self.contexts[wanted] if wanted else Context()

    def with_context(self, name: str, context: Context) -> "Config":
        """Return the same with a context; the first one becomes the current one."""
        return Config(self.current or name, {**self.contexts, name: context})

    def using(self, name: str) -> "Config":
        """Return the same with another current context; raises BadConfig."""
        self.chosen(name)
        return replace(self, current=name)

    def without(self, name: str) -> "Config":
        """Return the same without a context; raises BadConfig."""
        self.chosen(name)
        left = {each: context for each, context in self.contexts.items() if each != name}
        return Config("" if name == self.current else self.current, left)


def path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file: KRKN_CONFIG, else krkn-grpc/config.yaml in the folder of configurations."""
    if given := environment.get("KRKN_CONFIG"):
        return Path(given)
    folder = environment.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "krkn-grpc" / "config.yaml"


def load(file: Path) -> Config:
    """Return what a file says, nothing if there is none; raises BadConfig."""
    try:
        read = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise BadConfig(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise BadConfig(f"{file}: is not YAML") from None
    if read is None:
        return Config()
    try:
        listed = read.get("contexts") or {}
        contexts = {str(name): _context(file, each or {}) for name, each in listed.items()}
        return Config(str(read.get("current-context") or ""), contexts)
    except AttributeError:
        raise BadConfig(f"{file}: must have current-context, and contexts by name") from None


def save(file: Path, config: Config) -> None:
    """Write the file, for its owner alone; raises BadConfig."""
    contexts = {
        name: {_KEYS[key]: value for key, value in asdict(context).items() if value}
        for name, context in config.contexts.items()
    }
    text = yaml.safe_dump(
        {"current-context": config.current, "contexts": contexts}, sort_keys=False
    )
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(text)
        new.replace(file)
    except OSError as error:
        raise BadConfig(f"{file}: {error.strerror}") from None


def _context(file: Path, given: Mapping[str, Any]) -> Context:
    names = {key: name for name, key in _KEYS.items()}
    unknown = sorted(str(key) for key in given if key not in names)
    if unknown:
        raise BadConfig(f"{file}: {', '.join(unknown)}: known are {', '.join(names)}")
    return Context(**{names[key]: str(value) for key, value in given.items()})
