"""A work queue tells how many keys wait, how long, and how their reconciles end."""

import asyncio
import uuid
from collections.abc import Callable

from controller.work_queue import Requeue, WorkQueue
from krkn_grpc.telemetry import metrics


class Told:
    """What one queue's metrics say."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex

    def __call__(self, metric: str, **labels: str) -> float | None:
        return metrics.CONTROLLER.get_sample_value(metric, labels or {"name": self.name})

    def result(self, result: str) -> float | None:
        name = "controller_runtime_reconcile_total"
        return self(name, controller=self.name, result=result)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a metric tells nobody that it has changed
            await asyncio.sleep(0)


async def test_each_key_is_counted_by_its_result() -> None:
    told = Told()

    async def reconcile(key: str) -> float | None:
        if key == "again":
            raise Requeue("not as it was seen")
        if key == "broken":
            raise ValueError
        return 100.0 if key == "later" else None

    queue = WorkQueue(told.name, reconcile)
    keys = ["good", "later", "again", "broken"]
    working = asyncio.create_task(queue.run(2, lambda: keys))
    await until(lambda: told("workqueue_work_duration_seconds_count") == 4)
    working.cancel()
    await asyncio.wait([working])
    results = ("success", "requeue_after", "requeue", "error")
    assert [told.result(each) for each in results] == [1, 1, 1, 1]
    assert told("workqueue_adds_total") == 4
    assert told("workqueue_retries_total") == 2
    assert told("workqueue_queue_duration_seconds_count") == 4
    assert told("workqueue_depth") == 0


async def test_what_waits_and_what_takes_long_shows() -> None:
    told, gate = Told(), asyncio.Event()

    async def reconcile(key: str) -> None:
        del key
        await gate.wait()

    queue = WorkQueue(told.name, reconcile)
    working = asyncio.create_task(queue.run(1, lambda: ["first", "second", "third"]))
    active = "controller_runtime_active_workers"
    await until(lambda: told(active, controller=told.name) == 1)
    assert told("workqueue_depth") == 2
    longest = told("workqueue_longest_running_processor_seconds")
    assert longest
    assert longest > 0
    await asyncio.sleep(0)
    later = told("workqueue_unfinished_work_seconds")
    assert later
    assert later > longest
    assert told("controller_runtime_max_concurrent_reconciles", controller=told.name) == 1
    working.cancel()
    await asyncio.wait([working])
    assert told("workqueue_depth") == 0
    assert told("workqueue_unfinished_work_seconds") == 0
    assert told("controller_runtime_max_concurrent_reconciles", controller=told.name) == 0
    assert told(active, controller=told.name) == 0
    # A reconcile that was cancelled, as when the leader changes, is no error.
    assert told.result("error") == 0
