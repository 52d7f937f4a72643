"""Error pages in the shop's look, and what cannot be a request of the shop's own pages.

A page that failed must not fail again: what is shown for 5xx touches neither the database nor the cart.
"""

from urllib.parse import urlsplit

import structlog
from flask import g, make_response, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from peewee import DataError, InterfaceError, OperationalError
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError

import config
import language
from logs import request_id
from models.base import db
from views.respond import wants_piece
from views.trail_words import role_name

log = structlog.get_logger()

# Shown when even the error page cannot be made.
_LAST_RESORT = (
    '<!doctype html><html lang="sq"><head><meta charset="utf-8"><title>{brand}</title></head>'
    "<body><h1>Diçka shkoi keq nga ana jonë</h1>"
    "<p data-say>Provoni përsëri pas pak. Kodi i gabimit: {code}</p></body></html>"
)


def register(app) -> None:
    """Answer every error in the shop's look, and log what went wrong without addresses or personal data."""
    app.before_request(refuse_unreadable)
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(CSRFError, refuse_old_form)
    app.register_error_handler(InternalServerError, fail)
    for error in (DataError, OverflowError):
        app.register_error_handler(error, refuse_value)
    # Flask's own line names the address, which carries order numbers and signed links.
    app.log_exception = log_exception


def error_code() -> str:
    """The request's id as people read it out on the phone: 7F3A-21C9."""
    digits = "".join(character for character in request_id() if character.isalnum()).upper()
    return f"{digits[:4]}-{digits[4:8]}"


def refuse_unreadable() -> None:
    """Stop what no page of the shop sends and a database would stumble over (400)."""
    if "\x00" in request.path or "%00" in request.query_string.decode("latin-1"):
        raise BadRequest
    if request.blueprint == "bss":
        # No browser and no form: it is read, and refused, in its own way.
        return
    if request.is_json:
        # Flask-WTF would take it for a form, with numbers and lists where our fields have texts.
        raise BadRequest
    # A price list is read only once it is known who sends it; of its form's fields the view asks which are there.
    is_read = request.method == "POST" and request.endpoint != "desk_import.upload"
    if is_read and any("\x00" in text for pair in request.form.items(multi=True) for text in pair):
        raise BadRequest
    if not all(value.isascii() and value.isprintable() for value in request.cookies.values()):
        # The shop writes no such cookie: it is as good as none.
        request.cookies = ImmutableMultiDict(
            (name, value)
            for name, value in request.cookies.items(multi=True)
            if value.isascii() and value.isprintable()
        )


def refuse(error: HTTPException):
    """The page of a 4xx, or of a 5xx that was raised on purpose."""
    status = error.code or 500
    if status >= 500:
        return _failed(status)
    title, text = _words(status)
    work = ""
    if status == 403 and g.get("staff") is not None:
        # Somebody at work on another role's page (DSK-5).
        title = gettext("Kjo faqe i takon një roli tjetër")
        text = gettext(
            "Ju keni hyrë si %(role)s. Kush ka nevojë për më shumë, ia kërkon një administratori.",
            role=role_name(g.staff.role),
        )
        work = url_for("desk_home.start")
    response = _refused(status, title, text, work=work)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            response.headers[name] = value
    return response


def refuse_old_form(error: CSRFError):
    """A form whose session is over: the shopper opens the page anew; the cart has stayed (CHK-6)."""
    return _refused(
        400,
        gettext("Faqja ka qëndruar hapur gjatë"),
        gettext(
            "Për sigurinë tuaj forma nuk vlen më. Hapeni faqen përsëri dhe dërgojeni edhe një herë; "
            "shporta është e ruajtur."
        ),
        back=back_link(),
    )


def refuse_value(error):
    """A value that the database cannot hold, such as a number of forty digits, came from the request."""
    log.warning("request.value", id=request_id(), endpoint=request.endpoint, reason=type(error).__name__)
    return refuse(BadRequest())


def fail(error: InternalServerError):
    return _failed(500)


def back_link() -> str:
    """The page of this shop that the request came from; the home page when it came from elsewhere."""
    home = language.prefix_of(language.current()) + "/"
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return home
    path = "/" + came_from.path.lstrip("/\\")
    return path + (f"?{came_from.query}" if came_from.query else "")


def _words(status: int) -> tuple[str, str]:
    """Title and text of a 4xx; the ones that have no words of their own speak as 400."""
    words = {
        401: (
            gettext("Për këtë faqe duhet të hyni"),
            gettext("Hyni me e-postën dhe fjalëkalimin tuaj dhe provoni përsëri."),
        ),
        403: (
            gettext("Kjo faqe nuk ju hapet"),
            gettext("Ajo i takon një llogarie tjetër. Hyni me llogarinë tuaj ose gjeni porosinë me numrin e saj."),
        ),
        404: (gettext("Ky raft është bosh"), gettext("Faqja nuk ekziston më ose adresa është shkruar gabim.")),
        405: (
            gettext("Këtu nuk hyhet drejtpërdrejt"),
            gettext("Kjo adresë pret një formë të plotësuar. Kthehuni te dyqani dhe filloni prej andej."),
        ),
        413: (
            gettext("Kjo është më shumë se sa pranojmë"),
            gettext("Shkurtojeni tekstin që dërguat dhe provoni përsëri."),
        ),
        422: (
            gettext("Diçka në formë nuk përputhet"),
            gettext("Forma solli një vlerë që nuk e njohim. Kthehuni te faqja dhe zgjidhni përsëri."),
        ),
        429: (
            gettext("Shumë kërkesa përnjëherë"),
            gettext("Prisni një minutë dhe provoni përsëri."),
        ),
    }
    return words.get(
        status,
        (
            gettext("Nuk e kuptuam kërkesën"),
            gettext("Adresa ose forma ka diçka që nuk lexohet. Kthehuni te faqja dhe provoni përsëri."),
        ),
    )


def _refused(status: int, title: str, text: str, back: str = "", work: str = ""):
    try:
        if wants_piece():
            return _piece(status, title, text)
        page = render_template("errors/page.html", status=status, title=title, text=text, back=back, work=work)
    except Exception as error:
        # The cart in the header may need a database that is away.
        log_exception((type(error), error, error.__traceback__))
        if isinstance(error, (InterfaceError, OperationalError)) and not db.in_transaction():
            # Nobody else learns of it: the next request opens the connection anew.
            db.close()
        return _failed(500)
    response = make_response(page, status)
    response.vary.add("HX-Request")
    return response


def _failed(status: int):
    code = error_code()
    try:
        title = gettext("Diçka shkoi keq nga ana jonë")
        if wants_piece():
            text = gettext("Provoni përsëri pas pak. Kodi i gabimit: %(code)s", code=code)
            response = _piece(status, title, text)
        else:
            page = render_template(
                "errors/failure.html",
                status=status,
                title=title,
                code=code,
                # After the bank's page nobody here knows yet what the bank has done.
                may_have_paid=request.blueprint in ("pay", "orders"),
                again=language.url_in(language.current()) if request.method == "GET" else back_link(),
                home=language.prefix_of(language.current()) + "/",
            )
            response = make_response(page, status)
            response.vary.add("HX-Request")
    except Exception as error:
        log_exception((type(error), error, error.__traceback__))
        response = make_response(_LAST_RESORT.format(brand=escape(config.BRAND), code=code), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _piece(status: int, title: str, text: str):
    """An error for a request of htmx: said in the flash region, never inside what was asked for."""
    response = make_response(render_template("errors/_piece.html", title=title, text=text), status)
    response.headers["HX-Retarget"] = "#flash"
    response.headers["HX-Reswap"] = "innerHTML"
    response.vary.add("HX-Request")
    return response


def log_exception(exc_info) -> None:
    """One line with the traceback and the code that the shopper was shown."""
    log.error(
        "request.failed",
        id=request_id(),
        code=error_code(),
        endpoint=request.endpoint,
        method=request.method,
        exc_info=exc_info,
    )
