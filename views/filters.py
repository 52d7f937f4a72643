"""What a list page was asked for, as its address says it (CAT-6).

An address may say anything: what is unknown or absurd is passed over, and every link the shop makes itself is
in one order, without what is empty.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote_plus

import config
from models.catalogue_index import Query
from models.money import to_minor

FAMILIES = {
    "black": "#24252a",
    "white": "#eeedec",
    "grey": "#8d8f94",
    "silver": "#d2d4d8",
    "blue": "#7f9cc9",
    "green": "#5d7f6b",
    "purple": "#b7a3d6",
    "pink": "#f0bfc3",
    "red": "#b3343d",
    "orange": "#e98a4b",
    "yellow": "#efd57d",
    "gold": "#d9c3a1",
    "brown": "#7b5a45",
}
SORTS = {"te-kerkuarat": "popular", "cmimi": "price", "cmimi-zbrites": "-price", "te-rejat": "newest"}
# Parameter, attribute: what one box switches on.
FLAGS = (("onlajn", "discounted"), ("dhurate", "gift"), ("gjendje", "in_stock"), ("5g", "five_g"))
MANY = (("marka", "brands"), ("memoria", "storages"), ("ngjyra", "colours"), ("os", "os"))
Q_LENGTH = 80
_PRICE_MOST = 9_999_999
_PAGE_MOST = 100_000
_NOT_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]+")


def clean_text(text: str) -> str:
    """A search as it was meant: without control characters, at most Q_LENGTH long."""
    # A megabyte of blanks must cost nothing.
    return " ".join(_NOT_TEXT.sub(" ", text[: Q_LENGTH * 4]).split())[:Q_LENGTH].strip()


# A list names the same few values in each of its links.
_quoted = lru_cache(maxsize=4096)(quote_plus)


def _price(text: str) -> int | None:
    digits = re.sub(r"[^0-9]", "", text[:20])
    return min(int(digits), _PRICE_MOST) if digits else None


def _page(text: str) -> int:
    return max(1, min(int(text), _PAGE_MOST)) if re.fullmatch("[0-9]{1,12}", text) else 1


def _sort(text: str, searched: bool) -> str:
    # What a list does by itself is not named in its address.
    return text if text in SORTS and (searched or text != "te-kerkuarat") else ""


@dataclass(frozen=True, slots=True)
class Filters:
    """One state of a list; prices in whole units of the currency."""

    q: str = ""
    brands: tuple[str, ...] = ()
    price_from: int | None = None
    price_to: int | None = None
    storages: tuple[int, ...] = ()
    colours: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    five_g: bool = False
    in_stock: bool = False
    discounted: bool = False
    gift: bool = False
    sort: str = ""
    page: int = 1

    @classmethod
    def read(cls, args, known: Callable[[str], Iterable]) -> "Filters":
        """From a query string; `known` says which values of "brand", "storage" and "os" there are."""
        if not args:
            return cls()

        def chosen(name, facet):
            if name not in args:
                return ()
            among = known(facet) if facet else FAMILIES
            by_text = {str(value).casefold(): value for value in among}
            found = {by_text.get(text.strip().casefold()) for text in args.getlist(name)[:50]}
            return tuple(sorted(found - {None}))

        q = clean_text(args.get("q", ""))
        low, high = _price(args.get("nga", "")), _price(args.get("deri", ""))
        if low is not None and high is not None and low > high:
            low, high = high, low
        return cls(
            q=q,
            brands=chosen("marka", "brand"),
            price_from=low or None,
            price_to=high,
            storages=chosen("memoria", "storage"),
            colours=chosen("ngjyra", ""),
            os=chosen("os", "os"),
            sort=_sort(args.get("rendit", ""), bool(q)),
            page=_page(args.get("faqe", "")),
            **{name: args.get(parameter, "") not in ("", "0") for parameter, name in FLAGS},
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters in their one order."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [("marka", brand) for brand in self.brands]
        if self.price_from is not None:
            pairs.append(("nga", self.price_from))
        if self.price_to is not None:
            pairs.append(("deri", self.price_to))
        pairs += [("memoria", size) for size in self.storages]
        pairs += [("ngjyra", colour) for colour in self.colours]
        pairs += [("os", system) for system in self.os]
        pairs += [(parameter, "1") for parameter, name in FLAGS if getattr(self, name)]
        if self.sort:
            pairs.append(("rendit", self.sort))
        if self.page > 1:
            pairs.append(("faqe", self.page))
        return pairs

    def query_string(self) -> str:
        """ "?marka=…", or nothing."""
        pairs = self.pairs()
        return "?" + "&".join([f"{name}={_quoted(str(value))}" for name, value in pairs]) if pairs else ""

    def but(self, **changes) -> "Filters":
        """The same with `changes`, from the first page on."""
        return replace(self, **{"page": 1, **changes})

    def cleared(self) -> "Filters":
        """Without any filter; what was searched for and the order stay."""
        return Filters(q=self.q, sort=self.sort)

    @property
    def is_filtered(self) -> bool:
        return self.is_priced or any(getattr(self, name) for _, name in (*MANY, *FLAGS))

    @property
    def is_priced(self) -> bool:
        return self.price_from is not None or self.price_to is not None

    def query(self, kind: str | None = None, offers: bool = False) -> Query:
        return Query(
            kind=kind,
            q=self.q,
            brands=frozenset(self.brands),
            price_from=None if self.price_from is None else to_minor(self.price_from),
            price_to=None if self.price_to is None else to_minor(self.price_to),
            storages=frozenset(self.storages),
            colours=frozenset(self.colours),
            os=frozenset(self.os),
            five_g=self.five_g,
            in_stock=self.in_stock,
            discounted=self.discounted,
            gift=self.gift,
            offers=offers,
            sort=SORTS[self.sort] if self.sort else "relevance",
            page=self.page,
            per_page=config.PER_PAGE,
        )
