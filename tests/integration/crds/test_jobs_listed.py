"""Jobs as `kubectl get kcj` lists them: a row fits a terminal, and a field selects rows."""

import dataclasses
import uuid
from pathlib import Path
from typing import Any

import pytest

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.cluster.credentials import of_kubeconfig
from tests.support.custom_objects import GONE, JOBS, Stored, collection, store

AS_TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
GAP = 3
"""The spaces that kubectl puts between two columns."""
LONGEST_AGE = len("7h59m")
COLUMNS = ["Name", "Status", "Time", "Age", "Run", "Cluster", "Scenario"]


async def rows(
    control_plane: ControlPlane, jobs: list[Stored], folder: Path
) -> tuple[list[str], list[list[str]]]:
    """The names of the columns that are shown without -o wide, and the cells of these jobs."""
    namespace = jobs[0].manifest["metadata"]["namespace"]
    credentials = await of_kubeconfig(control_plane.admin_kubeconfig, folder)
    async with Cluster(dataclasses.replace(credentials, headers=AS_TABLE)) as kubectl:
        table: dict[str, Any] = await kubectl.request("GET", collection(JOBS, namespace))
    columns = table["columnDefinitions"]
    shown = [number for number, column in enumerate(columns) if column["priority"] == 0]
    wanted = [job.manifest["metadata"]["name"] for job in jobs]
    cells = [
        ["" if row["cells"][number] is None else row["cells"][number] for number in shown]
        for row in table["rows"]
        if row["object"]["metadata"]["name"] in wanted
    ]
    assert len(cells) == len(jobs)
    return [columns[number]["name"] for number in shown], cells


def widths(names: list[str], cells: list[list[str]]) -> dict[str, int]:
    """How wide kubectl makes each column."""
    found = {
        name: max(map(len, [name, *column]))
        for name, column in zip(names, zip(*cells, strict=True), strict=True)
    }
    return found | {"Age": LONGEST_AGE}


async def a_finished_job(control_plane: ControlPlane, namespace: str, **spec: object) -> Stored:
    """One with the longest texts that a status can have in a column."""
    job = await store(control_plane.cluster, namespace, JOBS, **spec)
    await job.set_status(phase="Succeeded", duration="9m59s", run="68ee6d9")
    return job


async def test_a_row_has_100_characters(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    given = {"clusterName": "prod-07", "scenarioName": "pod-scenarios"}
    finished = await a_finished_job(control_plane, namespace, **given)
    by_hand = await store(
        control_plane.cluster, namespace, JOBS, **given | {"clusterName": GONE, "runId": GONE}
    )
    names, cells = await rows(control_plane, [finished, by_hand], tmp_path)
    assert names == COLUMNS
    needed = widths(names, cells)
    assert sum(needed.values()) + GAP * (len(needed) - 1) <= 100


async def test_long_names_take_no_other_column_out_of_sight(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """They are whole: what is cut off at the end may be what tells two clusters apart."""
    long = {"clusterName": "c" * 253, "scenarioName": "s" * 253}
    finished = await a_finished_job(control_plane, namespace, **long)
    names, cells = await rows(control_plane, [finished], tmp_path)
    assert cells[0][-2:] == list(long.values())
    needed = widths(names, cells)
    assert sum(needed[name] + GAP for name in COLUMNS[:-2]) <= 80


async def selected(control_plane: ControlPlane, namespace: str, selector: str) -> set[str]:
    path = collection(JOBS, namespace)
    listed = await control_plane.cluster.request("GET", path, fieldSelector=selector)
    return {item["metadata"]["name"] for item in listed["items"]}


async def test_jobs_are_selected_by_their_fields(
    control_plane: ControlPlane, namespace: str
) -> None:
    mine = {
        "targetUUID": str(uuid.uuid4()),
        "clusterName": f"cluster-{uuid.uuid4()}",
        "scenarioName": f"scenario-{uuid.uuid4()}",
        "runId": str(uuid.uuid4()),
    }
    failed = await store(control_plane.cluster, namespace, JOBS, **mine)
    await failed.set_status(phase="Failed")
    pending = await store(control_plane.cluster, namespace, JOBS)
    expected, other = failed.manifest["metadata"]["name"], pending.manifest["metadata"]["name"]
    for name, value in mine.items():
        for selector in (f"spec.{name}={value}", f"status.phase=Failed,spec.{name}={value}"):
            assert await selected(control_plane, namespace, selector) == {expected}, selector
        nothing = f"status.phase=Running,spec.{name}={value}"
        assert await selected(control_plane, namespace, nothing) == set()
    by_phase = await selected(control_plane, namespace, "status.phase=Failed")
    assert {expected, other} & by_phase == {expected}
    with pytest.raises(ClusterError, match="field label not supported"):
        await selected(control_plane, namespace, "spec.requestedBy=alice")
