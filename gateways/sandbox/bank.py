"""The sandbox bank: the hosted payment page for development and tests, as a process of its own.

`python -m gateways.sandbox.bank` listens on 127.0.0.1 only and refuses to start in production. It speaks
the protocol of docs/bank.md: the hosted card page, the 3-D Secure step, the signed return through the
browser, the server-to-server callback, and the API for status, refund and void. The test cards decide how a
payment ends. All it knows is in its SQLite file, so that a killed bank goes on where it was, callbacks
included.
"""

import base64
import contextlib
import datetime as dt
import hmac
import json
import logging
import os
import re
import secrets
import signal
import socket
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from flask import Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.serving import WSGIRequestHandler, make_server

from gateways.bank import CURRENCIES, to_major, to_minor, ver3_hash

from .bank_words import LANGUAGES, word

log = logging.getLogger("sandbox.bank")

HOST = "127.0.0.1"
_OUR_NAMES = {"127.0.0.1", "localhost"}
_CURRENCY_NAMES = {number: name for name, number in CURRENCIES.items()}
# Seconds to the next try of a callback that was not answered as agreed; after the last one the bank gives up.
_RETRY_AFTER = (1, 2, 5, 10, 30, 60, 120, 300)
_SLOW_SECONDS = 3
_REQUIRED = (
    "clientid",
    "storetype",
    "TranType",
    "amount",
    "currency",
    "oid",
    "okUrl",
    "failUrl",
    "rnd",
    "hash",
)


@dataclass(frozen=True)
class TestCard:
    """A card that decides how a payment ends.

    `code` is the ProcReturnCode, `md_status` the result of 3-D Secure, `callbacks` how many the bank sends,
    `delay` in seconds when the first one leaves. Without `returns` the browser stays at the bank.
    """

    __test__ = False  # no test class, whatever its name

    number: str
    brand: str = "VISA"
    code: str = "00"
    md_status: str = "1"
    error: str = ""
    returns: bool = True
    callbacks: int = 1
    forged_first: bool = False
    delay: int = 0

    @property
    def spaced(self) -> str:
        """The number as it is printed on a card."""
        return " ".join(re.findall("....", self.number))


TEST_CARDS = {
    "approve": TestCard("4000000000000002"),
    "approve_mastercard": TestCard("5100000000000008", brand="MASTERCARD"),
    "decline": TestCard("4000000000000051", code="51", error="Insufficient funds"),
    "expired": TestCard("5100000000000057", brand="MASTERCARD", code="54", error="Expired card"),
    "fail_3d": TestCard("4000000000000010", code="99", md_status="0", error="Not authenticated"),
    "lost_return": TestCard("4000000000000028", returns=False),
    "lost_both": TestCard("4000000000000036", returns=False, callbacks=0),
    "twice": TestCard("5100000000000024", brand="MASTERCARD", callbacks=2),
    "forged": TestCard("4000000000000069", forged_first=True),
    "slow": TestCard("4000000000000077", delay=_SLOW_SECONDS),
}
_BY_NUMBER = {card.number: name for name, card in TEST_CARDS.items()}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    oid TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    ok_url TEXT NOT NULL,
    fail_url TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    refresh INTEGER NOT NULL,
    lang TEXT NOT NULL,
    storetype TEXT NOT NULL,
    posted_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('card', 'code', 'done')),
    card TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '',
    approved INTEGER NOT NULL DEFAULT 0,
    voided INTEGER NOT NULL DEFAULT 0,
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND amount),
    opened_at REAL NOT NULL,
    decided_at REAL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS payment_approved_once ON payment (client_id, oid) WHERE approved = 1;
CREATE INDEX IF NOT EXISTS payment_by_order ON payment (client_id, oid);
CREATE TABLE IF NOT EXISTS refund (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payment (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    trans_id TEXT NOT NULL,
    made_at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS callback (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payment (id),
    url TEXT NOT NULL,
    fields TEXT NOT NULL,
    forged INTEGER NOT NULL DEFAULT 0,
    due_at REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    reply TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_at) WHERE due_at IS NOT NULL;
"""


class Refused(Exception):
    """What the API answers instead of doing what was asked: Declined or Error, a code and the reason."""

    def __init__(self, reason: str, code: str = "99", response: str = "Declined"):
        super().__init__(reason)
        self.code, self.response = code, response


@dataclass(frozen=True)
class Account:
    """The one merchant that this bank serves, and the reply it expects to a callback."""

    client_id: str
    store_key: str
    api_user: str
    api_password: str
    callback_reply: str = "Approved"

    def sign(self, fields: dict[str, str]) -> dict[str, str]:
        """The fields of a message with their hash, as the bank posts them."""
        fields = {**fields, "hashAlgorithm": "ver3"}
        return {**fields, "HASH": ver3_hash(fields, self.store_key), "encoding": "UTF-8"}


class Store:
    """The bank's memory: one SQLite file, opened anew for each use, so that threads share nothing else."""

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.reading() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)

    @contextlib.contextmanager
    def reading(self):
        """A connection that is closed afterwards."""
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def writing(self):
        """One transaction; an error undoes all of it."""
        with self.reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


class Courier:
    """Delivers callbacks that are due, one after the other, until each was answered as agreed."""

    def __init__(self, store: Store, account: Account):
        self.store, self.account = store, account
        self._wake, self._stopped = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        # The shop is on the same machine: no proxy may come between, and a redirect is no answer.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def start(self):
        """Begin, with what an earlier process left undelivered."""
        self._thread.start()

    def stop(self):
        """End after the delivery under way."""
        self._stopped = True
        self._wake.set()
        self._thread.join(timeout=6)

    def wake(self):
        """Look at once whether something is due."""
        self._wake.set()

    def _run(self):
        while not self._stopped:
            self._wake.clear()
            try:
                with self.store.reading() as db:
                    row = db.execute(
                        "SELECT * FROM callback WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1"
                    ).fetchone()
                pause = None if row is None else row["due_at"] - time.time()
                if pause is not None and pause <= 0:
                    self._deliver(row)
                    continue
            except sqlite3.Error:
                log.exception("the store cannot be read")
                pause = 1
            self._wake.wait(pause)

    def _deliver(self, row):
        body = urllib.parse.urlencode(json.loads(row["fields"])).encode()
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        reply = "no answer"
        try:
            post = urllib.request.Request(row["url"], body, {"Content-Type": kind})  # noqa: S310, checked at the gate
            with self._opener.open(post, timeout=5) as answer:
                text = answer.read(1000).decode("utf-8", "replace")
                reply = "delivered" if text == self.account.callback_reply else f"answered {text[:60]!r}"
        except urllib.error.HTTPError as error:
            error.close()
            reply = f"HTTP {error.code}"
        except (OSError, ValueError, urllib.error.URLError) as error:
            reply = type(error).__name__
        tries = row["tries"] + 1
        # A forger does not come back.
        over = reply == "delivered" or row["forged"] or tries > len(_RETRY_AFTER)
        due_at = None if over else time.time() + _RETRY_AFTER[tries - 1]
        with self.store.writing() as db:
            db.execute(
                "UPDATE callback SET due_at = ?, tries = ?, reply = ? WHERE id = ?",
                (due_at, tries, reply, row["id"]),
            )
        log.info("callback %s%s: %s", row["id"], " (forged)" if row["forged"] else "", reply)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def passes_luhn(number: str) -> bool:
    """Whether the last digit of a card number is its right check digit."""
    total = 0
    for place, digit in enumerate(int(character) for character in reversed(number)):
        total += digit if place % 2 == 0 else sum(divmod(2 * digit, 10))
    return total % 10 == 0


def check_card(form, now: dt.datetime) -> dict[str, str]:
    """The errors of a typed card: field to the key of its text."""
    errors = {}
    number = re.sub(r"[ -]", "", form.get("number", ""))
    if not number:
        errors["number"] = "number_missing"
    elif not re.fullmatch(r"[0-9]{12,19}", number) or not passes_luhn(number):
        errors["number"] = "number_wrong"
    elif number not in _BY_NUMBER:
        errors["number"] = "number_unknown"
    expiry = re.fullmatch(r"\s*(0?[1-9]|1[0-2])\s*[/.-]?\s*(?:20)?([0-9]{2})\s*", form.get("expiry", ""), re.ASCII)
    if not expiry:
        errors["expiry"] = "expiry_wrong"
    elif (2000 + int(expiry[2]), int(expiry[1])) < (now.year, now.month):
        errors["expiry"] = "expiry_past"
    if not re.fullmatch(r"\s*[0-9]{3}\s*", form.get("cvv", ""), re.ASCII):
        errors["cvv"] = "cvv_wrong"
    return errors


def check_request(form, account: Account) -> tuple[dict[str, str], list[str]]:
    """The shop's posted fields under their protocol names, and what is wrong with them, in English."""
    problems, fields = [], {}
    names = {name.lower(): name for name in (*_REQUIRED, "callbackUrl", "refreshtime", "lang", "hashAlgorithm")}
    for name, value in form.items(multi=True):
        known = names.get(name.lower(), name.lower())
        if known in fields:
            problems.append(f"{name} is given twice.")
        fields[known] = value
    problems += [f"{name} is missing." for name in _REQUIRED if not fields.get(name)]
    if problems:
        return fields, problems
    if fields["clientid"] != account.client_id:
        problems.append("clientid is not a merchant of this bank.")
    if fields.get("hashAlgorithm") != "ver3":
        problems.append("hashAlgorithm must be ver3.")
    elif not hmac.compare_digest(ver3_hash(fields, account.store_key).encode(), fields["hash"].encode()):
        order = ", ".join(sorted((name for name in fields if name not in ("hash", "encoding")), key=str.lower))
        problems.append(f"hash does not fit the fields and the store key. Hashed here, in this order: {order}.")
    for name, wanted in (("storetype", "3d_pay_hosting"), ("TranType", "Auth")):
        if fields[name] != wanted:
            problems.append(f"{name} must be {wanted}.")
    if not to_minor(fields["amount"]):
        problems.append("amount must be above zero and look like 12999.00.")
    if fields["currency"] not in _CURRENCY_NAMES:
        problems.append("currency must be an ISO number such as 807.")
    for name in ("okUrl", "failUrl", "callbackUrl"):
        if (name != "callbackUrl" or fields.get(name)) and not _is_web_address(fields[name]):
            problems.append(f"{name} must be a whole http or https address.")
    return fields, problems


def _is_web_address(text: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s;,\"']", text)
    except ValueError:
        return False


def decide(payment, outcome: str) -> tuple[dict[str, str], bool]:
    """The unsigned result of a payment and whether the money was taken.

    `outcome` is the name of a test card, `cancelled`, or `duplicate` for an order that is paid already.
    """
    card = TEST_CARDS.get(outcome)
    code, md_status, error, response = "99", "0", "", "Declined"
    if card:
        code, md_status, error = card.code, card.md_status, card.error
        response = "Approved" if code == "00" else "Declined"
    elif outcome == "duplicate":
        md_status, response = "1", "Error"
        error = "CORE-2507 There is already a successful transaction for this order"
    else:
        error = "Cancelled by the cardholder"
    approved, authenticated = response == "Approved", md_status == "1"
    digits = "".join(str(secrets.randbelow(10)) for _ in range(20))
    number = card.number if card else ""
    now = dt.datetime.now(dt.UTC)
    fields = {
        "oid": payment["oid"],
        "ReturnOid": payment["oid"],
        "clientid": payment["client_id"],
        "amount": to_major(payment["amount"]),
        "currency": payment["currency"],
        "mdStatus": md_status,
        "mdErrorMsg": "" if authenticated else error,
        "Response": response,
        "ProcReturnCode": code,
        "ErrMsg": error,
        "AuthCode": f"P{digits[:5]}" if approved else "",
        "TransId": f"{now:%y%j}{digits[5:14]}",
        "HostRefNum": f"{now:%y%j}{digits[14:20]}" if approved else "",
        "MaskedPan": f"{number[:4]} {number[4:6]}** **** {number[-4:]}" if number else "",
        "EXTRA_CARDBRAND": card.brand if card else "",
        "EXTRA_TRXDATE": f"{now:%Y%m%d %H:%M:%S}",
        "eci": "" if not (authenticated and card) else "05" if card.brand == "VISA" else "02",
        "cavv": base64.b64encode(secrets.token_bytes(20)).decode() if authenticated and card else "",
        "xid": base64.b64encode(secrets.token_bytes(20)).decode(),
        "md": secrets.token_hex(24),
        "storetype": payment["storetype"],
        "lang": payment["lang"],
        "rnd": secrets.token_hex(10),
    }
    return fields, approved


def settle(store: Store, account: Account, payment, outcome: str) -> bool:
    """Decide a payment once, and note what the shop is to be told. False when it was decided before."""
    with store.writing() as db:
        fresh = db.execute("SELECT * FROM payment WHERE id = ?", (payment["id"],)).fetchone()
        if fresh["state"] == "done":
            return False
        paid = db.execute(
            "SELECT 1 FROM payment WHERE client_id = ? AND oid = ? AND approved = 1",
            (payment["client_id"], payment["oid"]),
        ).fetchone()
        if paid:
            outcome = "duplicate"
        fields, approved = decide(payment, outcome)
        now = time.time()
        db.execute(
            "UPDATE payment SET state = 'done', card = ?, code = '', result = ?, approved = ?, decided_at = ?"
            " WHERE id = ?",
            (outcome, json.dumps(fields), int(approved), now, payment["id"]),
        )
        card = TEST_CARDS.get(outcome)
        genuine = account.sign({**fields, "callbackCall": "true"})
        due = []
        if card and card.forged_first:
            lie = {**fields, "callbackCall": "true", "amount": "1.00", "rnd": secrets.token_hex(10)}
            due.append(({**genuine, **lie, "HASH": ver3_hash(lie, "not the store key")}, 1, now))
        # An order that is paid was told of when it was paid.
        count = card.callbacks if card else int(outcome == "cancelled")
        due += [(genuine, 0, now + (card.delay if card else 0))] * count
        if payment["callback_url"]:
            db.executemany(
                "INSERT INTO callback (payment_id, url, fields, forged, due_at) VALUES (?, ?, ?, ?, ?)",
                [(payment["id"], payment["callback_url"], json.dumps(f), forged, at) for f, forged, at in due],
            )
    log.info("payment %s: %s", payment["oid"], outcome)
    return True


def answer(store: Store, account: Account, data: str) -> ET.Element:
    """What the API says to a CC5Request."""
    reply = dict.fromkeys(
        ("OrderId", "Response", "AuthCode", "HostRefNum", "ProcReturnCode", "TransId", "ErrMsg"), ""
    )
    extra: dict[str, str] = {}
    try:
        try:
            asked = fromstring(data.encode("utf-8", "replace"), forbid_dtd=True)
        except (ET.ParseError, DefusedXmlException, ValueError, LookupError):
            raise Refused("DATA is no valid XML", response="Error") from None
        if asked.tag != "CC5Request":
            raise Refused("DATA must hold a CC5Request", response="Error")
        given = [asked.findtext(name) or "" for name in ("Name", "Password", "ClientId")]
        ours = [account.api_user, account.api_password, account.client_id]
        if not hmac.compare_digest(repr(given).encode(), repr(ours).encode()):
            raise Refused("CORE-2001 The user, its password or the merchant is wrong", response="Error")
        oid = asked.findtext("OrderId") or ""
        reply["OrderId"] = oid
        if (asked.findtext("Extra/ORDERSTATUS") or "").upper() == "QUERY":
            reply["OrderId"] = ""
            found, extra = _query(store, account, oid)
        elif asked.findtext("Type") == "Credit":
            total = to_minor((asked.findtext("Total") or "").strip())
            found = _credit(store, account, oid, total, asked.findtext("Currency") or "")
        elif asked.findtext("Type") == "Void":
            found = _void(store, account, oid)
        else:
            raise Refused("Type must be Credit or Void, or Extra must ask for the ORDERSTATUS", response="Error")
        reply |= {"Response": "Approved", "ProcReturnCode": "00", "OrderId": oid, **found}
    except Refused as refusal:
        reply |= {"Response": refusal.response, "ProcReturnCode": refusal.code, "ErrMsg": str(refusal)}
    root = ET.Element("CC5Response")
    for name, value in reply.items():
        ET.SubElement(root, name).text = value
    inner = ET.SubElement(root, "Extra")
    for name, value in extra.items():
        ET.SubElement(inner, name).text = value
    return root


def _decided(db, account, oid, only_approved=False):
    """The attempt that counts for an order: the approved one, else the last that was decided."""
    row = db.execute(
        "SELECT * FROM payment WHERE client_id = ? AND oid = ? AND state = 'done'"
        " ORDER BY approved DESC, decided_at DESC, id DESC LIMIT 1",
        (account.client_id, oid),
    ).fetchone()
    if row is None or (only_approved and not row["approved"]):
        raise Refused(f"No record found for {oid}")
    return row


def _query(store, account, oid):
    with store.reading() as db:
        row = _decided(db, account, oid)
    result = json.loads(row["result"])
    state = "V" if row["voided"] else "C" if row["approved"] else "D"
    amount = str(row["amount"])
    extra = {
        "ORD_ID": oid,
        "CHARGE_TYPE_CD": "C" if row["refunded"] else "S",
        "ORIG_TRANS_AMT": amount,
        "CAPTURE_AMT": (str(row["refunded"]) if row["refunded"] else amount) if row["approved"] else "",
        "TRANS_STAT": state,
        "AUTH_CODE": result["AuthCode"],
        "TRANS_ID": result["TransId"],
    }
    line = "\t".join(f"{name}:{value}" for name, value in extra.items())
    extra |= {
        "PROC_RET_CD": result["ProcReturnCode"],
        "HOST_REF_NUM": result["HostRefNum"],
        "MDSTATUS": result["mdStatus"],
        "ORDERSTATUS": line,
    }
    # As at the real bank, the outer answer is Approved 00 for a declined payment too: a record was found.
    return {"TransId": result["TransId"], "ErrMsg": f"Record(s) found for {oid}"}, extra


def _references(db) -> dict[str, str]:
    number = secrets.randbelow(10**12)
    return {
        "AuthCode": f"R{number % 100000:05d}",
        "TransId": f"R{number:012d}",
        "HostRefNum": f"{number:012d}",
    }


def _credit(store, account, oid, total, currency):
    with store.writing() as db:
        row = _decided(db, account, oid, only_approved=True)
        if not total:
            raise Refused("Total must be above zero and look like 100.00", response="Error")
        if currency != row["currency"]:
            raise Refused("Currency is not that of the payment")
        if row["voided"]:
            raise Refused("The payment is void")
        if row["refunded"] + total > row["amount"]:
            raise Refused("More than was captured cannot be refunded")
        references = _references(db)
        db.execute(
            "INSERT INTO refund (payment_id, amount, trans_id, made_at) VALUES (?, ?, ?, ?)",
            (row["id"], total, references["TransId"], time.time()),
        )
        db.execute("UPDATE payment SET refunded = refunded + ? WHERE id = ?", (total, row["id"]))
    log.info("payment %s: refunded %s", oid, to_major(total))
    return references


def _void(store, account, oid):
    with store.writing() as db:
        row = _decided(db, account, oid, only_approved=True)
        if row["voided"]:
            raise Refused("The payment is void already")
        if row["refunded"]:
            raise Refused("A refunded payment cannot be voided")
        db.execute("UPDATE payment SET voided = 1 WHERE id = ?", (row["id"],))
        references = _references(db)
    log.info("payment %s: void", oid)
    return references


def create_bank(store: Store, account: Account, courier: Courier, merchant: str = "Dyqani") -> Flask:
    """The bank's pages and its API as a WSGI application. `merchant` is the name that its pages show."""
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_MEMORY_SIZE=64 * 1024)

    @app.before_request
    def only_loopback():
        # A page elsewhere on the web must not reach this bank by a name that it points at 127.0.0.1.
        if urllib.parse.urlsplit(f"//{request.host}").hostname not in _OUR_NAMES:
            abort(421)
        language = request.args.get("lang", "")
        g.lang = language if language in LANGUAGES else LANGUAGES[0]

    @app.after_request
    def close_the_windows(response):
        target = getattr(g, "form_target", "")
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none';"
            f" frame-ancestors 'none'; form-action 'self' {target}"
        ).strip()
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.context_processor
    def page():
        return {"t": lambda key: word(key, g.lang), "lang": g.lang, "cards": TEST_CARDS, "merchant": merchant}

    @app.template_filter()
    def money(payment):
        whole, part = divmod(payment["amount"], 100)
        grouped = f"{whole:,}"
        comma = "."
        if g.lang != "en":
            grouped, comma = grouped.replace(",", "."), ","
        return f"{grouped}{comma}{part:02d}\u00a0{_CURRENCY_NAMES[payment['currency']]}"

    def find(token):
        with store.reading() as db:
            payment = db.execute("SELECT * FROM payment WHERE token = ?", (token,)).fetchone()
        if payment is None:
            abort(404)
        g.lang = payment["lang"]
        return payment

    def at_step(payment, step):
        """Where the browser belongs when the payment is not at this step; None when it is."""
        if payment["state"] == step:
            return None
        pages = {"card": "card_page", "code": "code_page", "done": "result_page"}
        return redirect(url_for(pages[payment["state"]], token=payment["token"]), 303)

    @app.get("/")
    def home():
        return render_template("bank/home.html")

    @app.get("/health")
    def health():
        with store.reading() as db:
            waiting = db.execute("SELECT count(*) FROM callback WHERE due_at IS NOT NULL").fetchone()[0]
        return {"status": "ok", "callbacks_waiting": waiting}

    @app.post("/fim/est3Dgate")
    def gate():
        fields, problems = check_request(request.form, account)
        language = fields.get("lang", "")
        g.lang = language if language in LANGUAGES else "en"
        if problems:
            return render_template("bank/problem.html", problems=problems), 400
        refresh = fields.get("refreshtime", "")
        refresh = min(int(refresh), 60) if re.fullmatch("[0-9]{1,3}", refresh, re.ASCII) else 5
        with store.writing() as db:
            known = db.execute(
                "SELECT * FROM payment WHERE posted_hash = ? AND oid = ? ORDER BY id DESC LIMIT 1",
                (fields["hash"], fields["oid"]),
            ).fetchone()
            # The same form again, by reload or back button, goes on where it was; a decided one starts anew.
            if known is not None and known["state"] != "done":
                token = known["token"]
            else:
                token = secrets.token_urlsafe(24)
                db.execute(
                    "INSERT INTO payment (token, client_id, oid, amount, currency, ok_url, fail_url,"
                    " callback_url, refresh, lang, storetype, posted_hash, state, opened_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'card', ?)",
                    (
                        token,
                        fields["clientid"],
                        fields["oid"],
                        to_minor(fields["amount"]),
                        fields["currency"],
                        fields["okUrl"],
                        fields["failUrl"],
                        fields.get("callbackUrl", ""),
                        refresh,
                        g.lang,
                        fields["storetype"],
                        fields["hash"],
                        time.time(),
                    ),
                )
            paid = db.execute(
                "SELECT 1 FROM payment WHERE client_id = ? AND oid = ? AND approved = 1",
                (fields["clientid"], fields["oid"]),
            ).fetchone()
        if paid:
            settle(store, account, find(token), "duplicate")
            return redirect(url_for("result_page", token=token), 303)
        return redirect(url_for("card_page", token=token), 303)

    @app.get("/pay/<token>")
    def card_page(token):
        payment = find(token)
        if elsewhere := at_step(payment, "card"):
            return elsewhere
        typed = {}
        if chosen := TEST_CARDS.get(request.args.get("card", "")):
            expiry = dt.datetime.now(dt.UTC) + dt.timedelta(days=3 * 365)
            typed = {"number": chosen.spaced, "expiry": f"12/{expiry:%y}", "cvv": "123"}
        return render_template("bank/card.html", payment=payment, typed=typed, errors={})

    @app.post("/pay/<token>")
    def give_card(token):
        payment = find(token)
        if elsewhere := at_step(payment, "card"):
            return elsewhere
        if request.form.get("action") == "cancel":
            return finish(payment, "cancelled")
        errors = check_card(request.form, dt.datetime.now(dt.UTC))
        if errors:
            # The number goes back into its field, the CVV does not.
            typed = {name: request.form.get(name, "")[:40] for name in ("number", "expiry")}
            return render_template("bank/card.html", payment=payment, typed=typed, errors=errors), 422
        name = _BY_NUMBER[re.sub(r"[ -]", "", request.form["number"])]
        with store.writing() as db:
            db.execute(
                "UPDATE payment SET state = 'code', card = ?, code = ? WHERE id = ? AND state = 'card'",
                (name, f"{secrets.randbelow(10**6):06d}", payment["id"]),
            )
        return redirect(url_for("code_page", token=token), 303)

    @app.get("/pay/<token>/3ds")
    def code_page(token):
        payment = find(token)
        return at_step(payment, "code") or render_template("bank/code.html", payment=payment, errors={})

    @app.post("/pay/<token>/3ds")
    def give_code(token):
        payment = find(token)
        if elsewhere := at_step(payment, "code"):
            return elsewhere
        if request.form.get("action") == "cancel":
            return finish(payment, "cancelled")
        if not re.fullmatch(r"\s*[0-9]{6}\s*", request.form.get("code", ""), re.ASCII):
            return render_template("bank/code.html", payment=payment, errors={"code": "code_wrong"}), 422
        return finish(payment, payment["card"])

    def finish(payment, outcome):
        settle(store, account, payment, outcome)
        courier.wake()
        return redirect(url_for("result_page", token=payment["token"]), 303)

    @app.get("/pay/<token>/result")
    def result_page(token):
        payment = find(token)
        if elsewhere := at_step(payment, "done"):
            return elsewhere
        card = TEST_CARDS.get(payment["card"])
        if card and card.delay:
            with store.reading() as db:
                untried = db.execute(
                    "SELECT 1 FROM callback WHERE payment_id = ? AND tries = 0", (payment["id"],)
                ).fetchone()
            if untried:
                return render_template("bank/waiting.html", payment=payment), {"Refresh": "1"}
        approved = bool(payment["approved"])
        fields, target = None, ""
        if not card or card.returns:
            fields = account.sign(json.loads(payment["result"]))
            target = payment["ok_url" if approved else "fail_url"]
            # The browser applies this to what the shop redirects to as well, wherever the shop lives.
            g.form_target = "http: https:"
        return render_template("bank/result.html", payment=payment, approved=approved, fields=fields, target=target)

    @app.post("/fim/api")
    def api():
        root = answer(store, account, request.form.get("DATA", ""))
        body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return body, {"Content-Type": "text/xml; charset=utf-8"}

    @app.errorhandler(404)
    @app.errorhandler(405)
    def not_found(error):
        return render_template("bank/not_found.html"), error.code

    return app


class _QuietRequests(WSGIRequestHandler):
    def log_request(self, *_):
        """What matters is logged where it is decided."""


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(64)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SystemExit(
            f"The sandbox bank cannot listen on {HOST}:{port} ({error}). Stop what uses the port, or set"
            " BANK_SANDBOX_PORT to a free one."
        ) from None
    return listener


def main() -> None:
    """Run the bank until SIGTERM or SIGINT."""
    if os.environ.get("DYQANI_ENV", "").strip() == "production":
        raise SystemExit("The sandbox bank does not start in production (DYQANI_ENV).")
    if os.environ.get("BANK_SANDBOX_HOST", "").strip() not in ("", *_OUR_NAMES):
        raise SystemExit(f"The sandbox bank listens on {HOST} only; unset BANK_SANDBOX_HOST.")
    import config

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="sandbox bank: %(message)s")
    account = Account(
        str(config.BANK_CLIENT_ID),
        config.BANK_STORE_KEY,
        config.BANK_API_USER,
        config.BANK_API_PASSWORD,
        config.BANK_CALLBACK_REPLY,
    )
    listener = _listen(config.BANK_PORT)
    port = listener.getsockname()[1]
    path = Path(os.environ.get("BANK_SANDBOX_STORE", "").strip() or config.INSTANCE / "bank.sqlite3")
    try:
        store = Store(path)
    except (OSError, sqlite3.Error) as error:
        raise SystemExit(f"The sandbox bank cannot open its store {path} ({error}).") from None
    courier = Courier(store, account)
    app = create_bank(store, account, courier, config.BRAND)
    server = make_server(HOST, port, app, threaded=True, request_handler=_QuietRequests, fd=listener.fileno())
    listener.close()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    courier.start()
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    sys.stdout.write(f"The sandbox bank listens on http://{HOST}:{port}\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    courier.stop()


if __name__ == "__main__":
    main()
