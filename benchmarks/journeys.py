"""What shoppers do, for `benchmarks.client`: the rows of the table."""

import csv
import itertools
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks.client import Browser, Journey, Wrong

LIST = "/celulare"
# What `benchmarks.subscribers` writes: a profile for each browser, and a number of the pool for each order.
PROFILES, POOL = 16, 20_000
PASSWORD = "bench-password"


def email(number: int) -> str:
    """Of the profile that the browser logs in with whose first round this is."""
    return f"subscriber{number % PROFILES}@example.com"


def new_number(number: int) -> str:
    """The number of the pool that this round orders."""
    return str(38970500000 + number % POOL)


@dataclass(frozen=True)
class Offer:
    """A variant as the form of its device's page names it."""

    slug: str
    colour: str
    storage: str
    stock: int


@dataclass
class Goods:
    """What a made-up price list has that the journeys need."""

    devices: list[str]
    offers: list[Offer]
    names: list[tuple[str, str, str]]
    # Codes of the tariffs that a new number can be had with.
    tariffs: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Goods":
        """From the price list that `benchmarks.synthetic` wrote; `names` are maker, line and code."""
        devices, offers, names = {}, [], []
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            tariffs = [name.partition(":")[2] for name in rows.fieldnames or () if name.startswith("new_number:")]
            for row in rows:
                colour = row["colour_hex"].lstrip("#").lower()
                offers.append(Offer(row["slug"], colour, row["storage_gb"], int(row["stock"])))
                if row["slug"] not in devices and row["kind"] == "phone":
                    line, code, *_ = row["name_en"].split()
                    names.append((row["brand"], line, code))
                devices.setdefault(row["slug"], row["kind"])
        return cls([slug for slug, kind in devices.items() if kind == "phone"], offers, names, tariffs)

    def plenty(self) -> list[Offer]:
        """Variants that do not sell out during a measurement."""
        return [offer for offer in self.offers if offer.stock >= 40]

    def phones(self) -> list[Offer]:
        """As `plenty`, of those that are sold on contract."""
        there = set(self.devices)
        return [offer for offer in self.plenty() if offer.slug in there]


@dataclass
class Pages(Journey):
    """One page after the other, round and round."""

    paths: list[str]

    def turn(self, browser: Browser, number: int) -> None:
        browser.get(self.paths[number % len(self.paths)])


@dataclass
class Bare(Journey):
    """`requests` requests for a constant page of `size` bytes; with `body` they are forms sent."""

    size: int
    requests: int = 1
    body: dict | None = None
    cookies: dict | None = None

    def prepare(self, browser: Browser) -> None:
        browser.cookies.update(self.cookies or {})

    def turn(self, browser: Browser, number: int) -> None:
        for _ in range(self.requests):
            if self.body is None:
                browser.get(f"/{self.size}")
            else:
                browser.post(f"/{self.size}", self.body, expected=200)


@dataclass
class AddToCart(Journey):
    """A device goes into the cart; after five a new shopper with an empty cart goes on."""

    offers: list[Offer]

    def prepare(self, browser: Browser) -> None:
        page = browser.get(f"/pajisja/{self.offers[0].slug}", measured=False)
        self.token = page.hidden()["csrf_token"]

    def turn(self, browser: Browser, number: int) -> None:
        if len(browser.took) % 5 == 0:
            browser.cookies.pop("cart", None)
        offer = self.offers[number % len(self.offers)]
        browser.post("/shporta", _choice(offer, self.token))


@dataclass
class GuestOrder(Journey):
    """Everything from the device's page to the page that leads to the bank, as a browser without a script asks."""

    offers: list[Offer]

    def turn(self, browser: Browser, number: int) -> None:
        browser.cookies.clear()
        offer = self.offers[number % len(self.offers)]
        page = browser.get(f"/pajisja/{offer.slug}")
        cart = _follow(browser, "/shporta", _choice(offer, page.hidden()["csrf_token"]))
        token = cart.hidden().get("csrf_token", page.hidden()["csrf_token"])
        browser.get("/porosia/te-dhenat")
        forms = (
            ("te-dhenat", {
                "first_name": "Arta", "last_name": "Berisha",
                "email": f"guest{number}@example.com", "phone": "070100000",
            }),
            ("dergesa", {"street": "Rruga 1", "municipality": "MK-802", "place": "1000", "postal_code": "1000"}),
            ("pagesa", {"payment_way": "card"}),
        )  # fmt: skip
        for step, form in forms:
            page = _follow(browser, f"/porosia/{step}", {**form, "csrf_token": token})
        place = {**page.hidden(), "terms": "y"}
        if "key" not in place:
            raise Wrong("The checkout did not reach its overview.")
        bank = _follow(browser, "/porosia/pasqyra", place)
        if b"/fim/est3Dgate" not in bank.body:
            raise Wrong("The order did not reach the bank.")


@dataclass
class SubscriberOrder(Journey):
    """A phone with a new number, paid on the first bill: all five steps, for somebody who is logged in.

    Nothing is due now, and a number is ordered once: this journey does not run out of either.
    """

    offers: list[Offer]
    tariffs: list[str]

    def turn(self, browser: Browser, number: int) -> None:
        if "session" not in browser.cookies:
            self._log_in(browser, number)
        offer, tariff = self.offers[number % len(self.offers)], self.tariffs[number % len(self.tariffs)]
        wish = {"lloji": "numer-i-ri", "tarifa": tariff, "pagesa": "fatura"}
        token = browser.get(f"/pajisja/{offer.slug}?{urlencode(wish)}").hidden()["csrf_token"]
        _follow(browser, "/shporta", {**_choice(offer, token), **wish})
        line = _LINE.search(browser.get("/porosia/numri").body.decode())
        if line is None:
            raise Wrong("The checkout did not ask for a number.")
        forms = (
            ("numri", {"linja": line[1], "numri": new_number(number)}),
            ("te-dhenat", {
                "first_name": "Arta", "last_name": "Berisha", "email": email(number), "phone": "070100000",
            }),
            ("dergesa", {"street": "Rruga 1", "municipality": "MK-802", "place": "1000", "postal_code": "1000"}),
            ("pagesa", {f"pagesa-{line[1]}": "first_bill"}),
        )  # fmt: skip
        for step, form in forms:
            page = _follow(browser, f"/porosia/{step}", {**form, "csrf_token": token})
        place = {**page.hidden(), "terms": "y"}
        if "key" not in place:
            raise Wrong("The checkout did not reach its overview.")
        placed = browser.post("/porosia/pasqyra", place)
        browser.get(placed.location)
        if not _PLACED.search(placed.location):
            raise Wrong(f"The order was not placed: {placed.location}")

    @staticmethod
    def _log_in(browser: Browser, number: int) -> None:
        """Once for each browser, in its first round, which is not measured."""
        token = browser.get("/hyr").hidden()["csrf_token"]
        browser.post("/hyr", {"csrf_token": token, "email": email(number), "password": PASSWORD})


# The line of the cart that a number is asked for, and where an order is shown that was placed.
_LINE = re.compile(r'name="linja" value="(\d+)"')
_PLACED = re.compile(r"/porosia/(?!pasqyra|numri|pagesa|dergesa|te-dhenat)[^/]+")


def _follow(browser: Browser, path: str, form: dict):
    return browser.get(browser.post(path, form).location)


def tariff_addresses(slugs: list[str], tariffs: list[str]) -> list[str]:
    """Devices' pages with a contract, its tariff and its payment chosen: those that are shared."""
    wishes = [("besnik24", "keste", "24"), ("besnik24", "fatura", ""), ("numer-i-ri", "kartele", "")]
    made = [
        f"/pajisja/{slug}?lloji={contract}&tarifa={tariff}&pagesa={payment}{f'&keste={parts}' if parts else ''}"
        for slug in slugs
        for tariff in tariffs
        for contract, payment, parts in wishes
    ]
    random.Random(4).shuffle(made)
    return made


def _choice(offer: Offer, token: str) -> dict:
    form = {"csrf_token": token, "slug": offer.slug, "ngjyra": offer.colour, "lloji": "device_only"}
    return form | ({"memoria": offer.storage} if offer.storage else {})


def list_addresses() -> list[str]:
    """Lists that differ in order, page, filters and price: some thousand of them."""
    orders = ("te-kerkuarat", "cmimi", "cmimi-zbrites", "te-rejat")
    boxes = ("", "&gjendje=1", "&5g=1", "&marka=Samsung&marka=Apple&marka=Xiaomi&marka=Google&marka=Honor")
    made = [
        f"{LIST}?nga={price}{box}&rendit={order}&faqe={page}"
        for price in range(1_000, 6_000, 100)
        for box, order, page in itertools.product(boxes, orders, range(1, 6))
    ]
    random.Random(1).shuffle(made)
    return made


_CYRILLIC = dict(
    zip(
        ("sh", "zh", "ch", "dz", "nj", "lj", *"abvgdezijklmnoprstufhcwyqxëç"),
        ("ш", "ж", "ч", "ѕ", "њ", "љ", *"абвгдезијклмнопрстуфхцвјккеч"),
        strict=True,
    )
)


def _in_cyrillic(text: str) -> str:
    text = text.lower()
    for latin, letter in _CYRILLIC.items():
        text = text.replace(latin, letter)
    return text


def _misspelt(word: str, chance: random.Random) -> str:
    """One letter left out, doubled, replaced or swapped with the next, as one does while typing."""
    at = chance.randrange(1, len(word))
    kind = chance.randrange(4)
    if kind == 0 and len(word) > 4:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at - 1 :]
    if kind == 2 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + chance.choice("aeiourstlnk") + word[at + 1 :]


_KINDS = ("telefon", "celular", "tablet", "kufje", "karikues", "këllëf", "orë", "kabllo", "bateri", "5G", "android")
_COLOURS = ("e zezë", "bardhë", "gri", "argjend", "blu", "gjelbër", "kuqe", "rozë", "vjollcë", "verdhë", "artë")
_SIZES = ("128 GB", "256 GB", "512", "256gb")


def queries(goods: Goods, count: int = 4000) -> list[str]:
    """Different searches for what there is: one word, two words, a mistake, the other script, by turns."""
    chance = random.Random(2)
    found: dict[str, None] = {}
    for attempt in range(count * 12):
        if len(found) >= count:
            break
        maker, line, code = chance.choice(goods.names)
        one = chance.choice((maker, line, code, chance.choice(_KINDS), chance.choice(_COLOURS)))
        two = chance.choice(
            (
                (maker, line),
                (line, code),
                (maker, chance.choice(_COLOURS)),
                (chance.choice(_KINDS), maker),
                (maker, chance.choice(_SIZES)),
            )
        )
        match attempt % 4:
            case 0:
                asked = chance.choice((one, one.lower(), one.upper(), one[: chance.randint(3, 7)]))
            case 1:
                asked = " ".join(chance.sample(two, 2))
            case 2:
                asked = chance.choice(
                    (_misspelt(maker, chance), _misspelt(line, chance), f"{_misspelt(maker, chance)} {two[1]}")
                )
            case _:
                asked = _in_cyrillic(chance.choice((one, " ".join(two))))
        found[asked] = None
    made = list(found)
    chance.shuffle(made)
    return made


def search_addresses(goods: Goods) -> list[str]:
    return [f"/kerko?q={quote(asked)}" for asked in queries(goods)]


def suggestion_addresses(goods: Goods) -> list[str]:
    """As `queries`, each broken off somewhere after its second letter."""
    chance = random.Random(3)
    begun = [asked[: chance.randint(2, max(2, len(asked)))] for asked in queries(goods, 2000)]
    return [f"/kerko/sugjerime?q={quote(text)}" for text in dict.fromkeys(begun)]
