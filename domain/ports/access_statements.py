"""Statements about access that another service can check by itself."""

from typing import Protocol

from domain.access_decision import AccessDecision


class AccessStatements(Protocol):
    def signed(self, decision: AccessDecision) -> str | None:
        """The decision as a signed token that lives for minutes; None where there is no key to sign with."""
        ...
