"""The JSON names, types and shapes of ScenarioService's messages, as consoles know them."""

REGISTRY = {
    "registryUrl": "string",
    "scenarioRepository": "string",
    "username": "string",
    "password": "string",
    "token": "string",
    "skipTls": "bool",
    "insecure": "bool",
}
# Consoles read these names, which are krkn-hub's own.
PARAMETERS = {
    "name": "string",
    "title": "string",
    "description": "string",
    "digest": "string",
    "size": "int32",
    "last_modified": "optional string",
    "fields": "repeated ScenarioField",
}

SCENARIOS: dict[str, dict[str, str]] = {
    "ListScenariosRequest": REGISTRY,
    "ListScenariosResponse": {"scenarios": "repeated ScenarioSummary"},
    "ScenarioSummary": {
        "name": "string",
        "title": "string",
        "digest": "string",
        "size": "int32",
        "lastModified": "optional string",
    },
    "GetScenarioRequest": {"name": "string"} | REGISTRY,
    "Scenario": PARAMETERS
    | {
        "image": "string",
        "kubeconfigPath": "string",
        "rollback": "bool",
        "source": "string",
    },
    "GetScenarioGlobalsRequest": {"name": "string"} | REGISTRY,
    "ScenarioGlobals": PARAMETERS,
    "ScenarioField": {
        "name": "string",
        "short_description": "string",
        "description": "string",
        "variable": "string",
        "type": "string",
        "default": "optional string",
        "required": "bool",
        "validator": "string",
        "validation_message": "string",
        "separator": "string",
        "allowed_values": "string",
        "mount_path": "string",
        "requires": "string",
        "mutually_excludes": "string",
        "secret": "bool",
        "group": "string",
    },
}
