"""Pictures of the catalogue: drawings made of their own names, and the operator's photos (CAT-4)."""

from datetime import timedelta
from functools import lru_cache

from flask import Blueprint, Response, abort, current_app, send_from_directory

import config
from models.drawing import EDITION, read_name
from views.kept import accepted_encoding, compress

blueprint = Blueprint("pictures", __name__)

# Drawings one process keeps, compressed; the least recently asked for goes first. About 1 KB each.
KEEP = 2000
PHOTO_SECONDS = int(timedelta(days=30).total_seconds())
_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".avif"}


@blueprint.get("/pictures/<edition>/<name>.svg")
def drawing(edition: str, name: str):
    """A drawing; its name says all that it shows, so that it needs no query and never changes."""
    encoding = accepted_encoding()
    body = _drawn(name, encoding) if edition == EDITION else None
    if body is None:
        abort(404)
    response = Response(body, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


@lru_cache(maxsize=KEEP)
def _drawn(name: str, encoding: str | None) -> bytes | None:
    facts = read_name(name)
    if facts is None:
        return None
    module = current_app.jinja_env.get_template("pictures/device.jinja").module
    body = str(module.device(**facts)).encode()
    return compress(body, encoding, thorough=True) if encoding else body


@blueprint.get("/photos/<path:name>")
def photo(name: str):
    """The operator's photo of a variant, where there is one."""
    if name[name.rfind(".") :].lower() not in _PHOTOS:
        abort(404)
    response = send_from_directory(config.PHOTOS, name, max_age=PHOTO_SECONDS)
    response.headers["Cache-Control"] = f"public, max-age={PHOTO_SECONDS}"
    return response
