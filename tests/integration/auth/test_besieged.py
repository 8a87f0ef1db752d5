"""Attacks at the strength at which they did harm: the memory, honest callers, the probes."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.ports import free_port
from tests.integration.auth import attacks
from tests.integration.auth.besieged import Besieged
from tests.integration.auth.callers import Metadata, make_callers
from tests.integration.auth.calls import call
from tests.integration.auth.conftest import SETTINGS, Guarded
from tests.integration.auth.flood import PREFACE
from tests.integration.auth.test_runs import a_runner_of, register
from tests.support.api_proxy import ApiProxy
from tests.support.custom_objects import JOBS, Manifest, collection, whole
from tests.support.running import POLICIES, Wanted, make_namespace, remove_namespace, running
from tests.support.waiting import eventually

SECONDS = 5.0
# Of 4 jobs with 45,000 labels (whole they took 76), or of 100 with 250 KiB of annotations.
MOST_KEPT_MIB = 30
PRODUCT = {name: SETTINGS[name] for name in ("KRKN_AUTH", "KRKN_ALLOWED_IMAGES")}


@pytest_asyncio.fixture(scope="module")
async def besieged(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Besieged]:
    """A server of its own, because what it has in memory is measured."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    async with contextlib.AsyncExitStack() as stack:
        await make_namespace(control_plane.cluster, name)
        stack.push_async_callback(remove_namespace, control_plane.cluster, name)
        folder = tmp_path_factory.mktemp("besieged")
        probe_port = free_port()
        environment = {**PRODUCT, "KRKN_PROBE_PORT": str(probe_port)}
        wanted = Wanted(controller=False, environment=environment)
        started = await stack.enter_async_context(
            running(control_plane.cluster, name, folder, wanted)
        )
        callers = await make_callers(control_plane, name)
        proxy = ApiProxy(control_plane.url, control_plane.ca_pem)  # nothing goes through it
        guarded = Guarded(started, proxy, callers)
        target = await register(guarded)
        _, lowly = await a_runner_of(guarded)
        yield Besieged(
            guarded,
            target,
            honest=await callers.metadata("runner"),
            nobody=await callers.metadata("nobody"),
            lowly=lowly,
            another=await callers.make("another", "krkn-runner"),
            probe_port=probe_port,
        )


Attack = Callable[[Besieged], Awaitable[object]]


def half_messages(path: str, who: str = "", *, through_envoy: bool = False) -> Attack:
    """160 messages of the largest size that lack their last byte."""

    async def attack(on: Besieged) -> None:
        metadata: Metadata = getattr(on, who) if who else ()
        address = on.edge if through_envoy else on.address
        await attacks.half_messages(address, path, metadata, streams=160, seconds=SECONDS)

    return attack


def health_without_a_message(*, through_envoy: bool = False) -> Attack:
    """More health checks a second that lack their message than there are places for strangers."""

    async def attack(on: Besieged) -> None:
        opened = await attacks.calls_without_a_message(
            on.edge if through_envoy else on.address, attacks.CHECK, a_second=800, seconds=SECONDS
        )
        assert opened > 500

    return attack


def many_connections(said: bytes, *, through_envoy: bool = False) -> Attack:
    """Connections that have begun to speak and go no further."""

    async def attack(on: Besieged) -> None:
        address = on.edge if through_envoy else on.address
        await attacks.connections(address, said, count=2_000, seconds=2.0)

    return attack


async def a_flood_of_questions(on: Besieged) -> None:
    answers = await attacks.questions(on.address, streams=140, seconds=SECONDS)
    assert 50 < answers < 200 * SECONDS


def messages(request: Callable[[], bytes]) -> Attack:
    """Six large messages at the same time, again and again, of one who may create jobs."""

    async def attack(on: Besieged) -> None:
        message, end = request(), time.monotonic() + SECONDS
        while time.monotonic() < end:
            codes = await attacks.call_at_once(
                on.address, on.lowly, calls=6, request=lambda: message
            )
            assert set(codes) == {"INVALID_ARGUMENT"}, codes

    return attack


def runs_on_75_000_targets(who: str) -> Attack:
    """75 calls on 1,000 targets each that are not there."""

    async def attack(on: Besieged) -> None:
        calling = attacks.call_at_once(
            on.address, getattr(on, who), calls=75, request=attacks.a_thousand_targets
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(calling, 2 * SECONDS)

    return attack


def jobs_with(metadata: Callable[[int], dict[str, dict[str, str]]], count: int) -> Attack:
    """Jobs of a time before the policy; the server may not keep what is written on them."""

    async def attack(on: Besieged) -> None:
        cluster, path = on.running.cluster, collection(JOBS, on.running.namespace)
        before, names = on.mib, []
        async with without_the_policy(cluster):
            for number in range(count):
                job = whole(JOBS)
                job["metadata"] |= metadata(number)
                job["metadata"]["namespace"] = on.running.namespace
                job["spec"]["stop"] = True
                await eventually(partial(is_written, cluster, path, job))
                names.append(job["metadata"]["name"])

        async def listed() -> set[str]:
            found = await call(on.running.channel, "ListScenarioRuns", on.honest)
            return {job.job_id for job in found.reply.jobs}

        await eventually(listed, lambda listed: listed >= {*names})
        assert on.mib - before < MOST_KEPT_MIB
        for name in names:
            await cluster.request("DELETE", f"{path}/{name}")

    return attack


@contextlib.asynccontextmanager
async def without_the_policy(cluster: Cluster) -> AsyncIterator[None]:
    """Let objects be written that the policy on metadata refuses."""
    group = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    await cluster.request("DELETE", f"{group}/krkn-metadata.everywhere")
    try:
        yield
    finally:
        await cluster.apply(manifests.load(*POLICIES))


async def is_written(cluster: Cluster, path: str, job: Manifest) -> bool:
    """Whether the API server takes it; it hears of a change of policies a moment later."""
    try:
        await cluster.request("POST", path, job)
    except ClusterError as error:
        if error.status != 422:
            raise
        return False
    return True


def labels(number: int) -> dict[str, dict[str, str]]:
    return {"labels": {f"{number:x}{label:x}": "" for label in range(45_000)}}


def annotations(number: int) -> dict[str, dict[str, str]]:
    return {"annotations": {f"a{number}": "x" * 250 * 1024}}


HALF_A_HEADER = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx: "
ATTACKS = {
    "250 KiB of annotations": jobs_with(annotations, 100),
    "45,000 labels": jobs_with(labels, 4),
    "half a health check": half_messages(attacks.CHECK),
    "half a question": half_messages(attacks.REFLECTION),
    "half a run, may not": half_messages(attacks.RUN, "nobody"),
    "half a run, may": half_messages(attacks.RUN, "lowly"),
    "half an update, may not": half_messages(attacks.UPDATE, "nobody"),
    "health checks without a message": health_without_a_message(),
    "connections": many_connections(PREFACE),
    "questions": a_flood_of_questions,
    "targets without a name": messages(attacks.targets_without_a_name),
    "all variables": messages(attacks.all_variables),
    "a file of spaces": messages(attacks.a_file_of_spaces),
    "runs on 75,000 targets, may not": runs_on_75_000_targets("lowly"),
    "runs on 75,000 targets, may": runs_on_75_000_targets("another"),
}


ON_ENVOY = {
    "half a health check": half_messages(attacks.CHECK, through_envoy=True),
    "half a question": half_messages(attacks.REFLECTION, through_envoy=True),
    "half a run, may": half_messages(attacks.RUN, "lowly", through_envoy=True),
    "half a run, may not": half_messages(attacks.RUN, "nobody", through_envoy=True),
    "health checks without a message": health_without_a_message(through_envoy=True),
    "connections, HTTP/1.1": many_connections(HALF_A_HEADER, through_envoy=True),
    "connections, HTTP/2": many_connections(PREFACE, through_envoy=True),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_is_borne(besieged: Besieged, attack: str) -> None:
    await besieged.is_at_rest()
    async with besieged.felt(besieged.address) as felt:
        await ATTACKS[attack](besieged)
    besieged.has_borne_it(felt)


@pytest.mark.parametrize("attack", ON_ENVOY)
async def test_an_attack_on_envoy_is_borne(besieged: Besieged, attack: str) -> None:
    """The honest call through Envoy as well, from another address."""
    await besieged.is_at_rest()
    async with besieged.felt(besieged.edge) as felt:
        await ON_ENVOY[attack](besieged)
    besieged.has_borne_it(felt)
