"""Static files: nothing unknown is shipped, and what is sent may be kept for ever."""

import base64
import gzip
import hashlib
import json
import re

from playwright.sync_api import APIRequestContext

from api.console.assets import FOLDER, asset_url, edition
from tests.console.visits import Visit

VENDOR = FOLDER / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))


def test_every_vendored_file_is_the_one_of_the_manifest() -> None:
    for entry in MANIFEST:
        digest = hashlib.sha384((VENDOR / entry["file"]).read_bytes()).digest()
        assert entry["integrity"] == f"sha384-{base64.b64encode(digest).decode()}", entry["name"]
        assert entry["version"] in entry["file"]


def test_nothing_is_vendored_that_the_manifest_does_not_name() -> None:
    listed = {entry["file"] for entry in MANIFEST} | {"manifest.json"}
    assert {path.name for path in VENDOR.iterdir() if path.is_file()} == listed
    licences = {name for entry in MANIFEST for name in entry["licence_files"]}
    assert {path.name for path in (VENDOR / "LICENSES").iterdir()} == licences


def test_vendored_files_are_marked_as_such() -> None:
    attributes = (FOLDER.parents[2] / ".gitattributes").read_text(encoding="utf-8")
    assert re.search(
        r"^api/console/static/vendor/\*\* .*linguist-vendored", attributes, re.MULTILINE
    )


def test_a_file_of_this_edition_is_kept_for_ever_and_sent_packed(visit: Visit) -> None:
    request = visit.context.request
    url = visit.console.url + asset_url("own/console.css")
    answer = request.get(url, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    plain = request.get(url, headers={"Accept-Encoding": "identity"})
    assert plain.body() == (FOLDER / "own" / "console.css").read_bytes()
    assert int(answer.headers["content-length"]) == len(gzip.compress(plain.body(), 9, mtime=0))


def test_a_file_of_another_edition_is_sent_but_not_kept(visit: Visit) -> None:
    url = visit.console.url + asset_url("own/console.css").replace(edition("own"), "0" * 12)
    assert visit.context.request.get(url).headers["cache-control"] == "no-store"


def test_nothing_outside_the_folders_is_sent(visit: Visit) -> None:
    for path in ("own/x/..%2f..%2fpage.py", "own/x/none.js", "LICENSES/x/y", "vendor/x/LICENSES"):
        assert _status(visit.context.request, f"{visit.console.url}/static/{path}") == 404


def test_a_page_names_no_other_host_and_no_inline_script(visit: Visit) -> None:
    for path in ("/monitor", "/accounts/A000001", "/login"):
        answer = visit.context.request.get(
            visit.console.url + path, headers={"Accept": "text/html"}
        )
        html = answer.text()
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
        assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=", html)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]


def _status(request: APIRequestContext, url: str) -> int:
    return request.get(url).status
