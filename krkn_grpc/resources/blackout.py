"""KrknChaosBlackout: at its times no scenario starts on the targets that it selects."""

from functools import lru_cache

from krkn_grpc.resources import blackout_schedule
from krkn_grpc.resources.blackout_schedule import BadSchedule, BlackoutSchedule
from krkn_grpc.resources.meta import API_VERSION, Kind
from krkn_grpc.resources.order import Order, OrderSpec

DEFAULT_ZONE = "Etc/UTC"


class BlackoutSpec(OrderSpec, frozen=True, kw_only=True):
    """When nothing starts, and on which targets."""

    schedule: str
    """When it begins, as cron has it: minute, hour, day of month, month, day of week."""

    duration_seconds: int
    time_zone: str = DEFAULT_ZONE
    """The IANA time zone by whose clock the schedule is read."""

    stop_running: bool = False
    """Whether it also stops what runs when it begins."""


class Blackout(Order, frozen=True, kw_only=True):
    """A blackout that comes again and again; one that cannot be read is there all the time."""

    KIND = Kind(API_VERSION, "KrknChaosBlackout", "krknchaosblackouts")

    # What stands for a spec that does not fit the types cannot be read either.
    spec: BlackoutSpec = BlackoutSpec(schedule="", duration_seconds=0)

    @property
    def problem(self) -> BadSchedule | None:
        """The first field that cannot be read, and why; None: it can be read as it was meant."""
        times = _times(self.spec.schedule, self.spec.duration_seconds, self.spec.time_zone)
        if isinstance(times, BadSchedule):
            return times
        if not self.has_readable_selector:
            return BadSchedule("targetSelector", "it is not a label selector")
        return None

    @property
    def times(self) -> BlackoutSchedule | None:
        """When it is; None: at all times, because something of it cannot be read."""
        times = _times(self.spec.schedule, self.spec.duration_seconds, self.spec.time_zone)
        return times if isinstance(times, BlackoutSchedule) and self.problem is None else None


# Each job looks at each blackout.
@lru_cache(maxsize=256)
def _times(schedule: str, seconds: int, zone: str) -> BlackoutSchedule | BadSchedule:
    try:
        return blackout_schedule.parse(schedule, seconds, zone)
    except BadSchedule as error:
        # Without the frames that a raised one holds.
        return BadSchedule(error.field, str(error))
