"""The demo's inbox."""

import re
import subprocess
import sys
from email.message import EmailMessage

import pytest

import config
from gateways.sandbox.mail import store
from gateways.sandbox.sms import store as store_sms

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20


@pytest.fixture
def inbox(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "INBOX", tmp_path)

    def receive(subject="Porosia u pranua", to="ana@example.com", html="<p>ë</p>", text="Tekst", picture=None):
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, "dyqani <k@example.com>", to
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
            if picture:
                message.get_payload()[1].add_related(picture, "image", "png", cid="<1.x@example.com>")
        return store(tmp_path, message.as_bytes(), "k@example.com", [to]).stem

    return receive


def test_the_inbox_lists_mails_newest_first(client, inbox):
    inbox("E para")
    inbox("E dyta <b>", to="tjetri@example.com")
    page = client.get("/demo/inbox").text
    assert page.index("E dyta &lt;b&gt;") < page.index("E para")
    assert "tjetri@example.com" in page


def test_an_empty_inbox_says_how_to_fill_it(client, inbox):
    assert "Ende nuk është dërguar" in client.get("/demo/inbox").text
    assert client.get("/demo/inbox.json").json == []


def test_scripts_read_the_inbox_as_json_of_one_recipient(client, inbox):
    inbox("E para")
    mail_id = inbox("E dyta", to="Tjetri@example.com", text="Kodi 1234")
    assert len(client.get("/demo/inbox.json").json) == 2
    (mail,) = client.get("/demo/inbox.json?to=tjetri@example.com").json
    assert mail["id"] == mail_id
    assert mail["subject"] == "E dyta"
    assert "Kodi 1234" in mail["text"]
    assert mail["at"].endswith("+00:00")


@pytest.mark.rule("MSG-2")
def test_sms_stand_beside_the_mails_with_their_text(client, inbox, tmp_path):
    assert "Ende nuk është dërguar asnjë SMS" in client.get("/demo/inbox").text
    inbox("E para")
    store_sms(tmp_path, "dyqani", "38970100020", "111111: kodi <b>")
    store_sms(tmp_path, "dyqani", "38970100001", "222222: код")
    page = client.get("/demo/inbox").text
    assert page.index("222222: код") < page.index("111111: kodi &lt;b&gt;") < page.index("E para")
    assert "070\u00a0100\u00a0020" in page
    assert [message["kind"] for message in client.get("/demo/inbox.json").json] == ["sms", "sms", "mail"]
    assert [message["subject"] for message in client.get("/demo/inbox.json?kind=mail").json] == ["E para"]
    [sms] = client.get("/demo/inbox.json?to=38970100020").json
    assert (sms["kind"], sms["from"], sms["text"]) == ("sms", "dyqani", "111111: kodi <b>")
    assert sms["at"].endswith("+00:00")


def test_a_mail_opens_with_its_html_in_a_sandboxed_frame_and_its_text(client, inbox):
    mail_id = inbox(text=f"Hapni {config.BASE_URL}/porosia/1?k=a&b=<c>\n", html="<p>ë</p>")
    page = client.get(f"/demo/inbox/{mail_id}").text
    frame = re.search(r"<iframe[^>]*>", page)[0]
    assert f'src="/demo/inbox/{mail_id}/html"' in frame
    sandbox = re.search(r'sandbox="([^"]*)"', frame)[1].split()
    assert "allow-scripts" not in sandbox
    assert "allow-same-origin" not in sandbox
    assert f'<a href="{config.BASE_URL}/porosia/1?k=a&amp;b=&lt;c&gt;">' in page


def test_the_frame_shows_the_mails_own_pictures_and_nothing_from_elsewhere(client, inbox):
    mail_id = inbox(
        html='<html><head></head><img src="cid:1.x@example.com"><img src="cid:gone"><p style="color:red">ë</p>',
        picture=PNG,
    )
    answer = client.get(f"/demo/inbox/{mail_id}/html")
    assert 'src="data:image/png;base64,iVBORw0KGgp4' in answer.text
    assert "cid:" not in answer.text
    assert '<head><base target="_top">' in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "img-src data:;" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox " in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


def test_the_rest_of_the_shop_keeps_its_strict_policy(client, inbox):
    mail_id = inbox()
    assert "unsafe-inline" not in client.get(f"/demo/inbox/{mail_id}").headers["Content-Security-Policy"]


def test_a_mail_without_html_shows_its_text_alone(client, inbox):
    mail_id = inbox(html=None)
    page = client.get(f"/demo/inbox/{mail_id}").text
    assert "Tekst" in page
    assert "<iframe" not in page
    assert client.get(f"/demo/inbox/{mail_id}/html").status_code == 404


@pytest.mark.parametrize(
    "mail_id", ["x", "..", "20260101T000000.000000Z-00000000", "20260101T000000.000000Z-0000000g"]
)
def test_an_unknown_mail_is_not_found(client, inbox, mail_id):
    assert client.get(f"/demo/inbox/{mail_id}").status_code == 404
    assert client.get(f"/demo/inbox/{mail_id}/html").status_code == 404


def test_mails_of_people_are_never_kept_by_a_browser(client, inbox):
    mail_id = inbox()
    mails = ("/demo/inbox", "/demo/inbox.json", f"/demo/inbox/{mail_id}", f"/demo/inbox/{mail_id}/html")
    for path in (*mails, "/demo/kodi", "/demo/kodi.json"):
        assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.rule("PRV-6")
def test_production_has_no_inbox(tmp_path):
    """In a process of its own: the settings are read once."""
    program = (
        "from app import create_app; app = create_app();"
        "print([rule.rule for rule in app.url_map.iter_rules() if 'demo' in rule.rule])"
    )
    environ = {
        "PATH": "/usr/bin:/bin",
        "DYQANI_ENV": "production",
        "DYQANI_INSTANCE": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/production.db",
        "SECRET_KEY": "k" * 40,
        "DYQANI_BASE_URL": "https://shop.example",
        "BANK_STORE_KEY": "K",
        "BANK_API_PASSWORD": "P",
        "BANK_GATE_URL": "https://bank.example/gate",
        "BANK_API_URL": "https://bank.example/api",
        "SMS_PASSWORD": "P",
        "SMS_SECRET": "s" * 16,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=config.ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
