"""One run with all there is to ask for, and all that it made."""

import base64
from dataclasses import dataclass

from tests.support.custom_objects import JOBS, Manifest, collection
from tests.support.requests import canary, token_target
from tests.support.rest import RUNS, TARGETS, Rest
from tests.support.running import Running

IMAGE = "registry.example:5000/krkn-hub:pod-scenarios-never-ends"
BINARY = bytes(range(256))
TIMEOUT = 777

# Each is somewhere in the request, and must be nowhere but in Secrets.
TOKEN, PASSWORD, AWS_KEY, API_TOKEN, GIVEN, FILE = (canary() for _ in range(6))
HIDDEN = (TOKEN, PASSWORD, AWS_KEY, API_TOKEN, GIVEN, FILE)
IN_REQUEST = {
    "scenarioImage": IMAGE,
    "scenarioName": "Pod scenarios: näher dran",
    "kubeconfigPath": "/var/krkn/target.yaml",
    "environment": {
        "NAMESPACE": "default",
        "PATTERN": "$(NAMESPACE) $$ ${X}",
        "AWS_SECRET_ACCESS_KEY": f"$(NAMESPACE)-{AWS_KEY}",
        "ES_API_TOKEN": API_TOKEN,
    },
    "secretEnvironment": {"PLAIN_LOOKING": GIVEN},
    "files": [
        {
            "name": "plan.yaml",
            "content": base64.b64encode(FILE.encode()).decode(),
            "mountPath": "/etc/krkn/plan.yaml",
        },
        {
            "name": "data.bin",
            "content": base64.b64encode(BINARY).decode(),
            "mountPath": "/etc/krkn/data.bin",
        },
    ],
    "registryUrl": "https://registry.example:5000",
    "username": "puller",
    "password": PASSWORD,
    "timeoutSeconds": TIMEOUT,
    "labels": {"team": "chaos"},
}


@dataclass(frozen=True)
class CacheChange:
    """All that the run made, as the administrator sees it while the scenario runs."""

    services: Running
    job_id: str
    target: str
    job: Manifest
    pod: Manifest
    secrets: dict[str, Manifest]
    replies: str

    @property
    def container(self) -> Manifest:
        """The one container."""
        [container] = self.pod["spec"]["containers"]
        found: Manifest = container
        return found

    @property
    def inputs(self) -> str:
        """The name of the Secret of the run's inputs."""
        return f"krkn-job-{self.job_id}-inputs"

    def data(self, secret: str) -> dict[str, bytes]:
        """What is in a Secret."""
        data = self.secrets[secret]["data"]
        return {key: base64.b64decode(value) for key, value in data.items()}


async def look(services: Running) -> CacheChange:
    """Run, and read all that is there while the scenario runs."""
    rest, cluster, namespace = Rest(services.rest), services.cluster, services.namespace
    replies = [await rest.post(TARGETS, token_target(token=TOKEN))]
    target = replies[-1].body["uuid"]
    replies.append(await rest.post(RUNS, {"targetUUIDs": [target]} | IN_REQUEST))
    assert replies[-1].status == 201, replies[-1]
    [entry] = replies[-1].body["jobs"]
    job_id = entry["jobId"]
    await rest.job_when(job_id, "Running")
    replies += [await rest.get(path) for path in (f"{RUNS}/{job_id}", RUNS, TARGETS)]
    secrets = await cluster.request(
        "GET", f"/api/v1/namespaces/{namespace}/secrets", labelSelector=f"krkn-job-id={job_id}"
    )
    return CacheChange(
        services=services,
        job_id=job_id,
        target=target,
        job=await cluster.request("GET", f"{collection(JOBS, namespace)}/{job_id}"),
        pod=await cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/{entry['podName']}"),
        secrets={secret["metadata"]["name"]: secret for secret in secrets["items"]},
        replies="\n".join(reply.text for reply in replies),
    )
