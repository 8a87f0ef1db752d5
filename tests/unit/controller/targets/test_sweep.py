"""What seems unneeded is spared for a while: someone may be about to need it."""

from controller.targets.sweep import GracePeriod
from krkn_grpc.resources.meta import ObjectMeta


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def thing(uid: str, version: str = "1") -> ObjectMeta:
    return ObjectMeta(name="thing", uid=uid, resource_version=version)


def test_only_what_was_unneeded_all_the_time_is_given_back() -> None:
    clock = Clock()
    spare = GracePeriod(10, clock)
    assert spare.of([thing("a"), thing("b"), thing("c")]) == []
    clock.now = 6
    assert spare.of([thing("a"), thing("c", "2")]) == []  # b is needed, c was taken again
    clock.now = 11
    assert spare.of([thing("a"), thing("b"), thing("c", "2")]) == [thing("a")]
    clock.now = 17
    assert spare.of([thing("b"), thing("c", "2")]) == [thing("c", "2")]
    clock.now = 22
    assert spare.of([thing("b")]) == [thing("b")]


def test_the_clock_of_whoever_wrote_it_is_of_no_interest() -> None:
    clock = Clock()
    assert GracePeriod(10, clock).of([thing("a")]) == []
