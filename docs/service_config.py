"""The gRPC service config that is published for clients, from the protos.

https://github.com/grpc/grpc/blob/master/doc/service_config.md
"""

import json

from google.protobuf import descriptor_pb2

from deploy.local.services import REPOSITORY
from krkn_grpc.edge.http_rules import DESCRIPTOR_SET, PACKAGE

PAGE = REPOSITORY / "krkn_grpc" / "client" / "service_config.json"

_READS = ("Get", "List", "Watch", "Stream")
# They carry a requestId. One without it is refused when gRPC repeats it (RETRY_NOT_SAFE).
_RUNS = ("RunScenario", "RerunRun")


def text() -> str:
    """Return the service config as JSON: all replicas in turn, and retries where they are safe."""
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": _repeatable(),
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        # When every other call fails it is an outage, and more calls make it longer.
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.5},
    }
    return json.dumps(config, indent=2) + "\n"


def _repeatable() -> list[dict[str, str]]:
    """Return the methods that only read, and those that the service knows again."""
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_SET.read_bytes()).file
    ours = [file for file in files if file.package == PACKAGE]
    return [
        {"service": f"{PACKAGE}.{service.name}", "method": method.name}
        for file in sorted(ours, key=lambda each: each.name)
        for service in file.service
        for method in service.method
        if method.name.startswith(_READS) or method.name in _RUNS
    ]
