"""The filters of lists and watches of targets."""

from collections.abc import Iterable
from dataclasses import dataclass

from krkn_grpc.kube.index import ALL, Position
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.reservations.in_progress import is_registered
from krkn_grpc.resources.label_selector import Selector
from krkn_grpc.resources.target import Target
from krkn_grpc.server import labels
from krkn_grpc.server.errors import Findings
from krkn_grpc.v1 import targets_pb2 as pb


@dataclass(frozen=True)
class Filter:
    """Selects registered targets that meet all conditions; `spelling` identifies it in tokens."""

    selects: Selector
    ready: bool | None
    spelling: tuple[str, ...]

    def passes(self, target: Target) -> bool:
        """Whether clients know the target, and it meets all conditions."""
        return (
            is_registered(target)
            and (self.ready is None or target.is_ready == self.ready)
            and self.selects(target.metadata.labels)
        )

    def among(self, targets: ObjectCache[Target], before: Position | None) -> Iterable[Target]:
        """Return the targets that pass, newest first, from `before` on."""
        return filter(self.passes, targets.newest(ALL, before))

    def present(self, targets: ObjectCache[Target]) -> tuple[Iterable[Target], int]:
        """Return the targets that pass, as the watch has sent them, and the revision it reached."""
        found, revision = targets.seen(ALL)
        return filter(self.passes, found), revision


def checked(request: pb.ListTargetsRequest | pb.WatchTargetsRequest) -> Filter:
    """Return the request's filter; raises InvalidRequest."""
    findings = Findings()
    selects = labels.selector(request.label_selector, findings)
    findings.settle()
    ready = request.ready if request.HasField("ready") else None
    return Filter(selects, ready, (request.label_selector, "" if ready is None else str(ready)))
