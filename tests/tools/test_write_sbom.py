import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.check_locks import PIN
from tools.write_sbom import LOCK, main

ADDRESS = re.compile(r"\w+://([^/\"]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("sbom") / "dist" / "sbom.json"
    assert main([str(file)]) == 0
    return file.read_text()


@pytest.fixture(scope="module")
def components(written: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(written)["components"]}


class TestSbom:
    def test_lists_every_locked_package_with_its_version_and_hashes(
        self, components: dict[str, dict[str, Any]]
    ) -> None:
        pins = {pin["name"]: pin for pin in PIN.finditer(Path(LOCK).read_text())}

        assert len(pins) > 50
        assert components.keys() == pins.keys()
        for name, pin in pins.items():
            [reference] = components[name]["externalReferences"]
            assert components[name]["version"] == pin["version"]
            assert {each["content"] for each in reference["hashes"]} == set(HASH.findall(pin[0]))

    def test_names_no_host_but_that_of_its_own_format(self, written: str) -> None:
        assert set(ADDRESS.findall(written)) == {"cyclonedx.org"}

    def test_is_valid_and_describes_the_gateway(self, written: str) -> None:
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written) is None
        assert json.loads(written)["metadata"]["component"]["name"] == "payments-gateway"
