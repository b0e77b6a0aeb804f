"""Who may tell us news, and what counts as news."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from domain.errors import InvalidInput
from domain.events import InboxEvent, InboxStatus
from processor.stripe_events import TOLERANCE, StripeNews
from sandbox.webhooks.sender import signature
from tests.domain.values import every_stripe_event, stripe_event

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET, NEXT_SECRET = "whsec_first", "whsec_second"
BODY = orjson.dumps(stripe_event("payment_intent.succeeded"))
GOOD = signature(BODY, SECRET, STAMP)
HMAC = GOOD.partition("v1=")[2]
OLD = STAMP - TOLERANCE - 1
OLD_HMAC = signature(BODY, SECRET, OLD).partition("v1=")[2]

REFUSED_HEADERS = {
    "none": "",
    "no signature": f"t={STAMP}",
    "no time stamp": f"v1={HMAC}",
    "no HMAC": f"t={STAMP},v1=",
    "another HMAC": f"t={STAMP},v1={'0' * 64}",
    "another secret": signature(BODY, "whsec_other", STAMP),
    "another scheme": f"t={STAMP},v0={HMAC}",
    "too old": f"t={OLD},v1={OLD_HMAC}",
    "in the future": signature(BODY, SECRET, STAMP + TOLERANCE + 1),
    "made younger": f"t={STAMP},v1={OLD_HMAC}",
    "too old, with a fresh stamp behind": f"t={OLD},v1={OLD_HMAC},t={STAMP}",
    "too old, with a fresh stamp before": f"t={STAMP},t={OLD},v1={OLD_HMAC}",
    "too old, hidden behind a space": f"t= {OLD},t={STAMP},v1={OLD_HMAC}",
    "too old, hidden behind a sign": f"t=+{OLD},t={STAMP},v1={OLD_HMAC}",
    "a stamp with underscores": f"t={str(STAMP)[:4]}_{str(STAMP)[4:]},v1={HMAC}",
    "a stamp in other digits": f"t={str(STAMP).translate(str.maketrans('0123456789', '٠١٢٣٤٥٦٧٨٩'))},v1={HMAC}",
    "a negative stamp": f"t=-{STAMP},v1={HMAC}",
    "an endless stamp": f"t={'9' * 5_000},v1={HMAC}",
    "no number": f"t=now,v1={HMAC}",
    "no ASCII": f"t={STAMP},v1=é{HMAC[1:]}",
    "no header at all": "\x00=,,==\n",
}
SAMPLES = dict(every_stripe_event())


def changed(**changes: Any) -> bytes:
    return orjson.dumps({**stripe_event("payment_intent.succeeded"), **changes})


def without(name: str) -> bytes:
    event = stripe_event("payment_intent.succeeded")
    del event[name]
    return orjson.dumps(event)


NO_EVENTS = {
    "empty": b"",
    "no JSON": b"coffee",
    "no UTF-8": b'{"id": "\xff"}',
    "cut off": BODY[:-1],
    "null": b"null",
    "a number": b"17",
    "a list": b"[]",
    "a string": b'"event"',
    "deep": b"[" * 200_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "deep inside": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an empty object": b"{}",
    "no id": without("id"),
    "no type": without("type"),
    "no mode": without("livemode"),
    "no time": without("created"),
    "no data": without("data"),
    "an id that is no text": changed(id=17),
    "an id with a NUL": changed(id="evt_\0"),
    "an endless id": changed(id="evt_" + "x" * 300),
    "an empty type": changed(type=""),
    "a time that is no number": changed(created="yesterday"),
    "a time beyond all calendars": changed(created=10**18),
    "data without an object": changed(data={}),
    "an object that is none": changed(data={"object": "pi_1"}),
    "an object that says not what it is": changed(data={"object": {"id": "pi_1"}}),
    "a list of data": changed(data=[1]),
}


@pytest.fixture
def news() -> StripeNews:
    return StripeNews([SECRET, NEXT_SECRET])


class TestSignature:
    @pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
    def test_of_a_valid_secret_is_accepted(self, news: StripeNews, secret: str) -> None:
        event = news.receive(BODY, signature(BODY, secret, STAMP), at=NOW)

        assert isinstance(event, InboxEvent)

    @pytest.mark.parametrize("seconds", [-TOLERANCE, 0, TOLERANCE])
    def test_within_the_tolerance_is_accepted(self, news: StripeNews, seconds: int) -> None:
        news.receive(BODY, signature(BODY, SECRET, STAMP + seconds), at=NOW)

    def test_among_others_is_found(self, news: StripeNews) -> None:
        news.receive(BODY, f"t={STAMP},v0=abc,v1={'0' * 64},v1={HMAC}", at=NOW)

    @pytest.mark.parametrize("header", REFUSED_HEADERS.values(), ids=REFUSED_HEADERS.keys())
    def test_that_proves_nothing_is_refused(self, news: StripeNews, header: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            news.receive(BODY, header, at=NOW)

        assert SECRET not in str(refused.value)
        assert HMAC not in str(refused.value)

    def test_of_another_body_is_refused(self, news: StripeNews) -> None:
        for altered in (BODY + b" ", BODY.replace(b"2500", b"9500"), b"\xff" + BODY, b""):
            with pytest.raises(InvalidInput):
                news.receive(altered, GOOD, at=NOW)

    def test_without_any_secret_nothing_is_accepted(self) -> None:
        with pytest.raises(InvalidInput):
            StripeNews([]).receive(BODY, GOOD, at=NOW)


class TestBody:
    @pytest.mark.parametrize("body", NO_EVENTS.values(), ids=NO_EVENTS.keys())
    def test_that_is_no_event_is_refused_though_it_is_signed(self, news: StripeNews, body: bytes) -> None:
        with pytest.raises(InvalidInput):
            news.receive(body, signature(body, SECRET, STAMP), at=NOW)

    @pytest.mark.parametrize("body", SAMPLES.values(), ids=SAMPLES.keys())
    def test_of_every_sample_is_received_and_read(self, news: StripeNews, body: bytes) -> None:
        event = news.receive(body, signature(body, SECRET, STAMP), at=NOW)

        news.read(event)
        sample = orjson.loads(body)
        assert (event.processor_event_id, event.type) == (sample["id"], sample["type"])
        assert event.occurred_at == datetime.fromtimestamp(sample["created"], UTC)
        assert (event.received_at, event.status, event.livemode) == (NOW, InboxStatus.RECEIVED, False)
        assert "client_secret" not in event.payload
        assert "\0" not in event.payload

    def test_keeps_all_but_the_secrets(self, news: StripeNews) -> None:
        body = changed(
            data={
                "object": {
                    "object": "payment_intent",
                    "client_secret": "pi_1_secret_x",
                    "nested": [{"client_secret": "x", "kept": 1}],
                }
            },
            api_version=None,
        )

        event = news.receive(body, signature(body, SECRET, STAMP), at=NOW)

        kept = orjson.loads(event.payload)["data"]["object"]
        assert kept == {"object": "payment_intent", "nested": [{"kept": 1}]}
        assert event.api_version == "unknown"
