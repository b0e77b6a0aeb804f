"""Plans and graphql-core say the same: of random documents, and of every one that we show."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse, validate

from gql.executor import SCHEMA
from gql.explorer.page import stories
from tests.differential.trial import Trial, trial

SEED: Final = 7
DOCUMENTS: Final = 300
ROOT: Final = Path(__file__).parents[2]
FENCE: Final = "```graphql\n"


@pytest.fixture(scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    async with trial(tmp_path_factory.mktemp("differential")) as made:
        yield made


def documented() -> Iterator[str]:
    """The queries of GraphiQL and of the documentation."""
    yield from (story.query for story in stories())
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        for part in page.read_text().split(FENCE)[1:]:
            yield part.partition("```")[0]


def queries() -> Iterator[str]:
    for text in documented():
        try:
            document = parse(text)
        except GraphQLError:
            continue
        operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
        is_query = all(each.operation is OperationType.QUERY for each in operations)
        if operations and is_query and not validate(SCHEMA, document):
            yield text


class TestPlans:
    async def test_answer_random_documents_as_resolvers_do(self, asked: Trial) -> None:
        tally = await asked.run(SEED, DOCUMENTS)

        assert tally.documents == DOCUMENTS
        assert tally.documents - tally.with_errors - tally.without_plan > DOCUMENTS / 6, "most show nothing"
        assert tally.planned_share > 0.99

    async def test_answer_the_documented_queries_as_resolvers_do(self, asked: Trial) -> None:
        texts = sorted(set(queries()))

        found = [await asked.comparison.of(text, {}, actor) for text in texts for actor in asked.people]

        assert len(texts) > 3
        assert [each.differs for each in found if each.differs] == []

    @pytest.mark.parametrize("given", [{}, {"shown": True}, {"shown": False}, {"shown": None}])
    async def test_leave_out_what_resolvers_leave_out(
        self, asked: Trial, given: dict[str, bool | None]
    ) -> None:
        text = """query($shown: Boolean = true) {
            viewer { id @include(if: $shown) createdAt @skip(if: $shown) ... @include(if: $shown) { user { id } } } }"""

        found = await asked.comparison.of(text, given, asked.people[0])

        assert found.differs == ""
        assert found.has_errors is (given == {"shown": None})
