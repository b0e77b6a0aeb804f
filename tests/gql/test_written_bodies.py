from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gql.json import written_body
from gql.scalars import written_instant


class TestInstants:
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_read_as_the_scalar_writes_them(self, instant: datetime) -> None:
        assert orjson.loads(written_body({"data": {"at": instant}})) == {
            "data": {"at": written_instant(instant)}
        }
