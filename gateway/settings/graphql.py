"""What GraphQL callers may ask."""

from pathlib import Path

from pydantic import Field

from gateway.settings.group import SettingsGroup
from gql.limits import Limits

LIMITS = Limits()


class GraphQLSettings(SettingsGroup):
    graphql_max_tokens: int = Field(
        default=LIMITS.tokens, ge=100, le=5000, description="How many tokens a GraphQL document may have."
    )
    graphql_max_depth: int = Field(
        default=LIMITS.depth,
        ge=5,
        le=50,
        description="How deep selections may be nested in each other, fragments included.",
    )
    graphql_max_aliases: int = Field(
        default=LIMITS.aliases, ge=0, le=1000, description="How many aliases a document may have."
    )
    graphql_max_root_fields: int = Field(
        default=LIMITS.root_fields, ge=1, le=1000, description="How many fields a query may have at its root."
    )
    graphql_max_mutations: int = Field(
        default=LIMITS.mutations, ge=1, le=5, description="How many mutations one operation may carry out."
    )
    graphql_max_directives: int = Field(
        default=LIMITS.directives, ge=1, le=100, description="How many directives one field may have."
    )
    graphql_max_cost: int = Field(
        default=LIMITS.cost,
        ge=2000,
        le=100_000,
        description="How many points one operation may cost (docs/graphql.md); a mutation is 1800.",
    )
    graphql_max_errors: int = Field(
        default=LIMITS.errors, ge=1, le=100, description="How many errors of a document are told at once."
    )
    graphql_timeout_seconds: float = Field(
        default=10.0, gt=0, le=60, description="How long a query may take. Mutations are never cut off."
    )
    graphql_cost_extension: bool = Field(
        default=True, description="Whether answers tell what they cost, as `extensions.cost`."
    )
    introspection: bool = Field(
        default=True,
        description="Whether callers may ask for the schema; in production only those with a token.",
    )
    trusted_documents: Path | None = Field(
        default=None, description="A manifest of the documents that apps send (docs/graphql.md)."
    )
    trusted_documents_only: bool = Field(
        default=False, description="Whether production executes no other documents than those."
    )
    automatic_persisted_queries: bool = Field(
        default=True, description="Whether clients may send a document once, and afterwards its hash alone."
    )

    def problems(self) -> list[str]:
        if self.trusted_documents_only and self.trusted_documents is None:
            return [*super().problems(), "TRUSTED_DOCUMENTS_ONLY needs TRUSTED_DOCUMENTS"]
        return super().problems()

    @property
    def graphql_limits(self) -> Limits:
        return Limits(
            tokens=self.graphql_max_tokens,
            depth=self.graphql_max_depth,
            aliases=self.graphql_max_aliases,
            root_fields=self.graphql_max_root_fields,
            mutations=self.graphql_max_mutations,
            directives=self.graphql_max_directives,
            cost=self.graphql_max_cost,
            errors=self.graphql_max_errors,
        )
