"""The static files in a brand's colours: copies of those that would look otherwise, made once at the start.

Files in static/ have the house's colours. A copy is written to the data folder where a brand's differs, and served
under the same address with its own content's hash: no request more, and nothing is worked out while pages are made.
"""

import contextlib
import gzip
import hashlib
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import brotli

from face import Face
from face.colours import contrast, stronger

# Beside tokens.css, which names the colours, these may hold one of them as it stands.
_KINDS = (".css", ".svg")
# The mark on a drawn SIM card, as static/img/category-prepaid_sim.svg has the house's.
_HOUSE_ON_CARD = '<path d="M68 130h57v10a9.5 9.5 0 0 1-19 0v8a9.5 9.5 0 0 1-19 0v8a9.5 9.5 0 0 1-19 0Z"/>'


def write(face: Face, house: Face, static: Path, folder: Path) -> Path | None:
    """The folder with the copies that `face` needs, below `folder`; None where static/ is dressed as it is.

    Several processes may start at the same time: a file is there whole or not at all.
    """
    copies = dressed(face, house, static)
    if not copies:
        return None
    digest = hashlib.sha256()
    for name, data in sorted(copies.items()):
        digest.update(name.encode() + b"\0" + data + b"\0")
    into = folder / "brand" / digest.hexdigest()[:12]
    for name, data in copies.items():
        _place(into / f"{name}.br", partial(brotli.compress, data, quality=11))
        _place(into / f"{name}.gz", partial(gzip.compress, data, 9, mtime=0))
        _place(into / name, partial(bytes, data))
    return into


def _place(path: Path, make: Callable[[], bytes]) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(make())
        unfinished.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()


def dressed(face: Face, house: Face, static: Path) -> dict[str, bytes]:
    """Path below static/ → content, of each file that looks otherwise in this brand."""
    found = {}
    if face.mark != house.mark or face.light["accent"] != house.light["accent"]:
        found["img/mark.svg"] = face.mark.svg(face.light["accent"]).encode()
    if (face.light, face.dark, face.mark) == (house.light, house.dark, house.mark):
        return found
    for path in sorted(static.rglob("*")):
        name = path.relative_to(static).as_posix()
        if path.suffix not in _KINDS or name == "img/mark.svg":
            continue
        before = path.read_text(encoding="utf-8")
        after = tokens(before, face, house) if name == "css/tokens.css" else before
        after = recoloured(after, face, house)
        after = after.replace(_HOUSE_ON_CARD, on_card(face, house))
        if after != before:
            found[name] = after.encode()
    return found


def tokens(css: str, face: Face, house: Face) -> str:
    """A style sheet with the brand's colours in its custom properties: light, dark, and where contrast is asked for.

    There the papers are white and black, and what has a colour of the brand keeps it, only stronger. What a style
    sheet sets to another colour than the house's, for paper say, stays.
    """
    css, more, strong = css.partition("(prefers-contrast: more)")
    light, scheme, dark = css.partition("(prefers-color-scheme: dark)")
    return (
        _with(light, face.light, house.light)
        + scheme
        + _with(dark, face.dark, house.dark)
        + more
        + _stronger(strong, face)
    )


def _stronger(css: str, face: Face) -> str:
    light, scheme, dark = css.partition("(prefers-color-scheme: dark)")
    return _with(light, _strong(face.light)) + scheme + _with(dark, _strong(face.dark))


def _strong(colours: dict) -> dict:
    ground = "#ffffff" if contrast(colours["bg"], "#ffffff") < contrast(colours["bg"], "#000000") else "#000000"
    return {
        "line": colours["ink_2"],
        "edge": colours["ink"],
        "ink_2": colours["ink"],
        "accent": stronger(colours["accent"], ground, 9),
        "accent_2": stronger(colours["accent"], ground, 13),
        "promo_ink": stronger(colours["promo_ink"], ground, 9),
    }


def _with(css: str, colours: dict, before: dict | None = None) -> str:
    for token, colour in colours.items():
        name, was = token.replace("_", "-"), before[token] if before else "#[0-9a-fA-F]{3,6}"
        css = re.sub(rf"(--{name}:\s*){was}\b", lambda found, to=colour: found[1] + to, css)
    return css


def recoloured(text: str, face: Face, house: Face) -> str:
    """`text` with the brand's colours where one of the house stands as such, with or without a share of opacity.

    White and black are nobody's.
    """
    instead = {}
    for own, theirs in ((house.dark, face.dark), (house.light, face.light)):
        instead |= {own[token]: theirs[token] for token in reversed(own) if own[token] not in ("#ffffff", "#000000")}
    # The darker side of the drawn card.
    instead["#14267e"] = face.light["accent_2"]

    def put(found):
        return instead.get(found[1].lower(), found[1]) + (found[2] or "")

    return re.sub(r"(#[0-9a-fA-F]{6})([0-9a-fA-F]{2})?(?![0-9a-fA-F])", put, text)


def on_card(face: Face, house: Face) -> str:
    """The mark as it is printed on a drawn SIM card."""
    if face.mark == house.mark:
        return _HOUSE_ON_CARD
    return f'<g transform="translate(61.4 120.1) scale(2.19)">{face.mark.inner}</g>'
