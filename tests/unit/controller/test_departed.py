"""Whether a job is surely the first of its name, by what this process has been told."""

import msgspec
import pytest

from controller.jobs.departed import Departed
from krkn_grpc.kube.contents import Contents
from krkn_grpc.kube.store import Change
from krkn_grpc.resources import labels
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.builders import JOB_ID, a_job


def job(
    revision: int, name: str = JOB_ID, uid: str = "uid", asked_at: str | None = None
) -> ChaosJob:
    made = a_job()
    metadata = msgspec.structs.replace(
        made.metadata,
        name=name,
        uid=uid,
        resource_version=str(revision),
        annotations={} if asked_at is None else {labels.ASKED_AT: asked_at},
    )
    return msgspec.structs.replace(made, metadata=metadata)


class Followed:
    """What is told of the jobs, and what follows from it."""

    def __init__(self, most: int = 8) -> None:
        self.jobs: Contents[ChaosJob] = Contents()
        self.departed = Departed(self.jobs, most)

    def came(self, it: ChaosJob) -> None:
        self.jobs.apply(Change("ADDED", it, int(it.metadata.resource_version)))

    def went(self, it: ChaosJob, revision: int) -> None:
        self.jobs.apply(Change("DELETED", it, revision))

    def came_and_went(self, name: str, revision: int) -> None:
        self.came(job(revision, name))
        self.went(job(revision, name), revision + 1)


@pytest.fixture
def followed() -> Followed:
    """Jobs that are followed from revision 100 on."""
    made = Followed()
    made.jobs.replace([], 100)
    return made


def test_a_job_that_was_asked_for_later_is_the_first(followed: Followed) -> None:
    followed.jobs.apply(Change("BOOKMARK", None, 110))
    for asked_at in ("100", "101"):
        assert followed.departed.was_none(job(110, asked_at=asked_at))


@pytest.mark.parametrize("asked_at", [None, "", "99", "-200", "1e9", "many", "9" * 5_000])
def test_nothing_is_known_of_what_was_asked_for_earlier(
    followed: Followed, asked_at: str | None
) -> None:
    followed.jobs.apply(Change("BOOKMARK", None, 110))
    assert not followed.departed.was_none(job(110, asked_at=asked_at))


def test_nothing_is_known_before_the_first_list() -> None:
    followed = Followed()
    followed.jobs.replace([job(90)], 100)
    followed.jobs.apply(Change("BOOKMARK", None, 110))
    assert not followed.departed.was_none(job(110, asked_at="99"))


def test_a_job_of_a_deleted_ones_name_is_not_the_first(followed: Followed) -> None:
    followed.came_and_went(JOB_ID, 110)
    followed.jobs.apply(Change("BOOKMARK", None, 120))
    assert not followed.departed.was_none(job(120, asked_at="105"))
    assert followed.departed.was_none(job(120, name="another", asked_at="105"))


def test_nor_is_one_that_took_the_place_of_another_at_once(followed: Followed) -> None:
    followed.came(job(110))
    followed.jobs.apply(Change("MODIFIED", job(112, uid="other"), 112))
    assert not followed.departed.was_none(job(112, uid="other", asked_at="105"))


def test_nothing_is_known_of_a_job_that_the_watch_has_not_brought(followed: Followed) -> None:
    ahead = job(110, asked_at="105")
    assert not followed.departed.was_none(ahead)
    followed.came(ahead)
    assert followed.departed.was_none(ahead)


def test_a_change_is_no_end(followed: Followed) -> None:
    followed.came(job(110))
    followed.jobs.apply(Change("MODIFIED", job(111), 111))
    assert followed.departed.was_none(job(111, asked_at="105"))


def test_what_a_gap_has_hidden_is_not_known(followed: Followed) -> None:
    followed.jobs.replace([], 200)
    followed.jobs.apply(Change("BOOKMARK", None, 210))
    assert not followed.departed.was_none(job(210, asked_at="199"))
    assert followed.departed.was_none(job(210, asked_at="200"))


def test_of_too_many_the_oldest_are_known_no_more() -> None:
    followed = Followed(most=2)
    followed.jobs.replace([], 100)
    for number in range(3):
        followed.came_and_went(f"job-{number}", 110 + 10 * number)
    followed.jobs.apply(Change("BOOKMARK", None, 140))
    # The first went at 111, and is forgotten.
    for name in ("job-0", "new"):
        assert not followed.departed.was_none(job(140, name=name, asked_at="110"))
        assert followed.departed.was_none(job(140, name=name, asked_at="111"))
    for name in ("job-1", "job-2"):
        assert not followed.departed.was_none(job(140, name=name, asked_at="135"))
