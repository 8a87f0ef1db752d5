"""Streams targets as they change."""

from krkn_grpc.kube.change_log import ChangeLog
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.target import Target
from krkn_grpc.server.targets.translate import target_message
from krkn_grpc.server.watch import Form, Watch
from krkn_grpc.v1 import targets_pb2 as pb

Message = pb.WatchTargetsResponse
FORM: Form[Target, Message] = Form(Message, "target", target_message)


def watch(targets: Informer[Target], history: ChangeLog[Target]) -> Watch[Target, Message]:
    """Return the watch of these targets, whose changes `history` keeps."""
    return Watch(targets, history, FORM, "targets")
