"""The markup of every page: valid, labelled, with nothing that points nowhere, in the language of its address."""

import re
from datetime import timedelta

import html5lib
import pytest

from gateways.bank import Verdict
from models.cart import CartLine
from models.order import Order
from models.payment import Payment
from tests import world as named
from tests.views.browser import OVERVIEW, STEPS, Browser, Page, signed_link

LANGUAGES = pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
PATHS = {**{step: path for step, (path, _) in STEPS.items()}, "overview": OVERVIEW}
# What has no page: for machines, or a piece of one.
NO_PAGE = {
    "/health",
    "/metrics",
    "/robots.txt",
    "/sitemap.xml",
    "/sitemap-pages.xml",
    "/manifest.webmanifest",
    "/sw.js",
    "/demo/inbox.json",
    "/kerko/sugjerime",
    # With a device alone, or for nothing but the browser's own choice: tests/views/test_compare.py, test_wishes.py.
    "/krahaso/shto",
    "/krahaso/hiq",
    "/deshirat/shto",
    "/porosia",
    "/porosia/dergesa/kodi",
    "/porosia/pagesa/piket",
    "/sms/inbound",
    "/sms/report",
    "/klubi/sasia",
    "/porosia/numri/pengesat",
    "/porosia/numri/te-lire",
    "/demo/kodi.json",
}
# For who works there: looked at in the tests of each page.
AT_WORK = ("/desk", "/partneri")
LABELLED = ("input", "select", "textarea")
TYPED = ("text", "search", "url", "tel", "email", "password")
REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "popovertarget", "list", "form")


def faults(html: str, language: str | None = None) -> list[str]:
    """What is wrong with a page; with no `language`, with a piece of one."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    if language:
        tree = parser.parse(html)
        elements = list(tree.iter())
    else:
        tree = parser.parseFragment(html, container="div")
        elements = [element for top in tree for element in top.iter()]
    elements = [element for element in elements if isinstance(element.tag, str)]
    found = [f"{code} at {position}: {data}" for position, code, data in parser.errors]
    ids = [element.get("id") for element in elements if element.get("id") is not None]
    found += [f"the id {name} is given twice" for name in {name for name in ids if ids.count(name) > 1}]
    found += [f"an id is empty or has a space: {name!r}" for name in ids if not name or " " in name]
    inside_labels = {field for label in elements if label.tag == "label" for field in label.iter()}
    labels_for = {label.get("for") for label in elements if label.tag == "label"}
    for element in elements:
        tag = element.tag
        told = f"<{tag} {element.attrib}>"
        if tag in LABELLED and element.get("type") not in ("hidden", "submit"):
            named = element.get("aria-label") or element.get("aria-labelledby")
            if not named and element not in inside_labels and element.get("id") not in labels_for:
                found.append(f"no label: {told}")
        if tag in ("button", "a") and not name_of(element):
            found.append(f"no name: {told}")
        if tag == "img" and element.get("alt") is None:
            found.append(f"no alt: {told}")
        if tag == "form" and element.get("method") == "post" and "csrf_token" not in fields_of(element):
            action = element.get("action") or ""
            if action.startswith("/"):
                found.append(f"no token: {told}")
        if element.get("style") is not None or any(name.startswith(("on", "hx-on")) for name in element.attrib):
            found.append(f"what the content policy forbids: {told}")
        is_data = element.get("type") == "application/ld+json"
        if tag == "style" or (tag == "script" and not is_data and not (element.get("src") or "").startswith("/")):
            found.append(f"what the content policy forbids: {told}")
        if (element.get("href") or "").lower().startswith("javascript:"):
            found.append(f"what the content policy forbids: {told}")
        for reference in REFERENCES if language else ():
            for name in (element.get(reference) or "").split():
                if name not in ids:
                    found.append(f"{reference} points at {name}, which is not there: {told}")
        if language and (element.get("href") or "").startswith("#") and element.get("href")[1:] not in ids:
            found.append(f"a link to nowhere: {told}")
        target = element.get("hx-target") or ""
        if language and target.startswith("#") and target[1:] not in ids:
            found.append(f"a swap into nowhere: {told}")
    found += [fault for element in elements for fault in element_faults(element)]
    if language:
        found += page_faults(elements, language)
    return found


def element_faults(element):
    """What the standard forbids of one element and no parser sees; bin/crawl asks the whole Nu HTML checker."""
    tag, kind, told = element.tag, element.get("type", "text"), f"<{element.tag} {element.attrib}>"
    if element.get("maxlength") is not None and tag == "input" and kind not in TYPED:
        yield f"a length where none can be: {told}"
    if tag == "select" and element.get("required") is not None:
        first = next((option for option in element.iter("option")), None)
        if first is not None and first.get("value") != "":
            yield f"a must, but something always is chosen: {told}"
    if re.fullmatch("h[1-6]", tag) and any(part.get("role") == "status" for part in element.iter()):
        yield f"a live region that takes a heading's role: {told}"
    if tag == "time" and re.search(r"\.\d{4}", element.get("datetime", "")):
        yield f"a moment finer than a millisecond: {told}"


def page_faults(elements, language: str) -> list[str]:
    found = []
    root = elements[0]
    if root.get("lang") != language:
        found.append(f"lang is {root.get('lang')} instead of {language}")
    headings = [int(element.tag[1]) for element in elements if re.fullmatch("h[1-6]", element.tag)]
    if headings.count(1) != 1:
        found.append(f"{headings.count(1)} headings of the first level")
    main = next(element for element in elements if element.tag == "main")
    levels = [int(element.tag[1]) for element in main.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    for before, after in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            found.append(f"a heading of level {after} follows one of level {before}")
    title = next(element for element in elements if element.tag == "title")
    if not "".join(title.itertext()).split("·")[0].strip():
        found.append("no title")
    for landmark in ("main", "header"):
        if sum(element.tag == landmark for element in elements) < 1:
            found.append(f"no {landmark}")
    switches = {element.get("hreflang") for element in elements if element.tag == "link" and element.get("hreflang")}
    if switches and switches != {"sq", "mk", "en", "x-default"}:
        found.append(f"hreflang names {switches}")
    return found


def name_of(element) -> str:
    """What a screen reader calls a button or a link."""
    if element.get("aria-label"):
        return element.get("aria-label")
    texts = []
    for part in element.iter():
        if part.get("aria-hidden") != "true" and part.tag not in ("svg", "path", "circle", "rect"):
            texts.append(part.text or "")
            if part.tag == "img":
                texts.append(part.get("alt") or "")
        if part is not element:
            texts.append(part.tail or "")
    return "".join(texts).strip()


def fields_of(form) -> set[str]:
    return {field.get("name") for field in form.iter() if field.get("name")}


def check(page: Page, language: str | None, status: int = 200) -> Page:
    assert page.status == status, page.words
    assert faults(page.html, language) == []
    return page


# The checker itself


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<p><div>x</div></p>", "unexpected-end-tag"),
        ('<i id="a"></i><i id="a"></i>', "given twice"),
        ('<input id="x">', "no label"),
        ("<button><svg></svg></button>", "no name"),
        ('<img src="/x">', "no alt"),
        ('<form method="post" action="/x"><button>y</button></form>', "no token"),
        ('<p style="color: red">x</p>', "content policy"),
        ('<p onclick="x">x</p>', "content policy"),
        ('<input type="date" aria-label="d" maxlength="9">', "a length where none can be"),
        ('<select aria-label="s" required><option value="a">A</select>', "a must, but something always is chosen"),
        ('<h2>A <span role="status">1</span></h2>', "a live region that takes a heading's role"),
        ('<time datetime="2026-11-22T20:40:40.249484+00:00">x</time>', "a moment finer than a millisecond"),
    ],
)
def test_the_checker_finds(markup, fault):
    assert any(fault in found for found in faults(markup))


def test_the_checker_finds_what_points_nowhere_and_what_a_page_lacks():
    page = (
        '<!doctype html><html lang="sq"><head><title>x</title></head><body><header></header><main>'
        '<label for="no">x</label><input aria-label="x" aria-describedby="gone">'
        '<button popovertarget="away">x</button>'
        '<h2>x</h2><h4>y</h4><div hx-target="#off"></div></main></body></html>'
    )
    found = "\n".join(faults(page, "en"))
    for fault in ("for points at no", "gone", "away", "#off", "lang is sq", "0 headings", "level 4 follows"):
        assert fault in found, fault


# The pages


def plain_routes(app) -> list[str]:
    routes = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments and not rule.rule.startswith(AT_WORK)
    } - NO_PAGE
    assert len(routes) > 15
    return sorted(routes)


@LANGUAGES
@pytest.mark.parametrize("who", ["guest", "guest with a cart", "profile"])
def test_every_page_without_an_argument(app, shopper, world, profile, language, prefix, who):
    if who == "profile":
        shopper.log_in(profile.email)
    if who != "guest":
        for sku in ("S25-BLACK-128", "CASE-BLACK", "REDMI-GREEN-128", "SIM-PREPAID"):
            shopper.choose(world[sku])
        shopper.fill_in(prefix)
    led = {}
    for path in plain_routes(app):
        page = shopper.get(prefix + path)
        if path.startswith("/porosia/") and path != "/porosia/gjej" and who == "guest":
            assert page.location == f"{prefix}/shporta"
            continue
        if page.status == 303:
            led[path] = page.location
            continue
        assert page.status == 200, path
        assert faults(page.html, language) == [], path
    # Some come after a step that was not taken here, and some are for members alone.
    steps = {"/porosia", "/porosia/numri", "/porosia/numri-i-ri", "/profili/regjistrohu/e-posta"}
    for path, location in led.items():
        if who == "profile" or path in steps:
            assert path in steps, path
            assert location.startswith(f"{prefix}/"), path
        else:
            assert location.startswith(f"{prefix}/hyr?next="), path


@LANGUAGES
@pytest.mark.parametrize("slug", ["galaxy-s25", "iphone-16", "redmi-14", "tab-a9", "kellef-s25", "sim-pripejd"])
def test_the_page_of_a_device(shopper, language, prefix, slug):
    check(shopper.get(f"{prefix}/pajisja/{slug}"), language)


@LANGUAGES
def test_lists_with_filters_and_without_results(shopper, language, prefix):
    for query in ("?marka=Samsung", "?faqja=2", "?rendit=lire", "?kerko=asgje", "?q=galaxy", "?q=zzzzqqq"):
        for path in ("/celulare", "/kerko"):
            check(shopper.get(f"{prefix}{path}{query}"), language)


@LANGUAGES
def test_a_cart_whose_lines_changed_or_sold_out(shopper, world, language, prefix):
    for sku in ("S25-BLACK-128", "S25-BLUE-256", "CASE-BLACK"):
        shopper.choose(world[sku])
    CartLine.update(price_seen=1_000_000, quantity=3).execute()
    world.set_stock("S25-BLUE-256", 0)
    world.set_stock("S25-BLACK-128", 2)
    check(shopper.get(f"{prefix}/shporta"), language)
    shopper.fill_in(prefix)
    for path in PATHS.values():
        check(shopper.get(prefix + path), language)


@LANGUAGES
def test_forms_that_are_refused(shopper, world, profile, language, prefix):
    shopper.choose(world["S25-BLACK-128"])
    for step in ("data", "delivery", "payment", "overview"):
        check(shopper.post(prefix + PATHS[step], {}), language, 422)
        check(shopper.post(prefix + PATHS[step], {}, piece=True), None, 422)
        shopper.fill_in(prefix, until={"data": "delivery", "delivery": "payment"}.get(step, "overview"))
    for path in ("/hyr", "/porosia/gjej"):
        check(shopper.post(prefix + path, {}), language, 422)
        check(shopper.post(prefix + path, {}, piece=True), None, 422)
    check(shopper.post(f"{prefix}/shporta", {"slug": "iphone-16"}), language, 422)
    check(shopper.post(f"{prefix}/hyr", {"email": profile.email, "password": "wrong"}), language, 422)


@LANGUAGES
def test_an_overview_that_is_told_of_a_change_or_a_sold_out_line(shopper, world, language, prefix):
    shopper.choose(world["S25-BLACK-128"])
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in(prefix)
    shown = shopper.overview(prefix)
    world.set_gifts(0)
    check(shopper.confirm(shown, prefix=prefix), language, 409)
    world.set_stock("CASE-BLACK", 0)
    check(shopper.confirm(shown, prefix=prefix), language, 409)
    check(shopper.confirm(shown, prefix=prefix, piece=True), None, 422)


@LANGUAGES
def test_the_pages_of_an_order_from_payment_to_delivery(shopper, world, language, prefix):
    order, payment = named.ordered(world, "S25-BLACK-128", "CASE-BLACK", "REDMI-GREEN-128", language=language)
    shopper.get(signed_link(order))

    def look():
        for ending in ("", "/konfirmimi", "/pagesa"):
            page = shopper.get(f"{prefix}/porosia/{order.number}{ending}")
            if page.location:
                assert page.location == f"{prefix}/porosia/{order.number}/konfirmimi"
                continue
            check(page, language)
        check(shopper.get(f"{prefix}/porosia/{order.number}/konfirmimi", piece=True), None)

    look()
    payment.settle(Verdict.UNKNOWN, named.NOW)
    look()
    payment.settle(Verdict.DECLINED, named.NOW)
    look()
    payment = Payment.retry(order, named.NOW)
    payment.settle(Verdict.PAID, named.NOW)
    look()
    order = Order.get()
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by="admin", now=named.NOW + timedelta(days=1))
    look()


@LANGUAGES
def test_an_order_that_lapsed_and_one_that_was_cancelled(shopper, world, clock, language, prefix):
    lapsed, _ = named.ordered(world, "S25-BLACK-128")
    cancelled, _ = named.ordered(world, "CASE-BLACK")
    for order in (lapsed, cancelled):
        shopper.get(signed_link(order))
    clock.shift(31 * 60)
    check(shopper.get(f"{prefix}/porosia/{lapsed.number}/pagesa"), language)
    lapsed.lapse(named.later(31))
    cancelled.move("cancelled", by="admin", now=named.later(31))
    for order in (lapsed, cancelled):
        for ending in ("", "/konfirmimi"):
            check(shopper.get(f"{prefix}/porosia/{order.number}{ending}"), language)


@LANGUAGES
def test_what_the_bank_brings_when_it_is_not_understood(shopper, language, prefix):
    check(shopper.post(f"{prefix}/pay/return", {"oid": "x"}, token=False), language, 400)


@LANGUAGES
def test_error_pages(shopper, language, prefix):
    check(shopper.get(f"{prefix}/nuk-ka"), language, 404)
    check(shopper.get(f"{prefix}/pay/return"), language, 405)
    check(shopper.post(f"{prefix}/shporta", {"csrf_token": "x"}), language, 400)
    check(shopper.post(f"{prefix}/hyr", {"email": "x" * 100_000}), language, 413)
    check(shopper.get(f"{prefix}/nuk-ka", piece=True), None, 404)


@pytest.mark.rule("CRT-3")
def test_the_pieces_of_the_cart(shopper, world):
    for sku in ("S25-BLACK-128", "S25-BLUE-256", "CASE-BLACK", "TAB-GREY-64"):
        shopper.choose(world[sku])
    shopper.fill_in()
    lines = list(CartLine.select().order_by(CartLine.id))
    here = {"HX-Current-URL": "http://shop.test/shporta"}
    for ku, headers, line in (("shporta", here, 0), ("dritarja", here, 1), ("dritarja", {}, 2)):
        check(shopper.post(f"/shporta/{lines[line].id}/heqja", {"ku": ku}, piece=True, headers=headers), None)
    for step in PATHS:
        shopper.choose(world["CASE-BLACK"])
        line = CartLine.select().order_by(CartLine.id.desc()).get()
        check(shopper.post(f"/shporta/{line.id}/heqja", {"ku": "porosia", "hapi": step}, piece=True), None)
    check(shopper.get("/porosia/dergesa/kodi?place=1200", piece=True), None)


@pytest.mark.rule("LOC-1")
@LANGUAGES
def test_the_language_switch_stays_on_the_page(app, shopper, world, language, prefix):
    shopper.choose(world["S25-BLACK-128"])
    for path in ("/", "/shporta", "/celulare?marka=Samsung", "/hyr?next=/shporta", "/pajisja/galaxy-s25"):
        page = shopper.get(prefix + path)
        menu = page.by_id("gjuha")
        links = {link.get("hreflang"): link.get("href") for link in menu.iter("a")}
        assert links == {"sq": path, "mk": f"/mk{path}", "en": f"/en{path}"}
        current = [link.get("hreflang") for link in menu.iter("a") if link.get("aria-current")]
        assert current == [language]


def test_a_name_with_markup_in_it_stays_a_name(app, world):
    """The checker sees broken markup that a shopper could have typed."""
    shopper = Browser(app)
    shopper.choose(world["CASE-BLACK"])
    typed = '"><script>alert(1)</script><b '
    page = shopper.post("/porosia/te-dhenat", dict.fromkeys(("first_name", "last_name", "email", "phone"), typed))
    check(page, "sq", 422)
    assert page.by_id("email").get("value") == " ".join(typed.split())
