import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain.currency import DEFAULT_CURRENCIES
from gateway.development_key import new_key
from gateway.settings import (
    DEVELOPMENT_JWT_SECRET,
    DEVELOPMENT_METADATA_KEYS,
    DEVELOPMENT_STRIPE_KEY,
    DEVELOPMENT_WEBHOOK_SECRET,
    Environment,
    Settings,
    UnfitSettings,
    settings_table,
)
from web.rates.rules import NO_RATES

README = Path(__file__).parents[2] / "README.md"
PRODUCTION = {
    "DATABASE_URL": "postgresql://gateway@db.example/payments",
    "STRIPE_SECRET_KEY": "sk_live_0123456789",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789",
    "JWT_SECRET": "a-secret-of-the-user-service-0123456789",
    "METADATA_KEYS": "2026-11:LmnQ3ZcV7xYt0bB5r9sKq1wE8uHfGj2oPaTiNdMvCx4=",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting from outside, and no .env."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings from a production environment with these changes."""

    def settings(**changes: str) -> Settings:
        for name, value in {**PRODUCTION, **changes}.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return settings


class TestCheck:
    def test_production_is_what_is_assumed(self, environment: Any) -> None:
        settings = environment()

        settings.check()
        assert settings.is_production

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            ("JWT_SECRET", DEVELOPMENT_JWT_SECRET, "JWT_SECRET is the development default"),
            ("STRIPE_SECRET_KEY", DEVELOPMENT_STRIPE_KEY, "STRIPE_SECRET_KEY is the development default"),
            (
                "STRIPE_WEBHOOK_SECRET",
                DEVELOPMENT_WEBHOOK_SECRET,
                "STRIPE_WEBHOOK_SECRET is the development default",
            ),
            ("STRIPE_WEBHOOK_SECRET", f"whsec_1, {DEVELOPMENT_WEBHOOK_SECRET}", "STRIPE_WEBHOOK_SECRET"),
            ("STRIPE_API_BASE", "http://127.0.0.1:12111", "STRIPE_API_BASE is not https"),
            ("STRIPE_API_BASE", "ftp://api.stripe.com", "STRIPE_API_BASE is not https"),
            ("DEBUG_EXTENSION", "true", "DEBUG_EXTENSION is for development only"),
            ("TRUSTED_DOCUMENTS_ONLY", "true", "TRUSTED_DOCUMENTS_ONLY needs TRUSTED_DOCUMENTS"),
            ("OPERATION_LEASE_SECONDS", "25", "OPERATION_LEASE_SECONDS is not more than the 25"),
            ("JWT_SECRET", "short", "JWT_SECRET is unfit (A secret for HS256 has at least 32 bytes.)"),
            ("JWT_SECRET", "-----BEGIN PUBLIC KEY-----" * 2, "JWT_SECRET is unfit"),
            ("ACCESS_STATEMENT_KEYS", "nonsense", "ACCESS_STATEMENT_KEYS is unfit (It takes one or two"),
            (
                "RATE_LIMIT_STORE",
                "memcached://host:11211",
                "RATE_LIMIT_STORE is not an address such as redis://",
            ),
            ("RATE_LIMIT_STORE", "redis://host:port", "RATE_LIMIT_STORE is not an address"),
            ("RATE_LIMIT_STORE", "redis://", "RATE_LIMIT_STORE is not an address"),
            ("METADATA_KEYS", "", "METADATA_KEYS is not set"),
            ("METADATA_KEYS", DEVELOPMENT_METADATA_KEYS, "METADATA_KEYS has the development default"),
            (
                "METADATA_KEYS",
                f"{PRODUCTION['METADATA_KEYS']}, mine:{DEVELOPMENT_METADATA_KEYS.partition(':')[2]}",
                "METADATA_KEYS has the development default",
            ),
            ("METADATA_KEYS", "c2VjcmV0", "METADATA_KEYS is unfit (key 1 is not id:base64)"),
            ("METADATA_KEYS", "a:c2VjcmV0", "METADATA_KEYS is unfit (key 1 has 6 bytes instead of 32)"),
            ("METADATA_KEYS", "a:c2VjcmV0!", "METADATA_KEYS is unfit (key 1 is not base64)"),
            ("DATABASE_URL", "", "DATABASE_URL is not set"),
            ("STRIPE_SECRET_KEY", "", "STRIPE_SECRET_KEY is not set"),
            ("JWT_SECRET", "", "neither JWT_SECRET nor JWT_JWKS_URL is set"),
            ("JWT_SECRET", " , ", "neither JWT_SECRET nor JWT_JWKS_URL is set"),
            (
                "JWT_SECRET",
                f"{'n' * 32},short",
                "JWT_SECRET is unfit (A secret for HS256 has at least 32 bytes.)",
            ),
            ("JWT_SECRET", f"{'n' * 32}, {DEVELOPMENT_JWT_SECRET}", "JWT_SECRET is the development default"),
            ("JWT_SECRET", '{"kty": "RSA", "n": "' + "n" * 300 + '"}', "JWT_SECRET is unfit (A JSON Web Key"),
            ("JWT_JWKS_URL", "http://users.example/keys.json", "JWT_JWKS_URL is not https"),
            (
                "JWT_JWKS_URL",
                "https://users.example/keys.json",
                "JWT_ISSUER is not set, which JWT_JWKS_URL needs",
            ),
            (
                "JWT_JWKS_URL",
                "https://users.example/keys.json",
                "JWT_AUDIENCE is not set, which JWT_JWKS_URL needs",
            ),
            ("JWT_JWKS_URL", "users.example/keys.json", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "file:///etc/passwd", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://users.example:port/", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://[::1/", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://me:secret@users.example/", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://users.example/#keys", "JWT_JWKS_URL is no http or https address"),
            ("JWT_JWKS_URL", "https://users.example/\nx", "JWT_JWKS_URL is no http or https address"),
        ],
    )
    def test_production_names_what_is_unfit_and_does_not_repeat_it(
        self, environment: Any, name: str, value: str, reason: str
    ) -> None:
        settings = environment(**{name: value})

        with pytest.raises(UnfitSettings, match=re.escape(reason)) as refused:
            settings.check()

        assert not ({"SECRET", "KEYS"} & {*name.split("_")} and value and value in str(refused.value))

    @pytest.mark.parametrize("address", ["redis://:secret@host:6379/0", "rediss://host"])
    def test_rates_may_be_counted_in_any_redis(self, environment: Any, address: str) -> None:
        settings = environment(RATE_LIMIT_STORE=address)

        settings.check()
        assert address not in repr(settings)

    @pytest.mark.parametrize(
        ("changes", "is_limited"),
        [
            ({}, True),
            ({"ENVIRONMENT": "development"}, False),
            ({"ENVIRONMENT": "development", "RATE_LIMITS": "true"}, True),
            ({"RATE_LIMITS": "false"}, False),
        ],
    )
    def test_rates_are_limited_in_production_unless_something_else_is_said(
        self, environment: Any, changes: dict[str, str], is_limited: bool
    ) -> None:
        assert (environment(**changes).rates != NO_RATES) is is_limited

    def test_everything_unfit_is_named_at_once(self) -> None:
        with pytest.raises(UnfitSettings) as refused:
            Settings(stripe_api_base="http://localhost").check()

        assert str(refused.value) == (
            "DATABASE_URL is not set; METADATA_KEYS is not set; STRIPE_SECRET_KEY is not set; "
            "STRIPE_WEBHOOK_SECRET is not set; STRIPE_API_BASE is not https; "
            "neither JWT_SECRET nor JWT_JWKS_URL is set."
        )

    @pytest.mark.parametrize("secret", ["", PRODUCTION["JWT_SECRET"]])
    def test_published_keys_may_stand_beside_a_secret_or_in_its_place(
        self, environment: Any, secret: str
    ) -> None:
        settings = environment(
            JWT_SECRET=secret,
            JWT_JWKS_URL="https://users.example:8443/.well-known/jwks.json?tenant=1",
            JWT_ISSUER="https://users.example",
            JWT_AUDIENCE="payments",
        )

        settings.check()

    def test_a_key_for_statements_may_be_written_on_one_line(self, environment: Any) -> None:
        settings = environment(ACCESS_STATEMENT_KEYS=new_key().replace("\n", "\\n"))

        settings.check()

    def test_development_may_have_development_secrets(self, environment: Any) -> None:
        settings = environment(
            ENVIRONMENT="development",
            JWT_SECRET=DEVELOPMENT_JWT_SECRET,
            JWT_JWKS_URL="http://127.0.0.1:9000/jwks.json",
            STRIPE_SECRET_KEY=DEVELOPMENT_STRIPE_KEY,
            STRIPE_API_BASE="http://127.0.0.1:12111",
        )

        settings.check()
        assert settings.environment is Environment.DEVELOPMENT


class TestValues:
    def test_of_lists_are_separated_by_commas(self, environment: Any) -> None:
        settings = environment(
            ALLOWED_ORIGINS="https://a.example, https://b.example:8443,",
            ACCEPTED_CURRENCIES="EUR,JPY",
            STRIPE_WEBHOOK_SECRET="whsec_new , whsec_old",
            JWT_SECRET=f"{'n' * 32}, {'o' * 32}",
        )

        assert settings.allowed_origins == ("https://a.example", "https://b.example:8443")
        assert settings.accepted_currencies == ("EUR", "JPY")
        assert settings.webhook_secrets == ("whsec_new", "whsec_old")
        assert settings.jwt_secrets == ("n" * 32, "o" * 32)

    def test_that_are_empty_leave_the_default(self, environment: Any) -> None:
        settings = environment(PORT="", ACCEPTED_CURRENCIES="", STRIPE_API_BASE="")

        assert settings.port == 8000
        assert set(settings.accepted_currencies) == set(DEFAULT_CURRENCIES)
        assert settings.stripe_api_base == "https://api.stripe.com"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "http"),
            ("PORT", "65536"),
            ("ENVIRONMENT", "staging"),
            ("ACCEPTED_CURRENCIES", "EUR,XXX"),
            ("ALLOWED_ORIGINS", "*"),
            ("ALLOWED_ORIGINS", "https://app.example/path"),
            ("LOG_LEVEL", "CHATTY"),
            ("RESUME_SECONDS", "0"),
            ("ACCESS_STATEMENT_MINUTES", "61"),
            ("JWT_JWKS_SECONDS", "9"),
            ("RENEWAL_LEEWAY_HOURS", "-1"),
            ("OPERATION_LEASE_SECONDS", "-1"),
            ("GRAPHQL_MAX_MUTATIONS", "6"),
            ("GRAPHQL_TIMEOUT_SECONDS", "0"),
            ("LOG_SLOW_MILLISECONDS", "-1"),
            ("METRIC_OPERATIONS", "Wallet,4242"),
            ("METRIC_OPERATIONS", "a" * 65),
            ("METRIC_OPERATIONS", ",".join(f"Operation{number}" for number in range(201))),
        ],
    )
    def test_that_are_malformed_are_refused_by_name(self, environment: Any, name: str, value: str) -> None:
        with pytest.raises(ValidationError, match=f"(?i){name}"):
            environment(**{name: value})

    def test_that_are_secret_are_not_shown(self, environment: Any) -> None:
        shown = repr(environment())

        assert not any(PRODUCTION[name] in shown for name in PRODUCTION if "SECRET" in name)

    def test_come_from_a_file_where_the_environment_has_none(self, tmp_path: Path, environment: Any) -> None:
        (tmp_path / ".env").write_text("PORT=9001\nDATABASE_URL=postgresql://file/\nSOMETHING_ELSE=1\n")

        settings = environment()

        assert settings.port == 9001
        assert settings.database_url == PRODUCTION["DATABASE_URL"]


class TestTable:
    def test_has_a_line_for_each_setting_with_its_default(self) -> None:
        lines = settings_table().splitlines()[2:]

        assert [line.split("`")[1] for line in lines] == [name.upper() for name in Settings.model_fields]
        assert "| `PORT` | `8000` | The port to listen on. |" in lines
        assert all(line.count("|") == 4 and not line.endswith("None |") for line in lines)

    def test_shows_no_secret(self) -> None:
        assert "secret-0000" not in settings_table()

    def test_stands_in_the_readme(self) -> None:
        readme = README.read_text(encoding="utf-8")
        if "| variable |" not in readme:
            pytest.skip("The README has no table of settings yet.")

        assert settings_table() in readme
