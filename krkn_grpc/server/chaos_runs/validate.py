"""Validates the requests about runs, without any lookup."""

from krkn_grpc.server.chaos_runs.logs import RunLogOptions
from krkn_grpc.server.errors import Findings
from krkn_grpc.v1 import runs_pb2 as pb


def log_options(request: pb.StreamRunLogsRequest | pb.StreamRunLogsAsTextRequest) -> RunLogOptions:
    """Return the options of a request for the logs of a run; raises InvalidRequest."""
    findings = Findings()
    tail_lines = request.tail_lines if request.HasField("tail_lines") else None
    findings.expect(tail_lines is None or tail_lines >= 0, "tailLines", "must be 0 or more")
    findings.settle()
    return RunLogOptions(request.follow, tail_lines, request.only_failed)
