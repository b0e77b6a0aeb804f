import base64

import httpx2
import pytest
from stripe import Customer, InvalidRequestError, PaymentMethod, StripeClient

from tests.sandbox.conftest import SECRET_KEY
from tests.sandbox.payments import charge_of, payment

PAYMENT = {"amount": "2000", "currency": "usd"}


class TestAuthentication:
    @pytest.mark.parametrize("authorization", ["", "Bearer sk_test_wrong", "Basic !!", "Digest x"])
    async def test_a_wrong_key_is_401(self, http: httpx2.AsyncClient, authorization: str) -> None:
        answer = await http.get("/v1/customers", headers={"Authorization": authorization})

        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
        assert SECRET_KEY not in answer.text

    async def test_a_key_may_be_the_basic_user_name(self, http: httpx2.AsyncClient) -> None:
        credentials = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()

        answer = await http.get("/v1/customers", headers={"Authorization": f"Basic {credentials}"})

        assert answer.status_code == 200


class TestParameters:
    @pytest.mark.parametrize(
        ("form", "code", "param"),
        [
            ({**PAYMENT, "tip": "1"}, "parameter_unknown", "tip"),
            (
                {
                    **PAYMENT,
                    "automatic_payment_methods[enabled]": "true",
                    "automatic_payment_methods[x]": "1",
                },
                "parameter_unknown",
                "automatic_payment_methods[x]",
            ),
            ({"currency": "usd"}, "parameter_missing", "amount"),
            ({**PAYMENT, "shipping[name]": "Ada"}, "parameter_missing", "shipping[address]"),
            ({**PAYMENT, "amount": "20.00"}, "parameter_invalid_integer", "amount"),
            ({**PAYMENT, "amount": "-1"}, "parameter_invalid_integer", "amount"),
            ({**PAYMENT, "amount": ""}, "parameter_invalid_empty", "amount"),
            ({**PAYMENT, "confirm": "yes"}, None, "confirm"),
            ({**PAYMENT, "capture_method": "later"}, None, "capture_method"),
            ({**PAYMENT, "receipt_email": "ada"}, "email_invalid", "receipt_email"),
            ({**PAYMENT, "metadata[k]": "v" * 501}, None, "metadata[k]"),
            ({**PAYMENT, "metadata": "v"}, None, "metadata"),
            ({**PAYMENT, "description[a]": "v"}, None, "description"),
            ({**PAYMENT, "expand": "customer"}, None, "expand"),
            (
                {**PAYMENT, "payment_method_types[]": "card"},
                "payment_method_types_no_longer_supported",
                "payment_method_types",
            ),
        ],
    )
    async def test_are_refused_as_stripe_refuses_them(
        self, http: httpx2.AsyncClient, form: dict[str, str], code: str | None, param: str
    ) -> None:
        answer = await http.post("/v1/payment_intents", data=form)

        error = answer.json()["error"]
        assert answer.status_code == 400
        assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
        assert answer.headers["request-id"].startswith("req_")

    @pytest.mark.parametrize(
        "body", [b"a[b=1", b"[x]=1", b"a=1&a[b]=2", b"amount=\xff", b"a" + b"[b]" * 40 + b"=1"]
    )
    async def test_malformed_forms_are_400(self, http: httpx2.AsyncClient, body: bytes) -> None:
        answer = await http.post("/v1/payment_intents", content=body)

        assert answer.status_code == 400

    async def test_queries_are_read_for_get(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/v1/customers", params={"limit": "0"})

        assert answer.json()["error"]["param"] == "limit"

    @pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/customers")])
    async def test_unknown_urls_are_404(self, http: httpx2.AsyncClient, method: str, path: str) -> None:
        answer = await http.request(method, path)

        assert answer.status_code == 404
        assert "Unrecognized request URL" in answer.json()["error"]["message"]

    async def test_unknown_objects_are_404(self, client: StripeClient) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.payment_intents.retrieve_async("pi_none")

        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")

    async def test_another_api_version_is_refused(self, http: httpx2.AsyncClient) -> None:
        answer = await http.get("/v1/customers", headers={"Stripe-Version": "2020-08-27"})

        assert answer.status_code == 400


class TestPagination:
    async def test_walks_in_both_directions(self, client: StripeClient) -> None:
        ids = [(await client.v1.customers.create_async()).id for _ in range(5)][::-1]

        first = await client.v1.customers.list_async({"limit": 2})
        second = await client.v1.customers.list_async({"limit": 2, "starting_after": first.data[-1].id})
        last = await client.v1.customers.list_async({"limit": 2, "starting_after": second.data[-1].id})
        back = await client.v1.customers.list_async({"limit": 2, "ending_before": last.data[0].id})

        assert [each.id for page in (first, second, last) for each in page.data] == ids
        assert [page.has_more for page in (first, second, last, back)] == [True, True, False, True]
        assert [each.id for each in back.data] == ids[2:4]

    async def test_the_client_pages_by_itself(self, client: StripeClient) -> None:
        made = {(await client.v1.customers.create_async()).id for _ in range(5)}

        page = await client.v1.customers.list_async({"limit": 2})

        assert {customer.id async for customer in page.auto_paging_iter()} == made

    async def test_an_unknown_cursor_is_refused(self, client: StripeClient) -> None:
        with pytest.raises(InvalidRequestError) as refused:
            await client.v1.customers.list_async({"starting_after": "cus_none"})

        assert (refused.value.code, refused.value.param) == ("resource_missing", "starting_after")


class TestExpand:
    async def test_follows_ids_through_objects(self, client: StripeClient, customer: Customer) -> None:
        intent = await client.v1.payment_intents.create_async(
            payment(customer=customer.id, expand=["latest_charge.customer", "payment_method"])
        )

        assert isinstance(intent.payment_method, PaymentMethod)
        assert intent.customer == customer.id
        expanded = charge_of(intent).customer
        assert isinstance(expanded, Customer)
        assert expanded.name == "Ada"

    async def test_reaches_into_lists(self, client: StripeClient) -> None:
        await client.v1.payment_intents.create_async(payment())

        listed = await client.v1.payment_intents.list_async({"expand": ["data.latest_charge"]})

        assert charge_of(listed.data[0]).paid

    @pytest.mark.parametrize(
        "path", ["amount", "customer.email", "latest_charge.nothing", "data.customer", ""]
    )
    async def test_refuses_what_holds_no_id(self, http: httpx2.AsyncClient, path: str) -> None:
        answer = await http.post("/v1/payment_intents", data={**PAYMENT, "expand[]": path})

        assert answer.status_code == 400
        assert (await http.get("/v1/payment_intents")).json()["data"] == []


class TestReceipt:
    async def test_is_shown_at_its_unguessable_address(
        self, client: StripeClient, http: httpx2.AsyncClient
    ) -> None:
        intent = await client.v1.payment_intents.create_async(
            payment(description="<b>Order</b> 17", expand=["latest_charge"])
        )
        address = str(charge_of(intent).receipt_url)

        shown = await http.get(address)
        guessed = await http.get(address[:-1])

        assert (shown.status_code, guessed.status_code) == (200, 404)
        assert "20.00 usd" in shown.text
        assert "&lt;b&gt;Order&lt;/b&gt; 17" in shown.text


class TestHome:
    async def test_shows_endpoints_and_test_cards(self, http: httpx2.AsyncClient) -> None:
        page = await http.get("/")

        assert page.status_code == 200
        assert "/v1/payment_intents/{id}/capture" in page.text
        assert "pm_card_visa_chargeDeclinedInsufficientFunds" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
