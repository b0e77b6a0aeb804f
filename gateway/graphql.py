"""The settings' part in GraphQL: what callers may ask, and which documents are trusted."""

from gateway.settings import Settings
from gql.documents import Documents
from gql.executor import SCHEMA
from gql.policy import Policy
from gql.trusted_documents import trusted_documents


def policy_of(settings: Settings) -> Policy:
    """Raises UnfitManifest where the trusted documents cannot all be executed."""
    manifest = settings.trusted_documents
    return Policy(
        limits=settings.graphql_limits,
        introspection=settings.introspection,
        hides_schema=settings.is_production,
        trusted=trusted_documents(manifest, manifest_documents(settings)) if manifest else (),
        only_trusted=settings.trusted_documents_only and settings.is_production,
        keeps_queries=settings.automatic_persisted_queries,
        query_seconds=settings.graphql_timeout_seconds,
        tells_cost=settings.graphql_cost_extension,
    )


def manifest_documents(settings: Settings) -> Documents:
    """What a manifest's documents are held against: all that holds for others, too."""
    return Documents(SCHEMA, settings.graphql_limits, introspection=settings.introspection)
