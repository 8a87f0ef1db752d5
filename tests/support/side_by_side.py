"""How `make test` spreads the tests over two processes, each with a control plane of its own.

A folder is run by one process, so the servers that its tests share start once. A process that has
finished a folder takes the next. The folders that take minutes come first, so both processes end at
about the same time. Tests that measure, or fill the machine, come last, when the other process and
all that it started are gone.
"""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LONGEST = (
    "tests/faults",
    "tests/integration/runs",
    "tests/integration/auth",
    "tests/rest/edge",
    "tests/integration/jobs",
    "tests/page",
    "tests/integration/installation",
    "tests/integration/targets",
    "tests/e2e",
    "tests/integration/target_requests",
)
"""Folders to begin with. Those of faults and jobs wait most of the time, so others run beside."""

SHORT = "tests/unit/"
"""Where the folders are whose tests take no more than seconds: they fill the end."""

ALONE = (
    "tests/rest/edge/test_memory.py",
    "tests/integration/auth/test_besieged.py",
    "tests/integration/jobs/test_many_logs.py",
)
"""Files whose tests need the whole machine."""

LAST = "alone"


def unit_of(nodeid: str) -> str:
    """Return what a test is run with: its folder, or LAST."""
    file = nodeid.partition("::")[0]
    return LAST if file in ALONE else file.rpartition("/")[0]


def place(unit: str) -> int:
    """Return a number to order the units by."""
    if unit in LONGEST:
        return LONGEST.index(unit)
    return len(LONGEST) + (2 if unit == LAST else unit.startswith(SHORT))


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives whole folders to the processes, and at the end LAST to the one that is left."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        # The queue is in the order of collection at the first call, and sorted from then on.
        for unit in sorted(self.workqueue, key=place):
            self.workqueue.move_to_end(unit)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        others = [other for other in self.nodes if other is not node]
        if list(self.workqueue) != [LAST] or not others:
            super()._reschedule(node)
        elif not any(other.shutting_down for other in others):
            node.shutdown()  # the other one is left, and waits until this one is gone

    def remove_node(self, node: WorkerController) -> str | None:
        """Let the process that waits go on; see the base class."""
        crashed: str | None = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed
