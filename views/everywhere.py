"""The shop on a phone's home screen: manifest, icons, service worker, and the page for when there is no line."""

import base64
import hashlib
import json
from functools import lru_cache

import resvg_py
from flask import Blueprint, Response, abort, make_response, render_template

import config
import language
from views.templating import static
from views.words import gettext, url

blueprint = Blueprint("everywhere", __name__)

# The background of every page: what surrounds the page has its colour.
PAPER = {"light": config.FACE.light["bg"], "dark": config.FACE.dark["bg"]}
# Name → pixels, share of the side that the mark takes, and radius of the corners in parts of 512. Of a maskable icon
# only the middle, four fifths of the side, is sure to be seen; iOS rounds corners itself.
ICONS = {"192": (192, 0.8, 112), "512": (512, 0.8, 112), "maskable": (512, 0.64, 0), "apple": (180, 0.76, 0)}
_DAY = 86_400
_STATIC = config.ROOT / "static"
# What the page without a line looks like, and in what it is written.
_OFFLINE = ("css/tokens.css", "css/site.css", "css/flow.css", "img/shutter.svg", "img/mark.svg")
_KEPT = {".css", ".js", ".svg", ".woff2"}


@blueprint.get("/manifest.webmanifest")
def manifest():
    """What the shop is called and looks like once it is installed, in the page's language."""
    facts = {
        # One shop, whichever language it was installed in.
        "id": "/",
        "name": config.BRAND,
        "short_name": config.BRAND,
        "description": gettext("Celularë, tabletë dhe pajisje shtesë, me dërgesë falas."),
        "lang": language.current(),
        "dir": "ltr",
        "start_url": url("browse.home"),
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER["light"],
        "theme_color": PAPER["light"],
        "categories": ["shopping"],
        "icons": [
            {"src": icon("192"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": icon("512"), "sizes": "512x512", "type": "image/png", "purpose": "any"},
            {"src": icon("maskable"), "sizes": "512x512", "type": "image/png", "purpose": "maskable"},
        ],
        "shortcuts": [
            {"name": name, "url": url(endpoint), "icons": [{"src": icon("192"), "sizes": "192x192"}]}
            for name, endpoint in (
                (gettext("Oferta"), "browse.offers"),
                (gettext("Porositë e mia"), "orders.mine"),
                (gettext("Klubi Im"), "club.page"),
            )
        ],
    }
    response = Response(json.dumps(facts, ensure_ascii=False), mimetype="application/manifest+json")
    return _for_all(response, _DAY)


# Icons


def icon(name: str) -> str:
    """The address of one of ICONS; it changes with the mark."""
    return f"/ikona/{_edition()}/{name}.png"


@blueprint.get("/ikona/<edition>/<name>.png")
def picture(edition: str, name: str):
    """The operator's mark on paper, as large as a home screen wants it."""
    if name not in ICONS or edition != _edition():
        abort(404)
    response = Response(_drawn(name), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _mark() -> bytes:
    return config.static_path("img/mark.svg").read_bytes()


@lru_cache(maxsize=1)
def _edition() -> str:
    return hashlib.sha256(_mark() + PAPER["light"].encode() + repr(ICONS).encode()).hexdigest()[:8]


@lru_cache(maxsize=len(ICONS))
def _drawn(name: str) -> bytes:
    pixels, share, corner = ICONS[name]
    side = 512 * share
    edge = (512 - side) / 2
    mark = base64.b64encode(_mark()).decode()
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">'
        f'<rect width="512" height="512" rx="{corner}" fill="{PAPER["light"]}"/>'
        f'<image x="{edge:g}" y="{edge:g}" width="{side:g}" height="{side:g}" '
        f'href="data:image/svg+xml;base64,{mark}"/></svg>'
    )
    return bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=pixels, height=pixels, skip_system_fonts=True))


# Without a line


@blueprint.get("/pa-lidhje")
def offline():
    """What the service worker shows when the shop cannot be reached: nothing in it is anybody's."""
    return _for_all(make_response(render_template("errors/offline.html")), 3600)


@blueprint.get("/sw.js")
def worker():
    """The service worker: static/js/sw.js, and before it what it may keep.

    It is served from here because a worker steers only what lies below its own address.
    """
    return _for_all(Response(_script(), mimetype="text/javascript"), 3600)


@lru_cache(maxsize=1)
def worker_address() -> str:
    """The worker's address; another one with each new version, so that browsers need not ask for a new one."""
    return f"/sw.js?v={_version()}"


@lru_cache(maxsize=1)
def _script() -> str:
    facts = {
        "version": _version(),
        "offline": {code: f"{language.prefix_of(code)}/pa-lidhje" for code in config.LANGUAGES},
        "first": [*map(static, _OFFLINE)],
        "files": _files(),
    }
    return f"const SHOP = {json.dumps(facts)};\n{(_STATIC / 'js' / 'sw.js').read_text('utf-8')}"


@lru_cache(maxsize=1)
def _version() -> str:
    """Changes with each file that the worker keeps, and with what the page without a line says."""
    words = sorted((config.ROOT / "translations").glob("*/LC_MESSAGES/*.po"))
    pages = [config.ROOT / "templates" / name for name in ("layout.html", "shared/_head.html", "errors/offline.html")]
    digest = hashlib.sha256("\n".join((*_files(), *config.LANGUAGES, config.BRAND, config.CONTACT_PHONE)).encode())
    for path in (*pages, *words, _STATIC / "js" / "sw.js"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


@lru_cache(maxsize=1)
def _files() -> tuple[str, ...]:
    """The addresses of all static files, as pages and style sheets write them."""
    names = sorted(path.relative_to(_STATIC).as_posix() for path in _STATIC.rglob("*") if path.suffix in _KEPT)
    # Style sheets name fonts without a hash: a new one has a new name.
    return tuple(
        f"/static/{name}" if name.endswith(".woff2") else static(name) for name in names if name != "js/sw.js"
    )


def _for_all(response: Response, seconds: int) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    return response


def register(app) -> None:
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(icon_address=icon, worker_address=worker_address, paper=PAPER)
