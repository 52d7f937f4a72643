"""The brand's mark: one small SVG, drawn in the header, the browser's tab, mails, papers and pictures."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {"svg", "g", "path", "circle", "ellipse", "rect", "polygon", "polyline", "line", "title"}
_ATTRIBUTES = {
    *("d", "cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "points", "transform"),
    *("fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "fill-rule", "clip-rule", "opacity"),
}
LARGEST = 8_000


class UnfitMark(Exception):
    """A drawing that the shop cannot put into its pages."""

    def __init__(self, why: str, line: int | None = None):
        self.line = line
        super().__init__(why)


@dataclass(frozen=True)
class Mark:
    """`inner` is what stands inside of the svg element, on the square `box` of 32 units.

    Shapes without a fill take the accent of where they stand: of the page, light or dark, of a mail, of a paper.
    """

    inner: str

    @classmethod
    def read(cls, path: Path) -> "Mark":
        """Raises UnfitMark for what is no plain drawing: scripts, styles, references, another size."""
        try:
            data = path.read_bytes()
        except OSError:
            raise UnfitMark("there is no such file") from None
        if len(data) > LARGEST:
            raise UnfitMark(f"has {len(data)} bytes, at most {LARGEST} are fit for every page")
        try:
            root = fromstring(data)
        except ParseError as error:
            raise UnfitMark(f"is no SVG: {error}", error.position[0]) from None
        except DefusedXmlException:
            raise UnfitMark("must not declare entities") from None
        text = data.decode("utf-8", "replace")
        if root.tag != f"{_SVG}svg" or " ".join(root.get("viewBox", "").replace(",", " ").split()) != "0 0 32 32":
            raise UnfitMark('must be an svg element with viewBox="0 0 32 32"', 1)
        return cls("".join(_plain(child, text) for child in root))

    def svg(self, colour: str) -> str:
        """The mark as a file of its own."""
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="{colour}">{self.inner}</svg>'

    def inline(self) -> str:
        """The mark inside of a page, where a style sheet colours it."""
        return f'<svg viewBox="0 0 32 32" aria-hidden="true">{self.inner}</svg>'


def _plain(element: Element, text: str) -> str:
    name = str(element.tag).removeprefix(_SVG)

    def refuse(why: str, what: str):
        number = next((number for number, line in enumerate(text.splitlines(), 1) if what in line), None)
        raise UnfitMark(why, number)

    if name not in _ELEMENTS:
        refuse(f"must not hold <{name}>; only plain shapes: {', '.join(sorted(_ELEMENTS))}", f"<{name}")
    for attribute, value in element.attrib.items():
        if attribute not in _ATTRIBUTES:
            refuse(f"must not hold the attribute {attribute}", attribute.rpartition("}")[2])
        if attribute in ("fill", "stroke") and not re.fullmatch(r"none|currentColor|#[0-9a-fA-F]{3,8}", value):
            refuse(f"must name colours as #rrggbb, none or currentColor, not {value!r}", value)
        if re.search(r"[<>]|url\(|&#", value):
            refuse(f"must not hold {value[:20]!r}", value)
    if name == "title":
        # What is said aloud stands beside it.
        return ""
    bare = Element(name, element.attrib)
    start = tostring(bare, encoding="unicode", short_empty_elements=False).removesuffix(f"</{name}>")
    inner = "".join(_plain(child, text) for child in element)
    return f"{start}{inner}</{name}>" if inner else f"{start[:-1]}/>"
