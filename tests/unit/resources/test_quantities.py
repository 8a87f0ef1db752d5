"""Quantities as Kubernetes spells them."""

from decimal import Decimal

import pytest

from krkn_grpc.resources import quantities


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("100m", Decimal("0.1")),
        ("1.5", Decimal("1.5")),
        ("2k", 2000),
        ("1Ki", 1024),
        ("1Gi", 2**30),
        ("1G", 10**9),
        ("1e3", 1000),
        ("12E2", 1200),
        ("1E", 10**18),
        ("0", 0),
    ],
)
def test_it_is_so_much(text: str, amount: object) -> None:
    assert quantities.amount(text) == amount


@pytest.mark.parametrize("text", ["", "1 Gi", "-1", "1gi", "Gi", "1.", ".5Gi", "1Mii", "1e", "٣"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantities.amount(text)
