"""What a job waits for, told in one word and a sentence."""

import pytest

from controller.jobs.preconditions import NO_NEWS, waiting_for
from controller.reason import Reason
from krkn_grpc.resources.well_known import START_GATE
from tests.unit.controller.jobs.builders import A_POD, PodBuilder, ago

RUNS = {"running": {"startedAt": ago(5)}}
DONE = {"terminated": {"exitCode": 0, "finishedAt": ago(5)}}
INITIALIZING = A_POD.waiting("PodInitializing")


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(A_POD, NO_NEWS, id="our gate is no news"),
        pytest.param(
            A_POD.gated_by("queue.example.com/admission", START_GATE),
            Reason(
                "SchedulingGated", "The pod is held by others' gates: queue.example.com/admission."
            ),
            id="another's gate beside ours",
        ),
        pytest.param(
            A_POD.gated_by("a/b", "c/d").condition("PodScheduled", "False", "SchedulingGated"),
            Reason("SchedulingGated", "The pod is held by others' gates: a/b, c/d."),
            id="two gates of others",
        ),
        pytest.param(
            A_POD.ungated().condition("PodScheduled", "False", "Unschedulable"),
            Reason("Unschedulable", "No node could take the pod."),
            id="no node",
        ),
        pytest.param(INITIALIZING, NO_NEWS, id="begins to initialize"),
        pytest.param(
            INITIALIZING.init("mesh", RUNS),
            Reason("ContainersNotInitialized", "Init container mesh has not ended."),
            id="init container runs",
        ),
        pytest.param(
            INITIALIZING.init("proxy", RUNS).init("check", RUNS),
            Reason("ContainersNotInitialized", "Init container check has not ended."),
            id="the last one that runs is waited for",
        ),
        pytest.param(
            INITIALIZING.init("mesh", DONE).init(
                "check", {"waiting": {"reason": "ImagePullBackOff"}}
            ),
            Reason("ErrImagePull", "Init container check: The image could not be pulled."),
            id="image of an init container",
        ),
        pytest.param(
            INITIALIZING.init("mesh", {"waiting": {"reason": "PodInitializing"}}),
            NO_NEWS,
            id="init container is made",
        ),
        pytest.param(
            INITIALIZING.init("proxy", RUNS).condition("Initialized", "True", ""),
            NO_NEWS,
            id="what runs beside the scenario is not waited for",
        ),
        pytest.param(
            A_POD.waiting("ErrImagePull").init("proxy", RUNS),
            Reason("ErrImagePull", "The image could not be pulled."),
            id="the scenario's own trouble comes first",
        ),
    ],
)
def test_waiting_for(pod: PodBuilder, expected: Reason) -> None:
    assert waiting_for(pod.build()) == expected
