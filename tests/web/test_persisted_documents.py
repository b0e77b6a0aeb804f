"""
Documents that are named by their hash alone.

Trusted ones: https://github.com/graphql/graphql-over-http, appendix A. Automatic ones: Apollo's protocol,
https://www.apollographql.com/docs/apollo-server/performance/apq.
"""

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.actor import Actor
from gateway.wiring import Gateway
from gql.trusted_documents import UnfitManifest
from tests.api import GRAPHQL
from tests.parts import bearer
from tests.web.graphql_requests import CURRENCIES, RESPONSE_JSON, code_of
from tests.web.in_production import in_production

VIEWER = "query Viewer { viewer { id } }"
CODES = "query Codes { currencies { code } }"
MUTATION = 'mutation Resync { resync(input: {id: "x"}) { errors { code } } }'
UNKNOWN = "0" * 64


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def persisted(sha: str, **more: Any) -> dict[str, Any]:
    """A request in Apollo's form."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha}}, **more}


async def posted(http: httpx2.AsyncClient, request: dict[str, Any], **headers: str) -> httpx2.Response:
    return await http.post(GRAPHQL, json=request, headers={"Accept": RESPONSE_JSON, **headers})


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """Without trusted documents."""
    async with in_production(gateway) as client:
        yield client


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "trusted.json"
    path.write_text(json.dumps({hashed(text): text for text in (CODES, VIEWER, MUTATION)}))
    return path


@pytest.fixture
async def trusting(gateway: Gateway, manifest: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with in_production(gateway, trusted_documents=manifest) as client:
        yield client


@pytest.fixture
async def strict(gateway: Gateway, manifest: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Where nothing else is executed."""
    async with in_production(gateway, trusted_documents=manifest, trusted_documents_only=True) as client:
        yield client


class TestAutomaticPersistedQueries:
    async def test_unknown_hash_is_asked_for_with_its_document(self, http: httpx2.AsyncClient) -> None:
        answer = await posted(http, persisted(hashed(CODES)))

        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert (error["message"], error["extensions"]["code"]) == (
            "PersistedQueryNotFound",
            "PERSISTED_QUERY_NOT_FOUND",
        )

    async def test_document_that_was_sent_with_its_hash_is_known_by_it(
        self, http: httpx2.AsyncClient, actor: Actor
    ) -> None:
        first = await posted(http, persisted(hashed(VIEWER), query=VIEWER), **bearer(actor))
        second = await posted(http, persisted(hashed(VIEWER)), **bearer(actor))

        assert first.json()["data"]["viewer"]["id"]
        assert second.json() == first.json()

    async def test_get_works_as_well(self, http: httpx2.AsyncClient) -> None:
        extensions = json.dumps(persisted(hashed(CODES))["extensions"])

        unknown = await http.get(GRAPHQL, params={"extensions": extensions})
        sent = await http.get(GRAPHQL, params={"extensions": extensions, "query": CODES})
        known = await http.get(GRAPHQL, params={"extensions": extensions})

        assert code_of(unknown) == "PERSISTED_QUERY_NOT_FOUND"
        assert sent.json()["data"]["currencies"]
        assert known.json() == sent.json()

    async def test_get_runs_no_mutation_by_its_hash(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        await posted(http, persisted(hashed(MUTATION), query=MUTATION), **bearer(actor))

        answer = await http.get(
            GRAPHQL,
            params={"extensions": json.dumps(persisted(hashed(MUTATION))["extensions"])},
            headers=bearer(actor),
        )

        assert answer.status_code == 405

    async def test_document_under_a_hash_of_another_is_refused(self, http: httpx2.AsyncClient) -> None:
        await posted(http, persisted(hashed(CODES), query=CODES))

        poisoned = await posted(http, persisted(hashed(CODES), query=VIEWER))
        answer = await posted(http, persisted(hashed(CODES)))

        assert (poisoned.status_code, code_of(poisoned)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
        assert answer.json()["data"]["currencies"]

    async def test_document_that_is_refused_is_not_kept(self, http: httpx2.AsyncClient) -> None:
        refused = await posted(http, persisted(hashed("{ nothing }"), query="{ nothing }"))
        answer = await posted(http, persisted(hashed("{ nothing }")))

        assert code_of(refused) == "GRAPHQL_VALIDATION_FAILED"
        assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"

    async def test_anonymous_callers_keep_their_own(self, http: httpx2.AsyncClient, actor: Actor) -> None:
        await posted(http, persisted(hashed(CODES), query=CODES))

        answer = await posted(http, persisted(hashed(CODES)), **bearer(actor))

        assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"

    async def test_document_that_made_room_is_asked_for_again(
        self, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await posted(http, persisted(hashed(CODES), query=CODES))
        monkeypatch.setattr("gql.documents.MOST_DOCUMENTS", 1)

        await posted(http, {"query": CURRENCIES})
        answer = await posted(http, persisted(hashed(CODES)))

        assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"

    async def test_clients_stop_trying_where_they_are_off(self, gateway: Gateway) -> None:
        async with in_production(gateway, automatic_persisted_queries=False) as http:
            unknown = await posted(http, persisted(hashed(CODES)))
            sent = await posted(http, persisted(hashed(CODES), query=CODES))
            again = await posted(http, persisted(hashed(CODES)))

        assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotSupported"
        assert code_of(unknown) == code_of(again) == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert sent.json()["data"]["currencies"]

    @pytest.mark.parametrize(
        "extension",
        [
            "x",
            [],
            {},
            {"version": 2, "sha256Hash": UNKNOWN},
            {"sha256Hash": UNKNOWN},
            {"version": 1},
            {"version": 1, "sha256Hash": None},
            {"version": 1, "sha256Hash": 17},
        ],
    )
    async def test_malformed_extension_is_a_bad_request(
        self, http: httpx2.AsyncClient, extension: Any
    ) -> None:
        answer = await posted(http, {"query": CODES, "extensions": {"persistedQuery": extension}})

        assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")

    @pytest.mark.parametrize("sha", ["", "x", "A" * 64, UNKNOWN * 100, "\0"])
    async def test_hash_that_is_none_names_nothing(self, http: httpx2.AsyncClient, sha: str) -> None:
        answer = await posted(http, persisted(sha))

        assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"

    async def test_other_extensions_are_ignored(self, http: httpx2.AsyncClient) -> None:
        answer = await posted(http, {"query": CODES, "extensions": {"tracing": True, "persistedQuery": None}})

        assert answer.json()["data"]["currencies"]


class TestTrustedDocuments:
    @pytest.mark.parametrize(
        "request_",
        [
            {"documentId": f"sha256:{hashed(CODES)}"},
            {"documentId": hashed(CODES)},
            {"documentId": f"sha256:{hashed(CODES)}", "query": CODES},
            {"documentId": f"sha256:{hashed(CODES)}", "operationName": "Codes", "variables": {}},
            persisted(hashed(CODES)),
            {"query": CODES},
        ],
        ids=["id", "bare hash", "with the document", "with a name", "Apollo", "as a text"],
    )
    async def test_are_executed_however_they_are_named(
        self, trusting: httpx2.AsyncClient, strict: httpx2.AsyncClient, request_: dict[str, Any]
    ) -> None:
        answers = [await posted(client, request_) for client in (trusting, strict)]

        assert [answer.json()["data"].keys() for answer in answers] == [{"currencies"}, {"currencies"}]

    async def test_are_found_by_get(self, strict: httpx2.AsyncClient) -> None:
        answer = await strict.get(GRAPHQL, params={"documentId": f"sha256:{hashed(CODES)}"})

        assert answer.json()["data"]["currencies"]

    async def test_that_are_mutations_are_refused_by_get(self, strict: httpx2.AsyncClient) -> None:
        answer = await strict.get(GRAPHQL, params={"documentId": f"sha256:{hashed(MUTATION)}"})

        assert answer.status_code == 405

    async def test_under_an_unknown_hash_are_not_found(self, trusting: httpx2.AsyncClient) -> None:
        answer = await posted(trusting, {"documentId": f"sha256:{UNKNOWN}"})

        assert (answer.status_code, code_of(answer)) == (400, "PERSISTED_QUERY_NOT_FOUND")
        assert len(answer.json()["errors"]) == 1

    @pytest.mark.parametrize("document_id", [17, [], {}, True])
    async def test_under_an_id_that_is_no_text_are_a_bad_request(
        self, trusting: httpx2.AsyncClient, document_id: Any
    ) -> None:
        answer = await posted(trusting, {"documentId": document_id})

        assert (answer.status_code, code_of(answer)) == (400, "BAD_REQUEST")

    async def test_leave_others_alone(self, trusting: httpx2.AsyncClient) -> None:
        answer = await posted(trusting, {"query": CURRENCIES})

        assert answer.json()["data"]["currencies"]


class TestTrustedDocumentsOnly:
    @pytest.mark.parametrize(
        "request_",
        [
            {"query": CURRENCIES},
            {"query": f"{CODES} "},
            {"query": "{"},
            {"query": "{ __schema { queryType { name } } }"},
            {"documentId": f"sha256:{UNKNOWN}"},
            persisted(UNKNOWN),
            persisted(hashed(CURRENCIES), query=CURRENCIES),
        ],
        ids=["another", "a space more", "malformed", "introspection", "unknown", "unknown to Apollo", "sent"],
    )
    async def test_nothing_else_is_executed_or_even_read(
        self, strict: httpx2.AsyncClient, actor: Actor, request_: dict[str, Any]
    ) -> None:
        answer = await posted(strict, request_, **bearer(actor))

        assert (answer.status_code, code_of(answer)) == (400, "DOCUMENT_NOT_TRUSTED")

    async def test_is_for_production(self, gateway: Gateway, manifest: Path) -> None:
        async with in_production(
            gateway,
            environment=gateway.settings.environment,
            trusted_documents=manifest,
            trusted_documents_only=True,
        ) as http:
            answer = await posted(http, {"query": CURRENCIES})

        assert answer.json()["data"]["currencies"]


class TestUnfitManifest:
    def starting(self, gateway: Gateway, path: Path) -> AbstractAsyncContextManager[httpx2.AsyncClient]:
        return in_production(gateway, trusted_documents=path)

    async def test_keeps_the_gateway_from_starting(self, gateway: Gateway, tmp_path: Path) -> None:
        broken = tmp_path / "broken.json"
        broken.write_text(json.dumps({hashed(VIEWER): VIEWER, hashed("{ nothing }"): "{ nothing }"}))

        with pytest.raises(UnfitManifest, match="Cannot query field 'nothing' on type 'Query'"):
            async with self.starting(gateway, broken):
                pass
