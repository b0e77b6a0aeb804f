import pytest

from domain.actor import ANONYMOUS, SYSTEM, Actor, Role
from domain.errors import Forbidden, NotFound, Unauthenticated
from domain.identity import new_id

OWNER, OTHER = new_id(), new_id()


def acting(role: Role) -> Actor:
    return Actor(role=role, user_id=OTHER)


class TestWhatAnActorSees:
    @pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
    def test_staff_sees_everybody(self, role: Role) -> None:
        acting(role).must_see(OWNER, "payment")

        assert acting(role).visible_owner is None
        assert SYSTEM.visible_owner is None

    @pytest.mark.parametrize("role", [Role.USER, Role.SERVICE])
    def test_others_see_their_own(self, role: Role) -> None:
        actor = acting(role)

        assert (actor.visible_owner, actor.may_see(OTHER), actor.may_see(OWNER)) == (OTHER, True, False)
        with pytest.raises(NotFound, match="no such payment"):
            actor.must_see(OWNER, "payment")

    def test_anonymous_sees_nothing(self) -> None:
        assert not ANONYMOUS.may_see(OWNER)
        with pytest.raises(Unauthenticated):
            _ = ANONYMOUS.known_id
        with pytest.raises(Unauthenticated):
            _ = ANONYMOUS.visible_owner


class TestWhatAnActorMayDo:
    def test_owners_and_admins_act(self) -> None:
        acting(Role.USER).must_act_for(OTHER, "payment")
        acting(Role.ADMIN).must_act_for(OWNER, "payment")
        SYSTEM.must_act_for(OWNER, "payment")

    def test_support_may_look_but_not_touch(self) -> None:
        with pytest.raises(Forbidden):
            acting(Role.SUPPORT).must_act_for(OWNER, "payment")

    def test_strangers_find_nothing(self) -> None:
        with pytest.raises(NotFound):
            acting(Role.USER).must_act_for(OWNER, "payment")

    def test_roles_are_asked_for(self) -> None:
        acting(Role.ADMIN).must_be({Role.ADMIN})
        with pytest.raises(Forbidden):
            acting(Role.USER).must_be({Role.ADMIN})
        with pytest.raises(Unauthenticated):
            ANONYMOUS.must_be({Role.ADMIN})
