import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from gateway.app import GRAPHQL, application, create_app, without_token
from gateway.settings import Settings
from gateway.wiring import Gateway
from gql.explorer.page import CONTENT_SECURITY_POLICY, STATIC
from gql.schema import printed

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application(gateway, configure_explorer=without_token))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


class TestPage:
    async def test_is_what_browsers_get_under_its_own_policy(self, browser: httpx2.AsyncClient) -> None:
        answer = await browser.get(GRAPHQL, headers=HTML)

        assert answer.status_code == 200
        assert answer.content == (STATIC / "index.html").read_bytes()
        assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_is_not_what_programs_get(self, browser: httpx2.AsyncClient) -> None:
        asked = await browser.get(GRAPHQL, params={"query": "{ __typename }"})
        sent = await browser.post(
            GRAPHQL, json={"query": "{ __typename }"}, headers={"Accept": "text/html, */*"}
        )

        assert asked.json()["data"] == sent.json()["data"] == {"__typename": "Query"}

    @pytest.mark.parametrize("path", sorted(path.name for path in STATIC.iterdir()))
    async def test_finds_all_its_assets(self, browser: httpx2.AsyncClient, path: str) -> None:
        answer = await browser.get(f"/explorer/{path}")

        assert answer.status_code == 200
        assert answer.content == (STATIC / path).read_bytes()
        assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]

    async def test_is_told_that_an_asset_is_unchanged(self, browser: httpx2.AsyncClient) -> None:
        first = await browser.get("/explorer/graphiql.js")

        again = await browser.get("/explorer/graphiql.js", headers={"If-None-Match": first.headers["etag"]})

        assert first.headers.get_list("cache-control") == ["no-cache"]
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize(
        "path", ["../page.py", "%2e%2e/page.py", "..%2fpage.py", "nonsense.js", "/etc/passwd"]
    )
    async def test_gives_nothing_else_away(self, browser: httpx2.AsyncClient, path: str) -> None:
        assert (await browser.get(f"/explorer/{path}")).status_code == 404


class TestConfiguration:
    async def test_of_a_server_holds_no_token_and_the_stories_that_need_no_demo_cards(
        self, browser: httpx2.AsyncClient
    ) -> None:
        answer = await browser.get("/explorer/config.json")

        configuration = json.loads(answer.content)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert (configuration["endpoint"], configuration["people"]) == (GRAPHQL, [])
        assert "2 · Pay" in [tab["title"] for tab in configuration["tabs"]]
        assert "{{card:" not in answer.text


class TestSwitch:
    @pytest.mark.parametrize(("explorer", "status"), [(True, 200), (False, 406)])
    async def test_is_the_setting(self, settings: Settings, explorer: bool, status: int) -> None:
        app = create_app(settings.model_copy(update={"explorer": explorer}))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
        ) as client:
            page = await client.get(GRAPHQL, headers={"Accept": "text/html"})
            asset = await client.get("/explorer/graphiql.js")

        assert page.status_code == status
        assert asset.status_code == (200 if explorer else 404)

    def test_is_off_by_default(self) -> None:
        assert Settings.model_fields["explorer"].default is False


async def test_schema_is_readable_as_text(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/graphql/schema.graphql")

    assert answer.text == printed()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
