"""What the client makes of what a service may say, told by one that says just that."""

from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2

from krkn_grpc.client import Denied, InvalidArgument, JobStatus, Krkn, KrknError, Unavailable
from tests.rest.edge.running import Upstream
from tests.support.scripted import AWAY, TARGET, asked, error, in_turn, run_reply, scripted_service
from tests.support.waiting import SECONDS

REFUSED = error(code_pb2.PERMISSION_DENIED)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with scripted_service() as upstream:
        yield upstream


@pytest.mark.parametrize(
    ("replies", "kind"),
    [
        pytest.param([AWAY], Unavailable, id="no answer"),
        pytest.param([AWAY, REFUSED], Unavailable, id="no answer, then refused"),
        pytest.param([REFUSED], Denied, id="refused"),
        pytest.param(
            [AWAY, error(code_pb2.INVALID_ARGUMENT)], InvalidArgument, id="it never was valid"
        ),
    ],
)
async def test_whoever_does_not_know_what_came_of_a_run_can_ask(
    upstream: Upstream, replies: list[Message], kind: type[KrknError]
) -> None:
    in_turn(upstream, "RunScenario", *replies)
    # The end of its patience is waited for only where nothing else ends it.
    patience = 3 if replies == [AWAY] else SECONDS
    async with Krkn(f"127.0.0.1:{upstream.port}", retry_seconds=patience) as krkn:
        with pytest.raises(KrknError) as failed:
            await krkn.run("s", [TARGET])
        assert type(failed.value) is kind
        sent = {each.request_id for each in asked(upstream, "RunScenario")}
        assert sent == {failed.value.request_id}
        in_turn(upstream, "RunScenario", run_reply())
        again = await krkn.run("s", [TARGET], request_id=failed.value.request_id)
        assert again.request_id == failed.value.request_id


async def test_jobs_that_may_exist_are_not_forgotten(upstream: Upstream) -> None:
    in_turn(upstream, "RunScenario", run_reply("Unknown"), REFUSED)
    async with Krkn(f"127.0.0.1:{upstream.port}") as krkn:
        run = await krkn.run("s", [TARGET])
    assert [each.status for each in run.results] == [JobStatus.UNKNOWN]
    assert run.refused == ()
