"""An API server as a row of changes, and what a cache is told of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from krkn_grpc.kube import index
from krkn_grpc.kube.client import Change
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.core import Lease
from krkn_grpc.resources.meta import ObjectMeta

State = dict[str, Lease]


def of_group(lease: Lease) -> str:
    """The group that an object is in."""
    return lease.metadata.labels.get("group", "")


def index_func(lease: Lease) -> list[str]:
    """The groups that the cache keeps: that one, and all."""
    return [index.ALL, of_group(lease)]


def an_object(name: str, revision: int, uid: str = "", group: str = "a") -> Lease:
    """An object as it was written at a revision; two are made within a second."""
    uid = uid or f"{name}-1"
    metadata = ObjectMeta(
        name=name,
        uid=uid,
        resource_version=str(revision),
        creation_timestamp=datetime.fromtimestamp(int(uid.rpartition("-")[2]) // 2, UTC),
        labels={"group": group},
    )
    return Lease(metadata=metadata)


@dataclass
class ApiServer:
    """What was written, and the state after each revision; `contents` follows as it is told to."""

    contents: ObjectCache[Lease] = field(default_factory=lambda: ObjectCache(index_func))
    changes: list[Change[Lease]] = field(default_factory=list)
    states: list[State] = field(default_factory=lambda: [{}])
    told: int = 0

    @property
    def revision(self) -> int:
        """The revision of the latest write; the first list is at 1, and holds nothing."""
        return len(self.changes) + 1

    @property
    def state(self) -> State:
        """What there is now."""
        return self.states[-1]

    def state_at(self, revision: int) -> State:
        """What there was after a revision."""
        return self.states[revision - 1]

    def put(self, name: str, group: str = "a") -> Lease:
        """Create an object, or change the one that is there."""
        known = self.state.get(name)
        revision = self.revision + 1
        uid = known.metadata.uid if known else f"{name}-{revision}"
        written = an_object(name, revision, uid, group)
        kind = "MODIFIED" if known else "ADDED"
        self._add(Change(kind, written, revision), self.state | {name: written})  # type: ignore[arg-type]
        return written

    def delete(self, name: str) -> Lease | None:
        """Delete an object if it is there, and return it as it was."""
        known = self.state.get(name)
        if known is not None:
            revision = self.revision + 1
            last = an_object(name, revision, known.metadata.uid)
            left = {key: item for key, item in self.state.items() if key != name}
            self._add(Change("DELETED", last, revision), left)
        return known

    def tell(self, most: int = 1_000_000) -> None:
        """Let the watch bring so many changes."""
        for change in self.changes[self.told : self.told + most]:
            self.contents.apply(change)
            self.told += 1

    def list_again(self) -> None:
        """Let a list bring what there is, instead of the changes that were missed."""
        self.contents.replace(self.state.values(), self.revision)
        self.told = len(self.changes)

    def _add(self, change: Change[Lease], state: State) -> None:
        self.changes.append(change)
        self.states.append(state)
