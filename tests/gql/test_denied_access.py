"""Whom access was denied to is in the log: who asked for what, from where."""

from typing import Any

import pytest
import structlog

from domain.actor import Actor
from tests.api import Api

AUDIT = "{ auditLog { nodes { id } } }"
DENIAL_EVENTS = ("access.denied", "access.not_found")


async def denials(api: Api, body: dict[str, Any], headers: Any = None) -> list[dict[str, Any]]:
    with structlog.testing.capture_logs() as logs:
        await api.http.post("/graphql", json=body, headers=headers or api.headers)
    return [dict(each) for each in logs if each["event"] in DENIAL_EVENTS]


class TestDenial:
    async def test_of_what_only_staff_may_see_names_who_asked(self, api: Api, actor: Actor) -> None:
        [denial] = await denials(api, {"query": AUDIT})

        assert denial == {
            "event": "access.denied",
            "log_level": "warning",
            "code": "FORBIDDEN",
            "what": "auditLog",
            "role": "USER",
            "user_id": str(actor.user_id),
            "ip": "127.0.0.1",
        }

    async def test_of_what_only_staff_may_do_names_the_mutation(self, api: Api) -> None:
        query = (
            'mutation { refundPayment(input: {idempotencyKey: "a-key-of-mine", reason: CUSTOMER_REQUEST, '
            f'paymentId: "pay_{1:032x}"}}) {{ errors {{ code }} }} }}'
        )

        [denial] = await denials(api, {"query": query})

        assert (denial["event"], denial["code"], denial["what"]) == (
            "access.denied",
            "FORBIDDEN",
            "refundPayment",
        )

    async def test_of_another_users_object_looks_like_that_of_an_unknown_one(
        self, api: Api, others: Api
    ) -> None:
        card = await others.add_card()
        query = "mutation M($i: ID!) { deletePaymentMethod(input: {id: $i}) { errors { code } } }"

        [foreign] = await denials(api, {"query": query, "variables": {"i": card}})
        [unknown] = await denials(api, {"query": query, "variables": {"i": f"mth_{1:032x}"}})

        assert foreign == unknown
        assert (foreign["event"], foreign["what"]) == ("access.not_found", "deletePaymentMethod")

    @pytest.mark.parametrize("token", ["Bearer nonsense", "Basic dXNlcjpwYXNz"])
    async def test_of_a_bad_token_does_not_repeat_it(self, api: Api, token: str) -> None:
        [denial] = await denials(api, {"query": AUDIT}, {"Authorization": token})

        assert (denial["code"], denial["role"], denial["ip"]) == ("UNAUTHENTICATED", "ANONYMOUS", "127.0.0.1")
        assert token not in str(denial)

    async def test_is_not_told_of_what_was_allowed(self, admins: Api) -> None:
        assert await denials(admins, {"query": AUDIT}) == []
