"""`payments-gateway forget-user`: what was done, told to a person or to a program."""

from dataclasses import asdict
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table

from domain.errors import DomainError
from domain.forgetting import Forgotten
from gateway.events import wired
from gateway.readiness import fail
from gateway.settings import Settings


async def forgotten(
    settings: Settings, user_id: UUID, *, cancels_subscriptions: bool, is_meant_anew: bool, as_json: bool
) -> bool:
    """Whether nothing is left to do; ends where it cannot be done now, and says why."""
    async with wired(settings) as gateway:
        try:
            done = await gateway.forgetting.forget(
                user_id, cancels_subscriptions=cancels_subscriptions, is_meant_anew=is_meant_anew
            )
        except DomainError as refusal:
            fail(f"{refusal.message} Whatever was done stays so: run this again.")
    if as_json:
        typer.echo(orjson.dumps(asdict(done)).decode())
    else:
        Console().print(table(done))
    return done.is_complete


def table(done: Forgotten) -> Table:
    shown = Table("what", "how many")
    facts = {
        "subscriptions cancelled": done.subscriptions_cancelled,
        "payment methods removed": done.methods_removed,
        "customers deleted at Stripe": int(done.is_customer_deleted),
        "stored events emptied": done.events_emptied,
        **{f"rows of {name} changed": count for name, count in done.rows.items()},
        "stored events that wait to be applied first": done.events_waiting,
        "audit records of former versions, which stay": done.older_records,
    }
    for what, count in facts.items():
        shown.add_row(what, f"{count:,}")
    return shown
