"""The shop: settings, hooks, blueprints, error pages."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from peewee import InterfaceError, OperationalError
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import cli
import config
import language
import logs
import views.checkout_number  # noqa: F401 (adds the first step to the checkout's blueprint)
from face import BadFace
from models.base import db
from models.profile import Profile
from models.shops import check_files
from views import (
    addresses,
    bills,
    browse,
    bss,
    budget,
    cart,
    cart_link,
    catalogue_words,
    checkout,
    claims,
    club,
    club_words,
    compare,
    consents,
    delivery_link,
    demo,
    demo_phone,
    desk_catalogue,
    desk_claims,
    desk_delivery,
    desk_figures,
    desk_gifts,
    desk_home,
    desk_import,
    desk_joining,
    desk_nav,
    desk_orders,
    desk_person,
    desk_refunds,
    desk_staff,
    desk_tables,
    desk_trail,
    desk_words,
    device,
    documents,
    errors,
    everywhere,
    feed,
    found,
    gateway,
    legal,
    money_back,
    my_data,
    numbers,
    og,
    order_again,
    order_calendar,
    order_changes,
    orders,
    pages,
    partner,
    pay,
    pay_link,
    pictures,
    profile,
    shops,
    sitemap,
    staff_login,
    trail_words,
    viewed,
    watches,
    wishes,
)
from views.kept import compressed
from views.shopper import carry_cart
from views.templating import Environment, register_templating

csrf = CSRFProtect()


def create_app() -> Flask:
    """The WSGI application; refuses unsafe settings in production (PRV-6)."""
    config.refuse_unsafe()
    refuse_unread_texts()
    app = Flask(__name__, static_folder=None)
    app.session_interface = Sessions()
    app.jinja_environment = Environment
    secure = config.BASE_URL.startswith("https://")
    app.config.update(
        SECRET_KEY=config.secret_key(),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_PATH="/",
        REMEMBER_COOKIE_DURATION=timedelta(days=config.REMEMBER_DAYS),
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=secure,
        # The largest form is an address with a note.
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    logs.init(app)
    language.init(app)
    csrf.init_app(app)
    login = LoginManager(app)
    login.user_loader(who_is_in)
    register_templating(app)
    club_words.register(app)
    trail_words.register(app)
    desk_words.register(app)
    documents.register(app)
    order_calendar.register(app)
    money_back.register(app)
    found.register(app)
    for papers in (documents.blueprint, documents.desk, desk_refunds.blueprint):
        app.register_blueprint(papers)
    desk_words.register(app)
    desk_nav.register(app)
    catalogue_words.register(app)
    for editing in (desk_catalogue, desk_tables, desk_import):
        app.register_blueprint(editing.blueprint)
    for journey in (
        browse,
        device,
        cart,
        checkout,
        pay,
        orders,
        delivery_link,
        bills,
        club,
        numbers,
        addresses,
        profile,
        my_data,
        pages,
        pictures,
    ):
        app.register_blueprint(journey.blueprint)
    for wished in (watches.blueprint, watches.stop_blueprint, budget.blueprint):
        app.register_blueprint(wished)
    csrf.exempt(watches.stop_blueprint)
    for looked_for in (sitemap, feed, og):
        app.register_blueprint(looked_for.blueprint)
    for choosing in (compare, viewed, wishes):
        app.register_blueprint(choosing.blueprint)
    for afterwards in (order_changes, order_again, order_calendar, claims, shops):
        app.register_blueprint(afterwards.blueprint)
    for work in (
        desk_staff,
        desk_trail,
        desk_orders,
        desk_claims,
        desk_home,
        staff_login,
        desk_figures,
        desk_delivery,
        desk_gifts,
        desk_joining,
        desk_person,
        partner,
    ):
        app.register_blueprint(work.blueprint)
    if config.ENV != "production":
        app.register_blueprint(demo.blueprint)
        app.register_blueprint(demo_phone.blueprint)
    app.register_blueprint(gateway.blueprint)
    app.register_blueprint(club.stop_blueprint)
    csrf.exempt(club.stop_blueprint)
    for by_link in (pay_link.blueprint, pay_link.payer, cart_link.blueprint, consents.blueprint):
        app.register_blueprint(by_link)
    app.register_blueprint(consents.stop_blueprint)
    csrf.exempt(consents.stop_blueprint)
    csrf.exempt(gateway.blueprint)
    # It looks at the token itself, once it is known who sends the large file.
    csrf.exempt(desk_import.upload)
    app.register_blueprint(pay.bank_blueprint)
    csrf.exempt(pay.bank_blueprint)
    app.register_blueprint(bss.blueprint)
    csrf.exempt(bss.blueprint)
    errors.register(app)
    everywhere.register(app)
    cli.register(app)

    app.before_request(open_database)
    app.teardown_request(leave_database)
    app.after_request(carry_cart)
    app.after_request(secure_headers)
    app.after_request(compressed)

    app.wsgi_app = WhiteNoise(
        app.wsgi_app,
        root=str(config.ROOT / "static"),
        prefix="static/",
        # The URL of a static file carries its content's hash; fonts, which style sheets name without one, get a new
        # name when they change.
        max_age=31_536_000,
        allow_all_origins=False,
    )
    if config.DRESSED:
        # What looks otherwise in the operator's colours goes before the house's own.
        app.wsgi_app.add_files(str(config.DRESSED), prefix="static/")
    if config.PROXIES:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.PROXIES, x_proto=config.PROXIES, x_host=config.PROXIES)
    return app


def refuse_unread_texts() -> None:
    """Stop when a text or a table of the operator cannot be read, with its file and line (docs/brand.md)."""
    try:
        legal.read_all()
        check_files()
    except (BadFace, OSError, ValueError) as error:
        raise SystemExit(f"DYQANI_BRAND_FOLDER: {error}") from None


def who_is_in(session_id: str) -> Profile | None:
    """The profile of a login; where that is over (PRO-2), nothing stays of its session but the token of its forms."""
    profile = Profile.of_session(session_id)
    if profile is None:
        # Forms of this very answer may carry it already.
        token = session.get("csrf_token")
        session.clear()
        if token:
            session["csrf_token"] = token
        # Flask-Login's word for taking the cookie of a remembered login away, which would end each next session too.
        session["_remember"] = "clear"
    return profile


class Sessions(SecureCookieSessionInterface):
    """As Flask's, except that what is the same for everybody neither carries the session nor varies by it.

    Flask-Login looks into the session at each answer, which makes it vary: a browser would ask for every picture
    again once it has a session.
    """

    # Making one takes longer than reading a cookie with it.
    _signer = None

    def get_signing_serializer(self, app):
        self._signer = self._signer or super().get_signing_serializer(app)
        return self._signer

    def save_session(self, app, session, response):
        if not response.headers.get("Cache-Control", "").startswith("public"):
            super().save_session(app, session, response)


def open_database():
    db.connect(reuse_if_open=True)


def leave_database(error):
    """The connection stays open for the process's next request, unless something went wrong with it."""
    if isinstance(error, (OperationalError, InterfaceError)) and not db.in_transaction():
        db.close()


def secure_headers(response):
    """What browsers are told to refuse (PRV-1, PRV-6)."""
    headers = response.headers
    given = {name for name, _ in headers}
    for name, value in _TOLD:
        if name not in given:
            headers.add(name, value)
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# The only foreign address: the bank's page, which the payment form is posted to.
_CSP = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        f"form-action 'self' {_origin(config.BANK_GATE_URL)}",
    )
)
_TOLD = (
    ("Content-Security-Policy", _CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "private, no-cache"),
    *((("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),) if config.ENV == "production" else ()),
)
