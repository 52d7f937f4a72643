"""Every setting of the shop, once: its environment variable, its default and what it does.

Read at import. `docs/settings.md` explains them to an operator. What only one start script or sandbox needs (HOST,
WEB_CONCURRENCY, BANK_SANDBOX_STORE) is read there.
"""

import hashlib
import ipaddress
import os
import re
import secrets
from pathlib import Path

import face
from face import files

ROOT = Path(__file__).resolve().parent


def _text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def _number(name: str, default: int, least: int = 0) -> int:
    value = _text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise SystemExit(f"{name} must be a whole number, not {value!r}.") from None
    if number < least:
        raise SystemExit(f"{name} must be at least {least}, not {number}.")
    return number


def _list(name: str, default: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _text(name, default).split(",") if part.strip())


def _networks(name: str, default: str) -> tuple:
    try:
        return tuple(ipaddress.ip_network(part) for part in _list(name, default))
    except ValueError as error:
        raise SystemExit(f"{name} must be addresses or networks, with commas: {error}.") from None


# production: refuses default secrets and insecure cookies. demo: the demo world, /demo/inbox and test cards.
# test: as demo, without the demo world.
ENV = _text("DYQANI_ENV", "demo")
if ENV not in {"production", "demo", "test"}:
    raise SystemExit(f"DYQANI_ENV must be production, demo or test, not {ENV!r}.")

# The data folder: the SQLite file, photos, the demo's inbox and its generated secret.
INSTANCE = Path(_text("DYQANI_INSTANCE", str(ROOT / "instance"))).resolve()
DATABASE_URL = _text("DATABASE_URL", f"sqlite:///{INSTANCE / 'dyqani.db'}")
# Connections that one process keeps open to PostgreSQL.
DATABASE_POOL = _number("DATABASE_POOL", 8)

PORT = _number("PORT", 8000)
# How shoppers reach the shop; links in mails and the bank's return address start with it.
BASE_URL = _text("DYQANI_BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
# How many reverse proxies in front set X-Forwarded-For and -Proto.
PROXIES = _number("DYQANI_PROXIES", 0)


def secret_key() -> str:
    """SECRET_KEY, or, outside production, a random one kept in the data folder (PRV-6)."""
    given = _text("SECRET_KEY")
    if given or ENV == "production":
        return given
    kept = INSTANCE / "secret"
    INSTANCE.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return kept.read_text().strip()
    key = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def _face(folder: Path) -> face.Face:
    try:
        return face.load(folder)
    except face.BadFace as error:
        raise SystemExit(f"DYQANI_BRAND_FOLDER: {error}") from None


# The operator's face: one folder (docs/brand.md). What is set below as well goes before what the folder says.
HOUSE = _face(ROOT / "brand" / "dyqani")
_folder = Path(_text("DYQANI_BRAND_FOLDER", str(HOUSE.folder))).resolve()
FACE = HOUSE
if _folder != FACE.folder:
    FACE = _face(_folder)

# The operator
BRAND = _text("DYQANI_BRAND", FACE.name)
CONTACT_EMAIL = _text("DYQANI_CONTACT_EMAIL", FACE.email)
CONTACT_PHONE = _text("DYQANI_CONTACT_PHONE", FACE.phone)
CURRENCY = _text("DYQANI_CURRENCY", FACE.currency)
if CURRENCY not in {"MKD", "EUR", "ALL", "RSD", "BAM", "USD"}:
    raise SystemExit(f"DYQANI_CURRENCY must be MKD, EUR, ALL, RSD, BAM or USD, not {CURRENCY!r}.")
# The first language has no prefix in the URL.
LANGUAGES = _list("DYQANI_LANGUAGES", ",".join(FACE.languages))
if not {"sq", "mk", "en"}.issuperset(LANGUAGES):
    raise SystemExit(f"DYQANI_LANGUAGES must be some of sq, mk and en, with commas, not {','.join(LANGUAGES)!r}.")
if not set(FACE.languages).issuperset(LANGUAGES):
    raise SystemExit(f"DYQANI_LANGUAGES must be some of those in brand.toml, not {','.join(LANGUAGES)!r}.")
TIMEZONE = _text("DYQANI_TIMEZONE", FACE.timezone)
COUNTRY = _text("DYQANI_COUNTRY", FACE.country)

# Cart and order
CART_DAYS = _number("DYQANI_CART_DAYS", 30)  # CRT-4
# A percentage off ends at whole steps of so many units of the currency, in the shopper's favour.
PROMOTION_STEP = _number("DYQANI_PROMOTION_STEP", FACE.promotion_step)
# A guest's wish list lives so long after the last look at it; and how many devices any list holds.
WISH_DAYS = _number("DYQANI_WISH_DAYS", 90, least=1)
WISHES_MAX = _number("DYQANI_WISHES_MAX", 60, least=1)
LINE_QUANTITY_MAX = _number("DYQANI_LINE_QUANTITY_MAX", 5, least=1)
PAYABLE_MINUTES = _number("DYQANI_PAYABLE_MINUTES", 30, least=1)  # PAY-8
# How long a new number stays with the shopper who picked it (OFF-6).
NUMBER_HOLD_MINUTES = _number("DYQANI_NUMBER_HOLD_MINUTES", 30)
# From one internet address within that time, so that nobody holds the whole pool.
NUMBER_HOLDS_PER_ADDRESS = _number("DYQANI_NUMBER_HOLDS_PER_ADDRESS", 60, least=1)
# Unpaid orders that one e-mail, and one address, may hold pieces with at the same time.
UNPAID_PER_EMAIL = _number("DYQANI_UNPAID_PER_EMAIL", 50, least=1)
PLACED_PER_ADDRESS = _number("DYQANI_PLACED_PER_ADDRESS", 20, least=1)
# After so many minutes without a payment the shopper gets the link to it by mail.
PAYMENT_REMINDER_MINUTES = _number("DYQANI_PAYMENT_REMINDER_MINUTES", 5, least=1)  # PAY-8
# Links by which somebody else may pay an order: made for one order, tried with one link, and paid from one address
# while an order stays payable.
PAY_LINKS_PER_ORDER = _number("DYQANI_PAY_LINKS_PER_ORDER", 10, least=1)
PAY_LINK_TRIES = _number("DYQANI_PAY_LINK_TRIES", 10, least=1)
PAY_LINK_PER_ADDRESS = _number("DYQANI_PAY_LINK_PER_ADDRESS", 30, least=1)
# A cart that was left is reminded of after so many hours (0: never), unless it was left these days before; then
# nothing more to the same mailbox for the next days, and so long the mail's link brings the cart back (PRV-2).
CART_REMINDER_HOURS = _number("DYQANI_CART_REMINDER_HOURS", 24)
CART_REMINDER_DAYS = _number("DYQANI_CART_REMINDER_DAYS", 3, least=1)
CART_REMINDER_PAUSE_DAYS = _number("DYQANI_CART_REMINDER_PAUSE_DAYS", 7, least=1)
CART_LINK_DAYS = _number("DYQANI_CART_LINK_DAYS", 7, least=1)
DELIVERY_DAYS = _number("DYQANI_DELIVERY_DAYS", 5)  # DLV-2
# What lasts for fewer days at its present pace is about to run out.
STOCK_DAYS = _number("DYQANI_STOCK_DAYS", 14, least=1)
# Days after the delivery in which a shopper may withdraw, and in which a claim is answered; calendar days.
WITHDRAWAL_DAYS = _number("DYQANI_WITHDRAWAL_DAYS", 14)  # AFT-3
CLAIM_DAYS = _number("DYQANI_CLAIM_DAYS", 15)  # AFT-4
PER_PAGE = _number("DYQANI_PER_PAGE", 12, least=1)

# Profile
CONFIRM_HOURS = _number("DYQANI_CONFIRM_HOURS", 24, least=1)  # PRO-1
PASSWORD_LINK_MINUTES = _number("DYQANI_PASSWORD_LINK_MINUTES", 60, least=1)  # PRO-2
REMEMBER_DAYS = _number("DYQANI_REMEMBER_DAYS", 30, least=1)  # PRO-2
# KiB of memory that hashing one password takes: the work of who tries passwords on stolen hashes (PRO-2).
PASSWORD_MEMORY = _number("DYQANI_PASSWORD_MEMORY", 65_536, least=1024)

# What is kept of people, and for how long (PRV-3, docs/privacy.md). Orders that were paid, counted from the end of
# their year: accounts must be kept.
KEEP_ORDER_YEARS = _number("DYQANI_KEEP_ORDER_YEARS", 10, least=5)
# Orders that came to nothing.
KEEP_UNPAID_DAYS = _number("DYQANI_KEEP_UNPAID_DAYS", 180, least=30)
# E-mail, phone and notes of an order that has ended: as long as somebody may come back to it with a claim.
KEEP_CONTACT_DAYS = _number("DYQANI_KEEP_CONTACT_DAYS", 1095, least=60)
KEEP_TRAIL_DAYS = _number("DYQANI_KEEP_TRAIL_DAYS", 1826, least=365)
KEEP_CLAIM_DAYS = _number("DYQANI_KEEP_CLAIM_DAYS", 1826, least=60)
# The files of claims.
KEEP_FILE_DAYS = _number("DYQANI_KEEP_FILE_DAYS", 730, least=30)
# That a caller was identified.
KEEP_CALL_DAYS = _number("DYQANI_KEEP_CALL_DAYS", 365, least=30)
# What the bank said of payments, message by message.
KEEP_BANK_DAYS = _number("DYQANI_KEEP_BANK_DAYS", 540, least=90)
# Which mails and SMS went to whom. A row keeps a message from going out twice: not less than a month.
KEEP_MESSAGE_DAYS = _number("DYQANI_KEEP_MESSAGE_DAYS", 365, least=30)
# What the billing system was told.
KEEP_EVENT_DAYS = _number("DYQANI_KEEP_EVENT_DAYS", 400, least=30)
# The shop's copy of holders who have no number any more.
KEEP_HOLDER_DAYS = _number("DYQANI_KEEP_HOLDER_DAYS", 1095, least=30)
# The number that a converted service or a gift went to.
KEEP_CLUB_DAYS = _number("DYQANI_KEEP_CLUB_DAYS", 1095, least=60)
# That somebody had agreed, after it is over.
KEEP_CONSENT_DAYS = _number("DYQANI_KEEP_CONSENT_DAYS", 1095, least=30)
# Between the confirmation and the erasure of a profile: its owner may think again (PRV-4).
ERASURE_DAYS = _number("DYQANI_ERASURE_DAYS", 7)

# Who may order on contract or on the bill
DEBT_WAIT_HOURS = _number("DYQANI_DEBT_WAIT_HOURS", 24)  # ELG-2
DEBT_WAIT_ONLINE_HOURS = _number("DYQANI_DEBT_WAIT_ONLINE_HOURS", 3)  # ELG-2
# Per cent of a device's instalments that must be paid before the next device in instalments.
INSTALMENTS_SHARE = _number("DYQANI_INSTALMENTS_SHARE", 75)  # ELG-3
SUBSCRIBER_MONTHS = _number("DYQANI_SUBSCRIBER_MONTHS", 6)  # ELG-4

# The bank (docs/bank.md). The defaults are those of the sandbox bank.
BANK_PORT = _number("BANK_SANDBOX_PORT", PORT + 1)
BANK_GATE_URL = _text("BANK_GATE_URL", f"http://127.0.0.1:{BANK_PORT}/fim/est3Dgate")
BANK_API_URL = _text("BANK_API_URL", f"http://127.0.0.1:{BANK_PORT}/fim/api")
BANK_CLIENT_ID = _text("BANK_CLIENT_ID", "180000000")
BANK_STORE_KEY = _text("BANK_STORE_KEY", "SANDBOX-KEY")
BANK_API_USER = _text("BANK_API_USER", "sandbox")
BANK_API_PASSWORD = _text("BANK_API_PASSWORD", "sandbox")
BANK_ACCEPTED_MD_STATUS = frozenset(_list("BANK_ACCEPTED_MD_STATUS", "1"))
BANK_CALLBACK_REPLY = _text("BANK_CALLBACK_REPLY", "Approved")
BANK_TIMEOUT = _number("BANK_TIMEOUT", 10)
# Seconds after which a payment without an answer is asked for at the bank, and asked again.
BANK_QUERY_AFTER = _number("BANK_QUERY_AFTER", 60)
BANK_QUERY_EVERY = _number("BANK_QUERY_EVERY", 30)

# Mail
SMTP_HOST = _text("SMTP_HOST", "127.0.0.1")
SMTP_PORT = _number("SMTP_PORT", PORT + 2)
SMTP_USER = _text("SMTP_USER")
SMTP_PASSWORD = _text("SMTP_PASSWORD")
SMTP_TLS = _text("SMTP_TLS", "none")
SMTP_TIMEOUT = _number("SMTP_TIMEOUT", 10)
MAIL_FROM = _text("MAIL_FROM", f"{BRAND} <{CONTACT_EMAIL}>")
# Seconds that a worker has for one message, mail or SMS, before another may take it over.
MAIL_LEASE = _number("DYQANI_MAIL_LEASE", 60)
# The sandbox SMTP sink writes here; /demo/inbox reads it (demo and test only).
INBOX = Path(_text("DYQANI_INBOX", str(INSTANCE / "inbox")))

# SMS (docs/sms.md). The defaults are those of the sandbox gateway, which keeps its messages in INBOX as well.
SMS_PORT = _number("SMS_SANDBOX_PORT", PORT + 3)
SMS_URL = _text("SMS_URL", f"http://127.0.0.1:{SMS_PORT}/cgi-bin/sendsms")
if not re.match(r"https?://[^/]", SMS_URL):
    raise SystemExit(f"SMS_URL must begin with http:// or https://, not {SMS_URL!r}.")
SMS_USER = _text("SMS_USER", "sandbox")
SMS_PASSWORD = _text("SMS_PASSWORD", "sandbox")
# A number, or a name of at most 11 plain characters.
SMS_SENDER = _text("SMS_SENDER", re.sub(r"[^A-Za-z0-9 ._-]", "", BRAND)[:11].strip() or "shop")
if not re.fullmatch(r"\+?[0-9]{3,15}|[A-Za-z0-9 ._-]{1,11}", SMS_SENDER):
    raise SystemExit(f"SMS_SENDER must be a number, or at most 11 plain characters, not {SMS_SENDER!r}.")
SMS_TIMEOUT = _number("SMS_TIMEOUT", 10, least=1)
# What the gateway calls the shop with, and from where; reports are wanted under SMS_REPORT_URL.
SMS_SECRET = _text("SMS_SECRET", "sandbox")
SMS_ADDRESSES = _networks("SMS_ADDRESSES", "127.0.0.1,::1")
SMS_REPORT_URL = _text("SMS_REPORT_URL", f"http://127.0.0.1:{PORT}/sms/report")
if not re.match(r"https?://[^/]|none$", SMS_REPORT_URL):
    raise SystemExit(f"SMS_REPORT_URL must begin with http:// or https://, or be none, not {SMS_REPORT_URL!r}.")

# USSD (docs/sms.md): what the gateway calls the shop with, and from where. Without a secret there is no such address.
USSD_SECRET = _text("USSD_SECRET", "" if ENV == "production" else "sandbox-ussd")
USSD_ADDRESSES = _networks("USSD_ADDRESSES", "127.0.0.1,::1")

# The billing system (docs/bss.md): what it pushes, and where it is told of events. Without a secret nothing can be
# pushed; without an address it is told nothing.
BSS_PUSH_SECRET = _list("BSS_PUSH_SECRET", "" if ENV == "production" else "sandbox-push")
BSS_ADDRESSES = _networks("BSS_ADDRESSES", "127.0.0.1,::1")
BSS_WEBHOOK_URL = _text("BSS_WEBHOOK_URL")
BSS_WEBHOOK_SECRET = _text("BSS_WEBHOOK_SECRET", "sandbox-webhook")
BSS_TIMEOUT = _number("BSS_TIMEOUT", 10, least=1)
if not re.fullmatch(r"(https?://[^\s/?#]+[^\s#]*)?", BSS_WEBHOOK_URL):
    raise SystemExit(f"BSS_WEBHOOK_URL must be an http or https address, not {BSS_WEBHOOK_URL!r}.")

# The security code that proves a number (PRO-4)
CODE_MINUTES = _number("DYQANI_CODE_MINUTES", 5, least=1)
CODE_TRIES = _number("DYQANI_CODE_TRIES", 5, least=1)
# For one number, within an hour; for all numbers of one profile together.
CODE_SENDS = _number("DYQANI_CODE_SENDS", 3, least=1)
CODE_SENDS_PER_PROFILE = _number("DYQANI_CODE_SENDS_PER_PROFILE", 10, least=1)
# Seconds until the next code may be asked for.
CODE_PAUSE = _number("DYQANI_CODE_PAUSE", 45)

# Desk and partners (CLB-8, CLB-13): codes that a clerk may send, customers that one may look up, and codes that a
# partner may type which it has not, each within an hour.
DESK_CODE_SENDS = _number("DYQANI_DESK_CODE_SENDS", 60, least=1)
DESK_LOOK_UPS = _number("DYQANI_DESK_LOOK_UPS", 120, least=1)
PARTNER_TRIES = _number("DYQANI_PARTNER_TRIES", 30, least=1)
# Until the code of the second factor is asked for again: without a click, and in all (DSK-5).
STAFF_IDLE_MINUTES = _number("DYQANI_STAFF_IDLE_MINUTES", 30, least=1)
STAFF_HOURS = _number("DYQANI_STAFF_HOURS", 12, least=1)

# Photos of the operator; a variant without one is drawn.
PHOTOS = Path(_text("DYQANI_PHOTOS", str(INSTANCE / "photos")))

# The operator's shops; the file that comes along has addresses of a demo (AFT-5).
SHOPS = Path(_text("DYQANI_SHOPS", str(FACE.folder / "shops.csv")))
# Municipalities and postal places that are delivered to, and where the municipalities lie (DLV-1, AFT-5).
PLACES = FACE.file("places.csv") or ROOT / "data" / "mk_places.csv"
POINTS = FACE.file("points.csv") or ROOT / "data" / "mk_points.csv"

# Pictures that are drawn when they are first asked for, and product feeds: both can be made again at any time.
DRAWN = Path(_text("DYQANI_DRAWN", str(INSTANCE / "drawn")))
DRAWN_MB = _number("DYQANI_DRAWN_MB", 256, least=1)
FEEDS = Path(_text("DYQANI_FEEDS", str(INSTANCE / "feeds")))

# Files that shoppers attach to complaints; outside of what the web server shows (AFT-4).
ATTACHMENTS = Path(_text("DYQANI_ATTACHMENTS", str(INSTANCE / "attachments")))

# A price list that an editor uploads: megabytes, at most (CAT-7).
PRICE_LIST_MB = _number("DYQANI_PRICE_LIST_MB", 200, least=1)

# Seconds between two rounds of the worker over what is due.
WORKER_EVERY = _number("DYQANI_WORKER_EVERY", 2)
# Where the metrics may be read: a bearer token; without one /metrics answers 404.
METRICS_TOKEN = _text("DYQANI_METRICS_TOKEN")


# What OWASP asks of Argon2id with two passes; we make three.
_PASSWORD_MEMORY_LEAST = 19_456


def refuse_unsafe() -> None:
    """Stop with a clear reason when a production shop would start unsafely (PRV-6)."""
    if ENV != "production":
        return
    wrong = []
    if len(_text("SECRET_KEY")) < 32:
        wrong.append("SECRET_KEY must be set to a random text of at least 32 characters")
    if not BASE_URL.startswith("https://"):
        wrong.append("DYQANI_BASE_URL must start with https://")
    if BANK_STORE_KEY == "SANDBOX-KEY" or BANK_API_PASSWORD == "sandbox":  # noqa: S105
        wrong.append("BANK_STORE_KEY and BANK_API_PASSWORD must be the bank's, not the sandbox's")
    if SMS_PASSWORD == "sandbox" or len(SMS_SECRET) < 16:  # noqa: S105
        wrong.append("SMS_PASSWORD must be the gateway's, and SMS_SECRET a random text of at least 16 characters")
    if USSD_SECRET and len(USSD_SECRET) < 16:
        wrong.append("USSD_SECRET must be a random text of at least 16 characters")
    if PASSWORD_MEMORY < _PASSWORD_MEMORY_LEAST:
        wrong.append(f"DYQANI_PASSWORD_MEMORY must be at least {_PASSWORD_MEMORY_LEAST}")
    if any(len(secret) < 32 for secret in BSS_PUSH_SECRET):
        wrong.append("BSS_PUSH_SECRET must be a random text of at least 32 characters, or several with commas")
    if BSS_WEBHOOK_URL and len(BSS_WEBHOOK_SECRET) < 32:
        wrong.append("BSS_WEBHOOK_SECRET must be a random text of at least 32 characters")
    if BSS_WEBHOOK_URL and not BSS_WEBHOOK_URL.startswith("https://"):
        wrong.append("BSS_WEBHOOK_URL must start with https://")
    for name, url in (("BANK_GATE_URL", BANK_GATE_URL), ("BANK_API_URL", BANK_API_URL)):
        if not url.startswith("https://"):
            wrong.append(f"{name} must start with https://")
    if wrong:
        raise SystemExit("The shop does not start in production: " + "; ".join(wrong) + ".")


# The static files in the brand's colours, where they are not the house's; made at the start.
DRESSED = files.write(FACE, HOUSE, ROOT / "static", INSTANCE)
CARD_MARK = files.on_card(FACE, HOUSE)


def static_path(name: str) -> Path:
    """The file that is served as /static/NAME: in the brand's colours, where there is such a copy."""
    copy = DRESSED / name if DRESSED else None
    return copy if copy is not None and copy.exists() else ROOT / "static" / name


def static_version(path: Path) -> str:
    """Eight hex digits that change with the file's content; part of its URL, so that browsers keep it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]
