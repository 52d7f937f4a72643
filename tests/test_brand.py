"""The operator's face (docs/brand.md): nothing of the first brand is hard-wired, and what cannot be is refused."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import config
import face
from face import files
from face.colours import TOKENS, contrast, too_faint
from face.legal import read
from face.mark import Mark, UnfitMark
from face.words import HOUSE_CLAIM, HOUSE_WORDS
from models.order import Order
from tests.databases import own_database
from tests.starter import PIPE, start
from tests.test_translations import source, translated
from views.forms.checkout import DeliveryForm

FANAR = Path(__file__).parent / "brands" / "fanar"
HOUSE = config.HOUSE


@pytest.fixture(scope="module")
def other():
    return face.load(FANAR)


# A whole shop with the second brand


@pytest.fixture(scope="module")
def seen(tmp_path_factory, migrated):
    """What everybody saw of a shop with the second brand: (who, address, status, content type, text)."""
    folder = tmp_path_factory.mktemp("fanar")
    with own_database(folder) as url:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DYQANI_")},
            "DYQANI_ENV": "test",
            "DYQANI_BASE_URL": "http://shop.test",
            "DYQANI_INSTANCE": str(folder / "instance"),
            "DYQANI_PASSWORD_MEMORY": "1024",
            "DYQANI_BRAND_FOLDER": str(FANAR),
            "DATABASE_URL": url,
        }
        walked = start(["-m", "tests.brand_walk", folder / "seen.json"], env=environment, stdout=PIPE, stderr=PIPE)
        said = walked.stderr.read()
        assert walked.wait(timeout=300) == 0, said[-3000:]
    return [tuple(one) for one in json.loads((folder / "seen.json").read_text(encoding="utf-8"))]


def found(seen, pattern: str, flags=0) -> list[str]:
    """Where `pattern` stands, a few times each."""
    places = defaultdict(list)
    for who, address, _, _, text in seen:
        for match in re.finditer(pattern, text, flags):
            places[text[max(0, match.start() - 30) : match.end() + 30]].append(f"{who} {address}")
    return [f"{text!r}: {where[0]} and {len(where) - 1} more" for text, where in places.items()][:20]


def test_a_second_brand_is_walked_whole(seen):
    walked = defaultdict(int)
    for who, _, status, _, _ in seen:
        walked[who.partition(" ")[0].partition("/")[0]] += 1
        assert status < 500, (who, _)
    assert walked["guest"] > 40
    assert walked["order"] > 20
    assert walked["shopper"] > 20
    assert walked["desk"] > 50
    assert walked["mail"] >= 6
    assert walked["gateway"] == 8
    assert {"text/html", "text/css", "image/svg+xml", "application/pdf", "text/plain"} <= {
        kind for *_, kind, _ in seen
    }


@pytest.mark.parametrize(
    "pattern",
    [
        # name, claim and contact
        r"· dyqani\b|>dyqani<|\"dyqani\"|dyqani@",
        "|".join(map(re.escape, HOUSE_CLAIM.values())),
        r"\b1234\b|kontakt@example",
        # money and country
        r"\b(den|ден|MKD)\b|[Dd]enar|денар|\b61[,.]50",
        r"[Mm]aqedon|Macedon|Македон|Shkup|Skopj|\b(sq|mk)_MK\b|MK-\d|\b389 ?7|\b07[X0-8]X? ",
        r"\.mk\b|hreflang=\"mk\"|lang=\"mk\"|gjuha=mk",
        r"[а-яѓќѕљњџј]{3,}",
        # products and codes; besnik24:… is a column of the price list
        r"Besnik|besnik24(?!:)|Klubi[nt]? Im|My Club|Super Rrethi|Fillo 10|Msuper|Mfillo|\bhej!",
        r"\b50777\b|\*777",
        r"\bDY-",
        # mark
        r"M3 4\.5h26|M68 130h57",
    ],
)
def test_nobody_meets_the_first_brand_in_the_shop_of_the_second(seen, pattern):
    assert found(seen, pattern) == []


def test_no_colour_of_the_first_brand_is_left(seen, other):
    own = {*other.light.values(), *other.dark.values()}
    theirs = {*HOUSE.light.values(), *HOUSE.dark.values(), HOUSE.mark_in_mail} - own
    assert found(seen, "|".join(sorted(theirs)), re.IGNORECASE) == []


def test_the_second_brand_says_its_own_words(seen, other):
    said = {who.partition(" ")[0] + " " + kind: "" for who, _, _, kind, _ in seen}
    for who, _, _, kind, text in seen:
        said[who.partition(" ")[0] + " " + kind] += text
    assert ">Fanar<" in said["guest text/html"] or "Fanar</a>" in said["guest text/html"]
    assert other.claim["sq"] in said["guest text/html"]
    assert "· Fanar</title>" in said["guest/en text/html"]
    for text in ("Rrethi Fanar", "Dritë 24", "+383 38 606 606", "ndihma@fanar.example", "Fanar Telekom sh.p.k."):
        assert text in said["guest text/html"], text
    for text in ("Fanar Circle", "Kosovo"):
        assert text in said["guest/en text/html"], text
    assert "From: Fanar <ndihma@fanar.example>" in said["mail headers"]
    assert other.light["accent"] in said["mail text/html"]
    assert "Fanar Telekom sh.p.k. · Rruga e Dritës 6, 10000 Prishtinë" in said["order application/pdf"]
    assert "Flakë e madhe" in said["gateway text/plain"]
    assert other.light["accent"] in said["file text/css"]
    assert "Kontrata Dritë 24" in said["contract application/pdf"]
    assert all(address.startswith("FN-") for who, address, *_ in seen if who == "order number")


@pytest.mark.rule("LOC-2")
def test_euros_are_written_as_each_language_does(seen):
    albanian = "".join(text for who, _, _, kind, text in seen if who == "guest" and kind == "text/html")
    english = "".join(text for who, _, _, kind, text in seen if who == "guest/en" and kind == "text/html")
    assert "649,90\u00a0€" in albanian
    assert "€649.90" in english
    assert "€649,90" not in english
    assert re.search(r"€\d", albanian) is None
    assert re.search(r"\d[\u00a0 ]?€", english) is None


@pytest.mark.rule("LOC-1")
def test_only_the_brands_languages_are_there(seen):
    by_address = {address: (status, text) for _, address, status, _, text in seen}
    for address in ("/mk/", "/mk/celulare", "/mk/kushtet", "/feed/mk.xml"):
        assert by_address[address][0] == 404
    for address in ("/sitemap-pages.xml", "/sitemap-devices-1.xml", "/feed/sq.xml", "/feed/en.xml"):
        status, text = by_address[address]
        assert status == 200
        assert set(re.findall(r'hreflang="([^"]+)"', text)) <= {"sq", "en", "x-default"}
        assert "http://shop.test" in text
    assert "649.90 EUR" in by_address["/feed/sq.xml"][1]
    for _, address, status, kind, text in seen:
        if kind != "text/html" or status != 200:
            continue
        assert set(re.findall(r'hreflang="([^"]+)"', text)) <= {"sq", "en", "x-default"}, address
        assert set(re.findall(r'\blang="([^"]+)"', text)) <= {"sq", "en"}, address


# The folder


def test_the_house_wears_its_own_files_and_nothing_is_copied(tmp_path):
    assert files.dressed(HOUSE, HOUSE, config.ROOT / "static") == {}
    assert files.write(HOUSE, HOUSE, config.ROOT / "static", tmp_path) is None
    css = (config.ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    light, _, dark = css.partition("(prefers-color-scheme: dark)")
    for sheet, colours in ((light, HOUSE.light), (dark, HOUSE.dark)):
        for token in TOKENS:
            said = re.search(rf"--{token.replace('_', '-')}: (#[0-9a-f]{{6}})", sheet)
            # What dark says nothing of is as in light.
            assert (said[1] if said else HOUSE.light[token]) == colours[token], token


def test_a_copy_in_the_brands_colours_is_written_once_and_whole(tmp_path, other):
    into = files.write(other, HOUSE, config.ROOT / "static", tmp_path)
    css = (into / "css" / "tokens.css").read_text(encoding="utf-8")
    assert f"--accent: {other.light['accent']};" in css
    assert f"--accent: {other.dark['accent']};" in css
    assert (into / "css" / "tokens.css.br").stat().st_size < len(css)
    assert (into / "img" / "mark.svg").read_text() == other.mark.svg(other.light["accent"])
    before = {path: path.stat().st_mtime_ns for path in into.rglob("*")}
    assert files.write(other, HOUSE, config.ROOT / "static", tmp_path) == into
    assert {path: path.stat().st_mtime_ns for path in into.rglob("*")} == before


@pytest.mark.parametrize("brand", [HOUSE.folder, FANAR], ids=["house", "second"])
def test_the_colours_of_both_brands_can_be_read(brand):
    assert list(too_faint(face.load(brand))) == []


def test_contrast_is_worked_out_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_faint_colours_are_named_with_what_they_lack(tmp_path):
    folder = changed(tmp_path, 'ink_2 = "#4c5f56"', 'ink_2 = "#a9bdb3"')
    [first, *_] = too_faint(face.load(folder))
    assert first.startswith("light: ink_2 #a9bdb3 on bg #fbfcf8 has 1.")
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("flask")), "brand", "check"],
        cwd=config.ROOT,
        env={**os.environ, "DYQANI_BRAND_FOLDER": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert first in checked.stdout


def changed(tmp_path: Path, before: str, after: str, name: str = "brand.toml") -> Path:
    """A copy of the second brand in which one thing is otherwise."""
    folder = tmp_path / "brand"
    shutil.copytree(FANAR, folder)
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('accent = "#0b6b4f"', 'accent = "green"', r"line \d+: colours.light.accent must be #"),
        ('accent = "#0b6b4f"\n', "", r"line \d+: colours.light.accent is missing"),
        ('order_prefix = "FN"', 'order_prefix = "F1"', r"line 4: order_prefix must be two capital"),
        ('currency = "EUR"', 'currency = "GBP"', r"line 6: currency must be MKD"),
        ('languages = ["sq", "en"]', 'languages = ["sq", "de"]', r"line 5: languages must be"),
        ('timezone = "Europe/Belgrade"', 'timezone = "Mars"', r"line 8: timezone must be"),
        ('name = "Fanar"', 'name = "<b>"', r"line 3: name must not hold"),
        ('"My Club" = "Fanar Circle"\n', "", r"line \d+: words.en.My Club is missing"),
        ('phone = "+383 38 606 606"', 'fone = "1"', r"line \d+: contact.fone is not known"),
        ('sms = "RREZE"', 'sms = "MB"', r"line \d+: bundles must send"),
        ('name = "Fanar"', 'name = "Fanar', r"line 3: "),
    ],
)
def test_what_a_brand_cannot_be_is_refused_with_its_line(tmp_path, before, after, why):
    with pytest.raises(face.BadFace, match=rf"brand\.toml, {why}"):
        face.load(changed(tmp_path, before, after))


@pytest.mark.parametrize(
    ("name", "before", "after", "why"),
    [
        ("brand.toml", 'currency = "EUR"', 'currency = "GBP"', "line 6: currency must be"),
        ("shops.csv", "XK-02,20000", "XK-99,20000", "line 3: 'XK-99' is not in places.csv"),
    ],
)
def test_a_shop_does_not_start_with_a_bad_folder(tmp_path, name, before, after, why):
    folder = changed(tmp_path, before, after, name)
    tried = subprocess.run(
        [sys.executable, "-c", "from app import create_app; create_app()"],
        cwd=config.ROOT,
        env={**os.environ, "DYQANI_BRAND_FOLDER": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 1
    assert re.match(rf"DYQANI_BRAND_FOLDER: {folder}/{name}, {why}", tried.stderr), tried.stderr


def test_each_language_has_its_terms(tmp_path):
    folder = tmp_path / "brand"
    shutil.copytree(FANAR, folder)
    (folder / "terms.en.md").unlink()
    with pytest.raises(face.BadFace, match=r"terms\.en\.md: there is no such file"):
        face.load(folder)


@pytest.mark.parametrize(
    ("drawing", "why"),
    [
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><script/></svg>', "must not hold <script>"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path onload="x"/></svg>', "attribute onload"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path style="x"/></svg>', "attribute style"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="url(#a)"/></svg>', "name colours"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"/>', "viewBox"),
        ("<svg", "is no SVG"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>', "entities"),
    ],
)
def test_a_mark_is_a_plain_drawing(tmp_path, drawing, why):
    path = tmp_path / "mark.svg"
    path.write_text(drawing)
    with pytest.raises(UnfitMark, match=re.escape(why)):
        Mark.read(path)


def test_a_legal_text_is_markdown_with_the_shops_own_addresses_and_facts(tmp_path):
    path = tmp_path / "terms.en.md"
    path.write_text(
        "Before.\n\n## Who {#who}\n\nWe, *truly*, on {phone}: [privacy](/privatesia).\n", encoding="utf-8"
    )
    first, second = read(path, "/en", phone="1*2*3")
    assert (first.title, first.html) == ("", "<p>Before.</p>\n")
    assert (second.title, second.id) == ("Who", "who")
    assert second.html == '<p>We, <em>truly</em>, on 1*2*3: <a href="/en/privatesia">privacy</a>.</p>\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("One\n\n{fax}", "line 3: {fax} is not known"),
        ("# Title", "line 1: headings begin with ##"),
        ("\n<script>", "line 2: HTML is not taken"),
    ],
)
def test_a_legal_text_that_cannot_be_is_refused_with_its_line(tmp_path, text, why):
    path = tmp_path / "terms.sq.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(face.BadFace, match=re.escape(f"terms.sq.md, {why}")):
        read(path, "", phone="1")


# The house's words and colours in code


def test_every_word_of_the_house_is_one_that_a_brand_replaces(other):
    """A text with a new form of the club's name, or of the country's, must be in face/words.py."""
    signs = (
        r"Klubi\w* Im|Мојо?т? клуб|My Club|Maqedoni\w+( së| e)? Veri\w+|Северна Македонија|North Macedonia|Besnik"
        r"|Shkup|Скопје|скопск|Skopje|\b07\b|\.mk\b|[Dd]enar|денар"
    )
    texts = {"sq": [text for key in source() for text in key]}
    texts |= {code: [form for _, forms, _ in translated(code) for form in forms] for code in ("mk", "en")}
    for code, said in texts.items():
        known = "|".join(map(re.escape, (*HOUSE_WORDS[code], "Besnik 24")))
        left = {text for text in said if re.search(signs, re.sub(known, "", text))}
        assert left == set(), f"{code}: {left}"


def test_as_long_a_postal_code_may_be_typed_as_is_kept():
    assert DeliveryForm.postal_code.kwargs["render_kw"]["maxlength"] == Order.postal_code.max_length


def test_no_colour_stands_in_the_templates_of_mails():
    """Mails take the brand's colours by their names: light.ink, dark.accent."""
    named = [
        f"{path.relative_to(config.ROOT)}: {colour}"
        for path in (config.ROOT / "templates" / "mail").rglob("*.html")
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))
    ]
    assert named == []
