import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import card_number
from web.auth import development_token
from web.redaction import (
    CUT_OFF,
    LONGEST_SECRET,
    LONGEST_TEXT,
    MOST_ITEMS,
    REDACTED,
    redacted_event,
    redacted_text,
)

CARD = "4242 4242 4242 4242"
TOKEN = development_token("a shared secret of more than 32 bytes", user_id=UUID(int=1))
SCALARS = st.none() | st.floats() | st.integers() | st.text(max_size=20) | st.binary(max_size=20)


class TestText:
    @pytest.mark.parametrize(
        ("secret", "shown"),
        [
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", REDACTED),
            ("sk_live_51Hx", REDACTED),
            ("sk_test_51Hx", REDACTED),
            ("rk_live_51Hx", REDACTED),
            ("pi_3Abc_secret_xYz09", REDACTED),
            ("seti_1Abc_secret_xYz09", REDACTED),
            ("cs_test_a1Abc_secret_fid%2Bx", REDACTED),
            ("to=https%3A%2F%2Fx%3Fs%3Dpi_3Abc_secret_xYz09", f"to=https%3A%2F%2Fx%3Fs%3D{REDACTED}"),
            ("to=x%253Fs%253Dpi_3Abc_secret_xYz09%2526a", f"to=x%253Fs%253D{REDACTED}"),
            ("to=x%3Fs%3Dpi%5F3Abc%5Fsecret%5FxYz09", REDACTED),
            ("to=x%253Fs%253Dpi%255F3Abc%255Fsecret%255FxYz09", REDACTED),
            (f"to=x%3Ftoken%3D{TOKEN}", f"to=x%3Ftoken%3D{REDACTED}"),
            (TOKEN, REDACTED),
            (f"Bearer {TOKEN}", f"Bearer {REDACTED}"),
            ("authorization: bearer 0123456789abcdef", f"authorization: bearer {REDACTED}"),
            ("postgresql://ada:pass/word@db:5432/payments", f"postgresql://{REDACTED}@db:5432/payments"),
            ("redis://:password@cache", f"redis://{REDACTED}@cache"),
            (CARD, card_number.REDACTED),
        ],
    )
    def test_secret_is_masked_wherever_it_stands(self, secret: str, shown: str) -> None:
        assert redacted_text(f"before {secret} after") == f"before {shown} after"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "GET /payments/6f1f3f0e-8f4e-4f0a-9a59-0d6a4f7c1a11",
            "pi_3Abc",
            "evt_1NG8Du2eZvKYlo2CUI79vXWy",
            "https://api.stripe.com:443/v1/payment_intents",
            "the bearer of bad news",
            "a secret_ingredient",
            "2026-03-01T12:00:00Z",
            "https://bank.example/3ds?return=https%3A%2F%2Fshop.example%2Fpaid%3Fa%255Fb%3D100%25",
        ],
    )
    def test_anything_else_stays(self, text: str) -> None:
        assert redacted_text(text) == text

    @pytest.mark.parametrize("secret", [TOKEN, f"sk_live_{'5' * 60}", f"pi_3Abc_secret_{'x' * 60}", CARD])
    @pytest.mark.parametrize("kept", [1, 8, 15])
    def test_secret_is_masked_where_the_text_is_cut(self, secret: str, kept: int) -> None:
        shown = redacted_text(secret + "\n" * (LONGEST_TEXT - kept)).strip()

        assert REDACTED.endswith(shown) or card_number.REDACTED.endswith(shown)

    def test_secret_is_masked_where_the_masks_of_others_leave_room_for_what_is_before(self) -> None:
        others = f" whsec_{'a' * 993}" * 12
        kept = f"{others}\n".ljust(LONGEST_TEXT + LONGEST_SECRET - 100, ".")

        assert "5" not in redacted_text(f"sk_live_{'5' * 200}{kept}")

    @pytest.mark.parametrize(
        ("detail", "shown"),
        [
            (
                "Failing row contains (7, a gift (blue)\nfor Ada, null).",
                f"Failing row contains ({REDACTED}).",
            ),
            (
                "Key (user_id, key)=(7, order (17)) already exists.",
                f"Key (user_id, key)=({REDACTED}) already exists.",
            ),
            (
                'Key (id)=(7) is still referenced from table "refunds".',
                f'Key (id)=({REDACTED}) is still referenced from table "refunds".',
            ),
            ("The database is shutting down (now).", "The database is shutting down (now)."),
        ],
    )
    def test_values_of_a_row_are_masked_in_what_postgresql_says(self, detail: str, shown: str) -> None:
        assert (
            redacted_text(f"refused\nDETAIL:  {detail}\n[SQL: …]") == f"refused\nDETAIL:  {shown}\n[SQL: …]"
        )

    def test_long_text_keeps_its_end_where_a_traceback_says_what_happened(self) -> None:
        shown = redacted_text("x" * LONGEST_TEXT + "ValueError: no")

        assert len(shown) == LONGEST_TEXT
        assert shown.endswith("ValueError: no")


class TestEvent:
    @pytest.mark.parametrize(
        "key",
        [
            "authorization",
            "Authorization",
            "client_secret",
            "clientSecret",
            "stripe-signature",
            "secret",
            "token",
            "access_token",
            "password",
            "dsn",
            "database_url",
            "DATABASE-URL",
            "api_key",
            "cookie",
            "cvc",
        ],
    )
    @pytest.mark.parametrize("value", ["plain", ["plain"], {"a": "plain"}, b"plain", 123])
    def test_value_under_a_secret_key_is_masked_as_a_whole(self, key: str, value: object) -> None:
        assert redacted_event({key: value, "nested": [{key: value}]}) == {
            key: REDACTED,
            "nested": [{key: REDACTED}],
        }

    def test_absence_of_a_secret_may_be_seen(self) -> None:
        assert redacted_event({"token": None, "password": ""}) == {"token": None, "password": ""}

    @pytest.mark.parametrize(
        "value", [CARD, 4242424242424242, 4242424242424242.0, f"{CARD}".encode(), {CARD: 1}, [(CARD,)]]
    )
    def test_card_number_is_masked_in_every_shape(self, value: object) -> None:
        shown = str(redacted_event({"value": value}))

        assert "4242" not in shown
        assert card_number.REDACTED in shown

    def test_ordinary_values_stay_as_they_are(self) -> None:
        event = {"status": 200, "duration_ms": 1.25, "ok": True, "user_id": None, "codes": ["A", 1], "at": -5}

        assert redacted_event(event) == event

    def test_what_json_does_not_know_becomes_text(self) -> None:
        event: dict[Any, object] = {
            "id": UUID(int=7),
            "error": ValueError("no"),
            "rate": float("nan"),
            1: 2**64,
        }
        shown = redacted_event(event)

        assert shown == {"id": str(UUID(int=7)), "error": "no", "rate": "nan", "1": "0x10000000000000000"}

    def test_integer_of_more_digits_than_python_prints_is_no_trouble(self) -> None:
        assert redacted_event({"n": 1 << 20_000})["n"] == "0x1" + "0" * 5000


class TestBounds:
    def test_depth_ends(self) -> None:
        endless: dict[str, Any] = {}
        endless["again"] = endless

        assert CUT_OFF in str(redacted_event(endless))

    def test_collections_are_cut(self) -> None:
        shown = redacted_event({"items": list(range(MOST_ITEMS * 2))})

        assert shown["items"] == list(range(MOST_ITEMS))

    def test_wide_and_deep_ends_too(self) -> None:
        bomb: list[Any] = []
        for _ in range(5):
            bomb = [bomb] * 100

        assert CUT_OFF in str(redacted_event({"bomb": bomb}))

    @settings(max_examples=50)
    @given(st.dictionaries(st.text(max_size=20), st.recursive(SCALARS, st.lists, max_leaves=10), max_size=5))
    def test_any_event_can_be_shown(self, event: dict[str, Any]) -> None:
        shown = redacted_event(event)

        assert json.loads(json.dumps(shown, allow_nan=False)) == shown
