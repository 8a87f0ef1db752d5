"""Runs a scenario on all targets that a label selector selects, by a generated REST client.

    python -m openapi_python_client generate --url http://127.0.0.1:8080/api/v1/openapi.json \
        --meta none --output-path krkn_rest
    python examples/rest_quickstart.py [SELECTOR [IMAGE]]

Waits for the end of the run and prints what became of it on each target. Exits with 1 unless it
succeeded on all of them. KRKN_SERVER is the address of the service, host:port or a URL (default
127.0.0.1:8080), KRKN_TOKEN the caller's token.
"""

import os
import sys
import time
import uuid

from krkn_rest import AuthenticatedClient, Client
from krkn_rest.api.scenario_run_service import (
    scenario_run_service_get_run as get_run,
)
from krkn_rest.api.scenario_run_service import (
    scenario_run_service_list_scenario_runs as list_jobs,
)
from krkn_rest.api.scenario_run_service import (
    scenario_run_service_run_scenario as run_scenario,
)
from krkn_rest.api.target_service import target_service_list_targets as list_targets
from krkn_rest.models import (
    ListScenarioRunsResponse,
    ListTargetsResponse,
    Run,
    RunScenarioRequest,
    RunScenarioResponse,
)

IMAGE = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"
TRANSIENT = ("Pending", "Running", "Stopping")


def client() -> Client | AuthenticatedClient:
    """Return a client for the server and the token of the environment."""
    server, token = os.environ.get("KRKN_SERVER", "127.0.0.1:8080"), os.environ.get("KRKN_TOKEN")
    url = server if "://" in server else f"http://{server}"
    return AuthenticatedClient(url, token=token) if token else Client(url)


def main(selector: str = "", image: str = IMAGE) -> int:
    """Run it; return the exit status."""
    service = client()
    targets = list_targets.sync(client=service, label_selector=selector)
    if not isinstance(targets, ListTargetsResponse):
        sys.exit(f"the targets could not be listed: {targets}")
    names = {target.uuid: target.cluster_name for target in targets.targets}
    started = run_scenario.sync(
        client=service,
        body=RunScenarioRequest(
            request_id=str(uuid.uuid4()),  # a retry with this id starts nothing twice
            target_uui_ds=list(names),
            scenario_name="pod-scenarios",
            scenario_image=image,
        ),
    )
    if not isinstance(started, RunScenarioResponse):
        sys.exit(f"nothing was started: {started}")
    for refused in (job for job in started.jobs if not job.success):
        print(names[refused.target_uuid], "refused:", refused.error)
    if not started.run_id:
        return 1
    while isinstance(run := get_run.sync(started.run_id, client=service), Run):
        if run.status not in TRANSIENT:
            break
        time.sleep(0.5)
    else:
        sys.exit(f"the run could not be read: {run}")
    jobs = list_jobs.sync(client=service, run_id=started.run_id)
    if not isinstance(jobs, ListScenarioRunsResponse):
        sys.exit(f"its jobs could not be read: {jobs}")
    for job in jobs.jobs:
        print(names[job.target_uuid], job.status, job.exit_code)
    return 0 if run.status == "Succeeded" else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
