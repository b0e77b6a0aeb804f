"""The settings' part in GraphQL: what callers may ask, and which documents are trusted."""

from gateway.settings import Settings
from gql.documents import Documents
from gql.executor import SCHEMA
from gql.policy import Policy
from gql.trusted_documents import trusted_documents


def policy_of(settings: Settings) -> Policy:
    """Raises UnfitManifest where the trusted documents cannot all be executed."""
    path = settings.trusted_documents
    documents = Documents(SCHEMA, settings.limits, introspection=settings.introspection)
    return Policy(
        limits=settings.limits,
        introspection=settings.introspection,
        hides_schema=settings.is_production,
        trusted=trusted_documents(path, documents) if path else (),
        only_trusted=settings.trusted_documents_only and settings.is_production,
        keeps_queries=settings.automatic_persisted_queries,
        query_seconds=settings.graphql_timeout_seconds,
        tells_cost=settings.graphql_cost_extension,
    )
