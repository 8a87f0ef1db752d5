"""The NetworkPolicy of one job: its pod may contact its target, and the proxies on the way.

It is created before the pod, is owned by the job and goes with it. A policy knows addresses and no
names, so names are resolved here, at the start: a target whose addresses change while a scenario
runs is out of its reach (docs/scenario-pods.md says what to do then).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controller.jobs.create_errors import StartDelayed, StartRefused, Troubles, told_as
from controller.reason import Reason
from controller.resolver import ResolveError, Resolver
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, Conflict
from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.addresses import Address, AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.kubeconfig import Endpoint, KubeconfigRules
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.network_policy import (
    IPBlock,
    NetworkPolicy,
    NetworkPolicyEgressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from krkn_grpc.resources.scheduling import LabelSelector

_TROUBLES = Troubles.of("NetworkPolicy", "the NetworkPolicy of the job")
_UNRESOLVED = Reason(
    "TargetUnresolved", "The target's name leads to no address that the pod may be let out to."
)


@dataclass(frozen=True)
class JobNetworkPolicies:
    """Writes the NetworkPolicies of jobs. `proxies` are URLs that every scenario may contact."""

    client: ResourceClient[NetworkPolicy]
    resolver: Resolver
    rules: AddressRules
    proxies: tuple[str, ...] = ()

    async def prepare(self, job: ChaosJob, credential: Credential) -> None:
        """Create the job's policy unless it exists as it should be.

        Raises StartDelayed while the target's name cannot be resolved, StartRefused when another
        object has the policy's name, and Conflict when the job's own was outdated and is deleted.
        """
        way = kubeconfigs.read(
            credential.kubeconfig, KubeconfigRules(allow_proxy_url=self.rules.allow_proxy_url)
        )
        first_hop = way.endpoint if way.proxy_url is None else kubeconfigs.endpoint(way.proxy_url)
        allowed = [
            address
            for address in await self._addresses(first_hop)
            if self.rules.refusal(address) is None
        ]
        if not allowed:
            raise StartDelayed(_UNRESOLVED)
        proxies = [kubeconfigs.endpoint(url) for url in self.proxies]
        around = [(proxy.port, await self._addresses(proxy)) for proxy in proxies]
        wanted = policy(job, [(first_hop.port, allowed), *around])
        try:
            with told_as(_TROUBLES):
                await self.client.create(wanted)
        except AlreadyExists:
            await self._check(job, wanted)

    async def _addresses(self, endpoint: Endpoint) -> Sequence[Address]:
        if endpoint.address is not None:
            return [endpoint.address]
        try:
            return await self.resolver.resolve(endpoint.host)
        except ResolveError:
            return []

    async def _check(self, job: ChaosJob, wanted: NetworkPolicy) -> None:
        found = await self.client.get(wanted.metadata.name)
        if not found.metadata.is_owned_by(job.metadata.uid):
            owners = [(owner.kind, owner.name) for owner in found.metadata.owner_references]
            if (job.KIND.name, job.metadata.name) in owners:
                raise Conflict("a policy of a deleted job with the same id still exists")
            taken = f"A NetworkPolicy named {found.metadata.name} exists and is not the job's."
            raise StartRefused(Reason("NameTaken", taken))
        if found.spec == wanted.spec:
            return
        # Ours, from before the target's addresses changed.
        await self.client.delete(found.metadata.name, uid=found.metadata.uid)
        raise Conflict("the job's policy had other addresses and is made again")


def policy(job: ChaosJob, hops: Iterable[tuple[int, Iterable[Address]]]) -> NetworkPolicy:
    """Return the policy that lets the job's pod out to these ports and addresses."""
    name = job.metadata.name
    return NetworkPolicy(
        metadata=ObjectMeta(
            name=names.network_policy_for(name),
            namespace=job.metadata.namespace,
            labels={well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: name},
            owner_references=[owner_of(job)],
        ),
        spec=NetworkPolicySpec(
            pod_selector=LabelSelector(
                match_labels={well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: name}
            ),
            policy_types=["Egress"],
            egress=[
                NetworkPolicyEgressRule(
                    to=[
                        NetworkPolicyPeer(ip_block=IPBlock(cidr=f"{each}/{each.max_prefixlen}"))
                        for each in sorted(set(addresses), key=lambda a: (a.version, int(a)))
                    ],
                    ports=[NetworkPolicyPort(port=port)],
                )
                for port, addresses in hops
                if addresses
            ],
        ),
    )
