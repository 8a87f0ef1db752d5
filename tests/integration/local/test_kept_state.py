"""What a control plane keeps for the next one, and what is shown of one that dies."""

import os
import signal
from pathlib import Path

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.errors import StartError
from deploy.local.go.build import Binaries
from deploy.local.processes.readiness import must_run


async def test_what_is_kept_is_there_for_the_next_one(binaries: Binaries, tmp_path: Path) -> None:
    state, account = tmp_path / "state", "/api/v1/namespaces/default/serviceaccounts"
    async with ControlPlane(binaries, only_api_server=True, state=state) as first:
        await first.cluster.request("POST", account, {"metadata": {"name": "kept"}})
        asked = await first.cluster.request("POST", f"{account}/kept/token", {"spec": {}})
    async with ControlPlane(binaries, only_api_server=True, state=state) as second:
        assert second.ca_pem == first.ca_pem
        review = await second.cluster.request(
            "POST",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            {"spec": {"token": asked["status"]["token"]}},
        )
        assert review["status"]["user"]["username"] == "system:serviceaccount:default:kept"

        # A program of Go dies so: its last line is before the stacks of all goroutines.
        etcd = second.child("etcd")
        os.kill(etcd.pid, signal.SIGQUIT)
        await etcd.wait()
        with pytest.raises(StartError, match="etcd ended with exit code 2") as died:
            must_run(etcd)
        assert "SIGQUIT: quit" in etcd.log.read_text()
        assert "SIGQUIT: quit" in str(died.value)
        assert "goroutine" not in str(died.value)
        assert "goroutine" in etcd.log.read_text()
    async with ControlPlane(binaries, only_api_server=True) as other:
        assert other.ca_pem != first.ca_pem
