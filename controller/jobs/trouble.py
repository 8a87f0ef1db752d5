"""What can keep a job from getting its pod and only shows when that is tried."""

from controller.jobs.model import Refusal


class Refused(Exception):
    """The job must not start, or never can."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason for the job's status."""
        super().__init__(refusal.message)
        self.refusal = refusal


class Delayed(Exception):
    """The job cannot have its pod now; that may change, so it is tried until it is too late."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason for the job's status."""
        super().__init__(refusal.message)
        self.refusal = refusal
