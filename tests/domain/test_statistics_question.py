from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.statistics.calendar import StatsInterval
from domain.statistics.metrics import METRICS, StatsDimension, StatsMetric
from domain.statistics.question import MOST_BUCKETS, StatsQuestion

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(9999, 12, 31, 23, 45, tzinfo=UTC)
D, M = StatsDimension, StatsMetric


def asked(**known: Any) -> StatsQuestion:
    usual: dict[str, Any] = {
        "metrics": [M.GROSS_VOLUME],
        "since": SINCE,
        "until": SINCE + timedelta(days=30),
        "interval": StatsInterval.DAY,
    }
    return StatsQuestion(**{**usual, **known})


class TestQuestion:
    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"metrics": []}, "metrics"),
            ({"metrics": [M.MRR, M.MRR]}, "metrics"),
            ({"until": SINCE}, "to"),
            ({"until": SINCE - timedelta(days=1)}, "to"),
            ({"until": SINCE + timedelta(days=3_654)}, "to"),
            ({"since": datetime(1999, 12, 31, tzinfo=UTC)}, "from"),
            ({"since": FAR_OFF, "until": FAR_OFF + timedelta(minutes=10), "interval": None}, "to"),
            ({"interval": StatsInterval.HOUR, "until": SINCE + timedelta(hours=1_001)}, "interval"),
            ({"until": SINCE + timedelta(days=1_001)}, "interval"),
            ({"timezone": "Nowhere"}, "timezone"),
            ({"group_by": [D.BRAND, D.COUNTRY]}, "group_by"),
            ({"group_by": [D.BRAND, D.BRAND]}, "group_by"),
            ({"group_by": [D.DECLINE_CATEGORY]}, "group_by"),
            ({"metrics": [M.GROSS_VOLUME, M.MRR], "group_by": [D.BRAND]}, "group_by"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, changes: dict[str, Any], path: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            asked(**changes)

        assert refused.value.path == (path,)
        assert refused.value.constraint

    def test_may_have_as_many_buckets_as_are_allowed(self) -> None:
        question = asked(interval=StatsInterval.HOUR, until=SINCE + timedelta(hours=MOST_BUCKETS))

        assert len(question.bounds) == MOST_BUCKETS + 1

    def test_may_be_about_ten_years(self) -> None:
        question = asked(interval=StatsInterval.MONTH, until=datetime(2036, 1, 1, tzinfo=UTC))

        assert len(question.bounds) == 121

    def test_moves_its_ends_outwards_to_full_quarters_of_an_hour(self) -> None:
        question = asked(
            since=SINCE + timedelta(minutes=14, seconds=59),
            until=SINCE + timedelta(minutes=45, microseconds=1),
            interval=None,
        )

        assert question.bounds == [SINCE, SINCE + timedelta(hours=1)]

    def test_reads_what_was_before_for_levels_only(self) -> None:
        levels = {each for each in M if asked(metrics=[each]).sums(livemode=False).has_levels}

        assert levels == {M.ACTIVE_SUBSCRIPTIONS, M.CHURN_RATE, M.MRR, M.ARPU}

    def test_may_be_about_every_metric(self) -> None:
        assert set(METRICS) == set(M)
        assert len(asked(metrics=list(M)).asked) == len(M)
