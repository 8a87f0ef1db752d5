"""Each row of the server's table of errors: what is raised, and what its caller gets."""

from dataclasses import dataclass

import grpc

from krkn_grpc.kube import errors as kube
from krkn_grpc.reservations.leases import Taken
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server import errors

Code = grpc.StatusCode
UUID = "00000000-0000-4000-8000-000000000000"
SENTENCE = "a sentence for the caller"
HIDDEN = "what the API server said"
RULE = "a rule of the cluster (a policy or an admission webhook) does not allow it"
AWAY = "the Kubernetes API cannot be reached now"
VIOLATIONS = [Violation("clusterName", "must be there"), Violation("token", "must be there")]


@dataclass(frozen=True)
class Case:
    """An error, and how it looks from outside."""

    error: Exception
    code: grpc.StatusCode
    http: int
    reason: str
    message: str = SENTENCE
    retry: bool = False


CASES = [
    Case(
        errors.InvalidRequest(VIOLATIONS),
        Code.INVALID_ARGUMENT,
        400,
        "INVALID_REQUEST",
        "clusterName: must be there (and 1 more, 2 in all)",
    ),
    Case(errors.NotAuthenticated(SENTENCE), Code.UNAUTHENTICATED, 401, "UNAUTHENTICATED"),
    Case(errors.NotAllowed(SENTENCE), Code.PERMISSION_DENIED, 403, "PERMISSION_DENIED"),
    Case(errors.NotReceived(SENTENCE), Code.INVALID_ARGUMENT, 400, "REQUEST_MISSING"),
    Case(errors.TooSlow(SENTENCE), Code.DEADLINE_EXCEEDED, 504, "REQUEST_TOO_SLOW"),
    Case(errors.TooLarge(SENTENCE), Code.RESOURCE_EXHAUSTED, 429, "REQUEST_TOO_LARGE"),
    Case(errors.TooMany(SENTENCE), Code.RESOURCE_EXHAUSTED, 429, "TOO_MANY_CALLS", retry=True),
    Case(errors.NoSuch(SENTENCE), Code.NOT_FOUND, 404, "NOT_FOUND"),
    Case(errors.LogGone(SENTENCE), Code.NOT_FOUND, 404, "NOT_FOUND"),
    Case(Taken("DuplicateName", SENTENCE), Code.ALREADY_EXISTS, 409, "ALREADY_EXISTS"),
    Case(errors.LimitReached(SENTENCE), Code.RESOURCE_EXHAUSTED, 429, "LIMIT_REACHED"),
    Case(errors.Adopted(SENTENCE), Code.FAILED_PRECONDITION, 409, "ADOPTED"),
    Case(errors.RequestIdReused(SENTENCE), Code.ALREADY_EXISTS, 409, "REQUEST_ID_REUSED"),
    Case(errors.RetryNotSafe(SENTENCE), Code.FAILED_PRECONDITION, 400, "RETRY_NOT_SAFE"),
    Case(errors.SecretsMissing(SENTENCE), Code.FAILED_PRECONDITION, 400, "SECRETS_MISSING"),
    Case(errors.NothingToRerun(SENTENCE), Code.FAILED_PRECONDITION, 400, "NOTHING_TO_RERUN"),
    Case(errors.OutcomesGone(SENTENCE), Code.FAILED_PRECONDITION, 400, "OUTCOMES_GONE"),
    Case(errors.Halted(SENTENCE), Code.FAILED_PRECONDITION, 400, "Halted"),
    Case(errors.Changed(SENTENCE), Code.ABORTED, 409, "CONFLICT"),
    Case(errors.TokenTooOld(SENTENCE), Code.OUT_OF_RANGE, 400, "TOKEN_TOO_OLD"),
    Case(errors.Unreachable(SENTENCE), Code.UNAVAILABLE, 503, "KUBERNETES_UNAVAILABLE", retry=True),
    Case(errors.Unsettled(SENTENCE), Code.UNAVAILABLE, 503, "OUTCOME_UNKNOWN"),
    Case(kube.NotFound(HIDDEN), Code.NOT_FOUND, 404, "NOT_FOUND", "there is no such resource"),
    Case(
        kube.AlreadyExists(HIDDEN), Code.ALREADY_EXISTS, 409, "ALREADY_EXISTS", "it exists already"
    ),
    Case(kube.Conflict(HIDDEN), Code.ABORTED, 409, "CONFLICT", "it was changed at the same moment"),
    Case(
        kube.QuotaExceeded(HIDDEN),
        Code.RESOURCE_EXHAUSTED,
        429,
        "QUOTA_EXCEEDED",
        "a quota of the namespace is used up",
    ),
    Case(
        kube.NotWritten(HIDDEN), Code.UNAVAILABLE, 503, "KUBERNETES_UNAVAILABLE", AWAY, retry=True
    ),
    Case(kube.OutcomeUnknown(HIDDEN), Code.UNAVAILABLE, 503, "KUBERNETES_UNAVAILABLE", AWAY),
    Case(
        kube.TooDeep(HIDDEN),
        Code.FAILED_PRECONDITION,
        400,
        "TOO_DEEP",
        "the object is nested deeper than this service reads",
    ),
    Case(kube.Unreadable(HIDDEN), Code.UNAVAILABLE, 503, "KUBERNETES_UNAVAILABLE", AWAY),
    Case(kube.Forbidden(HIDDEN), Code.FAILED_PRECONDITION, 400, "RULE_OF_THE_CLUSTER", RULE),
    Case(kube.RuleBroken(HIDDEN), Code.FAILED_PRECONDITION, 400, "RULE_OF_THE_CLUSTER", RULE),
    Case(
        kube.NamespaceGone(HIDDEN),
        Code.FAILED_PRECONDITION,
        400,
        "NAMESPACE_GONE",
        "the namespace of the service is being deleted",
    ),
    Case(
        kube.QuotaBusy(HIDDEN),
        Code.UNAVAILABLE,
        503,
        "QUOTA_BUSY",
        "a quota of the namespace could not be counted in time; nothing was written",
        retry=True,
    ),
    Case(
        kube.WebhookAway(HIDDEN),
        Code.UNAVAILABLE,
        503,
        "WEBHOOK_AWAY",
        "an admission webhook of the cluster does not answer; nothing was written",
        retry=True,
    ),
    Case(kube.NotAuthorized(HIDDEN), Code.INTERNAL, 500, "INTERNAL", "internal error"),
    Case(kube.Invalid(HIDDEN), Code.INTERNAL, 500, "INTERNAL", "internal error"),
    Case(kube.Expired(HIDDEN), Code.INTERNAL, 500, "INTERNAL", "internal error"),
    Case(RuntimeError(HIDDEN), Code.INTERNAL, 500, "INTERNAL", "internal error"),
    Case(AssertionError(HIDDEN), Code.INTERNAL, 500, "INTERNAL", "internal error"),
    Case(TimeoutError(), Code.INTERNAL, 500, "INTERNAL", "internal error"),
]
