from collections.abc import Iterator
from typing import cast

import pytest
import structlog
from structlog.testing import capture_logs

from tests.web.in_process import Client, Events, client_of


@pytest.fixture(autouse=True)
def events() -> Iterator[Events]:
    """What was logged, at every level, however another test has configured structlog."""
    structlog.reset_defaults()
    with capture_logs() as captured:
        yield cast("Events", captured)
    structlog.reset_defaults()


@pytest.fixture
def client() -> Client:
    return client_of
