"""The report as JSON, in the form that docs/reports.md describes."""

import json
import re

from deploy.local.services import REPOSITORY
from krkn_grpc.cli.reports import as_json
from tests.support.reports import HOSTILE, RUN, a_job, a_report, hostile, of_many, refused


def test_its_form() -> None:
    jobs = [a_job(0, exit_code=0), refused(1, "no such target")]
    shown = json.loads(as_json.rendered(a_report(jobs)))
    assert list(shown) == ["version", "madeAt", "server", "run", "summary", "targets"]
    assert (shown["version"], shown["madeAt"]) == (1, "2026-11-30T04:00:00Z")
    assert shown["run"]["runId"] == RUN
    assert not {"targets", "refused"} & set(shown["run"])
    assert shown["summary"] == {
        "targets": 2,
        "isAllWell": False,
        "durationSeconds": 60.0,
        "byStatus": {"Refused": 1, "Succeeded": 1},
        "byReason": {"Refused": 1},
    }
    assert shown["targets"] == [
        {
            "targetUUID": jobs[0].target_uuid,
            "clusterName": "eu-west-000",
            "status": "Succeeded",
            "reason": "",
            "message": "",
            "exitCode": 0,
            "jobId": jobs[0].job_id,
            "podName": "krkn-job-0",
            "startTime": "2026-11-30T03:00:00Z",
            "completionTime": "2026-11-30T03:01:00Z",
            "durationSeconds": 60.0,
        },
        {
            "targetUUID": jobs[1].target_uuid,
            "clusterName": "eu-west-001",
            "status": "Refused",
            "reason": "",
            "message": "no such target",
            "jobId": "",
            "podName": "",
        },
    ]


def test_logs() -> None:
    shown = json.loads(as_json.rendered(of_many()))["targets"]
    assert [target["log"]["isWhole"] for target in shown if "log" in target].count(False) == 7
    assert len(shown[7]["log"]["lines"]) == 50
    assert shown[9]["log"] == {
        "lines": [],
        "isWhole": True,
        "problem": "the log is gone with the job's pod",
        "source": "",
    }


def test_texts_are_those_of_the_service() -> None:
    shown = json.loads(as_json.rendered(hostile()))
    assert shown["run"]["scenarioName"] == HOSTILE
    assert shown["targets"][0]["message"] == HOSTILE


def test_the_documented_form_is_its_form() -> None:
    [block] = re.findall(
        r"```json\n(.*?)```", (REPOSITORY / "docs/reports.md").read_text(), re.DOTALL
    )
    documented = json.loads(block)
    shown = json.loads(as_json.rendered(of_many()))
    assert list(shown) == list(documented)
    assert list(shown["summary"]) == list(documented["summary"])
    assert list(shown["targets"][7]) == list(documented["targets"][0])
    assert list(shown["targets"][7]["log"]) == list(documented["targets"][0]["log"])
