"""What the controller has found out about a target."""

from tests.support.custom_objects import Manifest


def is_admitted(target: Manifest) -> bool:
    """Whether the controller admitted the target as it is."""
    return condition(target, "Admitted").get("status") == "True"


def is_fit(target: Manifest) -> bool:
    """Whether it was also looked at, and its Secret was there by then."""
    looked = condition(target, "Ready").get("reason")
    return is_admitted(target) and looked not in (None, "InvalidKubeconfig")


def condition(target: Manifest, kind: str) -> Manifest:
    """Return a condition of the target as it is, {} when it has none."""
    generation = target["metadata"]["generation"]
    found: list[Manifest] = target.get("status", {}).get("conditions", [])
    current = (one for one in found if one.get("observedGeneration") == generation)
    return next((one for one in current if one["type"] == kind), {})
