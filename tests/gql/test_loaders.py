import pytest

from domain.actor import Actor
from domain.charge_preview import ChargePreview
from domain.operation import ObjectKind
from gateway.wiring import Gateway
from gql.ids import PREFIX
from gql.loaders import Loaders
from gql.lookup import Lookup


@pytest.fixture
def loaders(gateway: Gateway, actor: Actor) -> Loaders:
    return Loaders(gateway.services.database, actor, gateway.services.access)


class TestLoaders:
    def test_find_everything_that_has_an_id_but_previews(self, loaders: Loaders) -> None:
        found = [loaders.of(kind) for kind in PREFIX if kind is not ChargePreview]

        assert all(isinstance(each, Lookup) for each in found)
        assert len({id(each) for each in found}) == len(PREFIX) - 1

    @pytest.mark.parametrize("kind", ObjectKind)
    def test_find_whatever_may_be_recorded(self, loaders: Loaders, kind: ObjectKind) -> None:
        assert isinstance(loaders.recorded(kind), Lookup)
