"""The filters beside a list: their values with counts, drawn as they stand in its form (CAT-6)."""

from functools import lru_cache

from markupsafe import escape

import language
from models.money import MINOR, SIGNS
from models.order import storage_label
from views import characteristics
from views.filters import FAMILIES, FLAGS, MANY, Filters
from views.shell import blank, draw, mould
from views.words import words_in

# Values of a filter that show without unfolding.
_OPEN_VALUES = 7
_FACETS = {"marka": "brand", "memoria": "storage", "ngjyra": "colour", "os": "os"}


def facets_html(filters: Filters, base, result, oob: bool = False, typing: bool = False) -> tuple[str, bool]:
    """The filters that divide this list, in the order of the page, and whether there are any.

    `base` is the list without filters, `result` what they let through. Which values there are, and in which order,
    depends on the list alone: nothing moves while one chooses. With `oob` they are pieces for htmx to put into the
    page; `typing` leaves out the prices, which somebody may be writing.
    """
    code = language.current()
    flags = {
        parameter: _value(code, parameter, "1", result.facets[name][0][1], getattr(filters, name))
        for parameter, name in FLAGS
        if base.facets[name][0][1] or getattr(filters, name)
    }
    top = "".join(flags[parameter] for parameter in ("onlajn", "dhurate", "gjendje") if parameter in flags)
    groups = [_group(code, "kryesore", 0, False, oob) % {"rows": top}] if top else []
    for parameter, name in MANY:
        many = _many(code, parameter, getattr(filters, name), base, result, oob)
        if many:
            groups.append(many)
        if parameter == "marka":
            has_prices = base.total > 1 or filters.is_priced
            if has_prices and not (oob and typing):
                groups.append(_prices(code, filters, base, oob))
    if "5g" in flags and (base.facets["five_g"][0][1] < base.total or filters.five_g):
        groups.append(_group(code, "rrjeti", 0, False, oob) % {"rows": flags["5g"]})
    return "".join(groups), has_prices or bool(groups)


def flag_name(code: str, parameter: str) -> str:
    _ = words_in(code)
    return {
        "onlajn": _("Zbritje onlajn"),
        "dhurate": _("Me dhuratë"),
        "gjendje": _("Në gjendje"),
        "5g": "5G",
    }[parameter]


def value_name(code: str, parameter: str, value) -> str:
    """What shoppers call a value of a filter."""
    if parameter == "memoria":
        return storage_label(value)
    return _colours(code).get(value, value) if parameter == "ngjyra" else str(value)


@lru_cache(maxsize=8)
def _colours(code: str) -> dict[str, str]:
    _ = words_in(code)
    return {
        "black": _("E zezë"),
        "white": _("E bardhë"),
        "grey": _("Gri"),
        "silver": _("Argjend"),
        "blue": _("Blu"),
        "green": _("E gjelbër"),
        "purple": _("Vjollcë"),
        "pink": _("Rozë"),
        "red": _("E kuqe"),
        "orange": _("Portokalli"),
        "yellow": _("E verdhë"),
        "gold": _("Ar"),
        "brown": _("Kafe"),
    }


def _many(code, parameter, chosen, base, result, oob) -> str:
    """A filter of which several values can be chosen; nothing where it would not divide the list."""
    facet = _FACETS[parameter]
    counts = dict(result.facets[facet])
    values = [value for value, _ in base.facets[facet]]
    values += [value for value in chosen if value not in values]
    if len(values) < 2 and not chosen:
        return ""
    rows = [_value(code, parameter, value, counts.get(value, 0), value in chosen) for value in values]
    # One more row takes no more room than the line that would unfold it.
    unfolded = len(rows) if len(rows) <= _OPEN_VALUES + 1 else _OPEN_VALUES
    is_open = any(value in chosen for value in values[unfolded:])
    shape = _group(code, parameter, len(rows) - unfolded, is_open, oob)
    return shape % {"rows": "".join(rows[:unfolded]), "rest": "".join(rows[unfolded:])}


def _prices(code, filters, base, oob) -> str:
    def whole(amount):
        return "" if amount is None else _grouped(code, amount)

    return _group(code, "cmimi", 0, False, oob) % {
        "low": whole(filters.price_from),
        "high": whole(filters.price_to),
        "least": whole(None if base.price_min is None else base.price_min // MINOR),
        "most": whole(None if base.price_max is None else -(-base.price_max // MINOR)),
    }


@lru_cache(maxsize=1024)
def _group(code: str, parameter: str, folded: int, is_open: bool, oob: bool) -> str:
    """The mould of a group of which `folded` values have to be unfolded."""
    _ = words_in(code)
    titles = {
        "kryesore": _("Kryesore"),
        "marka": _("Marka"),
        "cmimi": _("Çmimi"),
        "memoria": _("Memoria"),
        "ngjyra": _("Ngjyra"),
        "os": _("Sistemi"),
        "rrjeti": _("Rrjeti"),
    }
    return mould(
        "browse/_facet.html",
        id=parameter,
        title=titles[parameter] if parameter != "kryesore" else "",
        label=titles[parameter],
        folded=folded,
        is_open=is_open,
        oob=oob,
        currency=characteristics.currency(),
        **{name: blank(name) for name in ("rows", "rest", "low", "high", "least", "most")},
    )


def _value(code: str, parameter: str, value, count: int, checked: bool) -> str:
    """One value of a filter with its count; one that would find nothing cannot be chosen."""
    before, after = _halves(code, parameter, value, "checked" if checked else "" if count else "disabled")
    return f"{before}{count if count < 1000 else _grouped(code, count)}{after}"


@lru_cache(maxsize=4096)
def _halves(code: str, parameter: str, value, state: str) -> list[str]:
    """A value as it is drawn before and after its count."""
    count = blank("count")
    html = draw(
        "browse/_value.html",
        parameter=parameter,
        value=value,
        label=flag_name(code, parameter) if parameter in dict(FLAGS) else value_name(code, parameter, value),
        hex=FAMILIES.get(value) if parameter == "ngjyra" else None,
        state=state,
        count=count,
    )
    return html.split(count)


def _grouped(code: str, number: int) -> str:
    return f"{number:,}".replace(",", _sign(code))


@lru_cache(maxsize=8)
def _sign(code: str) -> str:
    """What stands between thousands, for a page."""
    return str(escape(SIGNS.get(code, SIGNS["en"])[0]))
