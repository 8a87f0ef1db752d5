"""The JSON names, types and shapes of AccessService's messages, as clients know them."""

ACCESS: dict[str, dict[str, str]] = {
    "GetAccessRequest": {},
    "Access": {"user": "string", "allowed": "repeated Permission", "namespace": "string"},
    "Permission": {"verb": "string", "resource": "string"},
}
