"""Finds Envoy's own files, in an installed package or in a clone."""

from pathlib import Path

# A wheel has the folder inside the package.
_PLACES = (Path(__file__).parent / "envoy", Path(__file__).parents[2] / "envoy")

PAGE = Path(__file__).parent / "page"
"""Where the image has the built page."""

FOLDER = next(place for place in _PLACES if (place / "envoy.yaml.j2").exists())
"""Has `envoy.yaml.j2`, `lua`, `page`, the OpenAPI document and the descriptor set of the protos."""
