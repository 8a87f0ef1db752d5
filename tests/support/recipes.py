"""The CI recipes of examples/ci: their shell parts, and the tools of those who read them."""

import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deploy.local import client_tools
from deploy.local.go.module import GoModule
from deploy.local.go.tools import tools
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY

RECIPES = REPOSITORY / "examples" / "ci"
SCRIPT = RECIPES / "chaos.sh"
ACTION, WORKFLOW = (RECIPES / "github" / name for name in ("action.yml", "workflow.yml"))
GITLAB = RECIPES / "gitlab" / "chaos.gitlab-ci.yml"
JENKINS = RECIPES / "jenkins" / "Jenkinsfile"
TEKTON = RECIPES / "tekton" / "task.yaml"
ARGO = RECIPES / "argo" / "workflow-template.yaml"
CRON_JOB = RECIPES / "kubernetes" / "cronjob.yaml"
CONTAINERFILE = RECIPES / "Containerfile"

_PARSE_GROOVY = """
import pathlib, sys
from groovy_parser.parser import parse_groovy_content
parse_groovy_content(pathlib.Path(sys.argv[1]).read_text())
"""
_SUPPORT = Path(__file__).parent
_ARGO_LINT = GoModule("argo-lint", _SUPPORT / "argo", "some minutes")
_TEKTON_LINT = _SUPPORT / "tekton"


def prepare() -> None:
    """Build and install what takes longer than a test may."""
    tools(["actionlint"], Progress())
    _ARGO_LINT.binaries(["argolint"], Progress())
    client_tools.node_modules(Progress(), _TEKTON_LINT)


def objects(recipe: Path) -> list[Any]:
    """Read the documents of a recipe."""
    return list(yaml.safe_load_all(recipe.read_text()))


def shell_parts() -> Iterator[tuple[str, str]]:
    """Yield each script of the recipes, with its place."""
    for step in objects(ACTION)[0]["runs"]["steps"]:
        if "run" in step:
            yield f"github: {step['name']}", step["run"]
    job = objects(GITLAB)[0][".chaos"]
    for part in ("script", "after_script"):
        yield f"gitlab: {part}", job[part][0]
    for number, script in enumerate(_jenkins_scripts(), 1):
        yield f"jenkins: {number}", script
    yield "tekton", objects(TEKTON)[0]["spec"]["steps"][0]["script"]
    yield "argo", objects(ARGO)[0]["spec"]["templates"][0]["script"]["source"]
    [pod] = [each for each in objects(CRON_JOB) if each["kind"] == "CronJob"]
    [container] = pod["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    yield "kubernetes", container["command"][-1]


def check_schema(name: str, file: Path) -> str:
    """Return what is wrong with a file by a schema that check-jsonschema has; empty: nothing."""
    packages = client_tools.python_packages(Progress())
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(file)]
    return _complaints(command, PYTHONPATH=str(packages))


def groovy_syntax(pipeline: Path) -> str:
    """Return what is wrong with a Jenkinsfile as a program in Groovy."""
    packages = client_tools.python_packages(Progress())
    command = [sys.executable, "-c", _PARSE_GROOVY, str(pipeline)]
    return _complaints(command, PYTHONPATH=str(packages))


def _jenkins_scripts() -> Iterator[str]:
    """Yield the texts of the steps `sh`, as Groovy reads them, without their indentation."""
    for text in re.findall(r"\bsh '''(.*?)'''", JENKINS.read_text(), re.DOTALL):
        first, rest = text.replace("\\\\", "\\").split("\n", 1)
        yield f"{first}\n{textwrap.dedent(rest).rstrip()}\n"


def shellcheck(script: str) -> str:
    """Return what is wrong with a script for sh."""
    program = client_tools.python_packages(Progress()) / "bin" / "shellcheck"
    return _complaints([str(program), "--shell=sh", "-"], stdin=script)


def actionlint(workflow: str, scratch: Path) -> str:
    """Return what is wrong with a workflow, in a repository that has our action where it says."""
    action = scratch / ".github" / "actions" / "chaos"
    action.mkdir(parents=True)
    shutil.copy(ACTION, action)
    (scratch / ".git").mkdir()  # by this it finds the repository
    (scratch / ".github" / "workflows").mkdir()
    (scratch / ".github" / "workflows" / "chaos.yml").write_text(workflow)
    program = tools(["actionlint"], Progress())["actionlint"]
    return _complaints([str(program), "-shellcheck=", "-pyflakes="], folder=scratch)


def tekton_lint(task: Path) -> str:
    """Return what is wrong with a Task; warnings are faults."""
    modules = client_tools.node_modules(Progress(), _TEKTON_LINT)
    node = client_tools.node_programs(Progress()) / "node"
    program = modules / ".bin" / "tekton-lint"
    return _complaints([str(node), str(program), "--max-warnings", "0", str(task)])


def argo_lint(template: Path) -> str:
    """Return what is wrong with a WorkflowTemplate."""
    program = _ARGO_LINT.binaries(["argolint"], Progress())["argolint"]
    return _complaints([str(program), str(template)])


def _complaints(
    command: list[str], *, stdin: str = "", folder: Path = REPOSITORY, **environment: str
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"} | environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr or "failed") if done.returncode else ""
