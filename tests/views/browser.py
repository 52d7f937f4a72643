"""A shopper's browser for the tests of the views: it keeps cookies and sends a form with its page's token."""

import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import urlsplit

import html5lib

from models.order import Order
from models.order_link import sign
from models.profile import Profile
from models.second_factor import SecondFactor
from tests.staff import code_of
from tests.world import GUEST, PASSWORD

HOST = "http://shop.test"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

DATA = {
    "first_name": GUEST["first_name"],
    "last_name": GUEST["last_name"],
    "email": GUEST["email"],
    "phone": "070 123 456",
}
DELIVERY = {"street": GUEST["street"], "place": "1200", "municipality": "MK-609", "postal_code": "1200"}
PAYMENT = {"payment_way": "card"}
STEPS = {
    "data": ("/porosia/te-dhenat", DATA),
    "delivery": ("/porosia/dergesa", DELIVERY),
    "payment": ("/porosia/pagesa", PAYMENT),
}
OVERVIEW = "/porosia/pasqyra"


class Page:
    """An answer, read the way a browser reads it."""

    def __init__(self, response):
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        # A PDF is no text; nobody looks for any in it.
        self.html = response.get_data().decode("utf-8", "replace")
        self._tree = None

    @property
    def location(self) -> str | None:
        """Where the browser goes next: by a redirect, or because htmx is told to."""
        return self.headers.get("HX-Redirect") or self.headers.get("Location")

    @property
    def words(self) -> str:
        """What stands in it as text, with plain spaces."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def tree(self):
        if self._tree is None:
            self._tree = html5lib.parse(self.html, namespaceHTMLElements=False)
        return self._tree

    def by_id(self, name: str):
        return self.tree.find(f".//*[@id='{name}']")

    def all(self, tag: str, **attributes):
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.tree.iter(tag)
            if all(element.get(name) == value for name, value in wanted.items())
        ]

    def text_of(self, name: str) -> str:
        """The text of the element with this id, or "" where there is none."""
        element = self.by_id(name)
        return "" if element is None else " ".join(" ".join(element.itertext()).split())

    def form(self, action: str) -> dict[str, str]:
        """What the form that is sent to `action` would send as it stands."""
        found = [form for form in self.all("form") if urlsplit(form.get("action") or "").path == action]
        assert found, f"no form for {action}"
        sent = {}
        for field in found[0].iter():
            name = field.get("name")
            if not name:
                continue
            if field.tag == "input":
                if field.get("type") in ("checkbox", "radio") and field.get("checked") is None:
                    continue
                sent[name] = field.get("value", "")
            elif field.tag == "select":
                options = list(field.iter("option"))
                chosen = [option for option in options if option.get("selected") is not None] or options[:1]
                sent[name] = chosen[0].get("value", chosen[0].text) if chosen else ""
        return sent


class Browser:
    def __init__(self, app):
        self.app = app
        self.client = app.test_client()
        self._token = (None, "")

    def get(self, path: str, *, piece: bool = False, headers=None, **more) -> Page:
        headers = {**({"HX-Request": "true"} if piece else {}), **(headers or {})}
        return Page(self.client.get(path, base_url=HOST, headers=headers, **more))

    def post(self, path: str, data=None, *, piece: bool = False, token: bool = True, headers=None, **more) -> Page:
        data = dict(data or {})
        if token:
            data.setdefault("csrf_token", self.token())
        headers = {**({"HX-Request": "true"} if piece else {}), **(headers or {})}
        return Page(self.client.post(path, base_url=HOST, data=data, headers=headers, **more))

    def follow(self, page: Page) -> Page:
        assert page.location, f"{page.status} leads nowhere"
        return self.get(page.location.removeprefix(HOST))

    def token(self) -> str:
        """The token that the forms of this browser's session carry, read from a page of the shop."""
        session = self.cookie("session")
        if session is None or session.value != self._token[0]:
            token = _TOKEN.search(self.get("/hyr").html)[1]
            self._token = (self.cookie("session").value, token)
        return self._token[1]

    def cookie(self, name: str):
        return self.client.get_cookie(name, domain="shop.test")

    def copy(self) -> "Browser":
        """A second tab: the same cookies, from now on going its own way."""
        other = Browser(self.app)
        for name in ("cart", "session", "remember_token"):
            cookie = self.cookie(name)
            if cookie is not None:
                other.client.set_cookie(name, cookie.value, domain="shop.test")
        return other

    # What a shopper does

    def choose(self, variant, prefix: str = "") -> Page:
        """Porosit on the page of a device."""
        return self.post(
            f"{prefix}/shporta",
            {
                "slug": variant.device.slug,
                "ngjyra": variant.colour_code,
                "memoria": variant.storage_gb or "",
            },
        )

    def fill_in(self, prefix: str = "", until: str = "overview") -> None:
        """The steps of the checkout before `until`."""
        for step, (path, typed) in STEPS.items():
            if step == until:
                return
            page = self.post(prefix + path, typed)
            assert page.status == 303, page.words

    def overview(self, prefix: str = "") -> Page:
        return self.get(prefix + OVERVIEW)

    def confirm(self, shown: Page, *, piece: bool = False, prefix: str = "", **changed) -> Page:
        """Confirm the overview as `shown`, with the terms accepted."""
        path = prefix + OVERVIEW
        return self.post(path, {**shown.form(path), "terms": "y", **changed}, piece=piece)

    def order(self, *variants, prefix: str = "") -> Order:
        """The whole way from a device's page to a placed order."""
        for variant in variants:
            assert self.choose(variant, prefix).status == 303
        self.fill_in(prefix)
        placed = self.confirm(self.overview(prefix), prefix=prefix)
        assert placed.status == 303, placed.words
        return Order.of_number(placed.location.split("/")[-2])

    def log_in(self, email: str, password: str = PASSWORD, **more) -> Page:
        """With the password and, for who works here, the code; the answer is the password's."""
        page = self.give_password(email, password, **more)
        if page.status == 303 and SecondFactor.of(Profile.of_email(email)) is not None:
            code = self.post("/desk/hyrja", {"kodi_im": code_of(email)})
            assert code.status == 303, code.words
        return page

    def give_password(self, email: str, password: str = PASSWORD, **more) -> Page:
        return self.post("/hyr", {"email": email, "password": password, **more})


def signed_link(order: Order, page: str = "") -> str:
    """The address in the order's mail."""
    return f"/porosia/{order.number}{page}?k={sign(order)}"


def rows(*models) -> SimpleNamespace:
    """How many rows each table holds: compare two of these to see that nothing was written."""
    return SimpleNamespace(**{model.__name__: model.select().count() for model in models})
