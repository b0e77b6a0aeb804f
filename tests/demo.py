"""The demo, as tests load it: without a worker, so that its post is carried by hand."""

from gateway.demo import CaughtUp, load_demo
from gateway.wiring import Gateway
from sandbox import Sandbox
from tests.domain.shopping import Post


def postman(gateway: Gateway, sandbox: Sandbox) -> CaughtUp:
    """Carries every event that has happened to the gateway, once."""
    carried: set[str] = set()

    async def caught_up() -> None:
        post = Post(gateway=gateway, sandbox=sandbox)
        for event in post.events():
            if event["id"] not in carried:
                carried.add(event["id"])
                await post.deliver(event)

    return caught_up


async def demo_of(gateway: Gateway, sandbox: Sandbox) -> dict[str, str]:
    return await load_demo(gateway, sandbox, postman(gateway, sandbox))
