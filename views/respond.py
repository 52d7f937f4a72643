"""Page or piece: one place decides, for every view (engineering habits: one markup, never a copy)."""

from datetime import timedelta

from flask import current_app, make_response, redirect, render_template, request
from werkzeug.urls import iri_to_uri


def wants_piece() -> bool:
    """Whether htmx asks for a piece of the page; on going back it asks for the whole."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def respond(page: str, piece: str | None = None, status: int = 200, **context):
    """Render `page`, or only `piece` of it when htmx asks for that.

    A piece that refuses something has the status 422, the only such one that htmx is told to swap in: the page's
    409 or 429 would be left out, and the shopper would see the old form again.
    """
    as_piece = bool(piece) and wants_piece()
    if as_piece and status in (409, 429):
        status = 422
    response = make_response(render_template(piece if as_piece else page, **context), status)
    response.vary.add("HX-Request")
    return response


def keep_private(response):
    """Of what is somebody's own nothing stays in a cache: not on the way, nor on a shared computer to go back to."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def keep_cookie(response, name: str, text: str, days: int) -> None:
    """Let the browser keep `text` for so many days, out of reach of scripts and of other sites' forms."""
    response.set_cookie(
        name,
        text,
        max_age=timedelta(days=days),
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
    )


def go(url: str):
    """After a successful POST: 303 to `url`; htmx follows it as a navigation."""
    if wants_piece():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = iri_to_uri(url)
        return response
    return redirect(url, 303)
