"""What callers hear while the database is away."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from domain.actor import Actor
from gateway.app import STRIPE_WEBHOOK, application
from gateway.settings import Settings
from gateway.wiring import Gateway, wire
from tests.api import EURO, Api, fresh_key, mutation_document
from tests.news import signed
from tests.parts import bearer

PAY = mutation_document("createPayment", "payment { id } errors { code }")
GRAPHQL_JSON = "application/graphql-response+json"
EVENTS = Path(__file__).parents[1] / "stripe" / "events"
VIEWER = "{ viewer { id } }"


@pytest.fixture
async def gateway(settings: Settings, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Whose database does not listen."""
    nowhere = {"database_url": f"postgresql:///payments?host={tmp_path}"}
    gateway = wire(settings.model_copy(update=nowhere))
    yield gateway
    await gateway.close()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application(gateway))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
def api(http: httpx2.AsyncClient, actor: Actor) -> Api:
    return Api(http=http, headers=bearer(actor))


class TestLostDatabase:
    @pytest.mark.parametrize(
        ("document", "variables"),
        [
            (VIEWER, {}),
            ("{ payments { totalCount } }", {}),
            (PAY, {"input": {"idempotencyKey": fresh_key(), "charge": EURO}}),
        ],
        ids=["field that may be null", "field that may not", "mutation"],
    )
    async def test_is_a_503_with_a_time_to_come_back(
        self, api: Api, document: str, variables: dict[str, object]
    ) -> None:
        answer = await api.post(document, variables, Accept=GRAPHQL_JSON)

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "data" not in answer.json()
        [error] = answer.json()["errors"]
        told = {name: error["extensions"][name] for name in ("code", "retry", "retryAfterSeconds")}
        assert told == {"code": "UNAVAILABLE", "retry": "LATER_SAME_KEY", "retryAfterSeconds": 5}

    async def test_is_told_in_the_body_alone_to_clients_of_the_older_media_type(self, api: Api) -> None:
        answer = await api.post(VIEWER, Accept="application/json")

        assert answer.status_code == 200
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"

    async def test_leaves_fields_that_need_none(self, api: Api) -> None:
        answer = await api.post("{ viewer { id } currencies { code } }", Accept=GRAPHQL_JSON)

        assert answer.status_code == 200
        assert answer.json()["data"]["viewer"] is None
        assert answer.json()["data"]["currencies"]
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"

    async def test_has_stripe_send_its_webhook_again(self, http: httpx2.AsyncClient) -> None:
        body = (EVENTS / "payment_intent.succeeded.json").read_bytes()

        answer = await http.post(STRIPE_WEBHOOK, content=body, headers={"Stripe-Signature": signed(body)})

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert answer.json()["error"]["code"] == "UNAVAILABLE"

    async def test_leaves_the_process_alive_and_not_ready(self, http: httpx2.AsyncClient) -> None:
        alive, ready = await http.get("/healthz"), await http.get("/readyz")

        assert (alive.status_code, ready.status_code) == (200, 503)


class TestExhaustedPool:
    @pytest.fixture
    async def gateway(self, settings: Settings) -> AsyncIterator[Gateway]:
        smallest = {"database_pool_size": 2, "database_pool_timeout": 0.05}
        gateway = wire(settings.model_copy(update=smallest))
        yield gateway
        await gateway.close()

    async def test_is_a_503_until_a_connection_is_free(self, api: Api, gateway: Gateway) -> None:
        database = gateway.services.database
        async with database.work(), database.work():
            refused = await api.post(VIEWER, Accept=GRAPHQL_JSON)

        answered = await api.post(VIEWER, Accept=GRAPHQL_JSON)

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert answered.status_code == 200
        assert "errors" not in answered.json()
