"""The errors of the Kubernetes API, as exceptions to be caught by class.

The table in `answers` maps answers to classes. The text of an error is for the log; replies to
clients have sentences of their own.
"""


class KubeError(Exception):
    """The API server did not confirm that it carried out the request."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """Keep the text for the log, and the seconds to wait if the API server asked for that."""
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(KubeError):
    """There is no such object."""


class AlreadyExists(KubeError):
    """There is an object of this name."""


class Conflict(KubeError):
    """The object does not meet the precondition: it changed, or it is a different object."""


class Expired(KubeError):
    """The resource version or page token is too old: list again."""


class Invalid(KubeError):
    """The object breaks its schema, or the API server does not accept such a call."""


class RuleBroken(Invalid):
    """A policy or a webhook of the cluster says that the object is not valid."""


class Forbidden(KubeError):
    """A rule of the cluster forbids the object, or our account may not do this."""


class NotAuthorized(Forbidden):
    """Our account is not known, or no role of it allows this."""


class QuotaExceeded(Forbidden):
    """A ResourceQuota of the namespace is used up."""


class NamespaceGone(Forbidden):
    """The namespace is being deleted, or does not exist: nothing is created in it."""


class NotWritten(KubeError):
    """Nothing was written and a retry is safe: throttled, starting, or never connected."""


class QuotaBusy(NotWritten):
    """Nothing was written, because a ResourceQuota's count was being changed at that moment."""


class WebhookAway(NotWritten):
    """Nothing was written, because a required admission webhook does not answer."""


class OutcomeUnknown(KubeError):
    """The request was sent and no usable answer came: a write may have taken effect."""


class Unreadable(OutcomeUnknown):
    """The answer is not the API server's: a proxy before it answered, or it broke on the way."""


class TooDeep(Unreadable):
    """An object in the answer is nested deeper than can be read.

    The API server stores 10,000 levels, where a resource definition keeps unknown fields.
    """
