"""docs/security.md leads to what is there."""

import re
from pathlib import Path

import pytest

from domain.billing_event import SUMMARIES
from tests.budgets import SCHEMA

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "security.md"
PATH = re.compile(r"`([a-z_]+(?:/[a-zA-Z0-9_.-]+)+\.[a-z]+)`")
LINK = re.compile(r"\]\(([^)#:]+\.md)?(?:#([a-z0-9-]+))?\)")
ROW = re.compile(r"^\|(?! what| data| requirement| risk| act|---)(.+)\|$", re.MULTILINE)
STAFF = re.compile(r"^(Support and admins|Admins):")


@pytest.fixture(scope="module")
def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """Of a document's headings, as they are linked to."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


class TestSecurityGuide:
    def test_names_files_that_are_there(self, guide: str) -> None:
        named = PATH.findall(guide)

        assert len(named) > 60
        assert [path for path in named if not (ROOT / path).is_file()] == []

    def test_names_code_and_a_test_for_each_requirement(self, guide: str) -> None:
        mapped = guide.partition("## PCI DSS")[2].partition("## What staff do")[0]
        rows = [PATH.findall(row) for row in ROW.findall(mapped)]

        assert len(rows) > 25
        assert all(any(path.startswith("tests/") for path in row) for row in rows)
        assert all(any(not path.startswith("tests/") for path in row) for row in rows)

    def test_leads_to_headings_that_are_there(self, guide: str) -> None:
        for file, anchor in LINK.findall(guide):
            text = (GUIDE.parent / file).read_text(encoding="utf-8") if file else guide

            assert not anchor or anchor in anchors(text), (file, anchor)

    def test_lists_every_act_of_staff_with_records_that_are_made(self, guide: str) -> None:
        listed = guide.partition("## What staff do")[2].partition("\n## ")[0]
        assert SCHEMA.mutation_type is not None
        acts = [
            name for name, each in SCHEMA.mutation_type.fields.items() if STAFF.match(each.description or "")
        ]
        recorded = {name for row in ROW.findall(listed) for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", row)}

        assert len(acts) > 7
        assert [name for name in acts if f"`{name}`" not in listed] == []
        assert recorded <= set(SUMMARIES)
