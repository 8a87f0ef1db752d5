"""What is written first at the end of a job: its outcome."""

from krkn_grpc.resources import names
from tests.integration.jobs.conftest import StartController
from tests.support.jobs import Jobs
from tests.support.policies import Attempt, Rules, forbidding


async def test_a_rule_against_deleting_secrets_does_not_hold_the_outcome(
    own_jobs: Jobs, a_controller: StartController
) -> None:
    secrets = f"/api/v1/namespaces/{own_jobs.namespace}/secrets"
    await own_jobs.secret({"name": "attempt"}, {})
    rules = Rules(["secrets"], ["DELETE"])
    delete = Attempt("DELETE", f"{secrets}/attempt")
    async with a_controller() as controller:
        await controller.start()
        target = await own_jobs.target()
        async with forbidding(own_jobs.cluster, own_jobs.namespace, rules, "false", delete):
            ended = await own_jobs.job(target, "lasts-0s")
            assert (await own_jobs.finished(ended))["phase"] == "Succeeded"
            lost = await own_jobs.job(target, "never-ends")
            await own_jobs.running(lost)
            await own_jobs.tear_pod_out(lost)
            assert (await own_jobs.finished(lost))["reason"] == "PodDeleted"
            stopped = await own_jobs.job(target, "never-starts")
            await own_jobs.named(stopped)
            await own_jobs.stop(stopped)
            assert (await own_jobs.finished(stopped))["phase"] == "Stopped"
            for job in (ended, lost, stopped):
                assert await own_jobs.secrets_of(job) == {names.kubeconfig_secret_for(job)}
        for job in (ended, lost, stopped):
            await own_jobs.no_secrets(job)
