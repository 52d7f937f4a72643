"""What every template can use: money, dates, addresses of static files, icons' data, holes."""

from datetime import date, datetime
from functools import lru_cache
from itertools import groupby

import flask.templating
from babel.dates import format_date, format_datetime
from jinja2 import pass_context

import config
import language
from models.calendar import ZONE, wish_hours
from models.checkout import title_of
from models.drawing import picture_path
from models.instalments import split
from models.money import money, number
from models.new_number import CALLING_CODE
from models.order import storage_label
from models.places import municipality_of
from views import legal
from views.club_words import points_text
from views.forms.device import address_of
from views.help_words import asked_at
from views.kept import hole
from views.respond import wants_piece
from views.shopper import shopper
from views.staff_only import start_of
from views.words import gettext, ngettext, url

CATEGORIES = (
    ("phone", "browse.phones"),
    ("tablet", "browse.tablets"),
    ("accessory", "browse.accessories"),
    ("prepaid_sim", "browse.prepaid_sims"),
)


@lru_cache(maxsize=256)
def static(path: str) -> str:
    """The address of a static file, with its content's hash: browsers keep it for good."""
    return f"/static/{path}?v={config.static_version(config.static_path(path))}"


def den(amount: int) -> str:
    """Minor units as this page's language writes them."""
    return money(amount, language.current())


@pass_context
def den_here(context, amount: int) -> str:
    """The filter: with the context, or Jinja would work `0|den` out once, in the language of whoever came first."""
    return den(amount)


def plain(amount: int) -> str:
    return number(amount, language.current())


@lru_cache(maxsize=512)
def _day(day: date, chosen: str) -> str:
    return format_date(day, "EEEE, d MMMM", locale=language.LOCALES[chosen])


_last_day = lru_cache(maxsize=512)(language.last_day)


def weekday(day: date) -> str:
    """A day as people say it: "e martë, 25 nëntor"."""
    return _day(day, language.current())


def last_day(day: date) -> str:
    """The last day of a promise, after "by": "të martën, 25 nëntor" (DLV-2)."""
    return _last_day(day, language.current())


def moment(at: datetime) -> str:
    """A moment in the shop's time zone: "21.11.2025, ora 14:32" (LOC-3)."""
    local = at.astimezone(ZONE)
    return gettext(
        "%(day)s, ora %(time)s",
        day=day_text(local.date()),
        time=format_datetime(local, "HH:mm", tzinfo=ZONE, locale=language.LOCALES[language.current()]),
    )


def day_text(day: date) -> str:
    """A day in figures: "21.11.2025"."""
    return format_date(day, "dd.MM.yyyy", locale=language.LOCALES[language.current()])


def clock(at: datetime) -> str:
    return at.astimezone(ZONE).strftime("%H:%M")


def phone_text(number: str) -> str:
    """38970123456 as it is said here: "070 123 456", with spaces that do not break."""
    home = number.removeprefix(CALLING_CODE)
    if number.startswith(CALLING_CODE) and len(home) == 8:
        return f"0{home[:2]}\u00a0{home[2:5]}\u00a0{home[5:]}"
    return number


def category_name(kind: str) -> str:
    """What shoppers call the devices of a kind (CAT-1)."""
    return {
        "phone": gettext("Celularë"),
        "tablet": gettext("Tabletë"),
        "accessory": gettext("Pajisje shtesë"),
        "prepaid_sim": gettext("SIM pripejd"),
    }[kind]


def state_name(state: str) -> str:
    """What a shopper reads for an order's state (ORD-4)."""
    return {
        "awaiting_payment": gettext("Pret pagesën"),
        "confirmed": gettext("Porosia u pranua"),
        "packed": gettext("U përgatit"),
        "with_courier": gettext("Te korrieri"),
        "delivered": gettext("Dorëzuar"),
        "lapsed": gettext("Skadoi pa pagesë"),
        "cancelled": gettext("Anuluar"),
        "delivery_failed": gettext("Dërgesa nuk u krye"),
        "returned": gettext("U kthye"),
    }[state]


def contract_name(contract_type: str) -> str:
    """What a shopper reads for a contract type (OFF-1)."""
    return {
        "device_only": gettext("Vetëm pajisje"),
        "new_number": gettext("Pajisje me numër të ri"),
        "besnik24": gettext("Besnik 24"),
    }[contract_type]


def parts_text(parts: list[int]) -> str:
    """Instalments as they are paid: "24 × 1.300 den", and both amounts where the price does not divide (PAY-3)."""
    return " + ".join(f"{len(list(same))}\u00a0×\u00a0{den(amount)}" for amount, same in groupby(parts))


_TONES = {
    "awaiting_payment": "warn",
    "confirmed": "info",
    "packed": "info",
    "with_courier": "warn",
    "delivered": "ok",
    "delivery_failed": "bad",
}
_WAY = ("confirmed", "packed", "with_courier", "delivered")


def states_ahead(state: str) -> tuple[str, ...]:
    """The states that come next when all goes well; none for an order that ended."""
    if state == "awaiting_payment":
        return _WAY
    return _WAY[_WAY.index(state) + 1 :] if state in _WAY else ()


def here() -> str:
    """The address of the page being shown, with its query: where its form is posted to."""
    return language.url_in(language.current())


def title(chosen) -> str:
    return title_of(chosen, language.current())


class Environment(flask.templating.Environment):
    """Flask's, whose templates have a plain copy of the globals.

    Jinja layers them, and going through the layers at each template, card by card, took a fifth of a card's time.
    Globals must be set before the first template is read.
    """

    def make_globals(self, d):
        return {**self.globals, **(d or {})}


def register_templating(app) -> None:
    app.jinja_env.filters.update(
        den=den_here,
        plain=plain,
        weekday=weekday,
        last_day=last_day,
        moment=moment,
        day=day_text,
        clock=clock,
        hours=wish_hours,
        storage=storage_label,
        phone=phone_text,
        points=points_text,
        title=title,
        picture_of=picture_path,
        split_parts=split,
        parts=parts_text,
        contract_name=contract_name,
        address_of=address_of,
        state_name=state_name,
        states_ahead=states_ahead,
        state_tone=lambda state: _TONES.get(state, ""),
    )
    app.jinja_env.globals.update(
        _=gettext,
        ngettext=ngettext,
        static=static,
        hole=hole,
        shopper=shopper,
        url=url,
        config=config,
        brand=config.BRAND,
        face=config.FACE,
        light=config.FACE.light,
        dark=config.FACE.dark,
        card_mark=config.CARD_MARK,
        legal=legal,
        languages=[(code, language.NAMES[code]) for code in config.LANGUAGES],
        lang=language.current,
        url_in=language.url_in,
        categories=CATEGORIES,
        category_name=category_name,
        wants_piece=wants_piece,
        here=here,
        municipality_of=municipality_of,
        asked_at=asked_at,
        start_of=start_of,
    )
