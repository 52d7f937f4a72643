"""Page or piece: one place decides, for every view (engineering habits: one markup, never a copy)."""

from flask import make_response, redirect, render_template, request


def wants_piece() -> bool:
    """Whether htmx asks for a piece of the page; on going back it asks for the whole."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers


def respond(page: str, piece: str | None = None, status: int = 200, **context):
    """Render `page`, or only `piece` of it when htmx asks for that."""
    template = piece if piece and wants_piece() else page
    response = make_response(render_template(template, **context), status)
    response.vary.add("HX-Request")
    return response


def go(url: str):
    """After a successful POST: 303 to `url`; htmx follows it as a navigation."""
    if wants_piece():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    return redirect(url, 303)
