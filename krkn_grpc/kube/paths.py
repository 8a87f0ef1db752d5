"""URL paths of the Kubernetes API, and the check of every name that goes into one."""

import re

from krkn_grpc.resources.meta import Kind

_DNS_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253
# The resource of a path, in the form that the functions below and our own constants give it.
_RESOURCE = re.compile(r"(?:/api/v1|/apis/[^/]+/[^/]+)/(?:namespaces/[^/?]+/)?([a-z]+)(?=[/?]|$)")


class BadName(ValueError):
    """A name that no Kubernetes object can have; it was not sent anywhere."""


def namespace(name: str) -> str:
    """Return the path of a namespace itself."""
    return f"/api/v1/namespaces/{_checked(name)}"


def collection(kind: Kind, namespace: str) -> str:
    """Return the path of all objects of a kind in a namespace."""
    root = "/apis/" if "/" in kind.api_version else "/api/"
    return f"{root}{kind.api_version}/namespaces/{_checked(namespace)}/{kind.plural}"


def single(collection_path: str, name: str, subresource: str = "") -> str:
    """Return the path of one object, or of its subresource.

    Raises BadName for a name that is not a DNS-1123 subdomain, so that no text of a caller can
    reach another part of the path.
    """
    path = f"{collection_path}/{_checked(name)}"
    return f"{path}/{subresource}" if subresource else path


def resource_of(path: str) -> str:
    """Return the plural of the resource that a path asks for, such as `pods`; else `none`.

    It never holds a name: the values are those of the kinds that this project uses.
    """
    found = _RESOURCE.match(path)
    return "none" if found is None else found[1]


def _checked(name: str) -> str:
    if len(name) > _LONGEST_NAME or not _DNS_1123.fullmatch(name):
        raise BadName("not a DNS-1123 name")
    return name
