"""`payments-gateway documents`: a manifest of trusted documents, before a gateway starts with it."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import typer

from gateway.graphql import manifest_documents
from gateway.settings import Settings
from gql.trusted_documents import TrustedDocument, trusted_documents


def tell_costs(settings: Settings, manifest: Path, *, as_json: bool) -> None:
    """One line per operation. Raises UnfitManifest."""
    found = trusted_documents(manifest, manifest_documents(settings))
    operations = [operation for document in found for operation in costs_of(document)]
    for sha256, name, cost in operations:
        told = {"sha256": sha256, "operation": name, "cost": cost}
        line = orjson.dumps(told).decode() if as_json else f"sha256:{sha256}  {cost:6}  {name or '(no name)'}"
        typer.echo(line)
    if not as_json:
        noun = "document" if len(found) == 1 else "documents"
        typer.echo(f"{len(found)} {noun}; an operation may cost {settings.graphql_max_cost}.")


def costs_of(trusted: TrustedDocument) -> Iterator[tuple[str, str | None, int]]:
    for name, cost in trusted.document.costs.items():
        yield trusted.sha256, name, cost
