"""The shop's own style sheets: as right for a language that is written from right to left."""

import re
from pathlib import Path

import pytest

from views.everywhere import PAPER

FOLDER = Path(__file__).resolve().parent.parent / "static" / "css"
SHEETS = sorted(FOLDER.glob("*.css"))
# What names a side of the screen instead of a side of the text.
SIDED = re.compile(r"(?:^|-)(?:left|right)(?:$|-)|^(?:width|height|(?:min|max)-(?:width|height)|top|bottom)$")
SHORTHANDS = {"margin", "padding", "inset", "border-width", "border-color", "border-style", "scroll-margin"}
VALUES = re.compile(r"(?:left|right)")
SPEAKS_OF_SIDES = {"float", "clear", "text-align", "transform-origin"}


def declarations(text: str):
    """(property, value) of a style sheet, nested rules and all."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@(?:media|container|supports|layer|property|import)[^{;]*", "", text)
    for piece in re.split(r"[{};]", text):
        name, colon, value = piece.strip().partition(":")
        if colon and re.fullmatch(r"-?-?[a-z][a-z0-9-]*", name.strip()):
            yield name.strip(), value.strip()


def sides(value: str) -> list[str]:
    """The parts of a shorthand: "0 calc(1px + 2px)" has two."""
    parts, depth, part = [], 0, ""
    for character in value.replace("!important", "").strip() + " ":
        depth += (character == "(") - (character == ")")
        if character == " " and not depth:
            parts += [part] if part else []
            part = ""
        else:
            part += character
    return parts


def one_sided(name: str, value: str) -> bool:
    """Whether a declaration means left or right, or a side of the screen, rather than the text's start or end."""
    if name.startswith("--"):
        return False
    if SIDED.search(name):
        return True
    if name in SHORTHANDS:
        parts = sides(value)
        return len(parts) == 4 and parts[1] != parts[3]
    return name in SPEAKS_OF_SIDES and bool(VALUES.search(value))


@pytest.mark.parametrize(
    ("css", "found"),
    [
        ("a { margin-left: 1px }", True),
        ("a { b { border-right: 0 } }", True),
        ("a { text-align: right }", True),
        ("a { inset: 0 auto auto 1px }", True),
        ("a { padding: 0 calc(1px + 2px) 0 0 }", True),
        ("a { width: 2px }", True),
        ("@media (width >= 2em) { a { inline-size: 2px; margin: 0 1px 0 1px; text-align: end } }", False),
        ("a:hover { inset: 0 auto }", False),
    ],
)
def test_the_search_finds(css, found):
    assert any(one_sided(*one) for one in declarations(css)) is found


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_style_sheets_speak_of_start_and_end_not_of_left_and_right(sheet):
    assert [
        f"{name}: {value}" for name, value in declarations(sheet.read_text("utf-8")) if one_sided(name, value)
    ] == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_every_rule_is_closed(sheet):
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
    assert text.count("{") == text.count("}")


def test_the_paper_around_the_page_has_the_pages_colour():
    light, dark = re.findall(r"--bg: (#[0-9a-f]{6});", (FOLDER / "tokens.css").read_text("utf-8"))[:2]
    assert {"light": light, "dark": dark} == PAPER
