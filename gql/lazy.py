"""Types whose modules import the modules that refer to them."""

from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:
    from gql.access import AccessDecisionView
    from gql.account import BillingAccountView
    from gql.charge_preview import ChargePreviewView
    from gql.invoice import InvoiceView
    from gql.operation import OperationView
    from gql.payment import PaymentView
    from gql.subscription import SubscriptionView

LazyAccount = Annotated["BillingAccountView", strawberry.lazy("gql.account")]
LazyDecision = Annotated["AccessDecisionView", strawberry.lazy("gql.access")]
LazyInvoice = Annotated["InvoiceView", strawberry.lazy("gql.invoice")]
LazyOperation = Annotated["OperationView", strawberry.lazy("gql.operation")]
LazyPayment = Annotated["PaymentView", strawberry.lazy("gql.payment")]
LazyPreview = Annotated["ChargePreviewView", strawberry.lazy("gql.charge_preview")]
LazySubscription = Annotated["SubscriptionView", strawberry.lazy("gql.subscription")]
