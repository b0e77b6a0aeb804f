from domain.events import InboxStatus
from tests.dashboard import Dashboard
from tests.domain.shopping import Post


class TestPlans:
    async def test_of_news_are_what_stripe_says_now(self, dashboard: Dashboard, post: Post) -> None:
        price = await dashboard.sells(1500, lookup_key="films")
        created = post.events("price.created")
        await dashboard.client.v1.prices.update_async(price.id, {"active": False})

        await post.deliver(*created)

        [plan] = await dashboard.plans()
        assert (plan.code, plan.amount, plan.active) == ("films", 1500, False)

    async def test_of_a_product_all_change_with_it(self, dashboard: Dashboard, post: Post) -> None:
        price = await dashboard.sells()
        await dashboard.sells(9900, product=price.product, recurring={"interval": "year"}, product_data=None)
        await post.deliver_all()
        await dashboard.client.v1.products.update_async(
            str(price.product), {"name": "Cinema", "metadata": {"features": "concerts"}}
        )

        await post.deliver(*post.events("product.updated"))

        plans = await dashboard.plans()
        assert [(plan.name, plan.features) for plan in plans] == [("Cinema", ["concerts"])] * 2
        assert [plan.version for plan in plans] == [2, 2]

    async def test_told_again_do_not_change(self, dashboard: Dashboard, post: Post) -> None:
        await dashboard.sells()
        await post.deliver_all()
        before = await dashboard.plans()

        await post.deliver(*[{**event, "id": f"{event['id']}_again"} for event in post.events()])

        assert await dashboard.plans() == before

    async def test_without_a_period_are_none(self, dashboard: Dashboard, post: Post) -> None:
        await dashboard.sells(recurring=None)

        received = await post.receive(post.events("price.created")[0])
        await post.gateway.webhooks.handle(received.id)

        assert (await post.stored(received)).status is InboxStatus.IGNORED
        assert await dashboard.plans() == []


class TestSync:
    async def test_adds_what_is_new_and_changes_what_has_changed(self, dashboard: Dashboard) -> None:
        price = await dashboard.sells(1500)
        plans = dashboard.gateway.services.plans
        assert await plans.sync() == 1
        await dashboard.client.v1.prices.update_async(price.id, {"lookup_key": "films"})
        await dashboard.sells(2500, lookup_key="cinema")

        assert await plans.sync() == 2

        assert [(plan.code, plan.version) for plan in await dashboard.plans()] == [
            ("films", 2),
            ("cinema", 1),
        ]

    async def test_twice_changes_nothing(self, dashboard: Dashboard) -> None:
        await dashboard.sells()
        await dashboard.gateway.services.plans.sync()
        before = await dashboard.plans()

        await dashboard.gateway.services.plans.sync()

        assert await dashboard.plans() == before

    async def test_takes_from_sale_what_stripe_does_not_know_any_more(self, dashboard: Dashboard) -> None:
        price = await dashboard.sells()
        await dashboard.gateway.services.plans.sync()
        stored = dashboard.sandbox.objects.find("price", price.id)
        dashboard.sandbox.objects.save({**(stored or {}), "deleted": True})

        assert await dashboard.gateway.services.plans.sync() == 0

        assert [plan.active for plan in await dashboard.plans()] == [False]
