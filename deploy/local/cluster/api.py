"""The administrator's calls to a cluster: apply manifests, write kubeconfigs of accounts.

Plain aiohttp calls: importing a client library would delay the start.
"""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, TypeAlias

import aiohttp

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.credentials import Credentials

Manifest: TypeAlias = dict[str, Any]
"""A Kubernetes object as plain YAML or JSON data; this package has no typed models."""

FIELD_MANAGER = "krkn-grpc-local"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
ESTABLISH_SECONDS = 60.0
DISCOVERY_SECONDS = 20.0


class ClusterError(Exception):
    """The API server refused a call; `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Cluster:
    """Calls to one API server. Use as an async context manager, in one event loop."""

    def __init__(self, credentials: Credentials) -> None:
        self.url = credentials.url
        self.ca_pem = credentials.ca_pem
        self._credentials = credentials
        self._kinds: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def __aenter__(self) -> Self:
        """Open the connections."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._credentials.tls, limit=64),
            headers=self._credentials.headers,
            timeout=aiohttp.ClientTimeout(total=60),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Manifest | list[Manifest] | None = None,
        content_type: str = "application/json",
        **parameters: str,
    ) -> Manifest:
        """Return the JSON object of the reply; raises ClusterError for a status of 400 or more."""
        async with self._session.request(
            method,
            self.url + path,
            params=parameters,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
        ) as response:
            text = await response.text()
            if response.status >= 400:
                raise ClusterError(response.status, _message(text))
            return json.loads(text) if text.startswith("{") else {"text": text}

    async def is_ready(self) -> bool:
        """Return whether the API server is ready; an unreachable one is not."""
        try:
            await self.request("GET", "/readyz")
        except (ClusterError, aiohttp.ClientError, TimeoutError, OSError):
            return False
        return True

    async def apply(self, manifests: Iterable[Manifest]) -> None:
        """Apply server-side: Namespaces and CRDs first, the rest once the CRDs are established."""
        first: list[Manifest] = []
        rest: list[Manifest] = []
        for manifest in manifests:
            early = manifest["kind"] in ("Namespace", "CustomResourceDefinition")
            (first if early else rest).append(manifest)
        await asyncio.gather(*(self._apply_one(manifest) for manifest in first))
        await asyncio.gather(
            *(
                self._established(manifest["metadata"]["name"])
                for manifest in first
                if manifest["kind"] == "CustomResourceDefinition"
            )
        )
        await asyncio.gather(*(self._apply_one(manifest) for manifest in rest))

    async def merge_status(self, manifest: Manifest) -> None:
        """Merge the status of the manifest into that of its object."""
        path, status = await self._path(manifest), {"status": manifest["status"]}
        await self.request("PATCH", f"{path}/status", status, MERGE)

    async def delete(self, manifest: Manifest) -> None:
        """Delete the object if it exists; its dependents are deleted in the background."""
        try:
            await self.request("DELETE", await self._path(manifest))
        except ClusterError as error:
            if error.status != 404:
                raise

    async def find(self, manifest: Manifest) -> Manifest | None:
        """Return the current object of this kind and name, None if it does not exist."""
        try:
            return await self.request("GET", await self._path(manifest))
        except ClusterError as error:
            if error.status != 404:
                raise
            return None

    async def token(
        self, namespace: str, account: str, *, seconds: int, audiences: Iterable[str] = ()
    ) -> str:
        """Request a token of the ServiceAccount; the shortest lifetime is 600 s."""
        answer = await self.request(
            "POST",
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": seconds, "audiences": list(audiences)},
            },
        )
        token: str = answer["status"]["token"]
        return token

    async def write_account_kubeconfig(
        self, path: Path, namespace: str, account: str, *, seconds: int = 3600, url: str = ""
    ) -> Path:
        """Write a kubeconfig whose user is the ServiceAccount, and return its path.

        `url` replaces the API server's own URL. The file is replaced atomically: a reader never
        sees half of it.
        """
        token = await self.token(namespace, account, seconds=seconds)
        kubeconfig.write(
            path,
            url=url or self.url,
            ca_pem=self.ca_pem,
            user={"token": token},
            namespace=namespace,
        )
        return path

    async def _apply_one(self, manifest: Manifest) -> None:
        path = await self._path(manifest)
        try:
            await self.request(
                "PATCH", path, manifest, APPLY, fieldManager=FIELD_MANAGER, force="true"
            )
        except ClusterError as error:
            kind, name = manifest["kind"], manifest["metadata"]["name"]
            raise ClusterError(error.status, f"cannot apply {kind} {name}: {error}") from error

    async def _established(self, crd: str) -> None:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}"
        deadline = time.monotonic() + ESTABLISH_SECONDS
        while time.monotonic() < deadline:
            status = (await self.request("GET", path)).get("status", {})
            conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
            if conditions.get("Established") == "True":
                return
            await asyncio.sleep(0.05)
        raise ClusterError(504, f"CRD {crd} was not established in {ESTABLISH_SECONDS:.0f} s")

    async def _path(self, manifest: Manifest) -> str:
        version, kind = manifest["apiVersion"], manifest["kind"]
        resource = await self._resource(version, kind)
        metadata = manifest["metadata"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if resource["namespaced"]:
            base += f"/namespaces/{metadata.get('namespace', 'default')}"
        return f"{base}/{resource['name']}/{metadata['name']}"

    async def _resource(self, version: str, kind: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + DISCOVERY_SECONDS
        while (version, kind) not in self._kinds:
            # An established CRD can take a moment until discovery lists it.
            try:
                base = f"/apis/{version}" if "/" in version else f"/api/{version}"
                listed = (await self.request("GET", base))["resources"]
            except ClusterError as error:
                if error.status != 404:
                    raise
                listed = []
            for resource in listed:
                if "/" not in resource["name"]:
                    self._kinds[version, resource["kind"]] = resource
            if (version, kind) not in self._kinds:
                if time.monotonic() > deadline:
                    raise ClusterError(404, f"the API server has no {kind} in {version}")
                await asyncio.sleep(0.05)
        return self._kinds[version, kind]


def _message(text: str) -> str:
    try:
        message: str = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        return text[:300]
    return message
