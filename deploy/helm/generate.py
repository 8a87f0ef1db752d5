"""Writes the chart `krkn-grpc` from the kustomizations of `deploy` and the settings' classes.

python -m deploy.helm.generate            writes it
python -m deploy.helm.generate --check    writes nothing; fails when it is not fresh

Written by hand are README.md around its table, NOTES.txt, and the templates without the mark.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.helm import base
from deploy.helm.schemas import Schema, closed
from deploy.helm.templates import MADE_BY, templates
from deploy.helm.values import Value, values
from deploy.local.errors import StartError
from deploy.local.services import REPOSITORY

CHART = Path(__file__).with_name("krkn-grpc")
TABLE = re.compile(r"(?<=<!-- values -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
ABOUT = f"""\
# {MADE_BY}
# deploy/overlays and the settings' classes. Change those, and deploy/helm/values.py.
"""


def files() -> dict[Path, str]:
    """Return the content of each generated file."""
    default = base.default()
    described = values(default)
    made = {
        CHART / "Chart.yaml": _chart(),
        CHART / "values.yaml": ABOUT + "".join(_yaml(described)),
        CHART / "values.schema.json": json.dumps(_schema(described), indent=2) + "\n",
        CHART / "README.md": TABLE.sub(
            lambda _: _table(described), (CHART / "README.md").read_text()
        ),
    }
    rendered = templates(default, [(variant, base.varied(variant)) for variant in base.VARIANTS])
    return made | {CHART / "templates" / name: text for name, text in rendered.items()}


def _chart() -> str:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    about = {
        "apiVersion": "v2",
        "name": project["name"],
        "description": project["description"],
        "type": "application",
        "version": project["version"],
        "appVersion": project["version"],
        "kubeVersion": ">=1.30.0-0",
    }
    return ABOUT + yaml.safe_dump(about, sort_keys=False)


def _yaml(described: Sequence[Value], indent: int = 0) -> Iterator[str]:
    """Write values with their defaults, each below what it means."""
    pad = " " * indent
    for value in described:
        if not indent:
            yield "\n"
        if value.description:
            yield f"{pad}# {value.description}\n"
        if value.members:
            yield f"{pad}{value.name}:\n"
            yield from _yaml(value.members, indent + 2)
            continue
        if value.name == "settings":
            yield f"{pad}settings:\n"
            yield from _yaml(_as_values(value), indent + 2)
            continue
        written = yaml.safe_dump({value.name: value.default}, sort_keys=False, width=10**6)
        yield "".join(f"{pad}{line}\n" for line in written.splitlines())


def _as_values(settings: Value) -> list[Value]:
    known = settings.schema["properties"]
    return [
        Value(name, known[name]["description"], default)
        for name, default in settings.default.items()
    ]


def _schema(described: Sequence[Value]) -> Schema:
    properties = _properties(described)
    # Helm gives it to a chart that is part of another one.
    properties["global"] = {"type": "object"}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **closed(properties)}


def _properties(described: Sequence[Value]) -> Schema:
    return {value.name: _property(value) for value in described}


def _property(value: Value) -> Schema:
    about = {"description": value.description} if value.description else {}
    if value.members:
        return about | closed(_properties(value.members))
    return about | value.schema | {"default": value.default}


def _table(described: Sequence[Value]) -> str:
    rows = "".join(
        f"| `{name}` | {_shown(value)} | {value.description} |\n"
        for name, value in _leaves(described)
    )
    return f"| value | default | |\n|---|---|---|\n{rows}"


def _leaves(described: Sequence[Value], prefix: str = "") -> Iterator[tuple[str, Value]]:
    for value in described:
        if value.members:
            # The members' own descriptions say little without their group's.
            yield f"{prefix}{value.name}", Value(value.name, value.description, "")
            yield from _leaves(value.members, f"{prefix}{value.name}.")
        else:
            yield f"{prefix}{value.name}", value


def _shown(value: Value) -> str:
    default = value.default
    if default in ("", None):
        return ""
    if value.name == "settings":
        return "the installation's"
    return f"`{json.dumps(default) if isinstance(default, dict | list | bool) else default}`"


def stale(made: Mapping[Path, str]) -> list[Path]:
    """Return the files that are not as they would be written, and those that would be gone."""
    kept = [path for path in (CHART / "templates").iterdir() if path not in made]
    gone = [path for path in kept if MADE_BY in path.read_text()]
    return [*(p for p, text in made.items() if not p.exists() or p.read_text() != text), *gone]


def main(arguments: Any) -> int:
    """Write the chart, or with --check compare; the exit code says whether all is well."""
    try:
        made = files()
    except StartError as error:
        sys.exit(str(error))
    found = stale(made)
    if "--check" in arguments:
        for path in found:
            sys.stderr.write(f"{path.relative_to(REPOSITORY)} is not fresh: run make docs\n")
        return 1 if found else 0
    for path in found:
        if path in made:
            path.write_text(made[path])
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
