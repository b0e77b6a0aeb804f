"""Access: decisions, and the entitlements that they are made of."""

from datetime import datetime
from typing import Annotated, ClassVar

import strawberry

from domain.access import AccessQuestion, AccessReason, AccessRemedy, AccessTarget, Entitlement
from domain.access_decision import AccessDecision
from domain.actor import Role
from gql.audit import ActorView
from gql.context import Info
from gql.ids import user_id_of
from gql.media_item import MediaItemView, media_item
from gql.needs import needs
from gql.node import Node, optional_view, view, views
from gql.payment import PaymentView

strawberry.enum(AccessReason, description="Why somebody may use something, down to GRANTED, or may not.")
strawberry.enum(AccessRemedy, description="What the customer can do to get access, or to keep it.")


@strawberry.input(name="AccessTarget", description="What somebody wants to use: one of the two.", one_of=True)
class AccessTargetInput:
    media_item_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A media item, by the Media Service's id."
    )
    feature: str | None = strawberry.field(
        default=strawberry.UNSET, description="A feature of a plan, by its name."
    )

    def target(self, *path: str) -> AccessTarget:
        """Raises InvalidInput for a name that nothing can have."""
        target = AccessTarget(media_item_id=self.media_item_id or None, feature=self.feature or None)
        target.check(path=path)
        return target


@strawberry.type(
    name="Entitlement",
    description="One reason for access to one thing: a purchase, a subscription, or an admin's grant.",
)
class EntitlementView(Node):
    _domain: ClassVar[type] = Entitlement

    reason: AccessReason = strawberry.field(description="Why its user may use it, while it holds.")
    feature: str | None = strawberry.field(description="The feature it is about, if it is about one.")
    starts_at: datetime = strawberry.field(description="When it began.")
    revoked_reason: AccessReason | None = strawberry.field(
        description="Why it was taken away before its time; null while it was not."
    )
    revoked_at: datetime | None = strawberry.field(description="When it was taken away.")

    @strawberry.field(description="The media item it is about, if it is about one.")
    def media_item(entitlement: strawberry.Parent[Entitlement]) -> MediaItemView | None:
        return media_item(entitlement.media_item_id, entitlement.user_id)

    @strawberry.field(description="When it ends if nothing else happens; null if it is for good.")
    @needs(whole=(Entitlement,))
    def ends_at(entitlement: strawberry.Parent[Entitlement], info: Info) -> datetime | None:
        return entitlement.lasts_until(info.context.services.rules)

    @strawberry.field(description="Support and admins: who granted it. Null for what was paid for.")
    @needs("granter_id")
    def granter(entitlement: strawberry.Parent[Entitlement], info: Info) -> ActorView | None:
        granter_id = entitlement.granter_id
        if granter_id is None or not info.context.actor.sees_everybody:
            return None
        return ActorView(kind=Role.ADMIN, id=str(granter_id))

    @strawberry.field(description="Support and admins: why it was granted.")
    @needs("note")
    def note(entitlement: strawberry.Parent[Entitlement], info: Info) -> str | None:
        return entitlement.note if info.context.actor.sees_everybody else None


AccessSource = Annotated[
    PaymentView | EntitlementView,
    strawberry.union("AccessSource", description="What a decision about access rests on."),
]


@strawberry.type(name="AccessDecision", description="Whether a user may use something now, and why.")
class AccessDecisionView:
    allowed: bool = strawberry.field(description="Whether the user may use it.")
    reason: AccessReason = strawberry.field(
        description="The best reason why, or the most useful one why not."
    )
    explanation: str = strawberry.field(description="The reason as one plain sentence; may change.")
    until: datetime | None = strawberry.field(
        description="When access ends if nothing else happens; null if it is for good, or not allowed."
    )
    remedies: list[AccessRemedy] = strawberry.field(
        description="What the customer can do to get access, or to keep it: the most promising first."
    )
    evaluated_at: datetime = strawberry.field(description="When this was decided.")

    @strawberry.field(
        description="What decided: the payment, if the caller may see it, or else the entitlement. "
        "Null where nothing ever spoke for access."
    )
    @needs()
    async def source(decision: strawberry.Parent[AccessDecision], info: Info) -> AccessSource | None:
        entitlement = decision.source
        if entitlement is None or entitlement.payment_id is None:
            return optional_view(EntitlementView, entitlement)
        payment = await info.context.loaders.payments.load(entitlement.payment_id)
        return optional_view(PaymentView, payment) or view(EntitlementView, entitlement)

    @strawberry.field(
        description=(
            "For other services, and null for everybody else: this decision as a signed statement that lives for "
            "minutes (a JWT, ES256), to be checked with the keys of /.well-known/jwks.json alone. Null where the "
            "gateway has no key."
        )
    )
    @needs()
    def token(decision: strawberry.Parent[AccessDecision], info: Info) -> str | None:
        if info.context.actor.role is not Role.SERVICE:
            return None
        return info.context.services.statements.signed(decision)


async def decision_about(info: Info, question: AccessQuestion) -> AccessDecisionView:
    return view(AccessDecisionView, await info.context.loaders.decisions.load(question))


@strawberry.type
class AccessQueries:
    @strawberry.field(
        description="Other services and admins: whether a user may use each of these now, in the same order."
    )
    @needs()
    async def access(
        self,
        info: Info,
        user_id: Annotated[strawberry.ID, strawberry.argument(description="The user, by UUID.")],
        targets: Annotated[list[AccessTargetInput], strawberry.argument(description="At most 100.")],
    ) -> list[AccessDecisionView]:
        info.context.services.access.must_answer(info.context.actor, count=len(targets))
        user = user_id_of(user_id, "user_id")
        asked = [AccessQuestion(user_id=user, target=each.target("targets")) for each in targets]
        return views(AccessDecisionView, await info.context.loaders.decisions.load_many(asked))
