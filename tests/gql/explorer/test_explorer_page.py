import json
import re
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse

from gql.explorer import page
from gql.explorer.page import Story

CARDS = {
    "card:authentication-required": "mth_1",
    "card:declined": "mth_2",
    "card:everyday": "mth_3",
    "payment:film": "pay_1",
    "plan:plus-yearly": "pln_1",
    "plan:premium": "pln_2",
    "subscription:failing": "sbn_1",
    "subscription:streaming": "sbn_2",
}


@pytest.fixture(params=page.stories(), ids=lambda story: story.title)
def story(request: pytest.FixtureRequest) -> Story:
    assert isinstance(request.param, Story)
    return request.param


def operation(story: Story) -> OperationDefinitionNode:
    (definition,) = parse(story.query).definitions
    assert isinstance(definition, OperationDefinitionNode)
    return definition


class TestStories:
    def test_come_in_the_order_a_newcomer_runs_them(self) -> None:
        assert [story.title for story in page.stories()] == [
            "1 · Save a card",
            "2 · Pay",
            "3 · Pay with 3-D Secure",
            "4 · A declined card",
            "5 · Find my payments",
            "6 · What became of my key",
            "7 · Who am I",
            "8 · Buy a film, and may I watch it?",
            "9 · Refund",
            "10 · Disputes",
            "11 · Subscribe",
            "12 · Preview an upgrade",
            "13 · Upgrade",
            "14 · A renewal that fails",
            "15 · Pay with another card",
            "16 · A year in seconds",
            "17 · Statistics",
            "18 · Who did what",
            "19 · What Stripe has told",
        ]

    def test_operation_has_a_name_of_its_own_since_tabs_are_told_apart_by_it(self) -> None:
        names = [definition.name.value for story in page.stories() if (definition := operation(story)).name]

        assert len(set(names)) == len(page.stories())

    def test_variables_are_exactly_those_the_operation_declares(self, story: Story) -> None:
        declared = {each.variable.name.value for each in operation(story).variable_definitions or ()}

        assert set(json.loads(story.variables)) == declared

    def test_comment_explains_it_in_at_most_four_lines_that_fit_the_pane(self, story: Story) -> None:
        _title, blank, *explanation = story.query.split("\n\n")[0].splitlines()

        assert blank == "#"
        assert 2 <= len(explanation) <= 4
        assert max(map(len, explanation)) <= 55

    def test_every_idempotency_key_is_fresh(self, story: Story) -> None:
        keys = re.findall(r'"idempotencyKey": "([^"]*)"', story.variables)

        assert all(key.startswith("{{fresh-key}}-") for key in keys)

    def test_lost_answer_is_asked_for_with_the_key_of_the_first_payment(self) -> None:
        by_title = {story.title: json.loads(story.variables) for story in page.stories()}

        sent = by_title["2 · Pay"]["input"]["idempotencyKey"]
        assert by_title["6 · What became of my key"]["idempotencyKey"] == sent

    def test_story_without_a_title_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "1.graphql").write_text("{ viewer { id } }")
        (tmp_path / "1.json").write_text("{}")
        monkeypatch.setattr(page, "_STORIES", tmp_path)

        with pytest.raises(ValueError, match="begins with its title"):
            page.stories.__wrapped__()


class TestConfiguration:
    def test_tells_the_page_all_it_needs(self) -> None:
        told = page.configuration(
            "/graphql", {"demo user": "Bearer token"}, CARDS, notice="Signed in as Ada.", clock="/clock"
        )

        assert json.loads(json.dumps(told)) == {
            "endpoint": "/graphql",
            "people": [{"name": "demo user", "authorization": "Bearer token"}],
            "clock": "/clock",
            "notice": "Signed in as Ada.",
            "tabs": [
                {
                    "title": story.title,
                    "query": story.query,
                    "variables": story.tab(CARDS)["variables"],
                    "as": story.told_by,
                }
                for story in page.stories()
                if story.told_by == "demo user"
            ],
        }

    def test_leaves_only_what_the_browser_fills(self) -> None:
        told = page.configuration("/graphql", {}, CARDS)

        left = {found for tab in told["tabs"] for found in re.findall(r"{{.*?}}", tab["variables"])}
        assert left == {"{{fresh-key}}", "{{origin}}"}

    def test_fills_in_the_saved_cards(self) -> None:
        told = page.configuration("/graphql", {}, CARDS)

        cards = {tab["title"]: json.loads(tab["variables"]).get("input", {}) for tab in told["tabs"]}
        assert cards["3 · Pay with 3-D Secure"]["paymentMethodId"] == "mth_1"
        assert cards["4 · A declined card"]["paymentMethodId"] == "mth_2"

    def test_leaves_out_stories_whose_cards_are_missing(self) -> None:
        told = page.configuration("/graphql", {}, {"card:declined": "mth_2"})

        titles = [tab["title"] for tab in told["tabs"]]
        assert "4 · A declined card" in titles
        assert "3 · Pay with 3-D Secure" not in titles

    def test_keeps_the_variables_json_whatever_an_id_contains(self) -> None:
        odd = 'm"th\\'

        told = page.configuration("/graphql", {}, dict.fromkeys(CARDS, odd))

        assert json.loads(told["tabs"][3]["variables"])["input"]["paymentMethodId"] == odd


class TestPlaceholders:
    def test_name_what_a_demo_user_needs(self) -> None:
        assert page.placeholders() == CARDS.keys()
