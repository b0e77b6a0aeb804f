"""Every column that may tell of a person is taken out when the person is forgotten, or stays for a reason."""

from collections.abc import Mapping
from typing import Final

import pytest
from sqlalchemy import JSON, Column, Enum, String, Table

from domain.operation import ObjectKind
from persistence.people import OWNED, TAKEN_OUT
from persistence.tables import metadata

KEPT: Final[Mapping[str, str]] = {
    "advice": "the bank's word, by a code",
    "brand": "of a card, as on a receipt",
    "code": "a code",
    "country": "of a card, which statistics count by",
    "currency": "money",
    "failure_reason": "a code of Stripe's",
    "failures": "codes, brands and countries of attempts",
    "feature": "what was bought",
    "history": "states and times",
    "last4": "of a card, as on a receipt",
    "lines": "what an invoice is for, in our own plans' names",
    "number": "an invoice's",
    "reason": "a code",
    "wallet": "its kind",
}


def may_tell(column: Column[object]) -> bool:
    is_text = isinstance(column.type, String | JSON) and not isinstance(column.type, Enum)
    return is_text and not column.name.endswith("_id")


class TestForgottenColumns:
    @pytest.mark.parametrize(("kind", "table"), OWNED.items(), ids=lambda each: str(each))
    def test_are_all_decided(self, kind: ObjectKind, table: Table) -> None:
        told = {column.name for column in table.c if may_tell(column)} - set(TAKEN_OUT.get(kind, ()))

        assert {
            name for name in told if name.removeprefix("method_").removeprefix("decline_") not in KEPT
        } == set()

    def test_are_of_every_table_that_has_a_user(self) -> None:
        with_users = {table.name for table in metadata.tables.values() if "user_id" in table.c}

        assert with_users - {table.name for table in OWNED.values()} == {
            "billing_accounts",
            "charge_previews",
            "trial_redemptions",
        }
