"""
Manifests of trusted documents: all that an app may send, as its build wrote it down, by the SHA-256 of each.

Two forms are read: one object of hashes and documents (Relay's persisted queries, GraphQL Code Generator's client
preset), and Apollo's `apollo-persisted-query-manifest`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson
from graphql import GraphQLSyntaxError, OperationDefinitionNode, parse

from gql.documents import Document, Documents

PREFIX: Final = "sha256:"
APOLLO: Final = "apollo-persisted-query-manifest"


class UnfitManifest(Exception):
    """What is wrong, in a sentence that names each document that is to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedDocument:
    """`name` is what an app's developer knows it by: that of its operations."""

    sha256: str
    text: str
    name: str
    document: Document


def hash_of(text: str) -> str:
    """https://github.com/graphql/graphql-over-http, appendix A: of the text in UTF-8, in lower-case hexadecimal."""
    return sha256(text.encode()).hexdigest()


def trusted_documents(path: Path, documents: Documents) -> Sequence[TrustedDocument]:
    """
    What a manifest holds, each fit to be executed.

    Raises UnfitManifest, which names all that are not.
    """
    found = [trusted(named, text, documents) for named, text in entries(path).items()]
    if problems := [problem for each in found for problem in problems_of(each)]:
        raise UnfitManifest(f"{path}: {'; '.join(problems)}")
    return found


def entries(path: Path) -> Mapping[str, str]:
    """Documents by the hashes that the manifest gives them. Raises UnfitManifest."""
    try:
        manifest = orjson.loads(path.read_bytes())
    except OSError as unreadable:
        raise UnfitManifest(f"{path} cannot be read ({unreadable.strerror})") from unreadable
    except orjson.JSONDecodeError as malformed:
        raise UnfitManifest(f"{path} is not JSON ({malformed})") from malformed
    if not isinstance(manifest, dict):
        raise UnfitManifest(f"{path} must be one JSON object")
    pairs = list(apollo_entries(manifest, path) if "format" in manifest else manifest.items())
    if not pairs:
        raise UnfitManifest(f"{path} holds no document")
    if wrong := [name for name, text in pairs if not isinstance(name, str) or not isinstance(text, str)]:
        raise UnfitManifest(f"{path}: {wrong[0]!r} is not the hash of a text")
    return {name.removeprefix(PREFIX): text for name, text in pairs}


def apollo_entries(manifest: Mapping[str, Any], path: Path) -> Iterator[tuple[Any, Any]]:
    if manifest["format"] != APOLLO or manifest.get("version") != 1:
        raise UnfitManifest(f"{path} has a form that is not known; {APOLLO} in version 1 is")
    operations = manifest.get("operations")
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise UnfitManifest(f"{path}: operations must be a list of objects")
    return ((each.get("id"), each.get("body")) for each in operations)


def trusted(named: str, text: str, documents: Documents) -> TrustedDocument:
    return TrustedDocument(sha256=named, text=text, name=name_of(text), document=documents.read(text))


def name_of(text: str) -> str:
    """Of its operations; empty where it cannot be read, or they have none."""
    try:
        parts = parse(text).definitions
    except GraphQLSyntaxError:
        return ""
    return ", ".join(
        part.name.value for part in parts if isinstance(part, OperationDefinitionNode) and part.name
    )


def problems_of(trusted: TrustedDocument) -> Iterator[str]:
    label = f"{trusted.name} ({trusted.sha256[:12]})" if trusted.name else trusted.sha256[:12]
    if trusted.document.errors:
        yield f"{label}: {trusted.document.errors[0].message}"
    elif trusted.sha256 != hash_of(trusted.text):
        yield f"{label} is not named by its SHA-256, which is {hash_of(trusted.text)}"
