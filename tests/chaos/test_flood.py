"""M10 in short."""

from tests.chaos.flood import flood
from tests.chaos.laboratory import Laboratory


class TestFlood:
    async def test_of_a_thousand_webhooks_loses_none(self, laboratory: Laboratory) -> None:
        found = await flood(laboratory)

        assert all(each.holds for each in found), found
