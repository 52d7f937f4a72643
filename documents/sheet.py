"""How a document is drawn: A4, the shop's look, text that can be searched and copied.

`draw` takes the content of documents, as `documents.content` composed it and `models.document` keeps it, and knows
nothing of orders. The same content and date give the same bytes (the libraries being the same).
"""

import io
import logging
import unicodedata
from functools import lru_cache
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.enums import Corner

import config
from face.colours import mix

logging.getLogger("fontTools").setLevel(logging.WARNING)

FONTS = Path(__file__).parent / "fonts"
# The letters, and what stands in for a character that the font has not.
LETTER = "Onest"
UNKNOWN = "?"

# The brand's light colours: a paper is white.
_LIGHT = config.FACE.light
INK, INK_2, LINE, EDGE = (_LIGHT[token] for token in ("ink", "ink_2", "line", "edge"))
ACCENT, SOFT, STAGE = _LIGHT["accent"], _LIGHT["accent_soft"], mix(_LIGHT["stage"], _LIGHT["bg"])

# Millimetres of an A4 page.
WIDTH, HEIGHT, SIDE, BOTTOM = 210, 297, 18, 20
INNER = WIDTH - 2 * SIDE
TOP_FIRST, TOP_NEXT = 36, 25
QR = 21
# How wide the sums are, and how high the room for signatures.
SUMS, SIGNATURE = 100, 25
COLUMNS, GAP = 3, 7
COLUMN = (INNER - (COLUMNS - 1) * GAP) / COLUMNS

# Points of type → millimetres from line to line.
BODY, SMALL, HEAD, TITLE = 9.2, 8, 11, 20
POINT = 25.4 / 72


def leading(size: float) -> float:
    return size * POINT * 1.38


def draw(contents: list[dict], made_at) -> bytes:
    """One PDF of these documents, each from a page of its own, made at the moment `made_at`."""
    sheet = Sheet(contents, made_at)
    return bytes(sheet.output())


class Sheet(FPDF):
    """A document's pages; every `_…` block draws itself at the present height and moves it down."""

    def __init__(self, contents: list[dict], made_at):
        super().__init__(format="A4", unit="mm")
        self.set_auto_page_break(False)
        self.set_margins(0, 0, 0)
        self.c_margin = 0
        self.add_font(LETTER, "", FONTS / "Onest-Regular.ttf")
        self.add_font(LETTER, "B", FONTS / "Onest-Bold.ttf")
        first = contents[0]
        self.set_title(f"{first['title']} {first['number']}" if len(contents) == 1 else config.BRAND)
        self.set_author(first["shop"])
        self.set_producer(first["shop"])
        self.set_creator(first["shop"])
        self.set_lang(first["language"])
        self.set_creation_date(made_at)
        # (content, number of the page within its document)
        self.of_page: list[tuple[dict, int]] = []
        for content in contents:
            self._document(content)
        self._finish_pages()

    # Pages

    def _document(self, content: dict) -> None:
        self.content, self.page_of_document = content, 0
        self._next_page()
        blocks = content["blocks"]
        for number, block in enumerate(blocks):
            name, *said = block
            if name == "heading":
                # A heading stays with the beginning of what it is about.
                following = blocks[number + 1] if number + 1 < len(blocks) else None
                self._room(leading(HEAD) + 6 + (self._beginning(following) if following else 0))
            else:
                self._room(self._beginning(block))
            getattr(self, f"_{name}")(*said)

    def _next_page(self) -> None:
        self.add_page()
        self.page_of_document += 1
        self.of_page.append((self.content, self.page_of_document))
        if self.page_of_document == 1:
            self._letter_head()
        else:
            self._running_head()

    def _room(self, height: float) -> bool:
        """Go on to the next page where `height` has no room on this one; whether it did."""
        if self.y + height <= HEIGHT - BOTTOM or self.y <= TOP_NEXT:
            return False
        self._next_page()
        return True

    def _letter_head(self) -> None:
        content = self.content
        self._fill(ACCENT)
        self.rect(0, 0, WIDTH, 2.2, style="F")
        self._mark(SIDE, 13, 8.5)
        self._say(content["shop"], SIDE + 11, 13 + 6.4, 17, bold=True)
        self._qr(content["number"], WIDTH - SIDE - QR, 11.5)
        x = WIDTH - SIDE - QR - 5
        self._say(content["number_name"], x, 16.5, SMALL, colour=INK_2, align="R")
        self._say(content["number"], x, 21.8, 12, bold=True, align="R")
        for row, line in enumerate(content["about"]):
            self._say(line, x, 26.8 + row * 4, SMALL, colour=INK_2, align="R")
        self.y = TOP_FIRST
        self._paragraph(content["title"], TITLE, bold=True)
        if content.get("lead"):
            self.y += 1.2
            self._paragraph(content["lead"], BODY, colour=INK_2)
        self.y += 4

    def _running_head(self) -> None:
        content = self.content
        self._mark(SIDE, 12, 4.6)
        self._say(content["shop"], SIDE + 6, 12 + 3.5, 9.5, bold=True)
        self._say(f"{content['title']} · {content['number']}", WIDTH - SIDE, 15.5, SMALL, colour=INK_2, align="R")
        self._rule(19)
        self.y = TOP_NEXT

    def _finish_pages(self) -> None:
        for number, (content, page) in enumerate(self.of_page, 1):
            self.page = number
            # What did not change since it last wrote is left out, and that was on another page.
            self._type(BODY, bold=True)
            self._pen(INK, 1)
            pages = sum(1 for other, _ in self.of_page if other is content)
            self._rule(HEIGHT - 15)
            # A company with its address takes two lines; the page's number stands at the right.
            for row, line in enumerate(self._lines(content["contact"], INNER - 26, SMALL)[:2]):
                self._say(line, SIDE, HEIGHT - 10.4 + row * 3.8, SMALL, colour=INK_2)
            told = content["page_name"].replace("{page}", str(page)).replace("{pages}", str(pages))
            self._say(told, WIDTH - SIDE, HEIGHT - 10.4, SMALL, colour=INK_2, align="R")

    # Blocks, as content names them

    def _beginning(self, block: list) -> float:
        """What of a block must stand on one page: a table's first row, of text the first lines, of others all."""
        name, *said = block
        if name == "table":
            table = said[0]
            rows = table["rows"][:1]
            return self._head_height(table) + sum(self._row_height(table, row) for row in rows)
        if name == "text":
            return min(3, len(self._lines(said[0], INNER, BODY))) * leading(BODY)
        if name == "numbered":
            return min(3, len(self._lines(said[0][0], INNER - 7, BODY))) * leading(BODY)
        if name == "pairs":
            return self._pairs_height(said[0])
        if name == "sums":
            return self._sums_height(said[0])
        if name == "together":
            return sum(self._height(inner) for inner in said[0])
        if name == "note":
            return self._note_height(*said)
        if name == "checks":
            return 7
        if name == "blanks":
            return 12
        if name == "signatures":
            return SIGNATURE
        return leading(HEAD) + 12

    def _height(self, block: list) -> float:
        """All of a block that stands inside of "together"."""
        name, *said = block
        if name == "heading":
            return leading(HEAD) + 4
        if name == "text":
            return len(self._lines(said[0], INNER, BODY)) * leading(BODY) + 2
        return self._beginning(block)

    def _together(self, blocks: list) -> None:
        """What must not be torn apart: a signature belongs to what is signed."""
        for name, *said in blocks:
            getattr(self, f"_{name}")(*said)

    def _heading(self, text: str) -> None:
        self.y += 2.4
        self._paragraph(text, HEAD, bold=True)
        self.y += 1.6

    def _text(self, text: str) -> None:
        for line in self._lines(text, INNER, BODY):
            self._room(leading(BODY))
            self._line(line, SIDE, BODY)
        self.y += 2

    def _numbered(self, texts: list[str]) -> None:
        for number, text in enumerate(texts, 1):
            lines = self._lines(text, INNER - 7, BODY)
            self._room(min(3, len(lines)) * leading(BODY))
            self._say(f"{number}.", SIDE, self.y + BODY * POINT, BODY, colour=ACCENT, bold=True)
            for line in lines:
                self._room(leading(BODY))
                self._line(line, SIDE + 7, BODY)
            self.y += 0.9
        self.y += 1

    def _pairs(self, pairs: list) -> None:
        """Names with their values, in columns."""
        for left in range(0, len(pairs), COLUMNS):
            tallest = 0
            for column, (name, value) in enumerate(pairs[left : left + COLUMNS]):
                width, x, y = COLUMN, SIDE + column * (COLUMN + GAP), self.y
                self._say(self._fitting(name, width, SMALL), x, y + SMALL * POINT, SMALL, colour=INK_2)
                y += leading(SMALL)
                for line in self._lines(value, width, BODY, bold=True):
                    self._say(line, x, y + BODY * POINT, BODY, bold=True)
                    y += leading(BODY)
                tallest = max(tallest, y - self.y)
            self.y += tallest + 2.4
        self.y += 0.8

    def _pairs_height(self, pairs: list) -> float:
        height = 0.8
        for left in range(0, len(pairs), COLUMNS):
            lines = max(len(self._lines(value, COLUMN, BODY, bold=True)) for _, value in pairs[left : left + COLUMNS])
            height += leading(SMALL) + lines * leading(BODY) + 2.4
        return height

    def _table(self, table: dict) -> None:
        """Columns with a head that is repeated on each page; a cell is its lines, the first one in ink."""
        self._table_head(table)
        for row in table["rows"]:
            if self._room(self._row_height(table, row)):
                self._table_head(table)
            top = self.y
            for (x, width, align), cell in zip(self._columns(table), row, strict=True):
                y = top + 1.9
                for number, text in enumerate(cell):
                    size, colour = (BODY, INK) if number == 0 else (SMALL, INK_2)
                    for line in self._lines(text, width, size):
                        edge = x + width if align == "R" else x
                        self._say(line, edge, y + size * POINT, size, colour=colour, align=align)
                        y += leading(size)
            self.y = top + self._row_height(table, row)
            self._rule(self.y)
        self.y += 2

    def _columns(self, table: dict):
        x, gap = SIDE + 2.5, 4
        room = INNER - 5 - gap * (len(table["widths"]) - 1)
        for share, align in zip(table["widths"], table["align"], strict=True):
            yield x, room * share, align
            x += room * share + gap

    def _head_height(self, table: dict) -> float:
        return 3.2 + leading(SMALL) * max(
            len(self._lines(name, width, SMALL, bold=True))
            for (_, width, _), name in zip(self._columns(table), table["head"], strict=True)
        )

    def _table_head(self, table: dict) -> None:
        height = self._head_height(table)
        self._fill(STAGE)
        self.rect(SIDE, self.y, INNER, height, style="F", round_corners=True, corner_radius=1.6)
        for (x, width, align), name in zip(self._columns(table), table["head"], strict=True):
            y = self.y + 1.6
            for line in self._lines(name, width, SMALL, bold=True):
                edge = x + width if align == "R" else x
                self._say(line, edge, y + SMALL * POINT, SMALL, colour=INK_2, bold=True, align=align)
                y += leading(SMALL)
        self.y += height

    def _row_height(self, table: dict, row: list) -> float:
        tallest = 0
        for (_, width, _), cell in zip(self._columns(table), row, strict=True):
            height = 0
            for number, text in enumerate(cell):
                size = BODY if number == 0 else SMALL
                height += leading(size) * len(self._lines(text, width, size))
            tallest = max(tallest, height)
        return tallest + 3.6

    def _sums(self, rows: list) -> None:
        """Names and amounts at the right; a third value makes a row the total."""
        x = WIDTH - SIDE - 2.5
        for name, value, *strong in rows:
            bold = bool(strong and strong[0])
            size = HEAD if bold else BODY
            self._room(self._sums_height([[name, value, bold]]))
            if bold:
                self.y += 1.6
                self._rule(self.y, x - SUMS, x)
                self.y += 1.4
            for number, line in enumerate(self._lines(name, SUMS - 38, size, bold=bold)):
                self._say(line, x - SUMS, self.y + 4.2, size, colour=INK if bold else INK_2, bold=bold)
                if number == 0:
                    self._say(value, x, self.y + 4.2, size, bold=bold, align="R")
                self.y += leading(size) + 0.7
        self.y += 2

    def _sums_height(self, rows: list) -> float:
        height = 2
        for name, _, *strong in rows:
            bold = bool(strong and strong[0])
            size = HEAD if bold else BODY
            height += len(self._lines(name, SUMS - 38, size, bold=bold)) * (leading(size) + 0.7) + 3 * bold
        return height

    def _note(self, title: str, text: str) -> None:
        height = self._note_height(title, text) - 3
        self._fill(SOFT)
        self.rect(SIDE, self.y, INNER, height, style="F", round_corners=True, corner_radius=2.4)
        self._fill(ACCENT)
        self.rect(
            SIDE,
            self.y,
            1.4,
            height,
            style="F",
            round_corners=(Corner.TOP_LEFT, Corner.BOTTOM_LEFT),
            corner_radius=0.7,
        )
        bottom = self.y + height
        self.y += 3
        for line in self._lines(title, INNER - 12, BODY, bold=True):
            self._line(line, SIDE + 6, BODY, bold=True)
        for line in self._lines(text, INNER - 12, BODY):
            self._line(line, SIDE + 6, BODY)
        self.y = bottom + 3

    def _note_height(self, title: str, text: str) -> float:
        lines = len(self._lines(title, INNER - 12, BODY, bold=True)) + len(self._lines(text, INNER - 12, BODY))
        return 6 + lines * leading(BODY) + 3

    def _checks(self, choices: list[str]) -> None:
        """Squares to be ticked by hand, in as many rows as they need."""
        x = SIDE
        self._pen(EDGE, 0.3)
        for choice in choices:
            width = 6 + self._width(choice, BODY) + 8
            if x > SIDE and x + width > WIDTH - SIDE:
                x, self.y = SIDE, self.y + 7
            self.rect(x, self.y, 3.8, 3.8, round_corners=True, corner_radius=0.7)
            self._say(choice, x + 6, self.y + 3.2, BODY)
            x += width
        self.y += 6

    def _blanks(self, fields: list) -> None:
        """Lines to be written on: (name, share of the width)."""
        x, gap = SIDE, 6
        room = INNER - gap * (len(fields) - 1)
        base = self.y + 7
        for name, share in fields:
            width = room * share
            self._rule(base, x, x + width, EDGE)
            self._say(self._fitting(name, width, SMALL), x, base + 3.6, SMALL, colour=INK_2)
            x += width + gap
        self.y = base + 5

    def _signatures(self, who: list) -> None:
        """A line for each: (as what, name or "")."""
        gap = 12
        width = (INNER - gap * (len(who) - 1)) / len(who)
        top = self.y
        base = top + 13.5
        for number, (role, name) in enumerate(who):
            x = SIDE + number * (width + gap)
            self._rule(base, x, x + width, INK)
            y = base + 1.2
            for line in self._lines(role, width, SMALL):
                self._say(line, x, y + SMALL * POINT, SMALL, colour=INK_2)
                y += leading(SMALL)
            for line in self._lines(name, width, BODY, bold=True)[:2] if name else ():
                self._say(line, x, y + BODY * POINT, BODY, bold=True)
                y += leading(BODY)
        self.y = top + SIGNATURE

    # Strokes

    def _mark(self, x: float, y: float, size: float) -> None:
        """The brand's mark, whose drawing begins 3 units from the left and 4.5 from above and is 26 units wide."""
        unit = size / 26
        drawing = io.BytesIO(config.FACE.mark.svg(ACCENT).encode())
        self.image(drawing, x - 3 * unit, y - 4.5 * unit, w=32 * unit, h=32 * unit)

    def _qr(self, text: str, x: float, y: float) -> None:
        rows = squares(text)
        unit = QR / len(rows)
        self._fill("#000000")
        for row, runs in enumerate(rows):
            for start, length in runs:
                # A hair more than the square, or printers leave white lines.
                self.rect(x + start * unit, y + row * unit, length * unit + 0.02, unit + 0.02, style="F")

    def _rule(self, y: float, left: float = SIDE, right: float = WIDTH - SIDE, colour: str = LINE) -> None:
        self._pen(colour, 0.25)
        self.line(left, y, right, y)

    def _pen(self, colour: str, width: float) -> None:
        self.set_draw_color(colour)
        self.set_line_width(width)

    def _fill(self, colour: str) -> None:
        self.set_fill_color(colour)

    # Words

    def _paragraph(self, text: str, size: float, *, bold: bool = False, colour: str = INK) -> None:
        # Beside the letter head's QR code nothing else may stand.
        for line in self._lines(text, INNER, size, bold=bold):
            self._line(line, SIDE, size, bold=bold, colour=colour)

    def _line(self, text: str, x: float, size: float, *, bold: bool = False, colour: str = INK) -> None:
        self._say(text, x, self.y + size * POINT, size, bold=bold, colour=colour)
        self.y += leading(size)

    def _say(self, text, x, base, size, *, bold=False, colour=INK, align="L") -> None:
        """One line of text on the base line; `x` is its left edge, or with "R" its right one."""
        if not text:
            return
        text = self._known(text)
        self._type(size, bold)
        self.set_text_color(colour)
        if align == "R":
            x -= self._measure(text, size, bold)
        self.text(x, base, text)

    def _type(self, size: float, bold: bool) -> None:
        self.set_font(LETTER, "B" if bold else "", size)

    def _width(self, text: str, size: float, bold: bool = False) -> float:
        return self._measure(self._known(text), size, bold)

    def _measure(self, text: str, size: float, bold: bool) -> float:
        # As get_string_width, without asking for the letters' direction each time.
        widths = self.fonts[LETTER.lower() + ("B" if bold else "")].cw
        return sum(widths[ord(letter)] for letter in text) * size * POINT / 1000

    def _fitting(self, text: str, width: float, size: float) -> str:
        """`text`, cut where it is wider than `width`."""
        while len(text) > 1 and self._width(text, size) > width:
            text = text[:-2].rstrip() + "…"
        return text

    def _lines(self, text: str, width: float, size: float, bold: bool = False) -> list[str]:
        """`text` in lines of at most `width`; a word that is wider itself is broken where it must be."""

        def measure(words: str) -> float:
            return self._measure(words, size, bold)

        lines = []
        for paragraph in self._known(text).split("\n"):
            line = ""
            for word in paragraph.split(" "):
                longer = f"{line} {word}" if line else word
                if measure(longer) <= width:
                    line = longer
                    continue
                if line:
                    lines.append(line)
                while measure(word) > width:
                    length = len(word)
                    while length > 1 and measure(word[:length]) > width:
                        length -= 1
                    lines.append(word[:length])
                    word = word[length:]
                line = word
            lines.append(line)
        return lines

    def _known(self, text: str) -> str:
        """`text` in characters that the font has: names may be written in any."""
        letters = letters_of(LETTER)
        return text if letters.issuperset(text) else "".join(_nearest(character, letters) for character in text)


@lru_cache(maxsize=1)
def letters_of(name: str) -> frozenset[str]:
    """What the font can show, and the line's end."""
    from fontTools.ttLib import TTFont

    with TTFont(FONTS / f"{name}-Regular.ttf", lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap())) | {"\n"}


def _nearest(character: str, letters: frozenset[str]) -> str:
    if character in letters:
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Mn"):
        return ""
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if part in letters)
    return plain or {"\u2011": "-"}.get(character, UNKNOWN)


@lru_cache(maxsize=256)
def squares(text: str) -> list[list[tuple[int, int]]]:
    """The QR code of `text`: of each row the dark runs, as (first square, how many)."""
    rows = []
    for row in segno.make_qr(text, error="m").matrix:
        runs, start = [], None
        for column, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                runs.append((start, column - start))
                start = None
        rows.append(runs)
    return rows
