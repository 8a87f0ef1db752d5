"""Runs a scenario on every registered target and prints the result on each."""

import os
import time
import uuid

import grpc

from krkn_grpc.v1 import scenario_runs_pb2, targets_pb2
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

SERVER = os.environ.get("KRKN_SERVER") or "127.0.0.1:8080"
# A server on this machine is reached directly, even if the environment names a proxy.
DIRECT = [("grpc.enable_http_proxy", 0)]
FINAL = ("Succeeded", "Failed", "Stopped")

with grpc.insecure_channel(SERVER, DIRECT) as channel:
    targets = TargetServiceStub(channel).ListTargets(targets_pb2.ListTargetsRequest()).targets
    names = {one.uuid: one.cluster_name for one in sorted(targets, key=lambda t: t.cluster_name)}

    scenarios = ScenarioRunServiceStub(channel)
    run = scenarios.RunScenario(
        scenario_runs_pb2.RunScenarioRequest(
            request_id=str(uuid.uuid4()),  # a retry with this id starts nothing twice
            target_uuids=names,
            scenario_name="pod-scenarios",
            scenario_image="quay.io/krkn-chaos/krkn-hub:pod-scenarios",
            timeout_seconds=600,
        )
    )
    for started in run.jobs:
        if not started.success:
            print(names[started.target_uuid], "refused:", started.error)
            continue
        get = scenario_runs_pb2.GetScenarioRunStatusRequest(job_id=started.job_id)
        while (job := scenarios.GetScenarioRunStatus(get)).status not in FINAL:
            time.sleep(0.5)
        code = job.exit_code if job.HasField("exit_code") else ""
        print(names[job.target_uuid], job.status, code)
