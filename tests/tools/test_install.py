import pytest

from tools import install

SAID_BY_PIP = [
    "Collecting anyio==4.16.0 (from -r requirements.lock (line 1))\n",
    "  Downloading anyio-4.16.0-py3-none-any.whl (90 kB)\n",
    "Processing /wheels/typing_extensions-4.16.0-py3-none-any.whl\n",
    "Installing collected packages: typing-extensions, anyio\n",
]


class TestSteps:
    def test_tell_each_package_by_its_name_and_number_on_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)

        told = [" ".join(step.split()) for step in install.steps(SAID_BY_PIP, total=2)]

        assert told == ["Fetching 1/2 anyio", "Fetching 2/2 typing_extensions", "Installing 2 packages …"]

    def test_are_few_where_there_is_no_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: False)

        assert len(list(install.steps([*SAID_BY_PIP[:1] * 41], total=41))) == 3
