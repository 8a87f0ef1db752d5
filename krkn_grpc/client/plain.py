"""The same client for programs without asyncio: `with Krkn() as krkn`.

    from krkn_grpc.client.plain import Krkn

    with Krkn() as krkn:
        for target in krkn.targets.list(selector="env=staging"):
            print(target.cluster_name)

There is one source: each method here names one of the asyncio client, has its arguments and its
documentation, and blocks until the result is there; where that one is an asynchronous iterator,
this one is an iterator. A thread of this process drives the asyncio client (see `loop_thread`), so
clients may be used by several threads at once. The wrappers are typed: type checkers see the
arguments and results of the asyncio method.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from krkn_grpc.client import halts, jobs, krkn, loop_thread, run, runs, scenarios, targets, tokens
from krkn_grpc.client.models import TargetJobResult

P = ParamSpec("P")
R = TypeVar("R")
W = TypeVar("W")


class _Part:
    """A plain object in front of one of the asyncio client."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner


def _result(
    method: Callable[..., Coroutine[Any, Any, R]],
    part: _Part | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> R:
    """Return what the asyncio client's method returns for these arguments."""
    assert part is not None
    # An iterator may be one of this client's own (all targets, say): the loop cannot wait for it.
    given = [_listed(each) for each in args]
    named = {name: _listed(each) for name, each in kwargs.items()}
    return loop_thread.shared().result(method(part._inner, *given, **named))


def _listed(argument: Any) -> Any:
    return list(argument) if isinstance(argument, Iterator) else argument


class _Blocking(Generic[P, R]):
    """A method that waits for what the asyncio client's method returns."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, part: _Part | None, owner: type[_Part]) -> Callable[P, R]:
        method = self._method

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return _result(method, part, args, kwargs)

        return call


class _Iterating(Generic[P, R]):
    """A method that returns an iterator over what the asyncio client's method yields."""

    def __init__(self, method: Callable[Concatenate[Any, P], AsyncIterator[R]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, part: _Part | None, owner: type[_Part]) -> Callable[P, Iterator[R]]:
        method = self._method

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
            assert part is not None
            return loop_thread.shared().iterate(method(part._inner, *args, **kwargs))

        return call


class _Wrapping(Generic[P, R, W]):
    """A method that waits, and returns a plain object in front of the result."""

    def __init__(
        self,
        method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]],
        plain: Callable[[R], W],
    ) -> None:
        self._method = method
        self._plain = plain
        self.__doc__ = method.__doc__

    def __get__(self, part: _Part | None, owner: type[_Part]) -> Callable[P, W]:
        method, plain = self._method, self._plain

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> W:
            return plain(_result(method, part, args, kwargs))

        return call


class Run(_Part):
    """A run that was started: its jobs, their logs, their end."""

    _inner: run.Run

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._inner.run_id

    @property
    def request_id(self) -> str:
        """The requestId with which it was started."""
        return self._inner.request_id

    @property
    def message(self) -> str:
        """What the service says of the request as a whole, "" for nothing."""
        return self._inner.message

    @property
    def results(self) -> tuple[TargetJobResult, ...]:
        """What became of the request on each target, in its order."""
        return self._inner.results

    @property
    def refused(self) -> tuple[TargetJobResult, ...]:
        """The targets on which there is no job, and why."""
        return self._inner.refused

    get = _Blocking(run.Run.get)
    jobs = _Blocking(run.Run.jobs)
    wait = _Blocking(run.Run.wait)
    cancel = _Blocking(run.Run.cancel)
    logs = _Iterating(run.Run.logs)
    watch = _Iterating(run.Run.watch)
    progress = _Iterating(run.Run.progress)


class Targets(_Part):
    """`krkn.targets`: registers clusters, and looks at them."""

    register = _Blocking(targets.Targets.register)
    import_kubeconfig = _Blocking(targets.Targets.import_kubeconfig)
    update = _Blocking(targets.Targets.update)
    patch = _Blocking(targets.Targets.patch)
    get = _Blocking(targets.Targets.get)
    check = _Blocking(targets.Targets.check)
    delete = _Blocking(targets.Targets.delete)
    list = _Iterating(targets.Targets.list)
    select = _Blocking(targets.Targets.select)
    watch = _Iterating(targets.Targets.watch)
    wait_ready = _Blocking(targets.Targets.wait_ready)


class Runs(_Part):
    """`krkn.runs`: starts runs, and looks at all of them."""

    start = _Wrapping(runs.Runs.start, Run)
    rerun = _Wrapping(runs.Runs.rerun, Run)
    attach = _Wrapping(runs.Runs.attach, Run)
    validate = _Blocking(runs.Runs.validate)
    get = _Blocking(runs.Runs.get)
    list = _Iterating(runs.Runs.list)
    stop = _Blocking(runs.Runs.stop)


class Jobs(_Part):
    """`krkn.jobs`: looks at jobs of all runs, and stops single ones."""

    list = _Iterating(jobs.Jobs.list)
    get = _Blocking(jobs.Jobs.get)
    stop = _Blocking(jobs.Jobs.stop)
    watch = _Iterating(jobs.Jobs.watch)
    logs = _Iterating(jobs.Jobs.logs)


class Scenarios(_Part):
    """`krkn.scenarios`: the scenarios of the service's catalogue and their parameters."""

    list = _Blocking(scenarios.Scenarios.list)
    get = _Blocking(scenarios.Scenarios.get)
    globals = _Blocking(scenarios.Scenarios.globals)


class Halts(_Part):
    """`krkn.halts`: stops every scenario, and lets none start, until the halt is lifted."""

    create = _Blocking(halts.Halts.create)
    list = _Iterating(halts.Halts.list)
    lift = _Blocking(halts.Halts.lift)


class Krkn(_Part):
    """A client of one service: `with Krkn() as krkn`; arguments as of the asyncio client.

    `targets`, `runs`, `jobs`, `scenarios` and `halts` are its parts.
    """

    targets: Targets
    runs: Runs
    jobs: Jobs
    scenarios: Scenarios
    halts: Halts

    def __init__(
        self,
        server: str = "",
        *,
        token: tokens.Token | None = None,
        tls: bool | None = None,
        ca: Path | str | None = None,
        certificate: Path | str | None = None,
        key: Path | str | None = None,
        call_seconds: float = krkn.CALL_SECONDS,
        retry_seconds: float = krkn.RETRY_SECONDS,
    ) -> None:
        """Speak to `server`, with the arguments and defaults of `krkn_grpc.client.Krkn`."""
        super().__init__(
            krkn.Krkn(
                server,
                token=token,
                tls=tls,
                ca=ca,
                certificate=certificate,
                key=key,
                call_seconds=call_seconds,
                retry_seconds=retry_seconds,
            )
        )

    def __enter__(self) -> Self:
        """Make the client ready; it connects with its first call."""
        inner = loop_thread.shared().result(self._inner.__aenter__())
        self.targets = Targets(inner.targets)
        self.runs = Runs(inner.runs)
        self.jobs = Jobs(inner.jobs)
        self.scenarios = Scenarios(inner.scenarios)
        self.halts = Halts(inner.halts)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    close = _Blocking(krkn.Krkn.close)
    run = _Wrapping(krkn.Krkn.run, Run)
    validate = _Blocking(krkn.Krkn.validate)
    access = _Blocking(krkn.Krkn.access)
