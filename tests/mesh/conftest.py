"""Istio's programs, and an installation in a mesh."""

from pathlib import Path

import pytest

from deploy.local.go.tools import tools
from deploy.local.progress import Progress
from tests.mesh.istio import Istio, Manifest, overlay


@pytest.fixture(scope="session")
def istio() -> Istio:
    """The programs, built where they are missing."""
    return Istio(tools(["istioctl", "istio"], Progress()))


@pytest.fixture
def installed(tmp_path: Path) -> list[Manifest]:
    """The overlay for a mesh, with the component for Istio."""
    return overlay(tmp_path, "istio")
