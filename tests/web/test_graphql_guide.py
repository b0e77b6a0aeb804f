"""docs/graphql.md says what is so."""

import re
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from gateway.settings.graphql import GraphQLSettings
from gateway.settings.group import SettingsGroup
from gql.documents import Documents
from gql.executor import SCHEMA
from gql.limits import Limits
from gql.refusals import Refusal
from gql.trusted_documents import hash_of, trusted_documents

GUIDE = Path(__file__).parents[2] / "docs" / "graphql.md"


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


class TestGuide:
    def test_lists_every_code_of_a_refusal(self, guide: str) -> None:
        listed = set(re.findall(r"^\| `([A-Z_]+)` \|", guide, re.MULTILINE))

        assert {refusal.value for refusal in Refusal} <= listed

    def test_names_every_setting_about_graphql(self, guide: str) -> None:
        about = [
            name.upper() for name in GraphQLSettings.model_fields if name not in SettingsGroup.model_fields
        ]

        assert [name for name in about if name not in guide] == []

    def test_has_a_manifest_and_a_request_that_work(self, guide: str, tmp_path: Path) -> None:
        [manifest] = re.findall(r'^\{"[0-9a-f]{64}": .+\}$', guide, re.MULTILINE)
        path = tmp_path / "trusted.json"
        path.write_text(manifest)

        [trusted] = trusted_documents(path, Documents(SCHEMA, Limits()))

        assert f'"documentId": "sha256:{trusted.sha256}"' in guide

    def test_tells_the_cost_of_its_example(self, guide: str) -> None:
        answer = orjson.loads(re.findall(r'^(\{"data".+"cost".+\})$', guide, re.MULTILINE)[0])

        document = Documents(SCHEMA, Limits()).get("{ currencies { code } }")

        assert answer["extensions"]["cost"] == {"asked": document.cost(None), "limit": Limits().cost}


def test_hash_is_that_of_the_specification() -> None:
    """Its own example."""
    document = "query($id:ID!){user(id:$id){name}}"

    assert hash_of(document) == "71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b"
    assert hash_of("ß") == sha256(b"\xc3\x9f").hexdigest()
