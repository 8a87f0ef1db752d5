"""Each alert fires when it should and is silent otherwise, as `promtool test rules` finds."""

import subprocess
from pathlib import Path

import yaml

from deploy.alerts import rules
from deploy.local.go.build import Binaries

FILES = sorted((Path(__file__).parent / "rules").glob("*.yaml"))


def promtool(programs: Binaries, *arguments: str | Path) -> str:
    """Return what it says; it must find nothing wrong."""
    command = [programs["promtool"], *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    return said


def test_the_rules_are_in_order(programs_of_prometheus: Binaries) -> None:
    found = promtool(programs_of_prometheus, "check", "rules", "--lint-fatal", rules.SOURCE)
    assert f"{len(rules.expressions())} rules found" in found


def test_alerts_fire_and_are_silent(programs_of_prometheus: Binaries, tmp_path: Path) -> None:
    """Of the annotations only the summary stays: the others have no values of the series."""
    content = yaml.safe_load(rules.SOURCE.read_text())
    for group in content["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["annotations"] = {"summary": rule["annotations"]["summary"]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(content))
    for file in FILES:
        (tmp_path / file.name).write_text(f"rule_files: [rules.yaml]\n{file.read_text()}")
    found = promtool(
        programs_of_prometheus, "test", "rules", *(tmp_path / file.name for file in FILES)
    )
    assert found.count("SUCCESS") == len(FILES)
