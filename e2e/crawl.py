"""Walks the shop by its links as a guest, as a subscriber and as each role at work, and looks at what it finds: no
fault of axe, none of the Nu HTML checker, no link that leads nowhere. Every route in three languages, light and dark;
`bin/crawl`.

Of each route two addresses are looked at, and one more for each set of parameters: what else it shows is made of the
same pieces.
"""

from collections import Counter
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Error

import language
from app import create_app
from e2e.at_work import log_in as to_work
from e2e.conftest import DESKTOP, PHONE, arrive, violations
from e2e.html_checker import HtmlChecker
from e2e.journey import (
    choose_card,
    fill_data,
    fill_delivery,
    new_email,
    number_on,
    pay,
    place,
    put_in_cart,
    to_checkout,
)
from e2e.owing import log_in, profile_that_owes
from e2e.test_my_orders import place_as_guest
from tests.views.test_html import faults

MOST_OF_A_ROUTE, MOST_OF_A_SHAPE = 3, 1
# Nothing to look at, or the end of the walk.
LEFT_ALONE = {"static", "profile.log_out", "compare.clear", "documents.show", "claims.file", "order_calendar.show"}
CODES = ("sq", "mk", "en")
OTHERS = ("/mk/", "/en/")
SEEN_AS = [(DESKTOP, "light"), (PHONE, "dark")]


class Walk:
    """What is reached from the pages of one visitor in one language."""

    def __init__(self, page, code: str, checker: HtmlChecker, within: tuple[str, ...] = ("",)):
        """`within` are the beginnings of the endpoints that are looked at."""
        self.page, self.code, self.checker, self.within = page, code, checker, within
        self.prefix = language.prefix_of(code)
        # A page that goes on to the bank by itself stays, to be looked at.
        page.add_init_script("HTMLFormElement.prototype.submit = HTMLFormElement.prototype.requestSubmit = () => {}")
        self._routes = create_app().url_map.bind("shop.test")
        self.waiting: list[str] = []
        self.done: set[str] = set()
        self.routes, self._shapes = Counter(), Counter()
        self.wrong: list[str] = []

    def endpoint_of(self, path: str) -> str | None:
        try:
            return self._routes.match(path.removeprefix(self.prefix) or "/")[0]
        except Exception:  # noqa: BLE001
            return None

    def add(self, *paths: str) -> None:
        """Paths without a language."""
        self.waiting += [self.prefix + path for path in paths]

    def go(self) -> None:
        while self.waiting:
            address = self.waiting.pop(0)
            parts = urlsplit(address)
            endpoint = self.endpoint_of(parts.path)
            shape = (endpoint, tuple(sorted(name for name, _ in parse_qsl(parts.query))))
            if address in self.done or endpoint in LEFT_ALONE or self.routes[endpoint] >= MOST_OF_A_ROUTE:
                continue
            if not (endpoint or "").startswith(self.within):
                continue
            if self._shapes[shape] >= MOST_OF_A_SHAPE + (not shape[1]):
                continue
            self.done.add(address)
            self.routes[endpoint] += 1
            self._shapes[shape] += 1
            self.look_at(address)

    def look_at(self, address: str) -> None:
        try:
            answer = self.page.goto(address)
        except Error as error:
            # A file to keep.
            if "Download is starting" not in str(error):
                self.wrong.append(f"{address}: {error}")
            return
        if answer is None or "html" not in answer.headers.get("content-type", ""):
            return
        # 409 is a page as well: it says what has to be done first.
        if answer.status not in (200, 409):
            self.wrong.append(f"{address}: {answer.status}")
            return
        html = answer.text()
        found = self.checker.errors(html) + faults(html, self.code) + violations(self.page)
        self.wrong += [f"{address}: {fault}" for fault in found]
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            self.wrong.append(f"{address}: {wide} px wider than the window")
        links = self.page.evaluate("[...document.querySelectorAll('a[href]')].map(link => link.href)")
        host = urlsplit(self.page.url).netloc
        for link in links:
            parts = urlsplit(link)
            # The other languages are other walks'.
            here = parts.path.startswith(f"{self.prefix}/") and (self.prefix or not parts.path.startswith(OTHERS))
            if parts.netloc == host and here:
                self.waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))


@pytest.fixture(scope="session")
def checker():
    with HtmlChecker() as running:
        yield running


@pytest.fixture(params=CODES)
def code(request):
    return request.param


@pytest.fixture(params=SEEN_AS, ids=["desktop-light", "phone-dark"])
def page(request, visitor):
    size, scheme = request.param
    return visitor(size=size, scheme=scheme)


def finish(walk: Walk, least: int) -> None:
    walk.go()
    looked_at = [endpoint for endpoint in walk.routes if endpoint]
    print(f"\n{walk.code}: {len(walk.done)} pages of {len(looked_at)} routes")
    assert not walk.wrong, "\n".join(walk.wrong)
    assert len(looked_at) >= least, sorted(looked_at)


def test_what_a_guest_reaches(shop, page, code, checker):
    put_in_cart(page)
    to_checkout(page)
    fill_data(page, new_email())
    fill_delivery(page)
    choose_card(page)
    place(page)
    pay(page)
    arrive(page, "**/konfirmimi")
    order = number_on(page)
    # Another phone in the cart: every step of the checkout can be gone back to.
    put_in_cart(page, "/pajisja/xiaomi-15")
    to_checkout(page)
    fill_data(page, new_email())
    fill_delivery(page)
    choose_card(page)
    walk = Walk(page, code, checker)
    walk.add(
        "/", "/kerko?q=galaxy", f"/porosia/{order}", f"/porosia/{order}/konfirmimi", "/porosia/te-dhenat", "/hyr"
    )
    finish(walk, least=30)


def test_what_a_subscriber_reaches(shop, page, code, checker):
    email, _ = profile_that_owes(shop, 5)
    log_in(page, email)
    place_as_guest(shop, email, "samsung-galaxy-s25", "xiaomi-15")
    page.goto("/porosite")
    page.locator("form[action$='te-mysafirit'] button").first.click()
    page.wait_for_load_state()
    put_in_cart(page)
    # Everything is known of them but what they agree to: the first click leads to the overview.
    page.locator("#cart-contents a.btn").first.click()
    arrive(page, "**/porosia/pasqyra?gati=1")
    walk = Walk(page, code, checker)
    walk.add("/porosite", "/profili", "/klubi", "/paguaj", "/porosia/te-dhenat", "/")
    finish(walk, least=30)


@pytest.mark.parametrize(
    ("role", "to", "least"),
    [
        ("agent", "/desk/porosite", 5),
        ("warehouse", "/desk/depo", 3),
        ("clerk", "/desk/dhurata", 2),
        ("editor", "/desk/katalogu", 8),
        ("partner", "/partneri", 2),
        ("admin", "/desk/stafi", 5),
    ],
)
def test_what_who_works_here_reaches(shop, page, code, checker, role, to, least):
    place_as_guest(shop, new_email(), "samsung-galaxy-s25", "xiaomi-15")
    to_work(page, shop, role, to)
    # The shop itself they see as a guest does.
    walk = Walk(page, code, checker, within=("desk_", "partner.", "staff"))
    walk.add(to)
    finish(walk, least)
