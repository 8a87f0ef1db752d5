"""While a halt exists no job starts on its targets, those that are there end, and none goes on."""

import asyncio

import pytest

from krkn_grpc.resources import names
from tests.integration.jobs.conftest import StartController
from tests.support.cluster_rules import make_quota
from tests.support.custom_objects import MERGE, Manifest
from tests.support.halts import ALL, ends_halted, halt, label, lift, outcome, path_of, read
from tests.support.jobs import Jobs
from tests.support.waiting import eventually


async def test_whatever_a_job_does_it_ends_and_stays_ended(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        done = await own_jobs.job(target)
        finished = await own_jobs.finished(done)
        running = await own_jobs.job(target, "never-ends")
        deaf = await own_jobs.job(target, "ignores-sigterm")
        pulling = await own_jobs.job(target, "image-pull-error")
        for job in (running, deaf):
            await own_jobs.running(job)
        await own_jobs.waiting(pulling, "ErrImagePull")
        quota = await make_quota(own_jobs.cluster, own_jobs.namespace, "pods", 0)
        waiting = await own_jobs.job(target)
        await own_jobs.waiting(waiting, "QuotaExceeded")
        await own_jobs.cluster.request("DELETE", quota)
        halted = await halt(
            own_jobs.cluster, own_jobs.namespace, reason="an incident", by="me", **ALL
        )
        message = f"Halted by {halted['metadata']['name']}: an incident"
        statuses = {job: await ends_halted(own_jobs, job) for job in (running, pulling, waiting)}
        assert {status["message"] for status in statuses.values()} == {message}
        assert statuses[running]["exitCode"] == 143, "it had its grace"
        assert "podUID" not in statuses[waiting]
        assert (await ends_halted(own_jobs, deaf))["exitCode"] == 137, "its grace was over"
        later = await own_jobs.job(target)
        assert "podUID" not in await ends_halted(own_jobs, later)
        await lift(own_jobs.cluster, halted)
        new = await own_jobs.job(target)
        assert outcome(await own_jobs.finished(new)) == ("Succeeded", "Completed")
        for job, status in statuses.items():
            assert await own_jobs.status(job) == status
            assert await own_jobs.pod(job) is None
        assert await own_jobs.status(done) == finished


async def test_a_job_is_halted_as_it_is_made(own_jobs: Jobs, a_controller: StartController) -> None:
    """At any moment between the job and its container: with luck each job is another one."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()

        async def make(pause: float) -> str:
            await asyncio.sleep(pause)
            return await own_jobs.job(target, "never-ends")

        async with own_jobs.watch() as watch:
            made = asyncio.gather(*(make(number * 0.02) for number in range(40)))
            await watch.until("one has a pod", lambda: watch.names("pods"))
            await halt(own_jobs.cluster, own_jobs.namespace, **ALL)
            later = [await own_jobs.job(target, "never-ends") for _ in range(20)]
            for job in [*await made, *later]:
                await ends_halted(own_jobs, job)
            # Some came before the controller had heard of the halt.
            with_pod = [names.job_of_pod(name) for name in watch.names("pods")]
        assert not set(later) & set(with_pod)


async def test_a_selector_spares_other_targets(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        prod, other = await own_jobs.target(), await own_jobs.target()
        await label(own_jobs, prod, {"env": "prod"})
        on_prod = await own_jobs.job(prod, "never-ends")
        on_other = await own_jobs.job(other, "never-ends")
        for job in (on_prod, on_other):
            await own_jobs.running(job)
        await halt(own_jobs.cluster, own_jobs.namespace, targetSelector="env in (prod)")
        await ends_halted(own_jobs, on_prod)
        await ends_halted(own_jobs, await own_jobs.job(prod))
        new = await own_jobs.job(other)
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"
        assert (await own_jobs.status(on_other))["phase"] == "Running"
        await label(own_jobs, other, {"env": "prod"})
        await ends_halted(own_jobs, on_other)


async def test_a_halt_that_is_made_wider_ends_more(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends")
        await own_jobs.running(job)
        halted = await halt(own_jobs.cluster, own_jobs.namespace, targetSelector="env=prod")
        await asyncio.sleep(0.5)
        assert (await own_jobs.status(job))["phase"] == "Running"
        wider = {"spec": {"targetSelector": None}}
        await own_jobs.cluster.request("PATCH", path_of(halted), wider, MERGE)
        await ends_halted(own_jobs, job)


async def test_a_job_whose_target_is_gone_is_always_selected(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        job = await own_jobs.job(target, "never-ends")
        await own_jobs.running(job)
        await own_jobs.delete_target(target)
        await asyncio.sleep(0.5)
        assert (await own_jobs.status(job))["phase"] == "Running"
        await halt(own_jobs.cluster, own_jobs.namespace, targetSelector="env=prod")
        await ends_halted(own_jobs, job)


@pytest.mark.parametrize("selector", ["env=(", "{matchLabels: {env: prod}}"])
async def test_a_selector_that_cannot_be_read_selects_all_and_says_so(
    own_jobs: Jobs, a_controller: StartController, selector: str
) -> None:
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends")
        await own_jobs.running(job)
        halted = await halt(own_jobs.cluster, own_jobs.namespace, targetSelector=selector)
        await ends_halted(own_jobs, job)

        async def condition() -> Manifest:
            seen = await read(own_jobs.cluster, halted)
            conditions = seen.get("status", {}).get("conditions", [])
            return {each["type"]: (each["status"], each["reason"]) for each in conditions}

        await eventually(condition, lambda found: found == {"Invalid": ("True", "SelectorInvalid")})
        mended = {"spec": {"targetSelector": "env=prod"}}
        await own_jobs.cluster.request("PATCH", path_of(halted), mended, MERGE)
        await eventually(condition, lambda found: found == {"Invalid": ("False", "SelectorRead")})
        new = await own_jobs.job(await own_jobs.target())
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"


async def test_a_halt_that_our_types_do_not_fit_selects_all(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """A watch leaves such an object out."""
    async with a_controller() as controller:
        await controller.start()
        job = await own_jobs.job(await own_jobs.target(), "never-ends")
        await own_jobs.running(job)
        halted = await halt(own_jobs.cluster, own_jobs.namespace, targetSelector="env=prod")
        year_zero = {
            "type": "Other",
            "status": "True",
            "reason": "Other",
            "message": "",
            "lastTransitionTime": "0000-01-01T00:00:00Z",
        }
        await own_jobs.cluster.request(
            "PATCH", f"{path_of(halted)}/status", {"status": {"conditions": [year_zero]}}, MERGE
        )
        await asyncio.sleep(3)
        assert (await own_jobs.status(job))["phase"] == "Running", "its selector can be read"
        wider = {"spec": {"targetSelector": None}}
        await own_jobs.cluster.request("PATCH", path_of(halted), wider, MERGE)
        await ends_halted(own_jobs, job)


async def test_a_lifted_halt_does_not_end_a_job_that_came_after_it(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """The watch of halts may be behind that of jobs."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        for _ in range(10):
            await lift(own_jobs.cluster, await halt(own_jobs.cluster, own_jobs.namespace, **ALL))
            job = await own_jobs.job(target)
            assert (await own_jobs.finished(job))["phase"] == "Succeeded"


async def test_a_halt_holds_although_someone_holds_up_its_deletion_no_more(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    """A foreign finalizer keeps the object; it was lifted all the same."""
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        halted = await halt(own_jobs.cluster, own_jobs.namespace, **ALL)
        held = {"metadata": {"finalizers": ["example.com/held"]}}
        await own_jobs.cluster.request("PATCH", path_of(halted), held, MERGE)
        await ends_halted(own_jobs, await own_jobs.job(target))
        await lift(own_jobs.cluster, halted)
        new = await own_jobs.job(target)
        assert (await own_jobs.finished(new))["phase"] == "Succeeded"
        free = {"metadata": {"finalizers": None}}
        await own_jobs.cluster.request("PATCH", path_of(halted), free, MERGE)


async def test_nothing_starts_while_halts_may_not_be_listed(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    role = (
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{own_jobs.namespace}"
        "/roles/krkn-grpc-controller"
    )
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        running = await own_jobs.job(target, "lasts-3s")
        await own_jobs.running(running)
        whole = await own_jobs.cluster.request("GET", role)
        less = [rule for rule in whole["rules"] if "krknchaoshalts" not in rule["resources"]]
        await own_jobs.cluster.request("PATCH", role, {"rules": less}, MERGE)
        await controller.logged("krknchaoshalts not listed")
        job = await own_jobs.job(target)
        status = await own_jobs.waiting(job, "HaltsUnknown")
        assert "podUID" not in status
        assert (await own_jobs.finished(running))["phase"] == "Succeeded", "all else goes on"
        await controller.kill()
        await controller.start()
        await controller.logged("leading")
        other = await own_jobs.job(target)
        await own_jobs.waiting(other, "HaltsUnknown")
        await own_jobs.cluster.request("PATCH", role, {"rules": whole["rules"]}, MERGE)
        for each in (job, other):
            assert (await own_jobs.finished(each))["phase"] == "Succeeded"
