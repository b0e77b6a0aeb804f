"""The `payments-gateway` command."""

import asyncio
import gc
import signal
import sys
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NoReturn
from uuid import UUID, uuid4

import typer
import uvloop
from structlog.contextvars import bind_contextvars

from domain.actor import Role
from domain.events import InboxStatus
from gateway.readiness import fail, read_settings, ready_settings
from gateway.settings import DEMO_USER, DEVELOPMENT_JWT_SECRET, settings_table
from gateway.sparing import spare_libraries

app = typer.Typer(
    help="A GraphQL payments gateway in front of Stripe.", no_args_is_help=True, add_completion=False
)

audit = typer.Typer(help="The audit trail.", no_args_is_help=True)
app.add_typer(audit, name="audit")
stats = typer.Typer(help="The statistics.", no_args_is_help=True)
app.add_typer(stats, name="stats")
access = typer.Typer(help="Who may use what.", no_args_is_help=True)
app.add_typer(access, name="access")
plans = typer.Typer(help="What may be subscribed to.", no_args_is_help=True)
app.add_typer(plans, name="plans")

events = typer.Typer(
    help="What Stripe has told, and once more what could not be applied.", no_args_is_help=True
)
app.add_typer(events, name="events")
metadata = typer.Typer(help="How callers' metadata lies in the database.", no_args_is_help=True)
app.add_typer(metadata, name="metadata")

documents = typer.Typer(help="The documents that apps may send.", no_args_is_help=True)
app.add_typer(documents, name="documents")


SERVES_OTHERS: Final = frozenset({"serve", "worker", "develop"})
"""Whose requests and jobs have ids of their own."""


@app.callback()
def named(context: typer.Context) -> None:
    """Whatever a command logs names it, and its run."""
    if context.invoked_subcommand not in SERVES_OTHERS:
        bind_contextvars(command=context.invoked_subcommand, run_id=str(uuid4()))


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    app()


def end(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Leave by an exception, so that everything that was started is ended."""
    sys.exit(0)


@app.command()
def serve() -> None:
    """Serve the API, with the worker in the same process unless RUN_WORKER=false."""
    gc.disable()  # What is made at the start stays: `spare_the_collector` goes on from here.
    spare_libraries()
    from gateway.app import create_app
    from gateway.graphql import policy_of
    from gateway.metrics import metrics_listener
    from gateway.server import PortTaken, listening_socket, server, spare_the_collector
    from gql.trusted_documents import UnfitManifest

    settings = ready_settings()
    try:
        policy = policy_of(settings)
        listener = listening_socket(settings.host, settings.port)
        metrics = metrics_listener(settings)
    except (PortTaken, UnfitManifest) as problem:
        fail(problem)
    application = create_app(settings, policy=policy, metrics=metrics)
    running = server(
        application, shutdown_seconds=settings.shutdown_seconds, limits=settings.connection_limits
    )
    spare_the_collector()
    running.run(sockets=[listener])


@app.command()
def worker() -> None:
    """Run the worker alone, beside any number of servers."""
    spare_libraries()
    from gateway.metrics import metrics_listener
    from gateway.server import PortTaken
    from gateway.wiring import wire
    from gateway.worker import run_until_signalled

    settings = ready_settings()
    try:
        metrics = metrics_listener(settings)
    except PortTaken as taken:
        fail(taken)
    uvloop.run(run_until_signalled(wire(settings), metrics=metrics))


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    from persistence.engine import CONNECTION_ERRORS
    from persistence.schema import migrate, wanted_revision

    settings = read_settings()
    if not settings.database_url:
        fail("DATABASE_URL is not set.")
    try:
        migrate(settings.database_url)
    except CONNECTION_ERRORS as unusable:
        fail(f"DATABASE_URL cannot be used ({unusable}).")
    typer.echo(f"The database is at revision {wanted_revision()}.")


@stats.command("rebuild")
def rebuild_statistics() -> None:
    """Count the statistics anew, such as after a restore; servers and workers go on meanwhile."""
    from gateway.wiring import wire

    ready = ready_settings()

    async def rebuild() -> int:
        gateway = wire(ready)
        try:
            return await gateway.services.statistics.rebuild()
        finally:
            await gateway.close()

    typer.echo(f"Counted {uvloop.run(rebuild()):,} objects.")


@app.command()
def develop() -> None:
    """Run everything for development: PostgreSQL, the Stripe sandbox, demo data, the server and its worker."""
    from gateway.development import develop
    from gateway.embedded_postgres import EmbeddedPostgresError
    from gateway.server import PortTaken
    from gql.trusted_documents import UnfitManifest

    read_settings()
    try:
        develop()
    except (EmbeddedPostgresError, PortTaken, UnfitManifest) as problem:
        fail(problem)


class TokenRole(StrEnum):
    """The roles that a token can carry."""

    USER = "user"
    SUPPORT = "support"
    ADMIN = "admin"
    SERVICE = "service"


@app.command()
def token(
    user_id: Annotated[UUID, typer.Argument(help="The user: the token's subject.")] = DEMO_USER,
    role: Annotated[TokenRole, typer.Option(help="What the user may do.")] = TokenRole.USER,
    hours: Annotated[float, typer.Option(help="How long it is valid.", min=0)] = 12,
) -> None:
    """Print a token for development, signed with JWT_SECRET. Refused in production."""
    from web.auth import development_token

    settings = read_settings()
    if settings.is_production:
        fail("Tokens come from the User Service. For development set ENVIRONMENT=development.")
    if settings.jwt_jwks_url and not settings.jwt_secrets:
        fail("Tokens come from JWT_JWKS_URL's issuer. For some of your own set JWT_SECRET as well.")
    try:
        signed = development_token(
            (*settings.jwt_secrets, DEVELOPMENT_JWT_SECRET)[0],
            user_id=user_id,
            role=Role[role.name],
            lifetime=timedelta(hours=hours),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
    except ValueError as unfit:
        fail(f"JWT_SECRET: {unfit}")
    typer.echo(signed)


@audit.command()
def verify(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line; the last one sums up.")
    ] = False,
    expect: Annotated[
        list[str] | None, typer.Option(help="The hash of a seal that must be part of the trail; repeatable.")
    ] = None,
) -> None:
    """Compute all hashes of the audit trail anew. Ends with 1 where anything is wrong, and says what."""
    from gateway.audit import verified

    is_right = asyncio.run(verified(read_settings(), expected_seals=expect or (), as_json=as_json))
    raise typer.Exit(0 if is_right else 1)


@app.command()
def invariants(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and invariant.")] = False,
) -> None:
    """Check every money invariant, for the record and the metrics. Ends with 1 where one is broken, and says how."""
    from gateway.invariants import checked

    hold = asyncio.run(checked(read_settings(), as_json=as_json))
    raise typer.Exit(0 if hold else 1)


@access.command()
def mend(
    paid_by: Annotated[
        list[UUID], typer.Argument(help="Payments and subscriptions, by the ids that `invariants` names.")
    ],
) -> None:
    """Have access follow these once more, where it is not what was paid for. What is right stays as it is."""
    from gateway.access import mended

    asyncio.run(mended(read_settings(), paid_by))
    typer.echo("Access is what was paid for.")


@plans.command()
def sync() -> None:
    """Take over from Stripe what is sold there. Its news do so too; this is for the start, and after an outage."""
    from domain.errors import ProcessorRefused, ProcessorUnavailable
    from gateway.wiring import wire

    gateway = wire(ready_settings())

    async def synced() -> int:
        try:
            return await gateway.services.plans.sync()
        finally:
            await gateway.close()

    try:
        count = asyncio.run(synced())
    except (ProcessorUnavailable, ProcessorRefused) as unread:
        fail(f"Stripe does not tell its plans: {unread.message}")
    typer.echo(f"{count} {'plan' if count == 1 else 'plans'} at Stripe, and here.")


@events.command("list")
def list_events(
    status: Annotated[
        list[InboxStatus] | None, typer.Option(help="Only those of which this became; repeatable.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only of this type, as in invoice.paid.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """List events, the newest first: what became of each, and why it failed."""
    from gateway.events import tell_events

    asyncio.run(tell_events(ready_settings(), status, kind, limit=limit, as_json=as_json))


@events.command("replay")
def replay_events(
    named: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Our ids of events, or Stripe's.")
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="All that are HELD, the oldest first.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change. Nothing is changed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event and line.")] = False,
) -> None:
    """Apply events now, whatever became of them before. Ends with 1 where one could not be applied."""
    from gateway.events import replay_all

    if held == bool(named):
        fail("Name events, or say --held.")
    all_applied = asyncio.run(replay_all(ready_settings(), named or (), is_dry=dry_run, as_json=as_json))
    raise typer.Exit(0 if all_applied else 1)


@documents.command()
def check(
    manifest: Annotated[Path, typer.Argument(help="As TRUSTED_DOCUMENTS names it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per operation and line.")] = False,
) -> None:
    """Check that a manifest is fit, and print what each operation costs. Ends with 1 where it is not, and says why."""
    from gateway.documents import tell_costs
    from gql.trusted_documents import UnfitManifest

    try:
        tell_costs(read_settings(), manifest, as_json=as_json)
    except UnfitManifest as unfit:
        fail(unfit)


@events.command("scrub")
def scrub_events() -> None:
    """
    Remove client secrets and card numbers from stored events, as is done with new ones when they come in.

    For what versions before this one have stored; may be cut short and run again.
    """
    from gateway.events import scrubbed

    count = asyncio.run(scrubbed(ready_settings()))
    typer.echo(f"{count:,} {'event was' if count == 1 else 'events were'} changed.")


@metadata.command("new-key")
def new_metadata_key(
    key_id: Annotated[str | None, typer.Argument(help="What to call it; this month, if left out.")] = None,
) -> None:
    """Print a fresh key for METADATA_KEYS. It is kept nowhere."""
    from persistence.keyring import new_key

    try:
        typer.echo(new_key(key_id or f"{datetime.now(UTC):%Y-%m}"))
    except ValueError as unfit:
        fail(unfit)


@metadata.command()
def rotate(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and table.")] = False,
) -> None:
    """
    Encrypt all metadata under the first of METADATA_KEYS; servers and workers go on meanwhile.

    May be cut short and run again. Ends with 1 where anything is left under another key, or in the clear.
    """
    from gateway.metadata import rotated

    raise typer.Exit(0 if asyncio.run(rotated(ready_settings(), as_json=as_json)) else 1)


@app.command("forget-user")
def forget_user(
    user_id: Annotated[UUID, typer.Argument(help="The User Service's id of the person.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    cancel_subscriptions: Annotated[
        bool, typer.Option("--cancel-subscriptions", help="End now what the person subscribes to.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Also where the person was forgotten before and has come back.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """
    Forget a person, and keep the books. There is no way back.

    May be cut short and run again. Ends with 1 where something is left to do, or stands in the way.
    """
    from gateway.forgetting import forgotten

    ready = ready_settings()
    if not yes:
        typer.confirm(f"Forget {user_id} for good, here and at Stripe?", abort=True)
    is_complete = asyncio.run(
        forgotten(
            ready, user_id, cancels_subscriptions=cancel_subscriptions, is_meant_anew=anew, as_json=as_json
        )
    )
    raise typer.Exit(0 if is_complete else 1)


@app.command()
def reconcile(
    since: Annotated[
        datetime, typer.Option(help="From when on, in UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
    ],
    heal: Annotated[
        bool, typer.Option("--heal", help="Put right what differs. Without it nothing changes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line; the last one sums up.")
    ] = False,
) -> None:
    """Find missed events and compare all with Stripe. Ends with 1 where anything differs that was not healed."""
    from gateway.reconcile import reconciled

    ready = ready_settings()
    is_fine = asyncio.run(reconciled(ready, since=since.replace(tzinfo=UTC), heals=heal, as_json=as_json))
    raise typer.Exit(0 if is_fine else 1)


@app.command()
def resync(
    object_id: Annotated[str, typer.Argument(help="The object's id, as in pay_0195d1c5….")],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line; the last one sums up.")
    ] = False,
) -> None:
    """Read one object at Stripe now and take over what is said there. Ends with 1 where it differs still."""
    from gateway.reconcile import resynced

    ready = ready_settings()
    raise typer.Exit(0 if asyncio.run(resynced(ready, object_id, as_json=as_json)) else 1)


@app.command()
def settings() -> None:
    """Print the table of all settings."""
    typer.echo(settings_table())
