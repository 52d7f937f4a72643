"""What search engines, and whoever shares a link, are told of a page: title, description, one address for it in each
language, a picture, structured data.

A page is nobody's to find unless its template says so in its block `found`; `public` and the functions below fill it.
Which lists have an address of their own is decided in `standing_of`; docs/found.md tells an operator.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from flask import request
from markupsafe import Markup, escape

import config
import language
from models.choice import Choice
from models.money import money
from models.pricing import monthly_price
from views import help_words, og, structured
from views.shell import blank, mould
from views.words import gettext

# What a result shows of a title and of a description.
TITLE_MOST = 60
DESCRIPTION_MOST = 155
LOCALES = {"sq": "sq_AL", "mk": "mk_MK", "en": "en_GB"}

# Pages for everybody besides the devices' (sitemap.xml): endpoints without arguments.
PAGES = [
    "browse.home",
    "browse.phones",
    "browse.tablets",
    "browse.accessories",
    "browse.prepaid_sims",
    "browse.offers",
    "budget.show",
    "club.page",
    "pages.help",
    "pages.contact",
    "shops.list_all",
    "pages.terms",
    "pages.privacy",
]
# What gives the values of pages with arguments: endpoint → a function that yields them, one by one.
MORE_PAGES: dict[str, Callable[[], Iterable[dict]]] = {
    "pages.question": lambda: ({"slug": slug} for slug in help_words.slugs())
}

# Where a list stands among the addresses that show it.
OWN, OTHER, DEEP = "own", "other", "deep"
NOT_LISTED = Markup('<meta name="robots" content="noindex">')


def standing_of(filters, is_search: bool = False) -> str:
    """Whether a list has an address of its own (OWN: all of a category, page by page), is a view of another one
    (OTHER: sorted, or by one filter), or is not to be found at all (DEEP: a search, or filters together)."""
    if is_search or filters.q:
        return DEEP
    chosen = [name for name, _ in filters.pairs() if name not in ("faqe", "rendit")]
    if len(chosen) > 1:
        return DEEP
    return OTHER if chosen or filters.sort else OWN


def head(
    *,
    title,
    description,
    path: str,
    plain_path: str | None = None,
    standing: str = OWN,
    kind: str = "website",
    picture: str = "",
    picture_alt="",
    more: Iterable[tuple[str, str]] = (),
    things: Markup | str = "",
) -> Markup:
    """The lines of a page's head; `path` has no language, `plain_path` is that of the address that stands for it.

    What is a blank of a mould stays one.
    """
    more = tuple(more)
    shape = _shape(language.current(), standing, kind, tuple(name for name, _ in more))
    texts = {
        "title": escape(title),
        "description": escape(description),
        "path": escape(path),
        "plain_path": escape(path if plain_path is None else plain_path),
        "picture": escape(picture or og.page_address("home")),
        "picture_alt": escape(picture_alt or config.BRAND),
        "structured": things,
    }
    for name, content in more:
        texts[name] = escape(content)
    return Markup(shape % texts)  # noqa: S704 (escaped above)


@lru_cache(maxsize=64)
def _shape(code: str, standing: str, kind: str, more: tuple[str, ...]) -> str:
    own = structured.address(blank("path"), code)
    alternates = []
    if standing == OWN:
        alternates = [(other, structured.address(blank("path"), other)) for other in config.LANGUAGES]
        alternates.append(("x-default", structured.address(blank("path"), config.LANGUAGES[0])))
    return mould(
        "shared/_meta.html",
        title=blank("title"),
        description=blank("description"),
        robots="noindex, follow" if standing == DEEP else "",
        canonical={OWN: own, OTHER: structured.address(blank("plain_path"), code), DEEP: ""}[standing],
        address=own,
        alternates=alternates,
        kind=kind,
        locale=LOCALES[code],
        locales=[LOCALES[other] for other in config.LANGUAGES if other != code],
        picture=config.BASE_URL + blank("picture"),
        picture_alt=blank("picture_alt"),
        more=[(name.replace("_", ":"), blank(name)) for name in more],
        structured=blank("structured"),
    )


def public(description, title, picture: str = "home", endpoint: str = "") -> Markup:
    """In a template's block `found`: the page at this address is for everybody to find, as what its path says.

    `picture` is one of og.PAGES. An address with a query is a view of the page without one; where several addresses
    show the page, `endpoint` names the one that stands for it.
    """
    path = structured.path_of(endpoint) if endpoint else request.path
    return head(
        title=title,
        description=description,
        path=path,
        standing=OTHER if request.query_string or path != request.path else OWN,
        picture=og.page_address(picture),
        picture_alt=title,
    )


# Lists


@lru_cache(maxsize=32)
def _list_words(code: str, name: str) -> tuple[str, str]:
    return {
        "home": (
            gettext("Telefoni i ri, drejt e te dera"),
            gettext(
                "Celularë, tabletë dhe pajisje shtesë me dërgesë falas kudo në vend. Paguani me kartelë ose me këste"
                " në faturë."
            ),
        ),
        "phone": (
            gettext("Celularë me ose pa kontratë"),
            gettext(
                "Zgjidhni celularin sipas markës, çmimit e memories dhe merreni pa kontratë, me numër të ri ose me"
                " Besnik 24. Dërgesa është falas."
            ),
        ),
        "tablet": (
            gettext("Tabletë me ose pa kontratë"),
            gettext(
                "Tabletë për shkollë, punë e film: krahasoni ekranin, memorien dhe çmimin. Me ose pa kontratë, me"
                " dërgesë falas."
            ),
        ),
        "accessory": (
            gettext("Pajisje shtesë për celularë e tabletë"),
            gettext(
                "Këllëfë, karikues, kufje e kabllo që i përshtaten pajisjes suaj. I porositni pa llogari dhe ju vijnë"
                " falas te dera."
            ),
        ),
        "prepaid_sim": (
            gettext("SIM kartelë në pripejd"),
            gettext(
                "SIM kartelë në pripejd, pa kontratë dhe pa faturë: porositeni onlajn, paguani me kartelë dhe"
                " pranojeni te dera."
            ),
        ),
        "offers": (
            gettext("Oferta: zbritje onlajn dhe dhurata"),
            gettext(
                "Pajisje me zbritje vetëm onlajn ose me dhuratë, derisa zgjasin sasitë. Te secila i shihni të dy"
                " çmimet."
            ),
        ),
        "search": (gettext("Të gjitha pajisjet"), gettext("Të gjitha pajisjet e dyqanit, me çmim dhe gjendje.")),
    }[name]


def list_title(name: str) -> str:
    """The title of a list; `name` is its kind, or home, offers, search."""
    return _list_words(language.current(), name)[0]


def list_head(
    name: str, *, title, path, plain_path: str, standing: str, page_name="", things: Markup | str = ""
) -> Markup:
    """The head of a list; `title`, `path`, `page_name` and `things` may be blanks of a mould."""
    description = _list_words(language.current(), name)[1]
    if page_name:
        # Each page of a list needs words of its own.
        description = Markup("{}: {}").format(page_name, description)
    return head(
        title=title,
        description=description,
        path=path,
        plain_path=plain_path,
        standing=standing,
        picture=og.page_address(name if name in og.PAGES else "home"),
        picture_alt=list_title(name),
        things=things,
    )


def list_things(name: str, path: str, heading: str, cards: Iterable[str]) -> Markup:
    """The structured data of a list: the shop itself on the start page, else the way to it, and what is in it."""
    found = [structured.item_list(map(structured.path_of_card, cards))]
    if name == "home":
        return structured.script(*_of_the_shop(language.current()), *found)
    crumbs = structured.breadcrumbs([(gettext("Pajisje"), "/"), (heading, path)])
    return structured.script(crumbs, *found)


@lru_cache(maxsize=8)
def _of_the_shop(code: str) -> tuple[str, str]:
    from views.templating import static

    return structured.written(structured.shop(static("img/mark.svg"))), structured.written(structured.website())


# Devices


def device_title(name: str, has_contracts: bool) -> str:
    """As much as fits: what the page is about stands first."""
    longer = (
        gettext("%(name)s: çmimi dhe këstet", name=name)
        if has_contracts
        else gettext("%(name)s: çmimi dhe dërgesa", name=name)
    )
    return longer if len(f"{longer} · {config.BRAND}") <= TITLE_MOST else name


def device_description(choice: Choice, summary: str) -> str:
    """What it costs, what it is, how it comes: whole sentences, as many as fit."""
    first, code = choice.first, language.current()
    name = choice.device.full_name(code)
    prices = {offer.price.now for offer in choice.offers if offer.in_stock or not choice.in_stock}
    price = money(min(prices, default=first.price.now), code)
    said = [
        gettext("%(name)s nga %(price)s", name=name, price=price) if len(prices) > 1 else f"{name}: {price}",
    ]
    cheapest = min((low for offer in choice.offers if (low := offer.lowest("besnik24")) is not None), default=None)
    if cheapest is not None:
        said[0] += ", " + gettext("ose nga %(price)s/muaj me Besnik 24", price=money(monthly_price(cheapest), code))
    said += [part for part in (summary, gettext("Dërgesë falas"), gettext("Porositeni onlajn")) if part]
    return sentences(said)


def sentences(said: Iterable[str], most: int = DESCRIPTION_MOST) -> str:
    """The first of these and as many of the others as fit into `most` characters."""
    text = ""
    for one in said:
        longer = f"{text} {one}." if text else f"{one}."
        if len(longer) <= most:
            text = longer
        elif not text:
            return f"{one[: most - 1].rstrip()}…"
    return text


def device_head(choice: Choice, category: str, category_path: str, is_own: bool, summary: str) -> tuple[str, Markup]:
    """(title, head) of a device's page; `is_own` is false for one choice of the many that it shows."""
    code = language.current()
    shown = choice.device
    name = shown.full_name(code)
    title = device_title(name, shown.kind in ("phone", "tablet"))
    path = structured.device_path(shown.slug)
    crumbs = structured.breadcrumbs([(gettext("Pajisje"), "/"), (category, category_path), (name, path)])
    price = choice.first.price
    found = head(
        title=title,
        description=device_description(choice, summary),
        path=path,
        standing=OWN if is_own else OTHER,
        kind="product",
        picture=og.device_address(choice),
        picture_alt=name,
        more=(
            ("product_price_amount", structured.decimal(price.now)),
            ("product_price_currency", config.CURRENCY),
            ("product_availability", "in stock" if choice.in_stock else "out of stock"),
            ("product_brand", shown.brand.name),
        ),
        things=structured.device(choice, crumbs, summary, og.plain_address),
    )
    return title, found


def shops_things(shops: Iterable) -> Markup:
    """The structured data of the page of all shops (AFT-5)."""
    return structured.script(*(structured.store(shop, language.current()) for shop in shops))


def register(app) -> None:
    app.jinja_env.globals.update(
        public=public, structured=structured, not_listed=NOT_LISTED, shops_things=shops_things
    )


def page_paths() -> Iterable[tuple[str, str]]:
    """(endpoint, path without a language) of all pages for everybody that are no devices'."""
    for endpoint in PAGES:
        yield endpoint, structured.path_of(endpoint)
    for endpoint, values in MORE_PAGES.items():
        for one in values():
            yield endpoint, structured.path_of(endpoint, **one)
