"""The JSON names, types and shapes of AlertService's messages, as clients know them."""

ALERTS: dict[str, dict[str, str]] = {
    "ReceiveAlertsRequest": {"alerts": "repeated Alert"},
    "Alert": {"status": "string", "labels": "map<string, string>"},
    "ReceiveAlertsResponse": {"matched": "int32", "stopped": "int32"},
}
