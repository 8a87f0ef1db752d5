"""Assembles the services of the API, and adds them to a gRPC server."""

from dataclasses import dataclass
from datetime import timedelta

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from krkn_grpc.kube.change_log import ChangeLog
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.logs import Logs
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ClaimedRun
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.kept_log import KeptLog
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import TargetRequest
from krkn_grpc.server import reflection
from krkn_grpc.server.access.servicer import AccessServicer
from krkn_grpc.server.alerts.abort import Aborts
from krkn_grpc.server.alerts.servicer import AlertServicer
from krkn_grpc.server.caches import Caches
from krkn_grpc.server.chaos_runs.logs import RunLogStreamer
from krkn_grpc.server.grpc_health import GrpcHealth
from krkn_grpc.server.halts.halts import Halts
from krkn_grpc.server.halts.servicer import HaltServicer
from krkn_grpc.server.health import Health, HealthServicer
from krkn_grpc.server.runs.idempotency import IdempotencyRecords
from krkn_grpc.server.runs.kept_logs import KeptLogs
from krkn_grpc.server.runs.log_servicer import LogServicer
from krkn_grpc.server.runs.logs import LogStreamer
from krkn_grpc.server.runs.servicer import ScenarioRunServicer
from krkn_grpc.server.runs.submission import Submission
from krkn_grpc.server.runs.watch import watch as watch_jobs
from krkn_grpc.server.scenarios.current import CurrentCatalogue
from krkn_grpc.server.scenarios.servicer import ScenarioServicer
from krkn_grpc.server.settings import Settings
from krkn_grpc.server.target_requests.discoveries import Discoveries
from krkn_grpc.server.target_requests.servicer import TargetRequestServicer
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.server.targets.servicer import TargetServicer
from krkn_grpc.server.targets.watch import watch as watch_targets
from krkn_grpc.v1 import (
    access_pb2_grpc,
    alerts_pb2_grpc,
    halts_pb2_grpc,
    scenario_runs_pb2_grpc,
    scenarios_pb2_grpc,
    target_requests_pb2_grpc,
    targets_pb2_grpc,
)
from krkn_grpc.v1 import health_pb2_grpc as krkn_health_pb2_grpc

NAMES = (
    "krkn.v1.TargetService",
    "krkn.v1.TargetRequestService",
    "krkn.v1.ScenarioService",
    "krkn.v1.ScenarioRunService",
    "krkn.v1.HaltService",
    "krkn.v1.AlertService",
    "krkn.v1.AccessService",
    "krkn.v1.HealthService",
)
"""The full names of the services, whether this process serves all of their methods or not."""


@dataclass(frozen=True)
class Services:
    """What the services are made of."""

    settings: Settings
    session: Session
    caches: Caches
    history: ChangeLog[ChaosJob]
    target_history: ChangeLog[Target]
    catalogue: CurrentCatalogue
    grpc_health: GrpcHealth
    health: Health

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add those that this process serves."""
        if self.settings.serve == "logs":
            # The service's other methods have no rule here, so they are refused.
            logs = self._logs()
            servicer = LogServicer(self._run_logs(logs), logs)  # type: ignore[abstract]
            scenario_runs_pb2_grpc.add_ScenarioRunServiceServicer_to_server(servicer, server)
        else:
            self._add_runs_and_targets(server)
            self._add_target_requests(server)
            scenarios_pb2_grpc.add_ScenarioServiceServicer_to_server(
                ScenarioServicer(self.catalogue), server
            )
            access_pb2_grpc.add_AccessServiceServicer_to_server(
                AccessServicer(self.settings.namespace), server
            )
        krkn_health_pb2_grpc.add_HealthServiceServicer_to_server(
            HealthServicer(self.grpc_health, self.health), server
        )
        health_pb2_grpc.add_HealthServicer_to_server(self.grpc_health, server)
        health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        reflection.enable((*NAMES, health_name), server)

    def _logs(self) -> LogStreamer:
        settings, session = self.settings, self.session
        return LogStreamer(
            self.caches.jobs,
            self.history,
            ResourceClient(session, Pod, settings.namespace),
            Logs(session, settings.namespace),
            KeptLogs(ResourceClient(session, KeptLog, settings.namespace)),
            settings.log_silence_seconds,
        )

    def _run_logs(self, logs: LogStreamer) -> RunLogStreamer:
        settings = self.settings
        longest_call = timedelta(seconds=settings.write_seconds)
        return RunLogStreamer(self.caches.runs.client, logs, longest_call, self.session.time.now)

    def _add_runs_and_targets(self, server: grpc.aio.Server) -> None:
        settings, session, caches = self.settings, self.session, self.caches
        secrets = ResourceClient(session, Secret, settings.namespace)
        leases = ResourceClient(session, Lease, settings.namespace)
        registry = Registry(caches.targets, leases, secrets, session.time.now)
        halts = Halts(caches.halts)
        logs = self._logs()
        ttl = settings.default_ttl_seconds
        records = IdempotencyRecords(
            caches.runs.client,
            ResourceClient(session, ClaimedRun, settings.namespace),
            settings.idempotency_seconds,
            None if ttl == "never" else ttl,
        )
        targets_pb2_grpc.add_TargetServiceServicer_to_server(
            TargetServicer(
                registry=registry,
                targets=caches.targets,
                watch=watch_targets(caches.targets, self.target_history),
                rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
                write_seconds=settings.write_seconds,
            ),
            server,
        )
        scenario_runs_pb2_grpc.add_ScenarioRunServiceServicer_to_server(
            ScenarioRunServicer(
                submission=Submission(
                    registry,
                    halts,
                    caches.jobs,
                    secrets,
                    records,
                    session.time.now,
                    timedelta(seconds=settings.write_seconds),
                ),
                watch=watch_jobs(caches.jobs, self.history),
                run_logs=self._run_logs(logs),
                logs=logs,
                runs=caches.runs,
                jobs=caches.jobs,
                clock=session.time.now,
                targets=caches.targets,
                halts=caches.halts,
                allowed_images=settings.allowed_images,
                allowed_paths=settings.allowed_mount_paths,
                catalogue=self.catalogue,
                check_environment=settings.check_environment,
                write_seconds=settings.write_seconds,
            ),
            server,
        )
        halts_pb2_grpc.add_HaltServiceServicer_to_server(
            HaltServicer(halts, settings.write_seconds), server
        )
        alerts_pb2_grpc.add_AlertServiceServicer_to_server(
            AlertServicer(Aborts(caches.runs), settings.write_seconds), server
        )

    def _add_target_requests(self, server: grpc.aio.Server) -> None:
        settings, session, caches = self.settings, self.session, self.caches
        discoveries = Discoveries(
            caches.requests,
            ResourceClient(session, TargetRequest, settings.namespace),
            settings.discoveries_per_caller,
        )
        target_requests_pb2_grpc.add_TargetRequestServiceServicer_to_server(
            TargetRequestServicer(
                discoveries=discoveries,
                targets=caches.targets,
                providers=ResourceClient(session, Provider, settings.namespace),
                write_seconds=settings.write_seconds,
                hold_seconds=settings.discovery_hold_seconds,
            ),
            server,
        )
