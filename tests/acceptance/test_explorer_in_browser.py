"""GraphiQL and the REST reference as a newcomer meets them, in Chromium, against the development stack."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from graphql import OperationDefinitionNode, parse
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    async_playwright,
    expect,
)

from gateway.demo import USER
from gql.explorer.page import stories
from tests.acceptance.stack import Stack
from tests.waiting import until
from web.rest.reference.page import REFERENCE
from web.rest.route import BASE
from web.rest.table import ROUTES

CHROMIUM: Final = shutil.which("chromium")
QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
SCREENSHOT: Final = Path(__file__).parents[2] / "docs" / "graphiql.png"
VIEWPORT: Final[Any] = {"width": 1280, "height": 800}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="There is no Chromium: apt-get install -y chromium, or run .ci/run"
)


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        await browser.close()


@dataclass
class Explorer:
    """The open page, and everything that went wrong or out of the machine meanwhile."""

    page: Page
    context: BrowserContext
    operation: str | None = None
    """That of the tab in front, where one was chosen."""
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.context.on("request", self._note_request)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}:
            self.requested.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def open(self, operation: str) -> None:
        await self.page.locator(f'.graphiql-tab-button[title="{operation}"]').click()
        self.operation = operation

    async def run(self) -> dict[str, Any]:
        """Press the button; the answer to this tab's operation, once the page shows it."""
        answer = await until(self._answer)
        assert "errors" not in answer, answer
        await expect(self.page.locator(".result-window")).to_contain_text('"data"')
        data: dict[str, Any] = answer["data"]
        return data

    async def _answer(self) -> dict[str, Any] | None:
        """None where GraphiQL was pressed so soon that it still sent the tab before, or its name."""
        async with self.page.expect_response(lambda answer: answer.request.method == "POST") as answered:
            await self.page.locator(".graphiql-execute-button").click()
        answer = await answered.value
        asked = json.loads(answer.request.post_data or "{}")
        body: dict[str, Any] = await answer.json()
        is_meant = self.operation in {None, asked["operationName"]}
        return body if is_meant and asked["operationName"] in operation_names(asked["query"]) else None


def operation_names(document: str) -> list[str]:
    definitions = parse(document).definitions
    return [
        each.name.value for each in definitions if isinstance(each, OperationDefinitionNode) and each.name
    ]


@pytest.fixture
async def opened(browser: Browser) -> AsyncIterator[Explorer]:
    """An empty page that is watched."""
    context = await browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(20_000)
    explorer = Explorer(page=await context.new_page(), context=context)
    explorer.watch()
    yield explorer
    await context.close()


@pytest.fixture
async def explorer(opened: Explorer, stack: Stack) -> Explorer:
    await opened.page.goto(f"{stack.url}/graphql")
    await opened.page.locator(".graphiql-execute-button").wait_for()
    return opened


@pytest.fixture
async def reference(opened: Explorer, stack: Stack) -> Explorer:
    await opened.page.goto(f"{stack.url}{REFERENCE}")
    await expect(opened.page.get_by_label("Signed in as")).to_have_value(re.compile("^Bearer "))
    return opened


async def status_of(stack: Stack, payment_id: str) -> str:
    async with stack.demo_user() as api:
        data = await api.run("query($id: ID!) { payment(id: $id) { status } }", {"id": payment_id})
    status: str = data["payment"]["status"]
    return status


class TestStories:
    async def test_are_shown_as_tabs(self, explorer: Explorer) -> None:
        tabs = explorer.page.locator(".graphiql-tab-button")

        await expect(tabs).to_have_count(len(stories()))
        shown = await tabs.evaluate_all("all => all.map(tab => getComputedStyle(tab, '::after').content)")
        assert [title.strip('"') for title in shown] == [story.title for story in stories()]

    async def test_save_a_card_then_pay_completes_the_payment(self, explorer: Explorer, stack: Stack) -> None:
        await explorer.open("SaveACard")
        saved = (await explorer.run())["addPaymentMethod"]
        await explorer.open("Pay")
        paid = (await explorer.run())["createPayment"]
        again = (await explorer.run())["createPayment"]

        assert saved["errors"] == paid["errors"] == []
        assert saved["paymentMethod"]["isDefault"] is True
        assert paid["payment"]["status"] == "COMPLETED"
        assert again["payment"]["id"] == paid["payment"]["id"]
        assert again["operation"]["replayed"] is True
        await expect(explorer.page.locator(".result-window")).to_contain_text("COMPLETED")
        assert await status_of(stack, paid["payment"]["id"]) == "COMPLETED"
        await take_screenshot(explorer.page)

    async def test_3_d_secure_is_completed_on_the_banks_page_and_by_webhook(
        self, explorer: Explorer, stack: Stack
    ) -> None:
        await explorer.open("PayWith3DSecure")
        asked = (await explorer.run())["createPayment"]["payment"]
        assert asked["status"] == "REQUIRES_ACTION"

        async with explorer.context.expect_page() as opened:
            await explorer.page.get_by_role("link", name="Open 3-D Secure page").click()
        bank = await opened.value
        await bank.get_by_role("button", name="Complete").click()
        await expect(bank.get_by_role("heading")).to_have_text("Back from the bank")

        async def is_completed() -> bool:
            return await status_of(stack, asked["id"]) == "COMPLETED"

        await until(is_completed)
        again = (await explorer.run())["createPayment"]
        assert (again["payment"]["id"], again["payment"]["status"]) == (asked["id"], "COMPLETED")
        assert_clean(explorer, stack)

    async def test_all_run_without_a_complaint_and_without_another_host(
        self, explorer: Explorer, stack: Stack
    ) -> None:
        for story in stories():
            [operation] = operation_names(story.query)
            await explorer.open(operation)
            await explorer.run()

        assert_clean(explorer, stack)


class TestReference:
    async def test_shows_every_operation_and_asks_no_other_host(
        self, reference: Explorer, stack: Stack
    ) -> None:
        await expect(reference.page.locator(".opblock")).to_have_count(len(ROUTES) + 1)
        await expect(reference.page.get_by_role("button", name="Authorize")).to_be_visible()
        assert_clean(reference, stack)

    async def test_tries_an_operation_out_as_the_demo_user(self, reference: Explorer, stack: Stack) -> None:
        operation = reference.page.locator("#operations-Payments-createPayment")
        await operation.locator(".opblock-summary").click()

        async with reference.page.expect_response(f"{stack.url}{BASE}") as answered:
            await operation.get_by_role("button", name="Execute").click()
        payment = (await (await answered.value).json())["data"]

        await expect(operation.locator(".live-responses-table")).to_contain_text(payment["id"])
        assert (payment["user_id"], payment["status"]) == (str(USER.user_id), "completed")
        assert_clean(reference, stack)

    async def test_signs_in_as_another_person(self, reference: Explorer, stack: Stack) -> None:
        await reference.page.get_by_label("Signed in as").select_option("admin")
        operation = reference.page.locator("#operations-Statistics-paymentStatistics")
        await operation.locator(".opblock-summary").click()

        async with reference.page.expect_response(f"{stack.url}{BASE}/stats*") as answered:
            await operation.get_by_role("button", name="Execute").click()

        assert (await answered.value).status == 200


def assert_clean(explorer: Explorer, stack: Stack) -> None:
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, explorer.requested)}
    assert origins <= {stack.url, stack.sandbox_url}
    assert explorer.complaints == []


async def take_screenshot(page: Page) -> None:
    """The picture in the README, made anew where UPDATE_SCREENSHOTS=1 asks for it."""
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        await page.mouse.move(0, 0)
        await page.screenshot(path=SCREENSHOT)
        await asyncio.to_thread(SCREENSHOT.chmod, 0o644)
