"""Who is in the demo: one person to be, two to help, and the customers of a small film shop."""

from typing import Final
from uuid import UUID

from domain.actor import Actor, Role
from gateway.settings import DEMO_USER
from gql.explorer.page import DEMO_USER as DEMO_USER_NAME

USER: Final = Actor(role=Role.USER, user_id=DEMO_USER)
ADMIN: Final = Actor(role=Role.ADMIN, user_id=UUID("0195d1c5-0000-7000-8000-00000000000a"))
MEDIA_SERVICE: Final = Actor(role=Role.SERVICE, user_id=UUID("0195d1c5-0000-7000-8000-00000000000b"))
PEOPLE: Final = {DEMO_USER_NAME: USER, "admin": ADMIN, "media service": MEDIA_SERVICE}
"""Whom one may be signed in as in GraphiQL."""


def customer(number: int) -> Actor:
    return Actor(role=Role.USER, user_id=UUID(f"0195d1c5-0000-7000-8000-0000000001{number:02d}"))
