"""`python -m sandbox`: the sandbox as a process of its own; prints one line when it is ready."""

import argparse
import signal
import socket
import sys
from pathlib import Path

import orjson
import uvicorn

from sandbox.control import weather
from sandbox.control.weather import BadWeather, Weather
from sandbox.server import Sandbox
from sandbox.settings import EVERY_EVENT, SHORT_BACKOFF, SandboxSettings, WebhookTarget


class Server(uvicorn.Server):
    """Says where it listens once it does, and does not wait for requests that a fault holds back."""

    def __init__(self, config: uvicorn.Config, sandbox: Sandbox) -> None:
        super().__init__(config)
        self._sandbox = sandbox

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            host, port = listening.getsockname()[:2]
            sys.stdout.write(f"sandbox ready on http://{host}:{port}\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.faults.release()
        await super().shutdown(sockets)


def settings(arguments: argparse.Namespace) -> SandboxSettings:
    events = tuple(arguments.webhook_event or EVERY_EVENT)
    return SandboxSettings(
        secret_key=arguments.secret_key,
        publishable_key=arguments.publishable_key,
        state=arguments.state,
        public_url=arguments.public_url,
        webhooks=tuple(
            WebhookTarget(url=url, secret=arguments.webhook_secret, enabled_events=events)
            for url in arguments.webhook_url
        ),
        webhook_backoff=tuple(arguments.webhook_backoff),
        dunning_days=tuple(arguments.dunning_days),
        dunning_end=arguments.dunning_end,
        chaos=arguments.chaos,
    )


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m sandbox", description="A Stripe-compatible sandbox.")
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    options.add_argument("--port", type=int, default=12111, help="port; 0 takes a free one and prints it")
    options.add_argument("--state", type=Path, help="file that survives restarts (default: memory only)")
    options.add_argument("--public-url", help="what links to 3-D Secure pages start with")
    options.add_argument("--secret-key", default=SandboxSettings().secret_key)
    options.add_argument("--publishable-key", default=SandboxSettings().publishable_key)
    options.add_argument("--webhook-url", action="append", default=[], help="may be repeated")
    options.add_argument("--webhook-secret", help="whsec_…, required with --webhook-url")
    options.add_argument("--webhook-event", action="append", help="an event type; default: every type")
    options.add_argument(
        "--webhook-backoff",
        type=lambda text: [float(seconds) for seconds in text.split(",")],
        default=list(SHORT_BACKOFF),
        help="seconds between delivery attempts, with commas",
    )
    options.add_argument(
        "--dunning-days",
        type=lambda text: [int(days) for days in text.split(",")],
        default=list(SandboxSettings().dunning_days),
        help="days between the attempts to collect a renewal, with commas",
    )
    options.add_argument(
        "--dunning-end",
        choices=("cancel", "unpaid"),
        default=SandboxSettings().dunning_end,
        help="what becomes of a subscription whose renewal could not be collected",
    )
    options.add_argument(
        "--chaos", type=chaos, help="a weather in JSON (sandbox/control/weather.py), or a seed"
    )
    return options


def chaos(text: str) -> Weather:
    """A seed stands for a bad day with everything in it."""
    try:
        given = orjson.loads(text)
        return weather.rough(given) if type(given) is int else weather.read(given)
    except (orjson.JSONDecodeError, BadWeather) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main() -> None:
    options = parser()
    arguments = options.parse_args()
    if arguments.webhook_url and not arguments.webhook_secret:
        options.error("--webhook-url needs --webhook-secret")
    sandbox = Sandbox(settings(arguments))
    listening = socket.create_server((arguments.host, arguments.port), backlog=2_048)
    config = uvicorn.Config(
        sandbox.app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    # uvicorn repeats the signal once it has shut down; this turns the repetition into a clean exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(config, sandbox).run(sockets=[listening])


if __name__ == "__main__":
    main()
