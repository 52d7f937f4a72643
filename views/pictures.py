"""Pictures of the catalogue: drawings made of their own names, and the operator's photos (CAT-4)."""

from collections import OrderedDict
from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, send_from_directory

import config
from models.drawing import EDITION, read_name
from views.kept import accepted_encoding, compress

blueprint = Blueprint("pictures", __name__)

# Drawings one process keeps, compressed; the least recently asked for goes first. About 1 KB each.
KEEP = 2000
PHOTO_AGE = timedelta(days=30)
_PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".avif"}

_kept: "OrderedDict[tuple[str, str | None], bytes]" = OrderedDict()


@blueprint.get("/pictures/<edition>/<name>.svg")
def drawing(edition: str, name: str):
    """A drawing; its name says all that it shows, so that it needs no query and never changes."""
    if edition != EDITION:
        abort(404)
    encoding = accepted_encoding()
    body = _kept.get((name, encoding))
    if body is None:
        facts = read_name(name)
        if facts is None:
            abort(404)
        body = _draw(facts)
        if encoding:
            body = compress(body, encoding, thorough=True)
        _kept[name, encoding] = body
        while len(_kept) > KEEP:
            _kept.popitem(last=False)
    else:
        _kept.move_to_end((name, encoding))
    response = Response(body, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    return response


def _draw(facts: dict) -> bytes:
    module = current_app.jinja_env.get_template("pictures/device.jinja").module
    return str(module.device(**facts)).encode()


@blueprint.get("/photos/<path:name>")
def photo(name: str):
    """The operator's photo of a variant, where there is one."""
    if name[name.rfind(".") :].lower() not in _PHOTOS:
        abort(404)
    response = send_from_directory(config.PHOTOS, name, max_age=PHOTO_AGE)
    response.headers["Cache-Control"] = f"public, max-age={int(PHOTO_AGE.total_seconds())}"
    return response
