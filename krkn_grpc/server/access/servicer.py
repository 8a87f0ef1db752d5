"""AccessService: asks for each permission that some call needs."""

import asyncio

from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.auth.policy import permissions
from krkn_grpc.server.metadata import Context
from krkn_grpc.v1 import access_pb2 as pb
from krkn_grpc.v1.access_pb2_grpc import AccessServiceServicer


class AccessServicer(AccessServiceServicer):
    """Tells what the caller may do; the protos specify the method."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    async def GetAccess(self, request: pb.GetAccessRequest, context: Context) -> pb.Access:
        """Return the caller's name and permissions, and the namespace."""
        caller = current()
        needed = permissions()
        # Not one permission for all verbs: only reviews say what an authorizer would allow. Each
        # answer is cached, and the caller's reviews have no more turns than those of other calls.
        allowed = await asyncio.gather(*(caller.may(verb, resource) for resource, verb in needed))
        return pb.Access(
            user=caller.user,
            allowed=[
                pb.Permission(verb=verb, resource=resource)
                for (resource, verb), is_allowed in zip(needed, allowed, strict=True)
                if is_allowed
            ],
            namespace=self._namespace,
        )
