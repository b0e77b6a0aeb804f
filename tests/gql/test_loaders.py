import gc
from collections.abc import Iterator
from functools import cached_property
from weakref import ref

import pytest

from domain.actor import Actor
from domain.charge_preview import ChargePreview
from domain.identity import new_id
from domain.operation import ObjectKind
from gateway.wiring import Gateway
from gql.ids import PREFIX
from gql.loaders import Loaders
from gql.lookup import Lookup


@pytest.fixture
def loaders(gateway: Gateway, actor: Actor) -> Loaders:
    return Loaders(gateway.services.database, actor, gateway.services.access)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


class TestLoaders:
    def test_find_everything_that_has_an_id_but_previews(self, loaders: Loaders) -> None:
        found = [loaders.of(kind) for kind in PREFIX if kind is not ChargePreview]

        assert all(isinstance(each, Lookup) for each in found)
        assert len({id(each) for each in found}) == len(PREFIX) - 1

    @pytest.mark.parametrize("kind", ObjectKind)
    def test_find_whatever_may_be_recorded(self, loaders: Loaders, kind: ObjectKind) -> None:
        assert isinstance(loaders.recorded(kind), Lookup)

    async def test_are_gone_without_the_collector_whatever_was_looked_up(
        self, gateway: Gateway, actor: Actor, no_collector: None
    ) -> None:
        loaders = Loaders(gateway.services.database, actor, gateway.services.access)
        for name, each in vars(Loaders).items():
            if isinstance(each, cached_property):
                getattr(loaders, name)
        await loaders.payments.load(new_id())
        gone = ref(loaders)

        del loaders

        assert gone() is None
