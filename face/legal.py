"""The operator's own texts, as Markdown files: rendered once, into the page's headings and paragraphs.

A file is divided by its `## ` headings; `{#name}` at a heading's end is its address within the page. What stands in
braces, such as {phone}, is filled in from the settings, so that a number is said in one place.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from face.refusal import BadFace


@dataclass(frozen=True)
class Section:
    """`title` is plain text, blank before the first heading; `html` is safe to be shown."""

    title: str
    html: str
    id: str = ""


def read(path: Path, prefix: str, **facts) -> tuple[Section, ...]:
    """The sections of a text. `prefix` goes before links into the shop: each language has its own addresses.

    Raises BadFace for HTML, for a heading of another rank, and for a name in braces that is none of `facts`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFace(path, None, f"cannot be read: {error}") from None
    for number, line in enumerate(text.splitlines(), 1):
        for name in re.findall(r"\{([a-z_]*)\}", line):
            if name not in facts:
                raise BadFace(path, number, f"{{{name}}} is not known; known are {', '.join(sorted(facts))}")
        if re.match(r"#(?!# )", line):
            raise BadFace(path, number, "headings begin with ## and a space")
        if re.search(r"<[a-zA-Z/!]", line):
            raise BadFace(path, number, "HTML is not taken; write Markdown")
    parser = MarkdownIt("commonmark", {"html": False})
    sections, title, name, lines = [], "", "", []

    def end():
        body = "\n".join(lines).strip()
        if title or body:
            html = _linked(parser.render(_filled(body, facts)), prefix)
            sections.append(Section(_filled(title, facts, escape=False), html, name))

    for line in text.splitlines():
        if found := re.fullmatch(r"## (.+?)(?:\s*\{#([a-z0-9-]+)\})?\s*", line):
            end()
            title, name, lines = found[1], found[2] or "", []
        else:
            lines.append(line)
    end()
    return tuple(sections)


def _filled(text: str, facts: dict, *, escape: bool = True) -> str:
    def fill(found):
        said = str(facts[found[1]])
        # What is filled in is text, whatever signs of Markdown it holds.
        return re.sub(r"([\\`*_\[\]<>&#])", r"\\\1", said) if escape else said

    return re.sub(r"\{([a-z_]+)\}", fill, text)


def _linked(html: str, prefix: str) -> str:
    return html.replace('href="/', f'href="{prefix}/')
