"""Help, terms, privacy, and what machines ask of the shop."""

import re

import pytest
from peewee import OperationalError
from playhouse.test_utils import count_queries

import config
from models.base import db
from models.order import terms_edition
from views import kept

PAGES = ("/ndihme", "/kushtet", "/privatesia")


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.forget()
    yield
    kept.forget()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_pages_are_there_in_every_language(client, path, prefix):
    answer = client.get(prefix + path)
    assert answer.status_code == 200
    assert f'<html lang="{prefix[1:] or "sq"}">' in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_kept_page_takes_no_query_and_says_the_same_to_everybody(client, path):
    first = client.get(path)
    with count_queries() as counted:
        second = client.get(path)
    assert counted.count == 0
    assert second.data == first.data


def test_a_query_in_the_address_does_not_end_up_in_the_kept_page(client):
    assert "nonsense=1" in client.get("/ndihme?nonsense=1").text
    assert "nonsense=1" not in client.get("/ndihme").text


def test_the_anchors_that_the_footer_links_are_there(client):
    page = client.get("/ndihme").text
    for anchor in re.findall(r'href="/ndihme#(\w+)"', page):
        assert f'id="{anchor}"' in page
    assert {"dergesa", "pagesa", "kthimi"} <= set(re.findall(r'href="/ndihme#(\w+)"', page))


def test_the_help_speaks_of_the_settings_in_force(client, monkeypatch):
    monkeypatch.setattr(config, "PAYABLE_MINUTES", 45)
    monkeypatch.setattr(config, "DELIVERY_DAYS", 7)
    page = client.get("/ndihme").text
    assert "ruhen për ju 45 minuta" in page
    assert "Më së voni 7 ditë dërgese" in page


def test_the_terms_name_the_edition_that_an_order_accepts(client):
    assert terms_edition() in client.get("/kushtet").text


@pytest.mark.rule("PRV-1")
def test_the_privacy_page_names_every_cookie_the_shop_sets(client):
    page = client.get("/privatesia").text
    for cookie in ("cart", "session", "remember_token"):
        assert f"<b>{cookie}</b>" in page


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize("path", [*PAGES, "/nuk-ka"])
def test_a_page_asks_only_the_shop_for_anything(client, path):
    answer = client.get(path)
    loaded = re.findall(r'(?:src|action|data)="([^"]+)"', answer.text)
    loaded += re.findall(r'<link rel="(?:stylesheet|preload|icon)"[^>]*href="([^"]+)"', answer.text)
    assert loaded
    assert all(address.startswith("/") and not address.startswith("//") for address in loaded)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "style=" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_health_says_that_the_shop_can_serve(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("step", ["connect", "execute_sql"])
def test_health_says_so_when_the_database_does_not_answer(client, monkeypatch, step):
    def away(*args, **kwargs):
        raise OperationalError("connection refused by db.internal:5432")

    monkeypatch.setattr(db, step, away)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "database": "away"}


def test_another_page_is_a_failure_when_the_database_does_not_answer(client, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr(db, "connect", away)
    assert client.get("/kushtet").status_code == 500


@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer wrong", "Basic dG9rZW4=", "token", "Bearer tok\u00ebn"])
def test_metrics_are_not_there_for_anybody_without_the_token(client, monkeypatch, header):
    headers = {"Authorization": header} if header else {}
    monkeypatch.setattr(config, "METRICS_TOKEN", "token")
    assert client.get("/metrics", headers=headers).status_code == 404
    monkeypatch.setattr(config, "METRICS_TOKEN", "")
    assert client.get("/metrics", headers=headers).status_code == 404


def test_metrics_count_what_is_in_the_database(client, monkeypatch):
    from tests.world import build, ordered

    monkeypatch.setattr(config, "METRICS_TOKEN", "token")
    world = build()
    ordered(world, "S25-BLACK-128")
    answer = client.get("/metrics", headers={"Authorization": "Bearer token"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert 'dyqani_orders{state="awaiting_payment"} 1.0' in answer.text
    assert 'dyqani_payments{state="started"} 1.0' in answer.text
    assert 'dyqani_mails{state="due"} 0.0' in answer.text
    waiting = re.search(r"^dyqani_payment_waiting_seconds (\S+)$", answer.text, re.M)[1]
    assert float(waiting) > 0


def test_the_title_ends_with_the_operators_brand(monkeypatch):
    from app import create_app

    monkeypatch.setattr(config, "BRAND", "Fjala & Co")
    assert "<title>Shporta · Fjala &amp; Co</title>" in create_app().test_client().get("/shporta").text
