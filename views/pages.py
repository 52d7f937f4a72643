"""Pages that explain the shop, and what machines ask of it: health and metrics."""

import hmac

from flask import Blueprint, Response, abort, jsonify, render_template, request
from peewee import InterfaceError, OperationalError, fn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

import config
from models.base import db, utcnow
from models.order import STATES as ORDER_STATES
from models.order import Order, terms_edition
from models.outbox import Mail
from models.payment import STATES as PAYMENT_STATES
from models.payment import Payment, Refund
from views import privacy_words
from views.filters import clean_text
from views.help_search import found
from views.help_words import topics
from views.kept import kept_page
from views.respond import respond

blueprint = Blueprint("pages", __name__)


@blueprint.get("/ndihme")
def help():
    """Questions and answers of the shop, all of them or those that `q` may mean."""
    q = clean_text(request.args.get("q", ""))

    def context():
        all_of_them = topics()
        return {
            "topics": all_of_them,
            "q": q,
            "found": found(all_of_them, q) if q else [],
        }

    if request.query_string:
        return respond("pages/help.html", "pages/_questions.html", **context())
    return kept_page((request.endpoint,), lambda: render_template("pages/help.html", **context()))


@blueprint.get("/ndihme/<slug>")
def question(slug: str):
    """One question with its answer: what a link from a page, a mail or a search engine leads to."""
    for topic in topics():
        for one in topic.questions:
            if one.slug == slug:
                return _page("pages/question.html", key=slug, topic=topic, question=one)
    abort(404)


@blueprint.get("/kontakti")
def contact():
    """How to reach the operator."""
    return _page("pages/contact.html")


@blueprint.get("/kushtet")
def terms():
    """The terms that placing an order accepts."""
    return _page("pages/terms.html", edition=terms_edition())


@blueprint.get("/privatesia")
def privacy():
    """What the shop keeps of a person, why and for how long (PRV-1)."""
    return _page("pages/privacy.html", kinds=privacy_words.kinds, cookies=privacy_words.cookies)


def _page(template: str, key: str = "", **context):
    def render():
        return render_template(template, **context)

    # A query would be kept in the links to the other languages, and anybody can make up queries.
    return render() if request.query_string else kept_page((request.endpoint, key), render)


@blueprint.get("/health")
def health():
    """200 when the shop can serve, 503 when its database does not answer."""
    try:
        db.execute_sql("SELECT 1").fetchone()
    except (InterfaceError, OperationalError):
        if db.in_transaction():
            raise
        # The connection was kept open over a restart of the database: that says nothing of its health now.
        db.close()
        db.connect()
        db.execute_sql("SELECT 1").fetchone()
    return _health(200, "ok")


@blueprint.errorhandler(OperationalError)
@blueprint.errorhandler(InterfaceError)
def database_away(error):
    """For a health check an answer, for the other pages an error like any."""
    if request.endpoint != "pages.health":
        raise error
    if not db.in_transaction():
        # The next request opens it anew.
        db.close()
    return _health(503, "away")


def _health(status: int, database: str):
    response = jsonify(status="ok" if status == 200 else "unavailable", database=database)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/metrics")
def metrics():
    """Figures for Prometheus, for the bearer of METRICS_TOKEN; nobody else learns that they exist."""
    given = request.headers.get("Authorization", "").encode()
    wanted = f"Bearer {config.METRICS_TOKEN}".encode()
    if not config.METRICS_TOKEN or not hmac.compare_digest(given, wanted):
        abort(404)
    registry = CollectorRegistry()
    registry.register(Figures())
    response = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


class Figures:
    """Counted in the database at each scrape: several processes serve the shop, and each would count its own."""

    def collect(self):
        now = utcnow()
        yield _by_state("dyqani_orders", "Orders by state", Order, ORDER_STATES)
        yield _by_state("dyqani_payments", "Card payments by state", Payment, PAYMENT_STATES)
        yield _by_state("dyqani_mails", "Mails by state", Mail, ("due", "handed", "sent", "failed"))
        yield _by_state("dyqani_refunds", "Refunds by state", Refund, ("due", "done", "refused"))
        # What grows when the worker, the mail server or the bank is away.
        yield _oldest(
            "dyqani_mail_waiting_seconds",
            "Age of the oldest mail that is due",
            Mail.written_at,
            Mail.state == "due",
            now,
        )
        yield _oldest(
            "dyqani_payment_waiting_seconds",
            "Age of the oldest payment without an outcome",
            Payment.started_at,
            Payment.state.in_(("started", "unknown")),
            now,
        )


def _by_state(name: str, words: str, model, states) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=["state"])
    counts = dict(model.select(model.state, fn.COUNT(model.id)).group_by(model.state).tuples())
    for state in states:
        family.add_metric([state], counts.get(state, 0))
    return family


def _oldest(name: str, words: str, moment, which, now) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words)
    first = moment.model.select(moment).where(which).order_by(moment).limit(1).scalar()
    family.add_metric([], max(0.0, (now - first).total_seconds()) if first else 0.0)
    return family
