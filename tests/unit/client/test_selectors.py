"""A selector that a script left blank does not select everything."""

import pytest

from krkn_grpc.client import Krkn


@pytest.mark.parametrize("blank", ["", " \n"])
async def test_blank_selectors_are_refused_before_anything_is_sent(blank: str) -> None:
    async with Krkn("127.0.0.1:1", retry_seconds=0) as krkn:
        with pytest.raises(ValueError, match="blank"):
            await krkn.targets.select(blank)
        with pytest.raises(ValueError, match="blank"):
            await krkn.halts.create("an incident", target_selector=blank)
