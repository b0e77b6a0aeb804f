"""
Finds the document that a request means: by its text, or by its hash alone.

A hash names a trusted document (gql/trusted_documents.py), or one that a client has sent before (Apollo's automatic
persisted queries). Whoever sends a text with a hash is held to it, so nobody can have a hash stand for something else.
"""

from collections.abc import Mapping
from typing import Final

from graphql import GraphQLSchema

from domain.actor import Actor, Role
from gql.documents import Document, Documents, refused
from gql.policy import Policy
from gql.refusals import Refusal
from gql.trusted_documents import hash_of

NOT_TRUSTED: Final = refused(
    Refusal.NOT_TRUSTED, "Only documents that are known beforehand are executed here."
)
NOT_FOUND: Final = refused(Refusal.NOT_FOUND, "PersistedQueryNotFound")
NOT_SUPPORTED: Final = refused(Refusal.NOT_SUPPORTED, "PersistedQueryNotSupported")
HASH_MISMATCH: Final = refused(Refusal.HASH_MISMATCH, "The document is not the one that its hash names.")
"""The two messages in one word are those that Apollo's clients wait for."""


class Library:
    """Anonymous callers keep documents of their own, so that they cannot crowd out those of others."""

    def __init__(self, schema: GraphQLSchema, policy: Policy) -> None:
        limits = policy.limits
        self._policy = policy
        self._known = Documents(schema, limits, introspection=policy.introspection)
        self._anonymous = Documents(
            schema,
            limits,
            introspection=policy.introspection and not policy.hides_schema,
            suggestions=not policy.hides_schema,
        )
        self._trusted: Mapping[str, Document] = {each.sha256: each.document for each in policy.trusted}
        self._trusted_texts: Mapping[str, Document] = {each.text: each.document for each in policy.trusted}

    def find(self, text: str | None, sha256: str | None, *, by: Actor) -> Document:
        """The document, or one that says why there is none. One of text and hash is given."""
        if text is None:
            return self._named(sha256 or "", by)
        if settled := self._settled(text, sha256):
            return settled
        documents = self._documents(by)
        if sha256 is not None and self._policy.keeps_queries:
            return documents.register(sha256, text)
        return documents.get(text)

    def unread(self, text: str | None, sha256: str | None, *, by: Actor) -> int:
        """How many characters `find` would have to read and judge; 0 where the verdict stands already."""
        if text is None or self._settled(text, sha256) or self._documents(by).knows(text):
            return 0
        return len(text)

    def _settled(self, text: str, sha256: str | None) -> Document | None:
        """The verdict that needs no reading."""
        if sha256 is not None and sha256 != hash_of(text):
            return HASH_MISMATCH
        if trusted := self._trusted_texts.get(text):
            return trusted
        return NOT_TRUSTED if self._policy.only_trusted else None

    def _named(self, sha256: str, by: Actor) -> Document:
        if trusted := self._trusted.get(sha256):
            return trusted
        if self._policy.only_trusted:
            return NOT_TRUSTED
        if not self._policy.keeps_queries:
            return NOT_FOUND if self._trusted else NOT_SUPPORTED
        return self._documents(by).registered(sha256) or NOT_FOUND

    def _documents(self, by: Actor) -> Documents:
        return self._anonymous if by.role is Role.ANONYMOUS else self._known
