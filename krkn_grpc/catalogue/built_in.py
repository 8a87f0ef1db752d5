"""The catalogue of the release, from the JSON files of this package."""

from functools import cache
from importlib import resources

from krkn_grpc.catalogue import entry
from krkn_grpc.catalogue.model import Catalogue


@cache
def catalogue() -> Catalogue:
    """Return the built-in catalogue; it is read once."""
    files = resources.files(__package__)
    scenarios = {}
    for file in files.joinpath("scenarios").iterdir():
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            scenarios[name] = entry.scenario(name, file.read_bytes(), is_built_in=True)
    return Catalogue(
        scenarios, entry.global_parameters(files.joinpath("globals.json").read_bytes())
    )
