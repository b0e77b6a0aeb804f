"""Invoices, and lists of them."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import strawberry

from domain.invoice import BillingReason, ChargeLine, Invoice, InvoiceStatus
from domain.paging import page_of
from domain.subscription import Subscription
from domain.subscription_list import INVOICES
from gql.connection import Connection, Edge, PageInfo, asked_slice, edges, nodes, page_info
from gql.context import Info
from gql.lazy import LazySubscription
from gql.money import MoneyView, money
from gql.needs import needs
from gql.node import Node, one
from gql.payment import PaymentView
from gql.relation import to_many, to_one
from gql.scalars import Url

strawberry.enum(InvoiceStatus, description="Whether an invoice is final, and whether it was paid.")
strawberry.enum(BillingReason, description="What an invoice was made for.")


@strawberry.type(name="ChargeLine", description="One line of an invoice.")
class ChargeLineView:
    label: str = strawberry.field(description="What it is for.")
    amount: MoneyView = strawberry.field(description="What it comes to; negative for a credit.")
    proration: bool = strawberry.field(description="Whether it settles a part of a period.")
    starts_at: datetime | None = strawberry.field(description="When what it is for begins.")
    ends_at: datetime | None = strawberry.field(description="When what it is for ends.")


def charge_line(line: ChargeLine, currency: str) -> ChargeLineView:
    return ChargeLineView(
        label=line.label,
        amount=money(line.amount, currency),
        proration=line.is_proration,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
    )


@strawberry.type(name="Invoice", description="What a period of a subscription, or a change of it, costs.")
class InvoiceView(Node):
    _domain: ClassVar[type] = Invoice

    number: str | None = strawberry.field(description="For people; none before it is final.")
    status: InvoiceStatus = strawberry.field(description="Whether it is final, and whether it was paid.")
    reason: BillingReason = strawberry.field(description="What it was made for.")
    period_start: datetime = strawberry.field(description="When the period that it is for begins.")
    period_end: datetime = strawberry.field(description="When that period ends.")
    paid_at: datetime | None = strawberry.field(description="When it was paid.")
    hosted_url: Url | None = strawberry.field(description="Stripe's page, on which it can be paid too.")
    pdf_url: Url | None = strawberry.field(description="The invoice as a PDF file.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @strawberry.field(description="The id as a UUID, as the REST API shows it.")
    @needs()
    def uuid(invoice: strawberry.Parent[Invoice]) -> UUID:
        return invoice.id

    @strawberry.field(description="What its lines come to, before taxes.")
    @needs("subtotal", "currency")
    def subtotal(invoice: strawberry.Parent[Invoice]) -> MoneyView:
        return money(invoice.subtotal, invoice.currency)

    @strawberry.field(description="The taxes.")
    @needs("tax", "currency")
    def tax(invoice: strawberry.Parent[Invoice]) -> MoneyView:
        return money(invoice.tax, invoice.currency)

    @strawberry.field(description="What it comes to; negative where it gives credit.")
    @needs("total", "currency")
    def total(invoice: strawberry.Parent[Invoice]) -> MoneyView:
        return money(invoice.total, invoice.currency)

    @strawberry.field(description="What is to be paid, after the customer's credit.")
    @needs("amount_due", "currency")
    def amount_due(invoice: strawberry.Parent[Invoice]) -> MoneyView:
        return money(invoice.amount_due, invoice.currency)

    @strawberry.field(description="What was paid.")
    @needs("amount_paid", "currency")
    def amount_paid(invoice: strawberry.Parent[Invoice]) -> MoneyView:
        return money(invoice.amount_paid, invoice.currency)

    @strawberry.field(description="What it is made up of.")
    @needs(whole=(Invoice,))
    def lines(invoice: strawberry.Parent[Invoice]) -> list[ChargeLineView]:
        return [charge_line(line, invoice.currency) for line in invoice.charge_lines]

    subscription: LazySubscription | None = to_one(
        Subscription, "subscription_id", description="The subscription that it is for, if it is for one."
    )
    payments: list[PaymentView] = to_many(
        lambda loaders: loaders.payments_of_invoices,
        description="What has paid it, or has tried to, the oldest first.",
    )


@strawberry.type(description="An invoice in a list.")
class InvoiceEdge(Edge):
    node: InvoiceView = strawberry.field(description="The invoice.")


@strawberry.type(description="A page of invoices, the newest first.")
class InvoiceConnection(Connection[Invoice]):
    edges: list[InvoiceEdge] = edges("The invoices with their cursors.")
    nodes: list[InvoiceView] = nodes("The invoices alone.")
    page_info: PageInfo = page_info()


async def page_of_invoices(
    info: Info, user_id: UUID, first: int | None, after: str | None
) -> InvoiceConnection:
    """Of one user; the pages of other users, which the same field of other accounts asks for, come with it."""
    part = asked_slice(INVOICES, first, after)
    rows = await info.context.loaders.invoices_of(part.one_more()).load(user_id)
    return InvoiceConnection(page=page_of(rows or (), part), order=INVOICES)


@strawberry.type
class InvoiceQueries:
    @strawberry.field(description="An invoice that the caller may see.")
    @needs()
    async def invoice(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The invoice.")]
    ) -> InvoiceView | None:
        return await one(info, InvoiceView, id, "invoice")
