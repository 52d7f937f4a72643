"""The shop on a home screen, and what its service worker may keep (PRV-1)."""

import io
import json
import re

import pytest
from PIL import Image

import config
from tests.views.browser import HOST, Browser

LANGUAGES = [("sq", ""), ("mk", "/mk"), ("en", "/en")]


def facts(shopper) -> dict:
    """What the service worker is told."""
    script = shopper.get("/sw.js").html
    return json.loads(script.removeprefix("const SHOP = ").partition(";\n")[0])


@pytest.mark.parametrize(("language", "prefix"), LANGUAGES)
def test_the_shop_can_be_installed_in_each_language(shopper, language, prefix):
    page = shopper.get(f"{prefix}/")
    [link] = page.all("link", rel="manifest")
    assert link.get("href") == f"{prefix}/manifest.webmanifest"
    answer = shopper.get(link.get("href"))
    assert answer.headers["Content-Type"] == "application/manifest+json"
    assert answer.headers["Cache-Control"].startswith("public")
    told = json.loads(answer.html)
    assert (told["name"], told["lang"], told["id"]) == (config.BRAND, language, "/")
    assert (told["start_url"], told["scope"]) == (f"{prefix}/", "/")
    assert {shortcut["url"] for shortcut in told["shortcuts"]} >= {f"{prefix}/oferta", f"{prefix}/porosite"}
    [apple] = page.all("link", rel="apple-touch-icon")
    shown = [*told["icons"], {"src": apple.get("href"), "sizes": "180x180", "purpose": "apple"}]
    assert {"any", "maskable", "apple"} == {one["purpose"] for one in shown}
    for one in shown:
        answer = shopper.client.get(one["src"], base_url=HOST)
        assert "immutable" in answer.headers["Cache-Control"]
        picture = Image.open(io.BytesIO(answer.data))
        assert picture.format == "PNG"
        assert f"{picture.width}x{picture.height}" == one["sizes"]
        # Only a tile whose corners are cut by the phone reaches into its own.
        corner = picture.convert("RGBA").getpixel((0, 0))
        assert (corner[3] == 0) is (one["purpose"] == "any")


def test_there_are_no_other_icons(shopper):
    src = json.loads(shopper.get("/manifest.webmanifest").html)["icons"][0]["src"]
    assert shopper.get(src.replace("192", "193")).status == 404
    assert shopper.get("/ikona/00000000/192.png").status == 404


@pytest.mark.rule("PRV-1")
def test_the_service_worker_keeps_static_files_and_the_page_without_a_line_alone(app, shopper):
    told = facts(shopper)
    assert told["offline"] == {"sq": "/pa-lidhje", "mk": "/mk/pa-lidhje", "en": "/en/pa-lidhje"}
    assert set(told["first"]) < set(told["files"])
    for address in told["files"]:
        assert re.fullmatch(r"/static/[\w./-]+(\?v=[0-9a-f]{8}|\.woff2)", address), address
    for path in ("/", "/celulare", "/pajisja/galaxy-s25", "/shporta", "/hyr"):
        loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', shopper.get(path).html)
        assert loaded
        assert set(loaded) <= set(told["files"]), path


def test_pages_name_the_workers_version(shopper):
    told = facts(shopper)
    for path in ("/", "/mk/celulare", "/porosia/gjej"):
        assert f'data-worker="/sw.js?v={told["version"]}"' in shopper.get(path).html
    answer = shopper.get(f"/sw.js?v={told['version']}")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"].startswith("public")


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize(("language", "prefix"), LANGUAGES)
def test_the_page_without_a_line_is_the_same_for_everybody(app, shopper, world, profile, language, prefix):
    nobody = Browser(app).get(f"{prefix}/pa-lidhje")
    shopper.log_in(profile.email)
    shopper.choose(world["S25-BLACK-128"])
    somebody = shopper.get(f"{prefix}/pa-lidhje")
    assert somebody.html == nobody.html
    for page in (nobody, somebody):
        assert "Set-Cookie" not in page.headers
        assert page.headers["Cache-Control"] == "public, max-age=3600"
        assert "csrf_token" not in page.html
    assert nobody.tree.get("lang") == language
