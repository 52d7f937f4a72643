"""What protects a shopper: tokens, headers, cookies, settings that are refused, and logs that name nobody."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import config
from models import MODELS
from models.cart import CartLine
from models.order import Order
from tests import starter
from tests import world as named
from tests.databases import own_database
from tests.views.browser import DATA, DELIVERY, OVERVIEW, PAYMENT, Browser, signed_link

# What the bank (PAY-6) and the billing system send is signed instead; so are the links in mails that a mail program
# may press by itself (RFC 8058).
BANK = {
    *("/pay/return", "/pay/callback", "/bss/<kind>", "/ussd"),
    *("/klubi/lajmet/ndal/<token>", "/pelqimet/ndal/<token>", "/njoftime/ndal/<token>"),
}
# Enough for each form to act, were it not for the token.
FIELDS = {
    **DATA,
    **DELIVERY,
    **PAYMENT,
    "terms": "y",
    "ku": "shporta",
    "sasia": "3",
    "slug": "kellef-s25",
    "ngjyra": "1f2023",
    "memoria": "",
    "password": named.PASSWORD,
}
POLICY = {
    "default-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "object-src": {"'none'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
    "form-action": {"'self'", "/".join(config.BANK_GATE_URL.split("/")[:3])},
}


def everything() -> dict[str, list]:
    """All rows of all tables."""
    return {model.__name__: sorted(map(repr, model.select().tuples())) for model in MODELS}


# Reads its token once it knows who sends the file: tests/views/test_desk_import.py.
LATE = {"/desk/katalogu/importi"}


def posts(app) -> list[str]:
    """Every route that takes a form of the shop's own."""
    found = {rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods} - BANK - LATE
    assert len(found) >= 10
    return sorted(found)


def run(script: str, **env: str) -> subprocess.CompletedProcess:
    """`script` in a process of its own, with the settings `env` beside the tests' own."""
    return starter.run(["-c", script], env={**os.environ, **env})


@pytest.fixture
def ready(shopper, world, profile) -> Browser:
    """A guest with an order, something in the cart and every step filled in."""
    shopper.order(world["S25-BLACK-128"])
    shopper.choose(world["CASE-BLACK"])
    shopper.post("/porosia/pagesa", PAYMENT)
    return shopper


# Tokens


@pytest.mark.parametrize("token", ["none", "empty", "made up", "of another session", "of the same length"])
def test_a_form_without_the_sessions_own_token_writes_nothing(app, ready, stranger, token):
    fields = {**FIELDS, "email": "arben@example.com", **ready.overview().form(OVERVIEW)}
    good = fields.pop("csrf_token")
    given = {
        "none": {},
        "empty": {"csrf_token": ""},
        "made up": {"csrf_token": "x"},
        "of another session": {"csrf_token": stranger.token()},
        "of the same length": {"csrf_token": good[:-9] + ("x" if good[-9] != "x" else "y") + good[-8:]},
    }[token]
    before = everything()
    line, number = str(CartLine.get().id), Order.get().number
    for piece in (False, True):
        for rule in posts(app):
            path = rule.replace("<int:line_id>", line).replace("<number>", number)
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", re.sub(r"<int:\w+>", "1", path))
            page = ready.post(path, {**fields, **given}, token=False, piece=piece)
            assert page.status == 400, path
        assert everything() == before
    # With its own token the same form acts.
    placed = ready.post(OVERVIEW, {**fields, "csrf_token": good})
    assert placed.status == 303
    assert placed.location.endswith("/pagesa")


def test_the_token_is_not_taken_from_the_address(ready):
    before = everything()
    assert ready.post(f"/shporta?csrf_token={ready.token()}", FIELDS, token=False).status == 400
    assert everything() == before


def test_a_form_that_another_site_sends_has_no_session_to_speak_for(app, ready):
    """Cookies are SameSite=Lax: from another site the browser sends the form without them."""
    elsewhere = Browser(app)
    before = everything()
    answer = elsewhere.post(
        "/porosia/te-dhenat", {**FIELDS, "csrf_token": ready.token()}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status == 400
    assert everything() == before


# Headers


def answers(app, ready: Browser):
    """One answer of each kind, with its address."""
    order = ready.order()
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments:
            yield rule.rule, ready.get(rule.rule)
    paths = ["/pajisja/galaxy-s25", "/pajisja/nuk-ka", "/nuk-ka", "/pay/return", "/shporta/1/heqja"]
    paths += [f"/porosia/{order.number}{ending}" for ending in ("", "/konfirmimi", "/pagesa")]
    for path in paths:
        yield path, ready.get(path)
        yield path, ready.get(path, piece=True)
    yield "login", ready.post("/hyr", {})
    yield "too large", ready.post("/hyr", {"email": "x" * 100_000})
    yield "no token", ready.post("/hyr", {}, token=False)
    yield "return", ready.post("/pay/return", {}, token=False)
    yield "callback", ready.post("/pay/callback", {}, token=False)
    yield "add", ready.post("/shporta", FIELDS)
    yield "link", ready.get(signed_link(order))


@pytest.mark.rule("PRV-1")
def test_every_answer_tells_the_browser_what_to_refuse(app, shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    statuses = set()
    for path, page in answers(app, shopper):
        statuses.add(page.status)
        policy = {
            name: set(values)
            for name, *values in (part.split() for part in page.headers["Content-Security-Policy"].split(";"))
        }
        assert policy == POLICY, path
        assert page.headers["X-Content-Type-Options"] == "nosniff", path
        assert page.headers["Referrer-Policy"] == "same-origin", path
        assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert "camera=()" in page.headers["Permissions-Policy"], path
        assert page.headers["Cache-Control"], path
        assert "Server" not in page.headers, path
    assert statuses >= {200, 303, 400, 404, 405, 413, 422}


def test_what_is_personal_is_never_kept_for_others(app, shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    for path, page in answers(app, shopper):
        cookies = page.headers.getlist("Set-Cookie")
        is_public = "public" in page.headers["Cache-Control"]
        assert not (is_public and cookies), path
        assert not (is_public and "Ana" in page.html), path


@pytest.mark.rule("PRV-1")
def test_no_page_asks_another_site_for_anything(app, shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    for path, page in answers(app, shopper):
        if not page.headers["Content-Type"].startswith("text/html"):
            continue
        for element in page.tree.iter():
            for name in ("src", "srcset", "data", "poster", "action", "hx-get", "hx-post", "formaction"):
                address = element.get(name) or "/"
                ours = address.startswith("/") and not address.startswith("//")
                to_bank = name == "action" and address == config.BANK_GATE_URL
                assert ours or to_bank or address.startswith("data:"), (path, address)
            if element.tag == "link":
                address = element.get("href")
                assert address.startswith(("/", "http://shop.test/")), (path, address)


# Cookies


@pytest.mark.rule("PRV-6")
def test_every_cookie_is_kept_from_scripts_and_from_other_sites(app, shopper, world, profile):
    cookies = []
    for page in (
        shopper.get("/hyr"),
        shopper.choose(world["CASE-BLACK"]),
        shopper.log_in(profile.email, remember="y"),
        shopper.get("/porosia/te-dhenat"),
    ):
        cookies += page.headers.getlist("Set-Cookie")
    assert {cookie.split("=")[0] for cookie in cookies} == {"session", "cart", "remember_token"}
    for cookie in cookies:
        parts = [part.strip() for part in cookie.split(";")]
        assert "HttpOnly" in parts, cookie
        assert "SameSite=Lax" in parts, cookie
        assert "Path=/" in parts, cookie
        # Over plain HTTP a browser would not send a secure one back.
        assert "Secure" not in parts, cookie


_COOKIES = """
import json
from app import create_app
from models.base import utcnow
from tests import world as named
from tests.views.browser import Browser

app = create_app()
world = named.build(utcnow())
profile = named.profile()
shopper = Browser(app)
pages = [
    shopper.get("/hyr"),
    shopper.choose(world["CASE-BLACK"]),
    shopper.log_in(profile.email, remember="y"),
    shopper.get("/nuk-ka"),
]
cookies = [cookie for page in pages for cookie in page.headers.getlist("Set-Cookie")]
print(json.dumps([cookies, [page.headers.get("Strict-Transport-Security") for page in pages]]))
"""
_PRODUCTION = {
    "DYQANI_ENV": "production",
    "SECRET_KEY": "k" * 32,
    "DYQANI_BASE_URL": "https://shop.example",
    "BANK_STORE_KEY": "a key of the bank",
    "BANK_API_PASSWORD": "a password of the bank",
    "BANK_GATE_URL": "https://bank.example/fim/est3Dgate",
    "BANK_API_URL": "https://bank.example/fim/api",
    "SMS_PASSWORD": "a password of the gateway",
    "SMS_SECRET": "s" * 16,
    "DYQANI_PASSWORD_MEMORY": "65536",
}


@pytest.mark.rule("PRV-6")
@pytest.mark.parametrize("settings", [{"DYQANI_BASE_URL": "https://shop.example"}, _PRODUCTION])
def test_behind_https_every_cookie_is_secure(tmp_path, settings):
    with own_database(tmp_path) as url:
        done = run(_COOKIES, DATABASE_URL=url, DYQANI_INSTANCE=str(tmp_path), **settings)
    assert done.returncode == 0, done.stderr
    cookies, strict = json.loads(done.stdout.splitlines()[-1])
    assert {cookie.split("=")[0] for cookie in cookies} == {"session", "cart", "remember_token"}
    for cookie in cookies:
        parts = [part.strip() for part in cookie.split(";")]
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(parts), cookie
    if settings is _PRODUCTION:
        assert all("max-age=31536000" in (value or "") for value in strict)


# Settings


@pytest.mark.rule("PRV-6")
@pytest.mark.parametrize(
    ("changed", "named_setting"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": " "}, "SECRET_KEY"),
        ({"SECRET_KEY": "k" * 31}, "SECRET_KEY"),
        ({"DYQANI_BASE_URL": "http://shop.example"}, "DYQANI_BASE_URL"),
        ({"DYQANI_BASE_URL": ""}, "DYQANI_BASE_URL"),
        ({"BANK_STORE_KEY": ""}, "BANK_STORE_KEY"),
        ({"BANK_STORE_KEY": "SANDBOX-KEY"}, "BANK_STORE_KEY"),
        ({"BANK_API_PASSWORD": "sandbox"}, "BANK_API_PASSWORD"),
        ({"BANK_API_PASSWORD": ""}, "BANK_API_PASSWORD"),
        ({"BANK_GATE_URL": "http://bank.example/"}, "BANK_GATE_URL"),
        ({"BANK_API_URL": ""}, "BANK_API_URL"),
        ({"SMS_PASSWORD": ""}, "SMS_PASSWORD"),
        ({"SMS_PASSWORD": "sandbox"}, "SMS_PASSWORD"),
        ({"SMS_SECRET": ""}, "SMS_SECRET"),
        ({"SMS_SECRET": "s" * 15}, "SMS_SECRET"),
        ({"DYQANI_PASSWORD_MEMORY": "19455"}, "DYQANI_PASSWORD_MEMORY"),
        ({"BSS_PUSH_SECRET": "sandbox-push"}, "BSS_PUSH_SECRET"),
        ({"BSS_PUSH_SECRET": "p" * 32 + ",sandbox-push"}, "BSS_PUSH_SECRET"),
        ({"BSS_WEBHOOK_URL": "https://bss.example/events"}, "BSS_WEBHOOK_SECRET"),
        ({"BSS_WEBHOOK_URL": "http://bss.example/", "BSS_WEBHOOK_SECRET": "w" * 32}, "BSS_WEBHOOK_URL"),
        ({"BSS_WEBHOOK_URL": "bss.example"}, "BSS_WEBHOOK_URL"),
        ({"BSS_ADDRESSES": "everywhere"}, "BSS_ADDRESSES"),
        ({"DYQANI_ENV": "prodution"}, "DYQANI_ENV"),
    ],
    ids=str,
)
def test_production_does_not_start_with_an_unsafe_setting_and_says_which(tmp_path, changed, named_setting):
    settings = {**_PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path}/shop.db", "DYQANI_INSTANCE": str(tmp_path)}
    done = run("from app import create_app; create_app(); print('started')", **{**settings, **changed})
    assert done.returncode != 0
    assert "started" not in done.stdout
    assert named_setting in done.stderr
    # A person at a terminal reads a sentence, not a stack of calls.
    assert "Traceback" not in done.stderr


@pytest.mark.rule("PRV-6")
@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "BSS_PUSH_SECRET": "p" * 32,
            "BSS_WEBHOOK_URL": "https://bss.example/events",
            "BSS_WEBHOOK_SECRET": "w" * 32,
        },
    ],
    ids=["alone", "with the billing system"],
)
def test_production_starts_with_safe_settings(tmp_path, more):
    settings = {**_PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path}/shop.db", "DYQANI_INSTANCE": str(tmp_path)}
    settings |= more
    done = run("from app import create_app; create_app(); print('started')", **settings)
    assert done.stdout.strip() == "started", done.stderr
    assert not (tmp_path / "secret").exists()


@pytest.mark.rule("PRV-6")
def test_a_demo_draws_its_own_secret_once_and_keeps_it_from_others(tmp_path):
    script = "import config; print(config.secret_key())"
    first = run(script, DYQANI_ENV="demo", DYQANI_INSTANCE=str(tmp_path), SECRET_KEY="")
    again = run(script, DYQANI_ENV="demo", DYQANI_INSTANCE=str(tmp_path), SECRET_KEY="")
    assert first.stdout == again.stdout
    assert len(first.stdout.strip()) >= 32
    assert Path(tmp_path, "secret").stat().st_mode & 0o077 == 0


# Logs

_ORDER = """
from app import create_app
from models.base import db, utcnow
from models.order_link import sign
from models.payment import Payment
from tests import world as named
from tests.views.browser import Browser, signed_link
from tests.views.test_pay import result

app = create_app()
world = named.build(utcnow())
profile = named.profile()
shopper = Browser(app)
shopper.post("/hyr", {"email": profile.email, "password": "not-the-password"})
shopper.log_in(profile.email, remember="y")
order = shopper.order(world["S25-BLACK-128"])
shopper.post("/porosia/gjej", {"number": order.number, "email": "besa@example.com"})
shopper.post("/porosia/gjej", {"number": order.number, "email": order.email})
Browser(app).get(f"/porosia/{order.number}?k={sign(order)}x")
Browser(app).get(signed_link(order))
payment = Payment.latest_of(order)
shopper.post("/pay/callback", {**result(payment), "HASH": "forged"}, token=False)
shopper.post("/pay/callback", result(payment, amount="1.00"), token=False)
shopper.post("/pay/return", result(payment), token=False)
shopper.post("/porosia/te-dhenat", {"email": "besa@example.com", "first_name": "Besa"})
shopper.get("/pajisja/nuk-ka?q=besa@example.com")
# And a failure in the middle of it all.
other = named.ordered(world, "CASE-BLACK", now=utcnow())[1]
db.execute_sql("DROP TABLE bank_message")
assert shopper.post("/pay/callback", result(other), token=False).status == 500
print(order.number, sign(order), shopper.cookie("cart").value, shopper.cookie("session").value,
      shopper.cookie("remember_token").value, payment.oid, sep="\\n")
"""


@pytest.fixture(scope="module")
def order_in_a_process(tmp_path_factory) -> subprocess.CompletedProcess:
    """A shop of its own, whose standard error is what an operator keeps."""
    folder = tmp_path_factory.mktemp("shop")
    with own_database(folder) as url:
        done = run(_ORDER, DATABASE_URL=url, DYQANI_INSTANCE=str(folder))
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.rule("PRV-1")
def test_the_log_of_an_order_names_nobody(order_in_a_process):
    done = order_in_a_process
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    events = {line["event"] for line in lines}
    assert events >= {"request", "bank.forged", "bank.mismatch", "request.failed"}
    assert any(line.get("endpoint") == "checkout.overview" and line["status"] == 303 for line in lines)
    secrets = [secret for secret in done.stdout.splitlines() if secret]
    assert len(secrets) == 6
    personal = ["Ana", "Markovska", "Arben", "Besa", "example.com", "Ilindenit", "070 123 456", "70123456", "Tetov"]
    personal += [named.PASSWORD, "not-the-password", "431111", "csrf_token"]
    for word in personal + secrets:
        assert word not in done.stderr, word


def test_every_line_of_the_log_has_its_request(order_in_a_process):
    lines = [json.loads(line) for line in order_in_a_process.stderr.splitlines()]
    failed = next(line for line in lines if line["event"] == "request.failed")
    request = next(line for line in lines if line["event"] == "request" and line["id"] == failed["id"])
    assert (request["endpoint"], request["status"]) == ("bank.callback", 500)
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
