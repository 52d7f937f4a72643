"""The harness of bin/bench, with a catalogue and seconds too small to measure anything."""

import os
import random
import subprocess
import sys

import pytest

from benchmarks import club, desk_search, journeys, lighthouse, shop, synthetic
from benchmarks.client import Browser, Browsers, Wrong
from benchmarks.journeys import Bare, Goods


@pytest.fixture(scope="module")
def goods(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "price-list.csv"
    synthetic.write(60, path)
    return Goods.read(path)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    [port] = shop.free_ports(1)
    settings = shop.settings(DYQANI_INSTANCE=folder, WEB_CONCURRENCY=1)
    with shop.Server(settings, port, folder / "log", "benchmarks.bare:create_app()") as server:
        yield server


def test_the_harness_measures_the_shop_beside_a_bare_page_and_prints_its_tables(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed", "--devices", "60", "--seconds", "0.2",
         "--only", "list,list-first,tariff,search,add,order,known-order"],
        cwd=shop.ROOT, capture_output=True, text=True, check=False, timeout=240,
        env={**os.environ, "TMPDIR": str(tmp_path), "WEB_CONCURRENCY": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    titles = ("list page", "list page, nothing kept", "device page with a tariff chosen", "search, new words")
    for title in (*titles, "add to cart", "whole guest order", "whole logged-in order"):
        assert f"| {title}" in done.stdout
    assert "list page, 60 devices: share of the bare page" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_bare_page_has_as_many_bytes_as_asked_for_and_takes_forms(bare):
    browser = Browser(bare.port)
    assert [len(browser.get(f"/{size}").body) for size in (200, 33_001)] == [200, 33_001]
    assert len(browser.post("/400", {"a": "b"}, expected=200).body) == 400
    assert len(browser.took) == 3


def test_kept_connections_get_the_same_answers(bare):
    browser = Browser(bare.port, keep_alive=True)
    assert {len(browser.get("/5000").body) for _ in range(4)} == {5000}
    browser.close()


def test_browsers_count_what_all_of_them_did_and_the_server_what_it_worked(bare):
    before = bare.cpu()
    with Browsers(2, None) as browsers:
        browsers.open("bare", Bare(1000, requests=3), bare.port)
        outcome = browsers.run("bare", turns=40)
    assert (outcome.turns, len(outcome.took), outcome.received) == (80, 240, 240_000)
    assert outcome.per_second > 0
    assert bare.cpu() > before


def test_an_answer_of_another_kind_stops_the_measurement(bare):
    with Browsers(1, None) as browsers:
        browsers.open("bare", journeys.Pages(["/not-a-number"]), bare.port)
        with pytest.raises(Wrong, match="404, not 200"):
            browsers.run("bare", turns=1)


def test_searches_differ_and_are_the_same_each_time(goods):
    asked = journeys.queries(goods, 400)
    assert len(asked) == len(set(asked)) == 400
    assert asked == journeys.queries(goods, 400)
    assert any("а" <= letter <= "џ" for text in asked for letter in text)
    assert len({len(text.split()) for text in asked}) > 1


def test_lists_asked_for_differ(goods):
    addresses = journeys.list_addresses()
    assert len(addresses) == len(set(addresses)) == 4000


def test_a_mistake_is_one_letter(goods):
    chance = random.Random(4)
    for word in ("Samsung", "Motorola", "Vega"):
        for _ in range(50):
            assert abs(len(journeys._misspelt(word, chance)) - len(word)) <= 1


def test_tables_replace_only_what_is_between_their_markers(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("a\n<!-- speed: begin -->\nold\n<!-- speed: end -->\nz\n", "utf-8")
    shop.keep("speed", shop.table(["", "n"], [["ë", "1"]]), page)
    text = page.read_text("utf-8")
    assert "| ë | 1 |" in text
    assert text.startswith("a\n<!-- speed: begin -->")
    assert "old" not in text
    assert text.endswith("<!-- speed: end -->\nz\n")
    with pytest.raises(SystemExit, match="markers"):
        shop.keep("memory", "x", page)


def test_the_clubs_table_compares_what_each_member_takes_with_the_fewest():
    def took(busy, mb):
        return {step: {"seconds": busy * 2, "busy": busy, "mb": mb} for step in club.STEPS}

    text = club.report({10_000: took(1.0, 100), 100_000: took(15.0, 180)})
    assert (
        "| audit                           |  10,000 |  2.0 s |          100 µs |           1.00 |      100 MB |"
        in text
    )
    assert "150 µs |           1.50 |      180 MB |" in text
    assert "≤ 1.3 |     1.50 | FAILS |" in text
    assert "≤ 60 MB more |    80 MB | FAILS |" in text


def test_the_desks_search_is_measured_over_few_and_more_orders(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.desk_search", "--orders", "15,30", "--turns", "1"],
        cwd=shop.ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for title in (*desk_search.KINDS.values(), "all of them"):
        assert f"| {title}" in done.stdout
    assert "30 against 15 orders" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_made_up_customers_are_the_same_each_time_and_share_their_names():
    people = [desk_search.customer(at) for at in range(2000)]
    assert people == [desk_search.customer(at) for at in range(2000)]
    assert all(person["email"].isascii() and len(person["phone"]) == 11 for person in people)
    assert len({(person["first_name"], person["last_name"]) for person in people}) < 1600
    assert len({person["email"] for person in people}) > 1900


def test_the_table_of_the_desks_search_says_whether_the_bar_holds():
    def took(page, alone):
        return {kind: [[page, alone]] * 4 for kind in desk_search.KINDS}

    text = desk_search.report({2_000: took(0.010, 0.002), 200_000: took(0.018, 0.005)}, "SQLite")
    assert "| all of them" in text
    assert "|     1.80 | holds |" in text
    assert "|     2.50 | FAILS |" in text


def a_report(**changed) -> dict:
    """What Lighthouse says of a page without a fault, as far as it is read."""
    audits = {name: {"numericValue": 1024, "score": 1, "title": name} for name in lighthouse.FIGURES}
    audits |= {"image-alt": {"score": 1, "title": "Images"}, "canonical": {"score": None, "title": "Canonical"}}
    categories = {name: {"score": 1, "auditRefs": []} for name in lighthouse.CATEGORIES}
    categories["accessibility"]["auditRefs"] = [{"id": "image-alt", "weight": 10}, {"id": "canonical", "weight": 1}]
    page = "http://127.0.0.1:1/x"
    return {"requestedUrl": page, "finalDisplayedUrl": page, "audits": audits, "categories": categories, **changed}


def test_lighthouses_marks_are_the_median_and_what_was_missed_is_told():
    worse = a_report()
    worse["categories"]["accessibility"]["score"] = 0.93
    worse["audits"]["image-alt"]["score"] = 0
    runs = [lighthouse.read(one) for one in (worse, a_report(), worse)]
    text = lighthouse.report({"home": lighthouse.median(runs)}, 3, "12.8.2")
    assert "- home: image-alt (Images)" in text
    assert "canonical" not in text
    assert "| accessibility, all pages  | ≥ 100 |     93 | FAILS |" in text
    assert "| seo, all pages            | ≥ 100 |    100 | holds |" in text


def test_lighthouse_measures_the_page_that_was_meant_and_no_other():
    with pytest.raises(SystemExit, match="leads to http://127.0.0.1:1/y"):
        lighthouse.read(a_report(finalDisplayedUrl="http://127.0.0.1:1/y"))
