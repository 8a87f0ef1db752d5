"""Alerts of real processes that are harmed: they fire, say what is so, and end when it is over.

By the shipped rules in a real Prometheus; only their times are shorter.
"""

import contextlib
import re
import uuid
from pathlib import Path

from deploy.alerts import rules
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.relay import Relay
from tests.conftest import StartServices
from tests.integration.probe.probing import black_hole
from tests.support.alerting import alerting
from tests.support.requests import token_target
from tests.support.running import CLUSTER_WIDE, Running, Wanted, make_namespace, running
from tests.support.scrape import scrape
from tests.support.target_client import Targets

ALL = ("server", "controller", "envoy")
EXPIRATION = "envoy_listener_ssl_certificate_expiration_unix_time_seconds"


async def test_the_api_server_is_killed(
    binaries: Binaries, programs_of_prometheus: Binaries, tmp_path: Path
) -> None:
    name = f"test-{uuid.uuid4().hex[:8]}"
    wanted = Wanted(environment={"KRKN_LEASE_SECONDS": "3"})
    async with ControlPlane(binaries, only_api_server=True, crds=CLUSTER_WIDE) as alone:
        await make_namespace(alone.cluster, name)
        async with (
            running(alone.cluster, name, tmp_path, wanted) as started,
            alerting(programs_of_prometheus, started, tmp_path, *ALL) as alerts,
        ):
            await alone.kill("kube-apiserver")
            for process in ("server", "controller"):
                alert = await alerts.until_firing(
                    "KrknApiServerUnreachable", namespace=name, container=process
                )
                summary = f"The {process} of {process} does not reach the Kubernetes API server."
                assert alert.annotations["summary"] == summary
                assert alert.labels["severity"] == "critical"
            # It could not renew its Lease.
            await alerts.until_firing("KrknNoLeader", namespace=name)
            await alone.start("kube-apiserver")
            await alerts.until_all_is_well()


async def test_the_leader_is_frozen(
    services: Running, programs_of_prometheus: Binaries, tmp_path: Path
) -> None:
    async with alerting(programs_of_prometheus, services, tmp_path, *ALL) as alerts:
        services.processes.pause("controller")
        await alerts.until_firing("KrknNoLeader")
        await alerts.until_firing("KrknAbsent", process="controller")
        services.processes.resume("controller")
        await alerts.until_all_is_well()


async def test_a_target_swallows_connections(
    start_services: StartServices,
    target_cluster: ControlPlane,
    programs_of_prometheus: Binaries,
    tmp_path: Path,
) -> None:
    services = await start_services(Wanted(environment={"KRKN_PROBE_INTERVAL_SECONDS": "1"}))
    metadata = {"name": "swallowed", "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    await target_cluster.cluster.apply([account])
    token = await target_cluster.cluster.token("default", "swallowed", seconds=3600)
    targets = Targets(services.channel)
    async with contextlib.AsyncExitStack() as stack:
        way = await stack.enter_async_context(contextlib.AsyncExitStack())
        relay = await way.enter_async_context(Relay(target_cluster.port))
        port, ca = relay.port, target_cluster.ca_pem
        body = token_target(clusterAPIURL=f"https://127.0.0.1:{port}", token=token, caBundle=ca)
        uuid = await targets.create(body)
        await targets.when_ready(uuid)
        alerts = await stack.enter_async_context(
            alerting(programs_of_prometheus, services, tmp_path, *ALL)
        )
        await way.aclose()
        async with black_hole(port):
            alert = await alerts.until_firing("KrknTargetsNotReady", namespace=services.namespace)
            summary = f"100% of the targets are not ready in {services.namespace}."
            assert alert.annotations["summary"] == summary
        await way.enter_async_context(Relay(target_cluster.port, port=port))
        await alerts.until_all_is_well()


async def test_the_series_of_envoy_that_rules_name_are_there(shared_services: Running) -> None:
    """Envoy defines them; those of our own processes are in the table of metrics."""
    told = await scrape(shared_services, "envoy")
    # The parser adds _total to the name of every counter.
    there = {(name.removesuffix("_total"), labels) for name, labels in told.samples}
    # Without TLS there is none; tests/rest/edge/test_tls.py asks an Envoy with it.
    there.add((EXPIRATION, frozenset()))
    for expression in rules.expressions().values():
        for name, matchers in re.findall(r"(envoy_\w+)(?:\{([^}]*)\})?", expression):
            wanted = set(re.findall(r'(\w+)="([^"]*)"', matchers))
            assert any(
                name.removesuffix("_total") == each and wanted <= labels for each, labels in there
            ), (name, matchers)
