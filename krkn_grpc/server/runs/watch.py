"""Streams jobs as they change."""

from krkn_grpc.kube.change_log import ChangeLog
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.runs.translate import job_message
from krkn_grpc.server.watch import Form, Watch
from krkn_grpc.v1 import scenario_runs_pb2 as pb

Message = pb.WatchScenarioRunsResponse
FORM: Form[ChaosJob, Message] = Form(Message, "job", job_message)


def watch(jobs: Informer[ChaosJob], history: ChangeLog[ChaosJob]) -> Watch[ChaosJob, Message]:
    """Return the watch of these jobs, whose changes `history` keeps."""
    return Watch(jobs, history, FORM, "jobs")
