from pathlib import Path

import pytest

from tests.chaos.laboratory import Effort, Laboratory
from tests.databases import Server

SEED = 7


@pytest.fixture
def laboratory(postgres: Server, template: str, tmp_path: Path) -> Laboratory:
    """For the short form of an experiment, which is the same each time."""
    return Laboratory(folder=tmp_path, postgres=postgres, template=template, seed=SEED, effort=Effort.SHORT)
