"""The table of an outcome is one line per target, whatever a cluster says."""

from krkn_grpc.client.models import TargetJobResult
from krkn_grpc.client.outcome import Outcome
from krkn_grpc.client.statuses import JobStatus


def test_what_a_cluster_says_moves_no_terminal() -> None:
    said = "a\n\x1b[2Jb\x9b\u202ec"
    refused = TargetJobResult("t", "", JobStatus.FAILED, "", False, said)
    lines = Outcome("run", (), (refused,)).table().split("\n")
    assert [line.isprintable() for line in lines] == [True, True]
    assert lines[1].split() == ["t", "Refused", "a", "[2Jb", "c"]
