"""The only code by which the processor's word changes a payment method or a set-up."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.actor import Actor
from domain.audit import audit_record
from domain.errors import NotFound
from domain.identity import new_id
from domain.payment_method import MethodFacts, PaymentMethod, PaymentMethodSetup, SetupFacts, facts_in
from domain.ports import Work


async def settle_method(
    work: Work, user_id: UUID, facts: MethodFacts, *, at: datetime, by: Actor, makes_default: bool = False
) -> PaymentMethod:
    """
    Our record of the processor's method, made at its first mention, by whichever of request and webhook is first.

    A user's first method becomes the default one. A detached one stays detached.
    """
    await hold_methods(work, user_id)
    method = await _known_method(work, user_id, facts, at=at, by=by)
    if not method.is_attached or method.is_default:
        return method
    if makes_default:
        return await make_default(work, method, at=at, by=by)
    return await fill_default(work, method, at=at, by=by)


async def _known_method(
    work: Work, user_id: UUID, facts: MethodFacts, *, at: datetime, by: Actor
) -> PaymentMethod:
    fresh = PaymentMethod(id=new_id(), user_id=user_id, created_at=at, updated_at=at, **facts_in(facts))
    if await work.payment_methods.add(fresh):
        await work.audit.add(audit_record("payment_method.added", None, fresh, at=at, by=by))
        if fresh.fingerprint is not None and await work.payment_methods.is_saved_twice(fresh):
            await work.jobs.keep_newest_of_same_cards(user_id)
        return fresh
    known = await work.payment_methods.lock_known(facts.processor_method_id)
    if known is None:
        raise NotFound("There is no such payment method.")
    return await update_method(work, known, facts, at=at, by=by)


async def update_method(
    work: Work, known: PaymentMethod, facts: MethodFacts, *, at: datetime, by: Actor
) -> PaymentMethod:
    after = known.take(facts, at=at) if known.is_attached else known
    return await _save_method(work, known, after, action="payment_method.updated", at=at, by=by)


async def hold_methods(work: Work, user_id: UUID) -> None:
    """
    One writer at a time among a user's methods, of which one is the default.

    Taken before any of their rows, so that two writers cannot wait for each other.
    """
    await work.accounts.lock(user_id)


async def make_default(work: Work, method: PaymentMethod, *, at: datetime, by: Actor) -> PaymentMethod:
    """As its user has chosen. One default per user: a partial unique index holds it."""
    former = await work.payment_methods.clear_default(method.user_id, at=at)
    if former is not None:
        was = replace(former, is_default=True)
        await work.audit.add(audit_record("payment_method.no_longer_default", was, former, at=at, by=by))
    return await _make_default(work, method, method.chosen_as_default(at=at), at=at, by=by)


async def fill_default(work: Work, method: PaymentMethod, *, at: datetime, by: Actor) -> PaymentMethod:
    """The method becomes the default one where its user has none. Their methods are held."""
    if await work.payment_methods.default_of(method.user_id) is not None:
        return method
    return await _make_default(work, method, method.made_default(at=at), at=at, by=by)


async def _make_default(
    work: Work, before: PaymentMethod, after: PaymentMethod, *, at: datetime, by: Actor
) -> PaymentMethod:
    await work.jobs.keep_default_in_step(before.user_id)
    return await _save_method(work, before, after, action="payment_method.made_default", at=at, by=by)


async def detach(work: Work, method: PaymentMethod, *, at: datetime, by: Actor) -> PaymentMethod:
    after = method.detached(at=at)
    return await _save_method(work, method, after, action="payment_method.detached", at=at, by=by)


async def settle_setup(
    work: Work,
    setup_id: UUID,
    facts: SetupFacts,
    method: MethodFacts | None,
    *,
    at: datetime,
    by: Actor,
    told_at: datetime | None = None,
) -> PaymentMethodSetup:
    """
    The set-up after the processor's word, with its method once it has one. Raises NotFound.

    `told_at` is when the processor says that this came about, which may be a while ago.
    """
    before = await work.setups.lock(setup_id)
    if before is None:
        raise NotFound("There is no such set-up.")
    after = before.take(facts, at=at)
    if method is not None:
        makes_default = await _still_makes_default(work, before, told_at or at)
        saved = await settle_method(work, before.user_id, method, at=at, by=by, makes_default=makes_default)
        after = after.gave(saved, at=at)
    if after is not before:
        await work.setups.save(after)
        action = f"payment_method_setup.{after.status.lower()}"
        await work.audit.add(audit_record(action, before, after, at=at, by=by))
    return after


async def _still_makes_default(work: Work, setup: PaymentMethodSetup, told_at: datetime) -> bool:
    """A set-up makes its method the default one once, and not where its user has chosen another one since."""
    if not setup.makes_default or setup.payment_method_id is not None:
        return False
    await hold_methods(work, setup.user_id)
    standing = await work.payment_methods.default_of(setup.user_id)
    return standing is None or standing.default_chosen_at is None or standing.default_chosen_at <= told_at


async def _save_method(
    work: Work, before: PaymentMethod, after: PaymentMethod, *, action: str, at: datetime, by: Actor
) -> PaymentMethod:
    if after is not before:
        await work.payment_methods.save(after)
        await work.audit.add(audit_record(action, before, after, at=at, by=by))
    return after
