"""What no two nodes of a machine share: name, folder, pod network and cgroup."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The place of one node, by its number from 1 on; used once in the life of an `alone`."""

    number: int

    @property
    def name(self) -> str:
        """The node's name: an address on loopback, at which its kubelet is called, too."""
        return f"127.0.0.{self.number}"

    @property
    def folder(self) -> Path:
        """All files of kubelet and containerd; in memory, see `namespaces`."""
        return Path(f"/run/node-{self.number}")

    @property
    def bridge(self) -> str:
        """The interface that the node's pods are connected to."""
        return f"pods-{self.number}"

    @property
    def pods(self) -> str:
        """The addresses of the node's pods."""
        return f"10.88.{self.number}.0/24"

    @property
    def cgroup(self) -> str:
        """The cgroup of the node's pods, below that of `alone`."""
        return f"node-{self.number}"
