"""Errors in the shop's look, and requests that are none."""

import io
import json
import re
import subprocess
import sys

import pytest
from peewee import OperationalError
from werkzeug.exceptions import Forbidden, ServiceUnavailable, TooManyRequests, UnprocessableEntity

import config
from models.base import db
from tests.views.browser import HOST

PIECE = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def broken_app():
    """A shop of its own with addresses that fail in each way."""
    from app import create_app

    app = create_app()

    def fails():
        raise RuntimeError("secret detail of the failure")

    def refuses(error):
        def view():
            raise error

        return view

    app.add_url_rule("/broken/failure", "failure", fails)
    app.add_url_rule("/broken/403", "forbidden", refuses(Forbidden()))
    app.add_url_rule("/broken/422", "unprocessable", refuses(UnprocessableEntity()))
    app.add_url_rule("/broken/429", "too_many", refuses(TooManyRequests(retry_after=60)))
    app.add_url_rule("/broken/503", "unavailable", refuses(ServiceUnavailable()))
    app.add_url_rule("/broken/huge", "huge", refuses(OverflowError("int too large to convert to SQLite INTEGER")))
    app.view_functions["pay.show"] = lambda number: fails()
    return app


@pytest.fixture
def broken(broken_app):
    return broken_app.test_client()


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/nuk-ka", 404, "Ky raft është bosh"),
        ("/broken/403", 403, "Kjo faqe nuk ju hapet"),
        ("/broken/422", 422, "Diçka në formë nuk përputhet"),
        ("/broken/429", 429, "Shumë kërkesa përnjëherë"),
        ("/broken/failure", 500, "Diçka shkoi keq nga ana jonë"),
        ("/broken/503", 503, "Diçka shkoi keq nga ana jonë"),
        ("/broken/huge", 400, "Nuk e kuptuam kërkesën"),
    ],
)
def test_each_error_has_a_page_in_the_shops_look(broken, path, status, title):
    answer = broken.get(path)
    assert answer.status_code == status
    assert f'<h1 class="title">{title}</h1>' in answer.text
    assert '<main id="permbajtja"' in answer.text
    assert "css/site.css" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_a_wrong_method_says_which_ones_are_right(client, method):
    answer = client.open("/ndihme", method=method)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "Këtu nuk hyhet drejtpërdrejt" in answer.text


def test_a_limit_says_when_to_come_back(broken):
    assert broken.get("/broken/429").headers["Retry-After"] == "60"


@pytest.mark.parametrize("status", [403, 404, 422, 429, 500])
def test_a_piece_request_gets_its_error_for_the_flash_region(broken, status):
    path = {404: "/nuk-ka", 500: "/broken/failure"}.get(status, f"/broken/{status}")
    answer = broken.get(path, headers=PIECE)
    assert answer.status_code == status
    assert answer.headers["HX-Retarget"] == "#flash"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert "HX-Request" in answer.headers["Vary"]
    assert answer.text.startswith("<p data-say>")
    assert "<html" not in answer.text


def test_going_back_in_history_gets_the_whole_error_page(client):
    answer = client.get("/nuk-ka", headers={**PIECE, "HX-History-Restore-Request": "true"})
    assert "<html" in answer.text
    assert "HX-Retarget" not in answer.headers


def test_a_failure_shows_a_code_that_its_log_line_carries_and_no_detail():
    """In a process of its own, whose log is read from outside."""
    program = (
        "from app import create_app; app = create_app()\n"
        "app.add_url_rule('/broken/<number>', 'failure', lambda number: {}['secret detail'])\n"
        "answer = app.test_client().get('/broken/DY-7K3M?k=token')\n"
        "print(answer.status_code, answer.headers['X-Request-Id'], answer.headers['Cache-Control'])\n"
        "print(answer.text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=config.ROOT, capture_output=True, text=True, check=True
    )
    status, request_id, cache = done.stdout.split("\n", 1)[0].split(" ")
    assert (status, cache) == ("500", "no-store")
    assert "secret detail" not in done.stdout
    code = re.search(r"Kodi i gabimit: ([0-9A-F]{4}-[0-9A-F]{4})<", done.stdout)[1]
    (line,) = [json.loads(line) for line in done.stderr.splitlines() if '"request.failed"' in line]
    assert (line["code"], line["id"], line["endpoint"]) == (code, request_id, "failure")
    assert "KeyError: 'secret detail'" in line["exception"]
    # Addresses carry order numbers and signed links.
    assert "DY-7K3M" not in done.stderr
    assert "token" not in done.stderr


def test_the_page_of_a_failure_needs_neither_cart_nor_database(broken, monkeypatch):
    broken.set_cookie("cart", "x" * 32)
    broken.set_cookie("session", "x")

    def no_query(*args, **kwargs):
        raise OperationalError("the database is away")

    monkeypatch.setattr(db, "execute_sql", no_query)
    answer = broken.get("/broken/failure")
    assert answer.status_code == 500
    assert "Provo përsëri" in answer.text


def test_a_missing_page_while_the_database_is_away_is_a_failure_in_the_shops_look(broken, monkeypatch):
    broken.set_cookie("cart", "x" * 32)

    def no_query(*args, **kwargs):
        raise OperationalError("the database is away")

    monkeypatch.setattr(db, "execute_sql", no_query)
    answer = broken.get("/nuk-ka")
    assert answer.status_code == 500
    assert "Diçka shkoi keq nga ana jonë" in answer.text


@pytest.mark.rule("PAY-7")
def test_a_failure_after_the_bank_does_not_claim_that_nothing_was_paid(broken):
    page = broken.get("/porosia/DY-7K3M-9QPX-7/pagesa").text
    assert "rezultatin jua dërgojmë me e-postë" in page
    assert "Nuk ju është marrë asnjë pagesë" not in page


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("path", "language"), [("/nuk-ka", "sq"), ("/mk/nuk-ka", "mk"), ("/en/nuk-ka", "en")])
def test_an_unknown_page_is_shown_in_the_language_of_its_address(client, path, language):
    page = client.get(path)
    assert page.status_code == 404
    assert f'<html lang="{language}">' in page.text


def test_a_form_without_its_token_is_asked_for_anew_with_a_way_back(client):
    answer = client.post("/shporta", data={"slug": "x"}, headers={"Referer": "http://localhost/celulare?faqja=2"})
    assert answer.status_code == 400
    assert "Faqja ka qëndruar hapur gjatë" in answer.text
    assert 'href="/celulare?faqja=2"' in answer.text


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/x",
        "http://localhost//evil.example/x",
        "http://localhost/\\evil.example",
        "javascript:1",
        "",
    ],
)
def test_the_way_back_never_leaves_the_shop(client, referer):
    page = client.post("/shporta", data={}, headers={"Referer": referer}).text
    assert "//evil.example" not in page
    assert 'href="javascript' not in page
    assert 'href="/\\' not in page


def test_what_a_request_says_is_never_markup_in_its_error_page(client):
    nasty = "%3Cscript%3Ealert(1)%3C/script%3E%22onload=%22x"
    page = client.get(f"/{nasty}?q={nasty}", headers={"Referer": "http://localhost/<script>alert(1)</script>"}).text
    assert "<script>alert" not in page
    assert '"onload="' not in page
    page = client.post("/shporta", headers={"Referer": 'http://localhost/"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/%ff%fe",
        "/ndihme%00",
        "/ndihme?x=%00",
        "/celulare?q=%ff",
        "/celulare?faqja=99999999999999999999999999",
        "/porosia/%f0%28%8c%28",
        "/shporta/99999999999999999999999999/heqja",
        "/mk%2f..%2f..%2fetc",
        "/demo/inbox/..%2f..%2fsecret",
        "/" + "a" * 3000,
    ],
)
def test_a_malformed_address_is_refused_and_never_fails(client, path):
    assert client.get(path).status_code < 500


@pytest.mark.parametrize(
    "cookies",
    [
        {"cart": '"\\000"'},
        {"cart": "\u00eb"},
        {"cart": "x" * 3000},
        {"session": "nonsense.\u00eb"},
        {"remember_token": "1.1|\u00eb"},
        {"remember_token": "|"},
        {"remember_token": "x|" + "0" * 128},
    ],
)
def test_a_cookie_that_the_shop_did_not_write_is_as_good_as_none(client, cookies):
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    answer = client.get("/ndihme", headers={"Cookie": header.encode().decode("latin-1")})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"x=" + b"a" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"x=\xff\xfe%ff&slug=%00", "application/x-www-form-urlencoded", 400),
        (b"--broken", "multipart/form-data", 400),
        (b"--b\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=b", 400),
        (b"&".join(b"a%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded", 400),
        (b"\x00\x01", "application/octet-stream", 400),
        (b"{", "application/json", 400),
    ],
)
def test_a_malformed_or_oversized_body_is_refused_and_never_fails(client, data, content_type, status):
    answer = client.post(
        "/shporta", input_stream=io.BytesIO(data), content_type=content_type, content_length=len(data)
    )
    assert answer.status_code == status


@pytest.mark.parametrize("host", ["a b", "shop.test:x", "[::1", "\u00eb.test", "x" * 300, ""])
def test_a_nonsense_host_never_fails(client, host):
    environ = {"HTTP_HOST": host.encode().decode("latin-1")}
    assert client.get("/ndihme", environ_overrides=environ).status_code < 500


def test_error_pages_are_not_for_search_engines(broken):
    for path in ("/nuk-ka", "/broken/failure"):
        assert '<meta name="robots" content="noindex">' in broken.get(path).text


@pytest.mark.parametrize("body", ['{"email": 5, "password": ["x"]}', "[1, 2]", "{"])
def test_json_is_no_form_of_the_shop(shopper, body):
    answer = shopper.client.post(
        "/hyr", base_url=HOST, data=body, content_type="application/json", headers={"X-CSRFToken": shopper.token()}
    )
    assert answer.status_code == 400
