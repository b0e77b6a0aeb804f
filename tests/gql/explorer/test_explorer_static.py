import json
import re
from pathlib import Path

import pytest

from gql.explorer import page

SOURCE = Path(page.__file__).parent / "source"

# Hosts that the bundled packages mention in messages, names of XML and JSON schemas, and links to documentation.
MENTIONED = {
    "code.visualstudio.com",
    "commonmark.org",
    "en.wikipedia.org",
    "github.com",
    "json-schema.org",
    "microsoft.com",
    "prettier.io",
    "react.dev",
    "www.w3.org",
    "yarnpkg.com",
}


def text(name: str) -> str:
    return (page.STATIC / name).read_text(encoding="utf-8")


class TestAssets:
    @pytest.mark.parametrize("name", ["index.html", "returned.html", "graphiql.css"])
    def test_files_that_a_page_names_are_shipped(self, name: str) -> None:
        named = re.findall(r'(?:src|href)="([^"]+)"|url\("?\./([^")]+)', text(name))

        assert named
        for absolute, relative in named:
            asset = relative or absolute.removeprefix(f"{page.ASSETS_PATH}/")
            assert (page.STATIC / asset).is_file()

    def test_workers_that_the_script_starts_are_shipped(self) -> None:
        workers = set(re.findall(r"\w+\.worker\.js", text("graphiql.js")))

        assert workers == {"editor.worker.js", "graphql.worker.js", "json.worker.js"}
        assert all((page.STATIC / worker).is_file() for worker in workers)

    def test_script_reads_the_configuration_that_the_gateway_serves(self) -> None:
        assert f"{page.ASSETS_PATH}/config.json" in text("graphiql.js")

    def test_licences_of_the_bundled_packages_are_shipped(self) -> None:
        notices = text("licences.txt")

        packages = json.loads((SOURCE / "package.json").read_text())["devDependencies"]
        bundled = packages.keys() - {"esbuild"}
        assert all(re.search(rf"^{name} {packages[name]}$", notices, re.MULTILINE) for name in bundled)

    @pytest.mark.parametrize("name", sorted(asset.name for asset in page.STATIC.glob("*.html")))
    def test_page_needs_no_inline_script_or_style(self, name: str) -> None:
        html = text(name)

        assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", html)

    @pytest.mark.parametrize(
        "name",
        sorted(asset.name for asset in page.STATIC.iterdir() if asset.suffix in {".css", ".html", ".js"}),
    )
    def test_no_other_host_is_named_but_in_links(self, name: str) -> None:
        hosts = set(re.findall(r"(?:https?|wss?)://([\w-]+(?:\.[\w-]+)+)", text(name)))

        assert hosts <= MENTIONED


class TestLock:
    def test_names_no_registry(self) -> None:
        packages = json.loads((SOURCE / "package-lock.json").read_text())["packages"]

        assert packages
        assert not [name for name, package in packages.items() if "resolved" in package]

    def test_pins_every_package_by_its_hash(self) -> None:
        packages = json.loads((SOURCE / "package-lock.json").read_text())["packages"]

        assert [name for name, package in packages.items() if "integrity" not in package] == [""]

    def test_package_versions_are_exact(self) -> None:
        versions = json.loads((SOURCE / "package.json").read_text())["devDependencies"].values()

        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
