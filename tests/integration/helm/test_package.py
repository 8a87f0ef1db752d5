"""The chart's archive: the same bytes from the same files, and a chart that Helm takes."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path

from deploy.helm.generate import CHART
from deploy.helm.package import packaged
from deploy.local.services import REPOSITORY
from tests.support.helm import Chart


def test_it_is_named_by_the_version(tmp_path: Path) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert packaged(tmp_path).name == f"krkn-grpc-{project['version']}.tgz"


def test_it_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    first = packaged(tmp_path / "first").read_bytes()
    os.utime(CHART / "Chart.yaml")
    assert packaged(tmp_path / "second").read_bytes() == first


def test_a_release_of_it_is_the_same(chart: Chart, tmp_path: Path) -> None:
    archived = replace(chart, chart=packaged(tmp_path / "packaged"))
    assert archived.render() == chart.by_default()


def test_it_has_no_fault(chart: Chart) -> None:
    assert "0 chart(s) failed" in chart.run("lint", "--strict", str(chart.chart))
