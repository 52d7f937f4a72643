"""Every word of the shop in Macedonian and English, from the source to the page (LOC-1)."""

import io
import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import config
import language
import mails
from gateways.bank import Verdict
from gateways.sandbox.mail import store
from models.cart import Cart
from models.new_number import NewNumber
from models.order import Order
from models.order_link import sign_short
from models.outbox import KINDS, LINK_KINDS, Mail
from models.pay_link import PayLink
from models.payment import Payment
from models.profile import Profile
from tests import world as named
from tests.views.browser import DATA, DELIVERY, HOST, Browser, Page
from views import kept

CODES = [code for code in language.LOCALES if code != "sq"]
FOLDER = config.ROOT / "translations"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
# Where the shop speaks.
SPEAKING = {"templates", "views", "models", "documents", "mails.py", "delivery_mails.py", "language.py", "app.py"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")

# What is written in Latin letters in Macedonian too, and alike in all three languages.
NAMES = {"PDF", "IMEI", "Visa", "Mastercard", "Besnik", "Klubi", "Im", "SIM", "USB", "C", "Wi", "Fi", "x"}
# Of the catalogue: what its editors measure and upload.
NAMES |= {"SKU", "CSV", "UTF", "JPEG", "PNG", "SMS", "MB", "GB", "mAh", "Hz", "W", "MP"}
# Of the file with all of one's data.
NAMES |= {"ZIP", "JSON"}
# Of the desk: apps that show codes, and what they scan.
NAMES |= {"Aegis", "FreeOTP", "Google", "Authenticator", "QR"}
EXAMPLES = re.compile(
    r"DY-7K3M-9QPX-7|\b\w+@[\w.]+"
    r"|\b(?:kind|brand):\w*|\d{4}-\d\d-\d\dT\d\d:\d\d|#(?:rrggbb|[0-9a-f]{6})"
)
SAME = {"Besnik 24"}
MACEDONIAN = set("абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ")


def source() -> dict[tuple[str, ...], set[str]]:
    """Every message of the source, as (singular[, plural]), with the files that say it."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = {}
    for path, _, message, _, _ in extract_from_dir(config.ROOT, methods, options, KEYWORDS):
        key = message if isinstance(message, tuple) else (message,)
        found.setdefault(key, set()).add(path)
    return found


def catalogue(code: str):
    return read_po(io.BytesIO(po(code)), locale=code)


def po(code: str) -> bytes:
    return (FOLDER / code / "LC_MESSAGES" / "messages.po").read_bytes()


def translated(code: str):
    """(message, forms, message id of each form's meaning) of every entry."""
    for message in catalogue(code):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        yield ids, forms, message


def words(text: str) -> str:
    """`text` without its placeholders and without the examples that stay as they are."""
    return EXAMPLES.sub(" ", PLACEHOLDER.sub(" ", text))


# The catalogues


def test_the_source_is_read_whole_and_the_tests_are_not():
    messages = source()
    read = set().union(*messages.values())
    said = re.compile(r"""\b(?:_|n?gettext|lazy_gettext)\(\s*["']""")
    say = {
        path.relative_to(config.ROOT).as_posix()
        for folder in ("templates", "views", "models")
        for path in (config.ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".html", ".txt") and said.search(path.read_text(encoding="utf-8"))
    }
    assert say - read == set()
    assert {path.partition("/")[0] for path in read} <= SPEAKING
    assert ("Emri",) in messages, "lazy_gettext is not read"
    assert ("%(num)d artikull", "%(num)d artikuj") in messages, "ngettext is not read"


def test_no_message_is_put_together_while_the_shop_runs():
    put_together = re.compile(r"""\b(?:_|gettext|lazy_gettext)\(\s*(?![\s"')])[^)]*\)""")
    found = [
        f"{path.relative_to(config.ROOT)}: {match[0]}"
        for folder in ("templates", "views", "models")
        for path in (config.ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".html", ".txt") and path.name != "words.py"
        for match in put_together.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_every_message_of_the_source_is_in_the_catalogue_and_no_other(code):
    ids = {ids for ids, _, _ in translated(code)}
    wanted = set(source())
    assert {"missing": sorted(wanted - ids), "not in the source": sorted(ids - wanted)} == {
        "missing": [],
        "not in the source": [],
    }
    assert list(catalogue(code).obsolete.values()) == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_every_message_is_translated_in_all_its_forms_and_none_is_a_guess(code):
    faults = []
    for ids, forms, message in translated(code):
        if message.fuzzy:
            faults.append(("fuzzy", ids))
        if len(forms) != len(ids):
            faults.append(("forms", ids))
        if not all(form and form.strip() for form in forms):
            faults.append(("empty", ids))
    assert faults == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_placeholders_spaces_and_closing_signs_are_those_of_the_message(code):
    faults = []
    for ids, forms, _ in translated(code):
        for number, form in enumerate(forms):
            said = ids[min(number, len(ids) - 1)]
            holes = [Counter(match[0] for match in PLACEHOLDER.finditer(text)) for text in (said, form)]
            if holes[0] != holes[1]:
                faults.append(("placeholders", said, form))
            if (said != said.strip() or form != form.strip()) and said[:1] + said[-1:] != form[:1] + form[-1:]:
                faults.append(("spaces", said, form))
            if {said[-1], form[-1]} & set(".:?,") and said[-1] != form[-1]:
                faults.append(("end", said, form))
    assert faults == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_nothing_is_left_in_albanian(code):
    left = []
    for ids, forms, _ in translated(code):
        for form in forms:
            copied = (
                form in ids and form not in SAME and (re.search("[ëç]", form, re.I) or len(words(form).split()) > 2)
            )
            if copied or re.search("[ëçËÇ]", form):
                left.append(form)
    assert left == []


@pytest.mark.rule("LOC-1")
def test_macedonian_is_written_in_its_own_letters():
    faults = []
    for _, forms, _ in translated("mk"):
        for form in forms:
            tokens = re.findall(r"[^\W\d_]+", words(form))
            latin = [token for token in tokens if re.search("[A-Za-zÀ-ɏ]", token)]
            if tokens and len(latin) == len(tokens) and form not in SAME:
                faults.append(("Latin alone", form))
            for token in latin:
                if token not in NAMES:
                    faults.append((token, form))
            for token in tokens:
                if token not in latin and set(token.lower()) - MACEDONIAN:
                    faults.append((token, form))
    assert faults == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("code", "own", "others"), [("mk", "„“", "”\"«»'"), ("en", "“”", '„"«»')])
def test_quotes_are_those_of_the_language(code, own, others):
    faults = [
        form
        for _, forms, _ in translated(code)
        for form in forms
        if set(form) & set(others) or form.count(own[0]) != form.count(own[1])
    ]
    assert faults == []


def test_a_macedonian_sentence_does_not_end_with_an_amount():
    """„ден.“ has a full stop of its own."""
    ends = re.compile(r"%\((?:price|amount)\)s\.")
    assert [form for _, forms, _ in translated("mk") for form in forms if ends.search(form)] == []


def test_macedonian_speaks_to_people_with_a_capital_letter():
    small = re.compile(r"\b(?:вие|(?<!-)ви|вас|вам|ваш(?:а|е|и|ите|иот|ата|ето)?)\b")
    assert [form for _, forms, _ in translated("mk") for form in forms if small.search(form)] == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_the_language_button_names_the_language_of_the_page(code):
    own = {"mk": "јазик: македонски", "en": "language: English"}[code]
    assert mails.words(code).gettext("gjuha: shqip") == own
    assert mails.words("sq").gettext("gjuha: shqip") == "gjuha: shqip"


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sq", {1: "1 artikull", 2: "2 artikuj", 11: "11 artikuj", 21: "21 artikuj"}),
        (
            "mk",
            {0: "0 артикли", 1: "1 артикл", 2: "2 артикли", 11: "11 артикли", 21: "21 артикл", 111: "111 артикли"},
        ),
        ("en", {0: "0 items", 1: "1 item", 2: "2 items", 11: "11 items", 21: "21 items"}),
    ],
)
def test_numbers_take_the_form_that_the_language_gives_them(code, said):
    ngettext = mails.words(code).ngettext
    assert {num: ngettext("%(num)d artikull", "%(num)d artikuj", num) % {"num": num} for num in said} == said


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_the_one_of_the_source(code):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    file = FOLDER / code / "LC_MESSAGES" / "messages.mo"
    assert file.exists(), "bin/setup compiles the translations"
    assert file.read_bytes() == compiled.getvalue(), "bin/setup compiles the translations"


# The pages


# Pages for machines, and those that answer with a picture or somebody's mail.
NO_WORDS = {
    "static", "everywhere.worker", "everywhere.picture", "pages.health", "pages.metrics", "pictures.drawing",
    "pictures.photo", "demo.codes_json", "demo.inbox_json", "demo.mail_html", "claims.file", "documents.show",
    "gateway.inbound", "gateway.report", "feed.show", "og.device", "og.page", "og.plain", "sitemap.robots",
    "sitemap.index", "sitemap.pages", "sitemap.devices",
}  # fmt: skip
# Pages that are reached by a link of one's own, or are one's own.
BY_LINK = (
    "kontakti", "krahaso?p=iphone-16&p=redmi-note-14", "krahaso/hiq", "deshirat", "deshirat/lista/x",
    "shporta/e-ruajtur/x", "pelqimet/ndal/x", "profili/pelqimet", "profili/privatesia",
    "profili/privatesia/fshirja", "profili/privatesia/fshirja/x", "profili/adresat", "profili/adresat/shto",
    "profili/adresat/1", "paguaj-per/x", "paguaj-per/x/banka", "paguar-per/x", "njoftime", "njoftime/derguar",
    "njoftime/konfirmimi/x", "njoftime/ndal/x", "pa-lidhje",
)  # fmt: skip
# What only those see who work there is read in tests/views/test_desk_gifts.py and test_partner.py.
OF_STAFF = ("desk_", "partner.")
SAID_BY = ("aria-label", "alt", "title", "placeholder", "label")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Albanian:
    """Knows the Albanian messages that say something else in the language of `code`."""

    def __init__(self, code: str):
        said_here = {form for _, forms, _ in translated(code) for form in forms}
        self.texts, patterns = set(), []
        for said in sorted({said for ids, _, _ in translated(code) for said in ids} - said_here):
            # What has hardly a word of its own beside its placeholders fits anything.
            if len(re.sub(r"\W", "", words(said))) < 3:
                continue
            parts = [re.escape(" ".join(part.split())) for part in PLACEHOLDER.sub("\0", said).split("\0")]
            if len(parts) == 1:
                self.texts.add(" ".join(said.split()))
            else:
                patterns.append(r"\s?.{1,80}?\s?".join(parts))
        # A brand of the named world is called so, too, and stands among the filters of a list.
        self.texts.discard("Dyqani")
        self.patterns = [re.compile(pattern) for pattern in patterns]
        self.known = {}

    def is_in(self, text: str) -> bool:
        """Whether `text` is Albanian: one of the messages, or anything with a letter that Albanian alone has here."""
        if text not in self.known:
            self.known[text] = (
                text in self.texts
                or re.search("[ëçËÇ]", text) is not None
                or any(pattern.fullmatch(text) for pattern in self.patterns)
            )
        return self.known[text]


class Said(HTMLParser):
    """Every text and spoken attribute of a page, but for what is marked as being in another language."""

    def __init__(self, page: Page, code: str):
        super().__init__()
        self.code, self.open, self.texts = code, [], []
        self.feed(page.html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        here = self.listens and attrs.get("lang") in (None, self.code) and tag not in ("script", "style")
        if here:
            spoken = [attrs.get(name) for name in SAID_BY]
            if attrs.get("name") == "description" or attrs.get("type") in ("submit", "button"):
                spoken += [attrs.get("content"), attrs.get("value")]
            for text in spoken:
                self.say(text)
        if tag not in VOID:
            self.open.append((tag, here))

    def handle_endtag(self, tag):
        for at in range(len(self.open) - 1, -1, -1):
            if self.open[at][0] == tag:
                del self.open[at:]
                return

    def handle_data(self, text):
        if self.listens:
            self.say(text)

    @property
    def listens(self) -> bool:
        return not self.open or self.open[-1][1]

    def say(self, text):
        if text and text.strip():
            self.texts.append(" ".join(text.split()))


@pytest.fixture
def shop(app, tmp_path, monkeypatch):
    """The shop of the named world, with an inbox of its own."""
    kept.forget()
    monkeypatch.setattr(config, "INBOX", tmp_path)
    with time_machine.travel(named.NOW, tick=False):
        yield Shop(app, named.build(), tmp_path)
    kept.forget()


class Shop:
    """The app, the named world and the folder of its mails."""

    def __init__(self, app, world, inbox):
        self.app, self.world, self.inbox = app, world, inbox

    def guest(self, prefix: str) -> Browser:
        """Somebody with a phone in the cart and the checkout filled in."""
        browser = Browser(self.app)
        browser.choose(self.world["REDMI-GREEN-128"], prefix)
        browser.fill_in(prefix)
        return browser

    def orders(self, browser: Browser, prefix: str) -> list[str]:
        """Has `browser` order four times, each with another end, and gives the addresses of those orders' pages."""
        addresses = []
        for verdict in (Verdict.PAID, Verdict.DECLINED, Verdict.UNKNOWN, None):
            order = browser.order(self.world["S25-BLACK-128"], self.world["CASE-BLACK"], prefix=prefix)
            if verdict is not None:
                Payment.latest_of(order).settle(verdict, named.NOW)
            addresses += [f"{prefix}/porosia/{order.number}{page}" for page in ("", "/konfirmimi", "/pagesa")]
            if verdict is Verdict.PAID:
                addresses += self.afterwards(browser, prefix, order)
        addresses += self.registered(prefix)
        # What is said there to whom they are, tests/views/test_numbers.py looks at.
        ends = ("", "/shto", "/shto/x", "/shto/x/kodi", "/shto/x/fund", "/1/heqja")
        addresses += [f"{prefix}/profili/numrat{end}" for end in ends]
        # And what is said to who owes something, tests/views/test_bills.py.
        addresses += [f"{prefix}/paguaj{end}" for end in ("", "/x", "/x/banka")]
        # And to who is in the club, tests/views/test_club.py.
        club = (
            "",
            "/historia",
            "/sasia",
            "/1/sherbimi/mb",
            "/sherbimi/x",
            "/1/oferta/1",
            "/kodi/1",
            "/lajmet/ndal/x",
        )
        addresses += [f"{prefix}/klubi{end}" for end in club]
        # With a contract in the cart: test_no_page_of_a_subscriber_says_anything_in_albanian.
        addresses += [f"{prefix}/porosia/numri{end}" for end in ("", "/te-lire", "/pengesat")]
        for mail in Mail.select():
            store(self.inbox, mails.compose(mail).as_bytes(), "shop@example.com", [mail.recipient])
        return addresses

    def afterwards(self, browser: Browser, prefix: str, paid) -> list[str]:
        """What a shopper does with an order that is paid, one whose first attempt failed, and a delivered one."""
        addresses = [f"{prefix}/porosia/{paid.number}/{page}" for page in ("ndrysho", "anulo", "perseri")]
        for state, pages in (("delivery_failed", ("koha", "ankesa")), ("delivered", ("terheqja", "ankesa"))):
            order = browser.order(self.world["CASE-BLACK"], prefix=prefix)
            Payment.latest_of(order).settle(Verdict.PAID, named.NOW)
            order = Order.get_by_id(order.id)
            for step in ("packed", "with_courier", state):
                named.move(order, step)
            addresses += [f"{prefix}/porosia/{order.number}{page}" for page in ("", *(f"/{page}" for page in pages))]
            addresses += [f"{prefix}/koha/{sign_short(order)}"]
        return addresses

    def registered(self, prefix: str) -> list[str]:
        """Has somebody register, forget a password and wish for another e-mail; the pages that no link leads to."""
        browser, ana = Browser(self.app), named.profile("ana@example.com")
        Profile.update(language=prefix.strip("/") or "sq").execute()
        typed = {"first_name": "Ana", "last_name": "M", "email": "re@example.com", "password": "ветар и сонце"}
        assert browser.post(f"{prefix}/profili/regjistrohu", typed).status == 303
        assert browser.post(f"{prefix}/hyr/harruar", {"email": ana.email}).status == 303
        browser.log_in(ana.email)
        wish = {"new_email": "tjeter@example.com", "email_password": named.PASSWORD}
        assert browser.post(f"{prefix}/profili/e-posta", wish).status == 303
        texts = [mails.compose(mail).get_body(("plain",)).get_content() for mail in Mail.select()]
        root = re.escape(config.BASE_URL)
        links = [link for text in texts for link in re.findall(rf"{root}(/\S*(?:konfirmimi|fjalekalimi)/\S+)", text)]
        ends = ("", "/te-dhenat", "/fjalekalimi", "/e-posta", "/regjistrohu/e-posta")
        return [*links, f"{prefix}/hyr/harruar/derguar", *(f"{prefix}/profili{end}" for end in ends)]


def endpoint_of(app, path: str) -> str | None:
    try:
        return app.url_map.bind("shop.test").match(path)[0]
    except Exception:  # noqa: BLE001
        return None


@pytest.mark.parametrize("code", CODES)
def test_an_albanian_page_would_be_noticed(shop, code):
    albanian = Albanian(code)
    page = Said(Browser(shop.app).get("/celulare"), "sq")
    noticed = {text for text in page.texts if albanian.is_in(text)}
    assert {"Shporta, 0 artikuj", "Çmimi: nga më i ulëti", "Kërkoni pajisje ose markë", "gjuha: shqip"} & noticed
    assert len(noticed) > 30


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_no_page_says_anything_in_albanian(shop, code):
    prefix = f"/{code}"
    browser = Browser(shop.app)
    addresses = shop.orders(browser, prefix)
    browser.choose(shop.world["REDMI-GREEN-128"], prefix)
    browser.fill_in(prefix)
    waiting = [
        *(
            f"{prefix}{path}"
            for path in (
                "/",
                "/porosia/pagesa",
                "/porosia/pasqyra",
                "/kerko?q=galaxy",
                "/kerko?q=galaksi",
                "/kerko?q=zzzz",
                "/nuk-ka",
            )
        ),
        *(f"{prefix}/kerko/sugjerime?q={q}" for q in ("ga", "zzzz")),
        *(f"{prefix}/pajisja/iphone-16?ngjyra={colour}&memoria=256" for colour in ("e-zeze", "roze")),
        f"{prefix}/celulare?cmimi_deri=10&gjendje=1",
        f"{prefix}/porosia/dergesa/kodi?place=1200",
        # What stands there for whom it concerns is looked at in tests/views/ by the feature's name.
        *(f"{prefix}/{path}" for path in BY_LINK),
        f"{prefix}/porosia/pagesa/piket",
        f"{prefix}/demo/inbox",
        *addresses,
    ]
    albanian = Albanian(code)
    done, shapes, endpoints, faults = set(), Counter(), set(), []
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        path = parts.path.removeprefix(prefix) or "/"
        shape = (endpoint_of(shop.app, path), tuple(sorted(name for name, _ in parse_qsl(parts.query))))
        if address in done or shape[0] in NO_WORDS or shapes[shape] >= 4:
            continue
        done.add(address)
        shapes[shape] += 1
        page = browser.get(address)
        endpoints.add(shape[0])
        if page.status in (302, 303):
            waiting.append(page.location.removeprefix(HOST))
            continue
        if "html" not in page.headers["Content-Type"]:
            continue
        faults += [(address, text) for text in Said(page, code).texts if albanian.is_in(text)]
        for link in re.findall(r'(?:href|hx-get)="([^"]+)"', page.html):
            if unescape(link).startswith(f"{prefix}/"):
                waiting.append(unescape(link).partition("#")[0])
    pages = {
        rule.endpoint
        for rule in shop.app.url_map.iter_rules()
        if "GET" in rule.methods and rule.endpoint not in NO_WORDS and not rule.endpoint.startswith(OF_STAFF)
    }
    assert faults == []
    assert not pages - endpoints, " ".join(sorted(pages - endpoints))


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_no_page_of_a_subscriber_says_anything_in_albanian(shop, code):
    prefix, albanian = f"/{code}", Albanian(code)
    browser, ana = Browser(shop.app), named.profile("ana@example.com")
    good, bad = (
        named.own_number(ana, "38970100001"),
        named.own_number(ana, "38970100002", months=3, has_history=False),
    )
    behind = named.own_number(ana, "38970100003")
    named.owes(bad)
    named.has_device(bad, percent=80)
    named.owes(behind, paid_hours_ago=1)
    other = named.own_number(ana, "38970100004")
    named.has_device(named.own_number(ana, "38970100005", holder_of=other), percent=50)
    for msisdn in ("38970227418", "38970427190"):
        NewNumber.create(msisdn=msisdn)
    browser.log_in(ana.email)
    browser.choose(shop.world["CASE-BLACK"], prefix)
    cart = Cart.of_token(browser.cookie("cart").value)
    first = named.contract_line(cart)
    step = f"{prefix}/porosia/numri"
    addresses = [
        f"{prefix}/profili/numrat",
        f"{prefix}/profili/numrat/shto",
        f"{prefix}/paguaj",
        f"{prefix}/porosite",
    ]
    addresses += [f"{step}?linja={first.id}", f"{prefix}/shporta"]
    addresses += [f"{step}/pengesat?linja={first.id}&numri={one.msisdn}" for one in (bad, behind, other)]
    pages = [browser.get(address) for address in addresses]
    pages.append(browser.post(step, {"linja": first.id}))
    pages.append(browser.post(step, {"linja": first.id, "numri": other.msisdn}))
    assert browser.post(step, {"linja": first.id, "numri": good.msisdn}).status == 303
    second = named.contract_line(cart)
    pages.append(browser.get(f"{step}?linja={second.id}"))
    browser.post(f"{prefix}/shporta/{second.id}/heqja", {"ku": "shporta"})
    pages.append(browser.get(f"{prefix}/porosia/te-dhenat"))
    browser.post(f"{prefix}/porosia/te-dhenat", DATA)
    pages.append(browser.get(f"{prefix}/porosia/dergesa"))
    browser.post(f"{prefix}/porosia/dergesa", DELIVERY)
    pages.append(browser.get(f"{prefix}/porosia/pagesa"))
    pages.append(browser.post(f"{prefix}/porosia/pagesa", {f"pagesa-{first.id}": ""}))
    assert browser.post(f"{prefix}/porosia/pagesa", pages[-2].form(f"{prefix}/porosia/pagesa")).status == 303
    pages.append(browser.overview(prefix))
    placed = browser.confirm(pages[-1], prefix=prefix)
    assert placed.status == 303, placed.words
    number = Order.get().number
    Payment.latest_of(Order.get()).settle(Verdict.PAID, named.NOW)
    pages += [browser.get(f"{prefix}/porosia/{number}{end}") for end in ("", "/konfirmimi")]
    pages.append(browser.get(f"{prefix}/porosite"))
    guest = Browser(shop.app)
    guest.choose(shop.world["CASE-BLACK"], prefix)
    line = named.contract_line(Cart.of_token(guest.cookie("cart").value), contract_type="new_number", payment="card")
    pages += [guest.get(f"{step}?linja={line.id}&shifra={digits}") for digits in ("", "27", "x", "999999")]
    held = guest.post(f"{step}/mbajtja", {"linja": line.id, "numri": "38970227418"}, piece=True)
    refused = guest.post(step, {"linja": line.id, "numri": "38970999999"})

    for page in (*pages, held, refused):
        assert page.status in (200, 422), page.words
    texts = {text for page in (*pages, held, refused) for text in Said(page, code).texts}
    assert [text for text in texts if albanian.is_in(text)] == []


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", CODES)
def test_no_answer_to_a_wrong_form_is_in_albanian(shop, code):
    prefix = f"/{code}"
    browser = shop.guest(prefix)
    albanian = Albanian(code)
    wrong = {**DATA, "first_name": "1" * 70, "email": "ana", "phone": "02 123"}
    sent = [
        ("/hyr", {"email": "", "password": ""}),
        ("/hyr", {"email": "nobody@example.com", "password": "wrong"}),
        ("/porosia/gjej", {"number": "", "email": ""}),
        ("/porosia/gjej", {"number": "DY-1111-1111-2", "email": "ana@example.com"}),
        ("/porosia/te-dhenat", dict.fromkeys(DATA, "")),
        ("/porosia/te-dhenat", wrong),
        ("/porosia/te-dhenat", {**wrong, "email": "ana@example", "first_name": "12"}),
        ("/porosia/dergesa", {"street": "", "municipality": "", "place": "", "postal_code": ""}),
        ("/porosia/dergesa", {"street": "Rr. 1", "municipality": "MK-609", "place": "1200", "postal_code": "9999"}),
        ("/porosia/pagesa", {"payment_way": ""}),
        ("/porosia/pagesa", {"payment_way": "points"}),
        ("/porosia/pasqyra", {"key": "x", "seen": "x"}),
        ("/porosia/pasqyra", {"key": "x", "seen": "x", "terms": "y"}),
        ("/shporta", {"slug": "iphone-16", "ngjyra": "e-zeze", "memoria": "256"}),
    ]
    faults, answers = [], Counter()
    for path, fields in sent:
        for piece in (False, True):
            page = browser.post(prefix + path, fields, piece=piece)
            answers[page.status] += 1
            faults += [(path, text) for text in Said(page, code).texts if albanian.is_in(text)]
    forged = browser.post(f"{prefix}/hyr", {"email": "a"}, token=False)
    faults += [("no token", text) for text in Said(forged, code).texts if albanian.is_in(text)]
    assert faults == []
    assert answers[422] >= 20, answers


@pytest.mark.rule("LOC-1")
@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", [*KINDS, *LINK_KINDS])
def test_no_mail_says_anything_in_albanian(shop, code, kind):
    order, _ = named.ordered(shop.world, "S25-BLACK-128", "REDMI-GREEN-128", language=code)
    data = {"link": PayLink.make(order, named.NOW).id} if kind in LINK_KINDS else None
    mail = Mail(
        order=order,
        kind=kind,
        language=code,
        recipient=order.email,
        message_id="<1@x>",
        written_at=named.NOW,
        data=data,
    )
    message = mails.compose(mail)
    text, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    lines = [message["Subject"], *(re.split(r": |\n|\. ", text)), *text.splitlines()]
    lines += [" ".join(unescape(part).split()) for part in re.split(r"<[^>]*>", html)]
    albanian = Albanian(code)
    assert [line for line in lines if albanian.is_in(line.strip())] == []
