"""The JSON names, types and shapes of TargetRequestService's messages, as consoles know them."""

TARGET_REQUESTS: dict[str, dict[str, str]] = {
    "DiscoverTargetsRequest": {"requestId": "string"},
    "DiscoverTargetsResponse": {"uuid": "string"},
    "GetDiscoveryRequest": {"uuid": "string"},
    "Discovery": {
        "uuid": "string",
        "status": "string",
        "created": "optional string",
        "completed": "optional string",
        "missingProviders": "repeated string",
    },
    "ListClustersRequest": {"id": "string"},
    "ListClustersResponse": {
        "targetData": "map<string, ListValue>",
        "status": "string",
        "clusters": "repeated Cluster",
    },
    "Cluster": {
        "provider": "string",
        "clusterName": "string",
        "clusterApiUrl": "string",
        "online": "optional bool",
        "clusterStatus": "string",
        "checkedAt": "optional string",
        "targetUUID": "string",
    },
    "DeleteDiscoveryRequest": {"uuid": "string"},
    "DeleteDiscoveryResponse": {"uuid": "string", "message": "string"},
}
