"""Quantities of resources, as Kubernetes spells them: 100m, 1.5, 256Mi, 1e3."""

import re
from decimal import Decimal

_UNITS: dict[str, Decimal] = {
    "": Decimal(1),
    **{unit: Decimal(f"1e{power}") for unit, power in (("n", -9), ("u", -6), ("m", -3))},
    **{unit: Decimal(1000**power) for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(
    r"(?P<number>[0-9]{1,18}(?:\.[0-9]{1,9})?)(?:(?P<unit>[a-zA-Z]{1,2})|[eE](?P<power>[0-9]{1,2}))?"
)


def amount(text: str) -> Decimal:
    """Return the amount in the base unit (cores, bytes); raises ValueError if it is none."""
    found = _QUANTITY.fullmatch(text)
    unit = (found["unit"] or "") if found else ""
    if found is None or unit not in _UNITS:
        raise ValueError(f"{text!r} is not a quantity such as 100m or 256Mi")
    return Decimal(f"{found['number']}e{found['power'] or 0}") * _UNITS[unit]
