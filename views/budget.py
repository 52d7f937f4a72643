"""„Deri në X në muaj me Besnik 24“: devices by what they cost a month (CAT-6, OFF-2).

The same for everybody, in an address that can be shared; each device leads to exactly that choice on its page.
"""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, request

import config
import language
from models.budget import BudgetQuery, budget
from models.catalogue import Brand, Device, Variant
from models.drawing import picture_path
from models.money import MINOR, read_amount
from models.order import storage_label
from views.characteristics import currency, grouped
from views.forms.device import address
from views.kept import kept_page
from views.respond import wants_piece
from views.shell import draw, header, part, url_in_all
from views.templating import category_name
from views.words import gettext, ngettext, url, words_in

blueprint = Blueprint("budget", __name__)

KIND_WORDS = {"celulare": "phone", "tablete": "tablet"}
# What the address says → the order; without a word it is the shelf's own.
SORT_WORDS = {"muaji": "month", "gjithsej": "total"}
_MOST = 9_999_999 * MINOR
_PAGE_MOST = 100_000
# Letters that a field of an amount takes.
_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """One state of the page; amounts in minor units, whole units of the currency."""

    most: int | None = None
    today: int = 0
    tariff: str = ""
    kind: str = ""
    sort: str = ""
    page: int = 1
    # (field, what was typed) where that is no amount; the rest is answered as if it was left empty.
    unread: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, args, codes) -> "Asked":
        """From a query string, which may say anything; `codes` are the tariffs there are."""
        typed = {name: " ".join(args.get(name, "").split())[:_LENGTH] for name in ("deri", "sot")}
        amounts = {name: _amount(text) for name, text in typed.items()}
        tariff, kind, sort, page = (args.get(name, "") for name in ("tarifa", "lloji", "rendit", "faqe"))
        return cls(
            most=amounts["deri"] or None,
            today=amounts["sot"] or 0,
            tariff=tariff if tariff in codes else "",
            kind=kind if kind in KIND_WORDS else "",
            sort=sort if sort in SORT_WORDS else "",
            page=min(max(int(page), 1), _PAGE_MOST) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
            unread=tuple((name, text) for name, text in typed.items() if text and amounts[name] is None),
        )

    def query_string(self) -> str:
        """ "?deri=…", in one order and without what is empty; or nothing."""
        pairs = {
            "deri": self.most and self.most // MINOR,
            "sot": self.today // MINOR,
            "tarifa": self.tariff,
            "lloji": self.kind,
            "rendit": self.sort,
            "faqe": self.page if self.page > 1 else 0,
        }
        text = urlencode({name: value for name, value in pairs.items() if value})
        return f"?{text}" if text else ""

    def but(self, **changes) -> "Asked":
        """The same with `changes`, from the first page on."""
        return replace(self, **{"page": 1, **changes})

    def query(self) -> BudgetQuery:
        return BudgetQuery(
            most=self.most,
            today=self.today,
            tariff=self.tariff or None,
            kind=KIND_WORDS.get(self.kind),
            sort=SORT_WORDS.get(self.sort, "popular"),
            page=self.page,
            per_page=config.PER_PAGE,
        )


def _amount(text: str) -> int | None:
    amount = read_amount(text)
    if amount is None:
        # More than anything costs, or nothing of an amount.
        return _MOST if re.search("[0-9]", text) else None
    return min(amount, _MOST)


@blueprint.get("/buxheti")
def show():
    """What fits a monthly budget, the cheapest tariff of each device; without one, all there is."""
    version = budget.fresh().version
    asked = Asked.read(request.args, {tariff.code for tariff in budget.tariffs})
    if asked.page > 1:
        # An address may name any page: kept is only what there is.
        asked = replace(asked, page=budget.search(asked.query()).page)
    query_string = asked.query_string()
    piece = wants_piece()
    # The field that somebody is typing into is not swapped under their hands.
    used = request.headers.get("HX-Trigger", "") if piece else ""
    typing = used == "buxheti"
    # What was used to get here is gone after the swap: the heading takes the focus.
    moved = used.startswith("faqe-")
    response = kept_page(
        (version, "budget.show", query_string, asked.unread, piece, typing, moved),
        lambda: _render(asked, query_string, piece, typing, moved),
    )
    if asked.unread:
        response.status_code = 422
    elif piece:
        response.headers["HX-Push-Url"] = url("budget.show") + query_string
    return response


def _render(asked: Asked, query_string: str, piece: bool, typing: bool, moved: bool) -> str:
    code, path = language.current(), url("budget.show")
    found = budget.search(asked.query())

    def to(**changes) -> str:
        return path + asked.but(**changes).query_string()

    number = grouped(found.total)
    context = {
        "_": words_in(code),
        "lang_code": code,
        "path": path,
        "typing": typing,
        "moved": moved,
        "asked": asked,
        "found": found,
        "to": to,
        "rows": _rows(found.fits),
        "count": ngettext("%(number)s model", "%(number)s modele", found.total, number=number),
        "steps": [(amount, to(most=amount), amount == asked.most) for amount in budget.steps()],
        "tariffs": [("", gettext("Cilado"), not asked.tariff)]
        + [(one.code, one.name, one.code == asked.tariff) for one in found.tariffs],
        "kinds": [("", gettext("Të gjitha"), not asked.kind)]
        + [(word, category_name(kind), word == asked.kind) for word, kind in KIND_WORDS.items()],
        "sorts": [
            ("", gettext("Më të kërkuarat"), not asked.sort),
            ("muaji", gettext("Më pak në muaj"), asked.sort == "muaji"),
            ("gjithsej", gettext("Më pak gjithsej"), asked.sort == "gjithsej"),
        ],
        "currency": currency(),
        "unread": dict(asked.unread),
        "most": grouped(asked.most // MINOR) if asked.most else "",
        "today": grouped(asked.today // MINOR) if asked.today else "",
        # The smallest budget that finds something, in whole units.
        "least": None if found.least is None else -(-found.least // MINOR) * MINOR,
    }
    if piece:
        return draw("budget/_results.html", piece=True, **context)
    here = request.path + query_string
    return draw(
        "budget/page.html",
        piece=False,
        own_url=language.prefix_of(code) + here,
        url_in=url_in_all(query_string),
        header=header(here),
        footer=part("shared/_footer.html"),
        **context,
    )


def _rows(fits) -> list[dict]:
    """What the page shows of each, with the address of exactly that choice; one query."""
    ids = [fit.variant for fit in fits]
    variants = {
        variant.id: variant
        for variant in Variant.select(Variant, Device, Brand)
        .join_from(Variant, Device)
        .join_from(Device, Brand)
        .where(Variant.id.in_(ids))
    }
    rows = []
    for fit in fits:
        variant = variants.get(fit.variant)
        if variant is None:
            continue
        device = variant.device
        storage = storage_label(variant.storage_gb) if variant.storage_gb else ""
        colour = variant.colour(language.current())
        rows.append(
            {
                "name": device.full_name(language.current()),
                "details": ", ".join(text for text in (colour, storage) if text),
                "picture": picture_path(device, variant, "pair"),
                "url": address(device.slug, variant.colour_code, variant.storage_gb, fit.terms),
                "tariff": fit.tariff,
                "payment": fit.payment,
                "quote": fit.quote,
            }
        )
    return rows
