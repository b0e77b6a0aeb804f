"""Delivers webhooks in the background: at once, in parallel, and again with back-off until accepted."""

import asyncio
import time

import orjson

from sandbox.control.chaos import Chaos
from sandbox.settings import SandboxSettings
from sandbox.state.objects import Objects, StripeObject, visible
from sandbox.webhooks import sender
from sandbox.webhooks.deliveries import Deliveries, Delivery
from sandbox.webhooks.sender import Undelivered

PARALLEL = 16


class Dispatcher:
    def __init__(
        self, deliveries: Deliveries, objects: Objects, settings: SandboxSettings, chaos: Chaos
    ) -> None:
        self._deliveries = deliveries
        self._objects = objects
        self._settings = settings
        self._chaos = chaos
        self._news = asyncio.Event()
        self._all_settled = asyncio.Event()
        self._under_way: set[int] = set()
        self._is_paused = False
        deliveries.on_added = self._start_over
        chaos.on_changed = self._news.set

    @property
    def is_paused(self) -> bool:
        return self._is_paused or self._chaos.holds_webhooks

    def pause(self) -> None:
        """Hold deliveries back; those already under way are finished."""
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        self._news.set()

    async def settled(self) -> None:
        """Wait until nothing is left to deliver: everything was accepted, given up, or dropped."""
        await self._all_settled.wait()

    async def run(self) -> None:
        """Deliver until cancelled; what is then still pending goes on after the next start."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._news.clear()
                for delivery in self._startable():
                    self._under_way.add(delivery.id)
                    attempts.create_task(self._attempt(delivery))
                await self._rest()

    def _start_over(self) -> None:
        self._all_settled.clear()
        self._news.set()

    def _startable(self) -> list[Delivery]:
        if self.is_paused:
            return []
        due = self._deliveries.due(time.time(), PARALLEL + len(self._under_way))
        free = PARALLEL - len(self._under_way)
        return [delivery for delivery in due if delivery.id not in self._under_way][:free]

    async def _rest(self) -> None:
        """Sleep until something is added, finished or resumed, or until the next retry is due."""
        if not self._deliveries.has_pending():
            self._all_settled.set()
        now = time.time()
        next_due = self._deliveries.next_due(now)
        try:
            async with asyncio.timeout(None if next_due is None else next_due - now):
                await self._news.wait()
        except TimeoutError:
            return

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            endpoint = self._objects.find("webhook_endpoint", delivery.endpoint)
            if endpoint is None or endpoint.get("deleted") or endpoint["status"] != "enabled":
                self._deliveries.settle(delivery.id, "dropped", status=None, error="the endpoint is gone")
                return
            await self._deliver(delivery, endpoint)
        finally:
            self._under_way.discard(delivery.id)
            self._news.set()

    async def _deliver(self, delivery: Delivery, endpoint: StripeObject) -> None:
        event = self._objects.find("event", delivery.event)
        if event is None:
            raise LookupError(f"delivery {delivery.id} names an event that was never stored")
        body = orjson.dumps(visible(event), option=orjson.OPT_INDENT_2)
        try:
            status = await sender.post(
                endpoint["url"], body, endpoint["_secret"], timeout=self._settings.webhook_timeout
            )
        except Undelivered as error:
            self._retry(delivery, status=None, error=str(error))
            return
        if 200 <= status < 300:
            self._deliveries.settle(delivery.id, "delivered", status=status, error=None)
        else:
            self._retry(delivery, status=status, error=None)

    def _retry(self, delivery: Delivery, *, status: int | None, error: str | None) -> None:
        backoff = self._settings.webhook_backoff
        if delivery.attempts < len(backoff):
            due = time.time() + backoff[delivery.attempts]
            self._deliveries.postpone(delivery.id, due, status=status, error=error)
        else:
            self._deliveries.settle(delivery.id, "failed", status=status, error=error)
