"""The meaning of each answer of the API server: one table with three kinds of rows.

For a write the kind decides: it was not made and may be retried (NotWritten), it was not made and
a retry cannot succeed (a refusal), or its outcome is unknown (OutcomeUnknown). An answer without a
row is of the last kind. Admission (policies, webhooks, quotas) precedes the write, for every verb.

Sources: the reasons of `metav1.Status`, and kube-apiserver's texts where the reason alone is
ambiguous.
"""

import re
from dataclasses import dataclass

import msgspec

from krkn_grpc.kube import errors
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.told import without_credentials


class Cause(msgspec.Struct):
    """One of the causes of a refusal."""

    reason: str = ""


class Details(msgspec.Struct):
    """The subject of a refusal: its kind may differ from the kind that was written."""

    kind: str = ""
    causes: list[Cause] | None = None


class Status(msgspec.Struct):
    """The body of an answer that is not the object asked for."""

    code: int = 500
    reason: str = ""
    message: str = ""
    details: Details | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """Maps the answers that match all its fields to an error class; an empty field matches all."""

    means: type[KubeError]
    name: str
    """The meaning of the answer, for the log."""
    code: int = 0
    reason: str = ""
    method: str = ""
    kind: str = ""
    cause: str = ""
    says: str = ""
    """A regular expression to search for in the message."""

    def fits(self, method: str, code: int, status: Status) -> bool:
        """Whether an answer to a call of this method matches this row."""
        details = status.details or Details()
        causes = [cause.reason for cause in details.causes or ()]
        return (
            self.code in (0, code)
            and self.reason in ("", status.reason)
            and self.method in ("", method)
            and self.kind in ("", details.kind)
            and (not self.cause or self.cause in causes)
            and (not self.says or re.search(self.says, status.message) is not None)
        )


_BY_A_RULE = (
    r"ValidatingAdmissionPolicy '[^']*' with binding '[^']*' denied request: "
    r'|^admission webhook "[^"]*" denied the request'
)

TABLE = (
    # Not written; a retry may succeed.
    Row(
        means=errors.QuotaBusy,
        name="the quota changed at the same moment",
        reason="Conflict",
        kind="resourcequotas",
    ),
    Row(
        means=errors.QuotaBusy,
        name="the quota is not counted yet",
        reason="Forbidden",
        says="status unknown for quota: ",
    ),
    Row(
        means=errors.QuotaBusy,
        name="the quota was not counted in time",
        reason="InternalError",
        says="^Internal error occurred: resource quota evaluation timed out",
    ),
    Row(
        # An object that does not exist yet has no version that could have changed.
        means=errors.QuotaBusy,
        name="a conflict before there is an object",
        reason="Conflict",
        method="POST",
    ),
    Row(
        means=errors.WebhookAway,
        name="an admission webhook does not answer",
        reason="InternalError",
        says='^Internal error occurred: failed calling webhook "',
    ),
    Row(
        means=errors.NotWritten,
        name="the API server's admission is starting",
        reason="Forbidden",
        says="not yet ready to handle request$",
    ),
    Row(
        means=errors.NotWritten,
        name="the API server's paths are not all there yet",
        code=503,
        says="request has been made before all known HTTP paths have been installed",
    ),
    Row(
        means=errors.NotWritten,
        name="etcd has no room left",
        code=500,
        says="^etcdserver: mvcc: database space exceeded",
    ),
    Row(means=errors.NotWritten, name="throttled", reason="TooManyRequests"),
    # Not written; a retry cannot succeed.
    Row(means=errors.NamespaceGone, name="a namespace that ends", cause="NamespaceTerminating"),
    Row(
        means=errors.NamespaceGone,
        name="no such namespace",
        reason="NotFound",
        method="POST",
        kind="namespaces",
    ),
    Row(
        means=errors.QuotaExceeded,
        name="a quota that is used up",
        reason="Forbidden",
        says="exceeded quota",
    ),
    # The authorizer's text; quotas and admission have other texts.
    Row(
        means=errors.NotAuthorized,
        name="no role allows it",
        reason="Forbidden",
        says=r'User "[^"]*" cannot ',
    ),
    Row(means=errors.Forbidden, name="a rule of the cluster", reason="Forbidden"),
    Row(means=errors.NotAuthorized, name="our account is not known", reason="Unauthorized"),
    Row(means=errors.RuleBroken, name="a rule of the cluster", says=_BY_A_RULE),
    Row(
        means=errors.Invalid,
        name="too large for etcd",
        code=500,
        says=(
            "^etcdserver: request is too large"
            r"|^rpc error: code = ResourceExhausted desc = trying to send message larger than max"
        ),
    ),
    Row(means=errors.NotFound, name="no such object", reason="NotFound"),
    Row(means=errors.AlreadyExists, name="the name is taken", reason="AlreadyExists"),
    Row(means=errors.Conflict, name="not the version that was seen", reason="Conflict"),
    Row(means=errors.Expired, name="too old", reason="Expired"),
    Row(means=errors.Expired, name="too old", reason="Gone"),
    Row(means=errors.Invalid, name="not valid", reason="Invalid"),
    Row(means=errors.Invalid, name="not to be read", reason="BadRequest"),
    # Answers without a known reason. Here a 404 is not NotFound: the API server's own has a reason,
    # and a proxy's 404 says nothing about the API server's objects.
    Row(means=errors.Invalid, name="not to be read", code=400),
    Row(means=errors.NotAuthorized, name="our account is not known", code=401),
    Row(means=errors.Forbidden, name="forbidden", code=403),
    Row(means=errors.Unreadable, name="nothing at this path", code=404),
    *(
        Row(means=errors.Invalid, name="no such call", code=code)
        for code in (405, 406, 415)  # the method, what is accepted, what was sent
    ),
    Row(
        means=errors.QuotaBusy, name="a conflict before there is an object", code=409, method="POST"
    ),
    Row(means=errors.Conflict, name="not the version that was seen", code=409),
    Row(means=errors.Expired, name="too old", code=410),
    Row(means=errors.Invalid, name="too large", code=413),
    Row(means=errors.Invalid, name="not valid", code=422),
    Row(means=errors.NotWritten, name="throttled", code=429),
)
_NOBODY_KNOWS = Row(means=errors.OutcomeUnknown, name="what became of it is not known")


def row_for(method: str, code: int, status: Status) -> Row:
    """Return the first row of the table that fits, or the OutcomeUnknown row if none does."""
    return next((row for row in TABLE if row.fits(method, code, status)), _NOBODY_KNOWS)


def error_for(
    method: str,
    code: int,
    status: Status,
    *,
    retry_after: float | None = None,
    may_be_quoted: bool = True,
) -> KubeError:
    """Return the error for an answer to a call of this method.

    Its text has the API server's message, unless that may repeat credentials.
    """
    row = row_for(method, code, status)
    said = f": {status.message}" if may_be_quoted and status.message else ""
    text = without_credentials(f"{code} {status.reason} ({row.name}){said}")
    return row.means(text, retry_after=retry_after)
