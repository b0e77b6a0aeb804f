"""Manifests of trusted documents, before and while a gateway starts."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from gateway.app import create_app
from gateway.settings import Settings
from gql.trusted_documents import UnfitManifest
from tests.gateway.test_cli import SECRET, Run, logging_restored, run

__all__ = ["logging_restored", "run"]

VIEWER = "query Viewer { viewer { id } }"
BOTH = "query Codes { currencies { code } } query Viewer { viewer { id } }"
NAMELESS = "{ viewer { id user { id } } }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return written(tmp_path, VIEWER, BOTH, NAMELESS)


@pytest.fixture
def unfit(tmp_path: Path) -> Path:
    return written(tmp_path, VIEWER, "query Unknown { nothing }")


def written(folder: Path, *texts: str) -> Path:
    path = folder / "trusted.json"
    path.write_text(json.dumps({hashed(text): text for text in texts}))
    return path


class TestCheck:
    async def test_prints_what_each_operation_costs(self, run: Run, manifest: Path) -> None:
        result = await run("documents", "check", str(manifest))

        assert result.exit_code == 0
        assert result.stdout.splitlines() == [
            f"sha256:{hashed(VIEWER)}       2  Viewer",
            f"sha256:{hashed(BOTH)}      11  Codes",
            f"sha256:{hashed(BOTH)}       2  Viewer",
            f"sha256:{hashed(NAMELESS)}       4  (no name)",
            "3 documents; an operation may cost 10000.",
        ]

    async def test_prints_json_for_programs(self, run: Run, manifest: Path) -> None:
        result = await run("documents", "check", "--json", str(manifest))

        lines = [json.loads(line) for line in result.stdout.splitlines()]
        assert lines[0] == {"sha256": hashed(VIEWER), "operation": "Viewer", "cost": 2}
        assert lines[-1] == {"sha256": hashed(NAMELESS), "operation": None, "cost": 4}

    async def test_ends_with_1_and_names_what_is_unfit(self, run: Run, unfit: Path) -> None:
        result = await run("documents", "check", str(unfit))

        assert (result.exit_code, result.stdout) == (1, "")
        assert "Unknown (" in result.stderr
        assert "Cannot query field 'nothing' on type 'Query'." in " ".join(result.stderr.split())

    async def test_holds_documents_against_the_limits_of_the_settings(self, run: Run, manifest: Path) -> None:
        result = await run("documents", "check", str(manifest), GRAPHQL_MAX_DEPTH="5")
        deep = written(
            manifest.parent, "{ viewer { payments { nodes { billingAccount { user { id } } } } } }"
        )
        refused = await run("documents", "check", str(deep), GRAPHQL_MAX_DEPTH="5")

        assert (result.exit_code, refused.exit_code) == (0, 1)
        assert "nested more than 5 levels deep" in refused.stderr


class TestStart:
    async def test_is_refused_with_the_name_of_an_unfit_document(
        self, run: Run, unfit: Path, settings: Settings
    ) -> None:
        environment = {
            "ENVIRONMENT": "development",
            "DATABASE_URL": settings.database_url,
            "STRIPE_SECRET_KEY": "sk_test_0123456789",
            "JWT_SECRET": SECRET,
            "TRUSTED_DOCUMENTS": str(unfit),
        }

        result = await run("serve", **environment)

        assert result.exit_code == 1
        assert "Unknown (" in result.stderr
        assert "Traceback" not in result.stderr

    def test_is_refused_however_the_gateway_is_made(self, settings: Settings, unfit: Path) -> None:
        with pytest.raises(UnfitManifest, match="Unknown"):
            create_app(settings.model_copy(update={"trusted_documents": unfit}))
