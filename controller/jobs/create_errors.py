"""The reasons why a job's pod or Secret cannot be created, as the API server reports them."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from controller.reason import Reason
from krkn_grpc.kube.errors import (
    Forbidden,
    Invalid,
    NotWritten,
    OutcomeUnknown,
    QuotaExceeded,
    WebhookAway,
)


class StartRefused(Exception):
    """The job must not start, or never can."""

    def __init__(self, refusal: Reason) -> None:
        """Keep the reason for the job's status."""
        super().__init__(refusal.message)
        self.refusal = refusal


class StartDelayed(Exception):
    """The job cannot have its pod now; the create is retried until the start deadline."""

    def __init__(self, refusal: Reason, *, is_passing: bool = False) -> None:
        """Keep the reason for the job's status; with `is_passing` the retry comes very soon."""
        super().__init__(refusal.message)
        self.refusal = refusal
        self.is_passing = is_passing


@dataclass(frozen=True)
class Troubles:
    """The reasons to report when the API server does not create one kind of object."""

    quota: Reason
    forbidden: Reason
    invalid: Reason

    @classmethod
    def of(cls, kind: str, what: str) -> Self:
        """Build the reasons from the kind (one word) and `what`, its name in a sentence."""
        return cls(
            Reason("QuotaExceeded", f"The quota of the namespace leaves no room for {what}."),
            Reason(f"{kind}Forbidden", f"A rule of the cluster does not allow {what}."),
            Reason(f"{kind}Invalid", f"The cluster does not accept {what}."),
        )


_WEBHOOK = Reason(
    "WebhookUnavailable",
    "The pod cannot be made: an admission webhook of the cluster does not answer.",
)
NO_ANSWER = Reason("PodNotCreated", "The API server did not make the pod when it was asked to.")


@contextlib.contextmanager
def told_as(troubles: Troubles) -> Iterator[None]:
    """Translate the API server's errors for a create into StartRefused or StartDelayed."""
    try:
        yield
    except QuotaExceeded as error:
        raise StartDelayed(troubles.quota) from error
    except Forbidden as error:
        raise StartDelayed(troubles.forbidden) from error
    except Invalid as error:
        raise StartRefused(troubles.invalid) from error
    except WebhookAway as error:
        raise StartDelayed(_WEBHOOK) from error
    except (NotWritten, OutcomeUnknown) as error:
        raise StartDelayed(NO_ANSWER, is_passing=True) from error
