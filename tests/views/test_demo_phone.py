"""The demo's phone: it calls the shop's own addresses as the gateways do (CLB-9, CLB-10)."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

import config
from gateways.sandbox.sms import read_sms
from tests import world as named
from tests.club import joined
from tests.query_count import assert_query_count

PAGE = "/demo/telefoni"
NUMBER = "38970100001"


class Shop:
    """Stands at the shop's own port: takes the calls, and answers with `words`."""

    def __init__(self):
        shop = self
        self.calls, self.words, self.status = [], "", 200

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                parts = urlsplit(self.path)
                shop.calls.append((parts.path, parse_qs(parts.query), parse_qs(body, keep_blank_values=True)))
                answer = shop.words.encode()
                self.send_response(shop.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)


@pytest.fixture
def shop(monkeypatch, tmp_path):
    shop = Shop()
    monkeypatch.setattr(config, "PORT", shop.http.server_address[1])
    monkeypatch.setattr(config, "INBOX", tmp_path)
    yield shop
    shop.close()


@pytest.fixture
def member(world):
    return joined(points=100)


def test_the_phone_is_linked_from_the_inbox_and_offers_the_demos_numbers(stranger, member):
    assert f'href="{PAGE}"' in stranger.get("/demo/inbox").html
    page = stranger.get(PAGE)
    assert page.status == 200
    [choice] = [option for option in page.all("option") if option.get("selected") is not None]
    assert (choice.get("value"), "Klubi Im" in choice.text) == (NUMBER, True)


def test_without_any_number_the_phone_says_so(stranger, world):
    page = stranger.get(PAGE)
    assert (page.status, page.all("select")) == (200, [])


@pytest.mark.rule("CLB-9")
def test_an_sms_goes_through_the_gateways_address_and_the_answer_is_shown(stranger, member, shop):
    shop.words = "20 pikë = 100 MB"
    sent = stranger.post(f"{PAGE}/sms", {"numri": NUMBER, "teksti": " 20  MB "})
    assert (sent.status, sent.location) == (303, f"{PAGE}?numri={NUMBER}#sms")
    [(path, query, _)] = shop.calls
    assert (path, query["from"], query["to"], query["text"]) == ("/sms/inbound", [NUMBER], ["50777"], ["20 MB"])
    assert query["secret"] == [config.SMS_SECRET]
    page = stranger.get(f"{PAGE}?numri={NUMBER}")
    [talk] = page.all("ol", class_="talk")
    assert {item.find("span").text for item in talk} == {"20 MB", "20 pikë = 100 MB"}
    assert {(sms["from"], sms["to"]) for sms in read_sms(config.INBOX)} == {("50777", NUMBER), (NUMBER, "50777")}


@pytest.mark.rule("CLB-10")
def test_a_session_goes_from_screen_to_screen_until_its_end(stranger, member, shop):
    shop.words = "CON Konverto:\n2 SMS"
    assert stranger.post(f"{PAGE}/thirrja", {"numri": NUMBER, "kodi": "*777*1#"}).status == 303
    page = stranger.get(f"{PAGE}?numri={NUMBER}")
    assert page.all("pre")[0].text == "Konverto:\n2 SMS"
    shop.words = "CON Sa pikë?"
    stranger.post(f"{PAGE}/pergjigja", {"numri": NUMBER, "shifra": "2"})
    shop.words = "END Fund"
    stranger.post(f"{PAGE}/pergjigja", {"numri": NUMBER, "shifra": "20"})
    page = stranger.get(f"{PAGE}?numri={NUMBER}")
    assert (page.all("pre")[0].text, page.by_id("shifra")) == ("Fund", None)
    forms = [form for path, _, form in shop.calls if path == "/ussd"]
    assert [form["text"][0] for form in forms] == ["", "2", "2*20"]
    assert len({form["sessionId"][0] for form in forms}) == 1
    assert {(form["phoneNumber"][0], form["serviceCode"][0]) for form in forms} == {(f"+{NUMBER}", "*777*1#")}
    # What is over is not answered any more.
    stranger.post(f"{PAGE}/pergjigja", {"numri": NUMBER, "shifra": "1"})
    assert len(shop.calls) == 3


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("sms", {"teksti": ""}),
        ("sms", {"teksti": "x" * 301}),
        ("pergjigja", {"shifra": ""}),
        ("pergjigja", {"shifra": "1*1"}),
        ("pergjigja", {"shifra": "1" * 21}),
    ],
)
def test_what_cannot_be_sent_is_said_beside_it(stranger, member, shop, path, fields):
    shop.words = "CON Konverto:"
    stranger.post(f"{PAGE}/thirrja", {"numri": NUMBER, "kodi": "*777#"})
    page = stranger.post(f"{PAGE}/{path}", {"numri": NUMBER, **fields})
    assert (page.status, len(shop.calls)) == (422, 1)
    assert any(element.get("role") == "alert" for element in page.tree.iter())


@pytest.mark.parametrize("status", [404, 500])
def test_a_shop_that_does_not_answer_is_said_and_what_was_typed_stays(stranger, member, shop, status):
    shop.status = status
    page = stranger.post(f"{PAGE}/sms", {"numri": NUMBER, "teksti": "20 MB"})
    assert (page.status, page.by_id("teksti").get("value")) == (503, "20 MB")
    assert "nuk u përgjigj" in page.words
    assert read_sms(config.INBOX) == []


def test_nobody_phones_from_a_number_that_the_demo_has_not(stranger, member, shop):
    for path, fields in (
        ("sms", {"teksti": "20 MB"}),
        ("thirrja", {"kodi": "*777#"}),
        ("pergjigja", {"shifra": "1"}),
    ):
        assert stranger.post(f"{PAGE}/{path}", {"numri": "38970999999", **fields}).status == 404
    assert stranger.get(f"{PAGE}?numri=38970999999").status == 404
    assert stranger.post(f"{PAGE}/thirrja", {"numri": NUMBER, "kodi": "*100#"}).status == 404
    assert shop.calls == []


def test_one_browser_does_not_see_the_session_of_another(stranger, shopper, member, shop):
    shop.words = "CON Konverto:"
    stranger.post(f"{PAGE}/thirrja", {"numri": NUMBER, "kodi": "*777#"})
    assert shopper.get(PAGE).all("pre") == []


def test_the_page_costs_a_handful_of_queries(stranger, member, shop):
    named.own_number(named.profile("ana@example.com"), "38970100002")
    stranger.get(PAGE)
    with assert_query_count(5):
        stranger.get(PAGE)
