"""The CI recipes pass the linters of the systems that they are for, and these do find faults."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.support import recipes
from tests.support.recipes import ACTION, ARGO, CRON_JOB, GITLAB, JENKINS, SCRIPT, TEKTON, WORKFLOW

pytestmark = pytest.mark.usefixtures("recipe_linters")

LINTED = {
    "GitHub's schema of actions": (
        ACTION,
        lambda file: recipes.check_schema("vendor.github-actions", file),
        ("using: composite", "using: composed"),
    ),
    "GitHub's schema of workflows": (
        WORKFLOW,
        lambda file: recipes.check_schema("vendor.github-workflows", file),
        ("runs-on:", "run-on:"),
    ),
    "actionlint": (
        WORKFLOW,
        lambda file: recipes.actionlint(file.read_text(), file.parent / "repository"),
        ("selector:", "selectors:"),
    ),
    "GitLab's schema": (
        GITLAB,
        lambda file: recipes.check_schema("vendor.gitlab-ci", file),
        ("rules:", "rules: 1\n  rule:"),
    ),
    "the syntax of Groovy": (JENKINS, recipes.groovy_syntax, ("steps {", "steps (")),
    "tekton-lint": (TEKTON, recipes.tekton_lint, ("(params.selector)", "(params.selectors)")),
    "argo lint": (ARGO, recipes.argo_lint, ("{{workflow.parameters", "{{inputs.parameters")),
}
Linted = tuple[Path, Callable[[Path], str], tuple[str, str]]


@pytest.mark.parametrize("linted", LINTED.values(), ids=LINTED)
def test_a_recipe_passes_its_linter(linted: Linted, tmp_path: Path) -> None:
    recipe, lint, (right, wrong) = linted
    copy = tmp_path / recipe.name
    copy.write_text(recipe.read_text())
    assert lint(copy) == ""
    (tmp_path / "broken").mkdir()
    broken = tmp_path / "broken" / recipe.name
    assert right in recipe.read_text()
    broken.write_text(recipe.read_text().replace(right, wrong))
    assert lint(broken)


async def test_the_api_server_takes_the_cron_job(
    control_plane: ControlPlane, namespace: str
) -> None:
    paths = {
        "ServiceAccount": f"/api/v1/namespaces/{namespace}/serviceaccounts",
        "CronJob": f"/apis/batch/v1/namespaces/{namespace}/cronjobs",
    }
    for each in recipes.objects(CRON_JOB):
        path = f"{paths[each['kind']]}?dryRun=All&fieldValidation=Strict"
        answer = await control_plane.cluster.request("POST", path, each)
        assert answer["metadata"]["name"] == "chaos", json.dumps(answer)


def test_the_parameters_of_argo_are_declared() -> None:
    # Its linter passes others: whoever submits the template could give them.
    [template] = recipes.objects(ARGO)
    declared = {each["name"] for each in template["spec"]["arguments"]["parameters"]}
    used = re.findall(r"\{\{workflow\.parameters\.([\w-]+)\}\}", ARGO.read_text())
    assert sorted(used) == sorted(declared)


def test_all_have_the_same_script() -> None:
    script = SCRIPT.read_text()
    parts = dict(recipes.shell_parts())
    stops = ("gitlab: after_script", "jenkins: 2")
    others = ("github: Install krkn-grpc", "github: Show the report", *stops)
    assert {place for place, part in parts.items() if part != script} == set(others)
    assert len(parts) == 10
    # The other scripts of GitLab and Jenkins are the part of this one that stops a run.
    lines = [line.strip() for line in script.splitlines()]
    for stop in stops:
        stopping = [line.strip() for line in parts[stop].splitlines() if "krkn-grpc" in line]
        assert len(stopping) == 2
        assert set(stopping) <= set(lines)


def test_the_reports_are_kept_from_where_they_are_written() -> None:
    [action] = recipes.objects(ACTION)
    run, show, keep = action["runs"]["steps"][1:]
    assert run["env"]["REPORTS"] == show["env"]["REPORTS"] == keep["with"]["path"]
    job = recipes.objects(GITLAB)[0][".chaos"]
    folder = job["variables"]["REPORTS"]
    assert job["artifacts"]["paths"] == [folder]
    assert job["artifacts"]["reports"]["junit"] == f"{folder}/chaos.xml"
    pipeline = JENKINS.read_text()
    assert re.findall(r"^ *REPORTS = '(.*)'$", pipeline, re.MULTILINE) == [folder]
    for step in (f"dir('{folder}')", f"junit testResults: '{folder}/chaos.xml'"):
        assert step in pipeline
    assert f"archiveArtifacts artifacts: '{folder}/*'" in pipeline
    [template] = recipes.objects(ARGO)[0]["spec"]["templates"]
    variables = {each["name"]: each.get("value") for each in template["script"]["env"]}
    assert template["outputs"]["artifacts"][0]["path"] == variables["REPORTS"]


def test_jenkins_sets_what_the_script_reads() -> None:
    pipeline = JENKINS.read_text()
    given = re.findall(r"string\(name: '(\w+)'", pipeline)
    given += re.findall(r"^ +([A-Z_]+) = ", pipeline, re.MULTILINE)
    read = set(re.findall(r"\$\{?([A-Z_]+)", SCRIPT.read_text())) | {"KRKN_SERVER", "KRKN_TOKEN"}
    assert sorted(given) == sorted(read)


@pytest.mark.parametrize(("place", "part"), [*recipes.shell_parts()])
def test_shellcheck(place: str, part: str) -> None:
    assert recipes.shellcheck(part) == ""
    assert recipes.shellcheck(f"{part}\nrm $unquoted")
