"""The help centre: every question in every language, found however it is asked, linked where it arises."""

import re
from contextlib import contextmanager

import pytest
from flask import g

import config
from language import prefix_of
from tests.views.test_html import faults
from views import help_words, kept
from views.help_search import found
from views.help_words import ARISE_AT, topics

LANGUAGES = ("sq", "mk", "en")


@pytest.fixture(autouse=True)
def nothing_kept():
    kept.forget()
    yield
    kept.forget()


@contextmanager
def in_language(app, code):
    with app.test_request_context("/ndihme"):
        g.language = code
        yield


def slugs_found(app, q, code="sq") -> list[str]:
    with in_language(app, code):
        return [question.slug for question in found(topics(), q)]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_question_has_a_page_of_its_own_in_every_language(app, client, code):
    with in_language(app, code):
        questions = [question for topic in topics() for question in topic.questions]
    assert len({question.slug for question in questions}) == len(questions) > 40
    for question in questions:
        answer = client.get(f"{prefix_of(code)}/ndihme/{question.slug}")
        assert answer.status_code == 200
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text)[1]
        assert heading.replace("&#39;", "'") == question.ask
    assert client.get(f"{prefix_of(code)}/ndihme/nuk-ka").status_code == 404


@pytest.mark.parametrize("code", ["mk", "en"])
def test_no_question_is_left_in_albanian(app, code):
    def texts(question):
        return [question.ask, *question.answer, *(text for _, text in question.links), question.means]

    with in_language(app, "sq"):
        albanian = [text for topic in topics() for one in topic.questions for text in texts(one) if text]
    with in_language(app, code):
        other = [text for topic in topics() for one in topic.questions for text in texts(one) if text]
    same = {text for text in set(albanian) & set(other) if text not in ("Klubi Im", "Besnik 24")}
    assert not same


def test_every_question_is_linked_where_it_arises(app, client):
    with in_language(app, "sq"):
        known = set(help_words.slugs())
    linked = {slug for slugs in ARISE_AT.values() for slug in slugs}
    assert linked == known
    assert set(ARISE_AT) <= {rule.endpoint for rule in app.url_map.iter_rules()}
    page = client.get("/porosia/gjej").text
    assert 'href="/ndihme/ku-eshte-porosia" target="_blank" rel="noopener"' in page


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("q", ["zzzzzz", "anulim", ""])
def test_a_search_is_answered_as_a_page_and_as_a_piece(client, code, q):
    path = f"{prefix_of(code)}/ndihme?q={q}"
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 200
        assert faults(answer.text, None if headers else code) == []


@pytest.mark.parametrize(
    ("code", "q", "slug"),
    [
        ("sq", "si ta anuloj porosinë", "anulimi"),
        ("sq", "ANULUAR", "anulimi"),
        ("sq", "këste", "kestet"),
        ("sq", "keste pa kamate", "kestet"),
        ("sq", "kush mund ta marrë porosinë", "kush-pranon"),
        ("sq", "kodi sms nuk vjen", "kodi-nuk-erdhi"),
        ("sq", "pike te bllokuara", "piket-e-bllokuara"),
        ("sq", "llogri", "pa-llogari"),
        ("sq", "fshij llogarinë", "shkarkimi-dhe-fshirja"),
        ("mk", "откажам нарачка", "anulimi"),
        ("mk", "otkazam naracka", "anulimi"),
        ("mk", "рати", "kestet"),
        ("mk", "лозинка", "fjalekalimi-i-harruar"),
        ("en", "cancel my order", "anulimi"),
        ("en", "instalments", "kestet"),
        ("en", "instalmants", "kestet"),
        ("en", "forgot password", "fjalekalimi-i-harruar"),
        ("en", "damaged phone", "e-demtuar"),
        ("en", "who can receive", "kush-pranon"),
    ],
)
def test_a_question_is_found_however_it_is_asked(app, code, q, slug):
    assert slug in slugs_found(app, q, code)[:3]


@pytest.mark.parametrize("q", ["", "   ", "zzzz qqqq", "%", "'\"<script>", "\U0010ffff", "a", "!" * 80])
def test_what_means_nothing_finds_nothing(app, client, q):
    assert slugs_found(app, q) == []
    answer = client.get("/ndihme", query_string={"q": q})
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace("<script ", "")
    assert "Si porosisni?" in answer.text


def test_a_search_shows_its_answers_alone_and_narrows_without_the_page(client):
    whole = client.get("/ndihme?q=anulimi").text
    assert "A mund ta anuloni porosinë?" in whole
    assert "Si funksionojnë këstet?" not in whole
    assert 'value="anulimi"' in whole
    piece = client.get("/ndihme?q=anulimi", headers={"HX-Request": "true"}).text
    assert piece.lstrip().startswith('<div class="stack g6" id="pyetjet">')
    assert "A mund ta anuloni porosinë?" in piece


def test_the_answers_speak_of_the_settings_in_force(client, monkeypatch):
    monkeypatch.setattr(config, "CODE_MINUTES", 7)
    monkeypatch.setattr(config, "DEBT_WAIT_ONLINE_HOURS", 5)
    assert "Kodi vlen 7 minuta" in client.get("/ndihme/kodi-nuk-erdhi").text
    assert "pas 5 orësh" in client.get("/ndihme/borxhi-i-paguar").text


def test_the_contact_page_says_how_to_reach_the_operator(client):
    page = client.get("/kontakti").text
    for link in (f"tel:{config.CONTACT_PHONE}", f"mailto:{config.CONTACT_EMAIL}", "/dyqanet", "/porosia/gjej"):
        assert f'href="{link}"' in page
