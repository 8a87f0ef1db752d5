"""Helm, built once, for each test with a folder of its own."""

from pathlib import Path

import pytest

from deploy.local.go.tools import tools
from deploy.local.progress import Progress
from tests.support.helm import Chart


@pytest.fixture
def chart(tmp_path: Path) -> Chart:
    """The chart, and no cluster."""
    return Chart(tools(["helm"], Progress())["helm"], tmp_path)
