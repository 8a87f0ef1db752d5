"""Entries for the unit tests of the catalogue."""

import json
from typing import Any

from krkn_grpc.catalogue import entry
from krkn_grpc.catalogue.model import Catalogue, Parameters, Scenario


def a_field(variable: str = "ONE", **changes: Any) -> dict[str, Any]:
    """A field of an entry."""
    return {"name": variable.lower(), "variable": variable, "type": "string"} | changes


def a_scenario(*fields: dict[str, Any], name: str = "disk-fill", **changes: Any) -> Scenario:
    """The scenario of an entry with these fields."""
    content = {"image": "registry.example/hub:disk-fill", "fields": list(fields)} | changes
    return entry.scenario(name, json.dumps(content).encode(), is_built_in=True)


def some_parameters(*fields: dict[str, Any]) -> Parameters:
    """The parameters of these fields."""
    return entry.global_parameters(json.dumps(list(fields)).encode())


def a_catalogue(*scenarios: Scenario, of_all: Parameters | None = None) -> Catalogue:
    """A catalogue of these scenarios."""
    return Catalogue({each.name: each for each in scenarios}, of_all or Parameters())
