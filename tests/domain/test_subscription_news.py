from domain.actor import Actor
from domain.payment_status import PaymentStatus, PaymentTrigger
from domain.subscription_status import SubscriptionStatus
from tests.dashboard import Dashboard
from tests.domain.shopping import Post


class TestSubscriptionMadeElsewhere:
    async def test_appears_with_plan_invoice_and_payment(
        self, dashboard: Dashboard, post: Post, actor: Actor
    ) -> None:
        price = await dashboard.sells()
        customer = await dashboard.customer_of(actor)

        made = await dashboard.subscribes(customer, price)
        await post.deliver_all()

        subscription = await dashboard.subscription(made.id)
        assert subscription.status is SubscriptionStatus.ACTIVE
        assert subscription.user_id == actor.known_id
        assert subscription.paid_through == subscription.current_period_end
        [payment] = await dashboard.payments(subscription)
        assert payment.status is PaymentStatus.COMPLETED
        assert payment.trigger is PaymentTrigger.SUBSCRIPTION_START
        assert (payment.amount, payment.currency) == (1500, "USD")
        [invoice] = await dashboard.invoices(subscription)
        assert (payment.invoice_id, subscription.latest_invoice_id) == (invoice.id, invoice.id)
        [plan] = await dashboard.plans()
        assert (plan.id, plan.features) == (subscription.plan_id, ["films", "downloads"])
