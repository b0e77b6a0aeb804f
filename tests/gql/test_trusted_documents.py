"""Manifests, as builds write them."""

import json
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

import pytest

from gql.documents import Documents
from gql.executor import SCHEMA
from gql.limits import Limits
from gql.trusted_documents import UnfitManifest, trusted_documents

VIEWER = "query Viewer { viewer { id } }"
CODES = "query Codes { currencies { code } }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(*texts: str, **changes: Any) -> dict[str, Any]:
    operations = [{"id": hashed(text), "name": "Q", "type": "query", "body": text} for text in texts]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations, **changes}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """What the gateway makes of a file with that content."""

    def trusted(content: Any, limits: Limits | None = None, **choices: bool) -> Any:
        path = tmp_path / "manifest.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return trusted_documents(path, Documents(SCHEMA, limits or Limits(), **choices))

    return trusted


class TestForms:
    @pytest.mark.parametrize(
        "manifest",
        [
            {hashed(VIEWER): VIEWER, hashed(CODES): CODES},
            {f"sha256:{hashed(VIEWER)}": VIEWER, hashed(CODES): CODES},
            apollo(VIEWER, CODES),
        ],
        ids=["Relay and GraphQL Code Generator", "with prefixes", "Apollo"],
    )
    def test_that_are_known_are_read(self, read: Any, manifest: Any) -> None:
        found = read(manifest)

        assert [(each.name, each.sha256, each.text) for each in found] == [
            ("Viewer", hashed(VIEWER), VIEWER),
            ("Codes", hashed(CODES), CODES),
        ]

    def test_documents_may_hold_several_operations(self, read: Any) -> None:
        [found] = read({hashed(f"{VIEWER} {CODES}"): f"{VIEWER} {CODES}"})

        assert found.name == "Viewer, Codes"
        assert found.document.costs == {"Viewer": 2, "Codes": 11}


class TestFaults:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "is not JSON"),
            (b"{", "is not JSON"),
            (b"\xff", "is not JSON"),
            ([], "must be one JSON object"),
            ({}, "holds no document"),
            (apollo(), "holds no document"),
            (apollo(VIEWER, version=2), "has a form that is not known"),
            (apollo(VIEWER, format="other"), "has a form that is not known"),
            (apollo(operations={}), "operations must be a list of objects"),
            (apollo(operations=[1]), "operations must be a list of objects"),
            (apollo(operations=[{"id": "x"}]), "'x' is not the hash of a text"),
            ({hashed(VIEWER): 17}, "is not the hash of a text"),
        ],
    )
    def test_of_the_form_are_told(self, read: Any, content: Any, reason: str) -> None:
        with pytest.raises(UnfitManifest, match=reason) as refused:
            read(content)

        assert "manifest.json" in str(refused.value)

    def test_of_documents_are_all_told_with_their_names(self, read: Any) -> None:
        unknown, malformed = "query Unknown { nothing }", "query {"
        relays = md5(VIEWER.encode(), usedforsecurity=False).hexdigest()

        with pytest.raises(UnfitManifest) as refused:
            read(
                {hashed(unknown): unknown, hashed(malformed): malformed, relays: VIEWER, hashed(CODES): CODES}
            )

        told = str(refused.value)
        assert f"Unknown ({hashed(unknown)[:12]}): Cannot query field 'nothing' on type 'Query'." in told
        assert f"{hashed(malformed)[:12]}: Syntax Error" in told
        assert f"Viewer ({relays[:12]}) is not named by its SHA-256, which is {hashed(VIEWER)}" in told
        assert "Codes" not in told

    def test_of_a_document_without_an_operation_are_told(self, read: Any) -> None:
        with pytest.raises(UnfitManifest, match="never used"):
            read({hashed("fragment f on Query { __typename }"): "fragment f on Query { __typename }"})

    def test_of_a_document_beyond_the_limits_are_told(self, read: Any) -> None:
        with pytest.raises(UnfitManifest, match="asks for more than a cost of 10 at once"):
            read({hashed(CODES): CODES}, Limits(cost=10))

    def test_of_a_document_that_asks_for_a_hidden_schema_are_told(self, read: Any) -> None:
        asks = "{ __schema { queryType { name } } }"

        assert read({hashed(asks): asks})
        with pytest.raises(UnfitManifest, match="The schema is not told"):
            read({hashed(asks): asks}, introspection=False)

    def test_of_a_file_that_is_not_there_are_told(self, tmp_path: Path) -> None:
        with pytest.raises(UnfitManifest, match="cannot be read"):
            trusted_documents(tmp_path / "nowhere.json", Documents(SCHEMA, Limits()))
