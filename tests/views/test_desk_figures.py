"""The figures' page, its plots and its files (DSK-5)."""

import csv
import io
import re
from datetime import timedelta

import pytest
from defusedxml import ElementTree

from gateways.bank import Verdict
from models.order import Order
from tests import world as named
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import Browser
from views.figure_tables import NAMES

PAGE = "/desk/shifrat"
DAYS = "?nga=2026-03-01&deri=2026-03-10"


@pytest.fixture
def editor(app, world):
    works("editor")
    browser = Browser(app)
    browser.log_in("editor@example.com")
    return browser


@pytest.fixture
def sold(world):
    for _ in range(3):
        order, payment = named.ordered(world, "CASE-BLACK", "TAB-GREY-64")
        payment.settle(Verdict.PAID, named.later(1))
    named.ordered(world, "CASE-BLACK")
    return order


def test_the_page_shows_every_figure_with_its_numbers(editor, sold):
    page = editor.get(PAGE + DAYS)
    assert page.status == 200
    for name in NAMES:
        assert page.by_id(f"t-{name}") is not None
    assert "38.940 den" in page.words
    assert "10.03.2026 4 3" in page.words


@pytest.mark.parametrize("name", NAMES)
def test_each_table_is_a_file_whose_numbers_are_numbers(editor, sold, name):
    answer = editor.get(f"{PAGE}/{name}.csv{DAYS}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(io.StringIO(answer.html.removeprefix("\ufeff")))
    assert all(len(row) == len(head) for row in rows)
    if name == "te-ardhurat":
        assert rows[0][1:] == ["6", "38940"]
    if name == "porosite":
        assert rows[-1] == ["2026-03-10", "4", "3"]


@pytest.mark.parametrize("name", ["porosite", "te-ardhurat", "hapat", "pagesat", "piket"])
def test_a_plot_is_an_svg_that_may_load_and_run_nothing(editor, sold, name):
    answer = editor.get(f"{PAGE}/{name}.svg{DAYS}")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("image/svg+xml")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    tree = ElementTree.fromstring(answer.html)
    assert not [node for node in tree.iter() if node.tag.endswith("script")]
    assert not re.search(r"(href|src)=|url\(|@import", answer.html)


def test_what_has_no_plot_or_no_figure_is_not_there(editor):
    for path in ("stoku.svg", "tjeter.svg", "tjeter.csv", "porosite.csv?nga=x"):
        assert editor.get(f"{PAGE}/{path}").status == 404


@pytest.mark.parametrize("days", ["?nga=2026-03-10&deri=2026-03-01", "?nga=2024-01-01&deri=2026-03-01", "?nga=x"])
def test_bad_days_are_said_and_the_last_thirty_are_shown(editor, days):
    page = editor.get(PAGE + days)
    assert page.status == 422
    assert page.all("p", role="alert")
    assert page.by_id("t-porosite") is not None


def test_the_figures_cost_as_many_queries_for_many_orders_as_for_few(editor, world, sold):
    editor.get(PAGE + DAYS)
    with assert_query_count(30) as few:
        editor.get(PAGE + DAYS)
    for _ in range(4):
        _, payment = named.ordered(world, "CASE-BLACK")
        payment.settle(Verdict.PAID, named.later(1))
    with assert_query_count(30) as many:
        editor.get(PAGE + DAYS)
    assert len(few) == len(many)


def test_a_late_order_is_said_to_be_late_to_an_editor_without_a_link_to_it(editor, sold):
    Order.update(promised_on=(named.NOW - timedelta(days=3)).date()).execute()
    page = editor.get(PAGE + DAYS)
    assert sold.number in page.words
    assert not [link for link in page.all("a") if sold.number in (link.get("href") or "")]
