"""The JSON names, types and shapes of HaltService's messages, as clients know them."""

HALTS: dict[str, dict[str, str]] = {
    "CreateHaltRequest": {"reason": "string", "targetSelector": "string"},
    "Halt": {
        "name": "string",
        "reason": "string",
        "by": "string",
        "since": "optional string",
        "targetSelector": "string",
        "message": "optional string",
    },
    "ListHaltsRequest": {"pageSize": "int32", "pageToken": "string"},
    "ListHaltsResponse": {"halts": "repeated Halt", "nextPageToken": "string"},
    "DeleteHaltRequest": {"name": "string"},
    "DeleteHaltResponse": {"name": "string", "message": "string"},
}
