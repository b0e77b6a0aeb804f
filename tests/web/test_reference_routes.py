from collections.abc import AsyncIterator

import httpx2
import pytest

from gateway.app import application, create_app, without_token
from gateway.settings import Settings
from gateway.wiring import Gateway
from web.rest.reference.page import CONTENT_SECURITY_POLICY, REFERENCE, STATIC


@pytest.fixture
async def browser(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=application(gateway, configure_explorer=without_token))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


class TestReferencePage:
    @pytest.mark.parametrize("path", [REFERENCE, f"{REFERENCE}/"])
    async def test_comes_under_its_own_policy(self, browser: httpx2.AsyncClient, path: str) -> None:
        answer = await browser.get(path)

        assert answer.status_code == 200
        assert answer.content == (STATIC / "index.html").read_bytes()
        assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_finds_all_its_assets(self, browser: httpx2.AsyncClient) -> None:
        for file in STATIC.iterdir():
            answer = await browser.get(f"{REFERENCE}/{file.name}")

            assert answer.content == file.read_bytes()
            assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]

    @pytest.mark.parametrize("path", ["../page.py", "..%2fpage.py", "nonsense.js", "/etc/passwd"])
    async def test_gives_nothing_else_away(self, browser: httpx2.AsyncClient, path: str) -> None:
        assert (await browser.get(f"{REFERENCE}/{path}")).status_code in {401, 404}

    @pytest.mark.parametrize(("explorer", "status"), [(True, 200), (False, 401)])
    async def test_is_there_where_the_setting_says_so(
        self, settings: Settings, explorer: bool, status: int
    ) -> None:
        """Elsewhere its address is that of a payment, which anonymous callers are not told about."""
        app = create_app(settings.model_copy(update={"explorer": explorer}))
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
        ) as client:
            answer = await client.get(REFERENCE)

        assert answer.status_code == status
