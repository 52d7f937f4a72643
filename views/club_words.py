"""What people read of the club: points, services, and each kind of entry of the history (CLB-15)."""

from datetime import date

from babel.dates import format_date
from flask_babel import gettext, ngettext

import config
import language
from models.calendar import local_day
from models.club_ledger import ClubEntry
from models.money import MINOR, number

UNIT_NAMES = {"MB": "MB", "SMS": "SMS", "MMS": "MMS"}
# The operator's names: the same in each language.
BUNDLE_NAMES = {key: name for key, (name, _) in config.FACE.bundles.items()}


def plain_number(count: int) -> str:
    return number(count * MINOR, language.current())


def points_text(count: int) -> str:
    """ "3.480 pikë" """
    return ngettext("%(count)s pikë", "%(count)s pikë", count, count=plain_number(count))


def signed(points: int) -> str:
    """ "+120", "−600" """
    return f"+{plain_number(points)}" if points > 0 else plain_number(points)


def service_name(what: str) -> str:
    """What a unit or a bundle is called."""
    if what in BUNDLE_NAMES:
        return BUNDLE_NAMES[what]
    return {"MB": gettext("Internet"), "SMS": gettext("SMS"), "MMS": gettext("MMS")}[what]


def units_text(what: str, amount: int) -> str:
    """ "250 MB", "Pako hej!" """
    if what in BUNDLE_NAMES:
        return service_name(what)
    return f"{plain_number(amount)}\u00a0{UNIT_NAMES[what]}"


def month_name(month: str) -> str:
    """ "2026-10" → "tetor 2026" """
    year, number_ = month.split("-")
    first = date(int(year), int(number_), 1)
    return format_date(first, "LLLL y", locale=language.LOCALES[language.current()])


def months_text(months: list[str]) -> str:
    """ "shtator dhe tetor 2026"; each with its year where they are of two"""
    names = [month_name(month) for month in months]
    if len(names) < 2:
        return "".join(names)
    if len({month[:4] for month in months}) == 1:
        names[:-1] = [name.rpartition(" ")[0] for name in names[:-1]]
    return gettext("%(first)s dhe %(last)s", first=", ".join(names[:-1]), last=names[-1])


def fixed_kind(kind: str) -> str:
    return {
        "internet": gettext("Internet"),
        "tv": gettext("Televizion"),
        "bundle": gettext("Internet dhe televizion"),
    }[kind]


def entry_text(entry: ClubEntry) -> str:
    """What happened, in one line."""
    return _ENTRIES[entry.kind](entry.about)


def _month(about: dict) -> str:
    if "month" not in about:
        return gettext("Pikë të fituara")
    return gettext("Shpenzimet e muajit %(month)s", month=month_name(about["month"]))


def _topup(about: dict) -> str:
    if about.get("package"):
        return gettext("Rimbushje: %(package)s", package=about["package"])
    return gettext("Rimbushje")


def _units(about: dict) -> str:
    return f"{units_text(about['what'], about.get('amount', 1))}{_channel(about)}"


def _voucher(about: dict) -> str:
    return f"{about.get('partner', '')}: {_name(about)}{_channel(about)}"


def _gift(about: dict) -> str:
    return gettext("Dhuratë: %(name)s", name=_name(about))


def _order(about: dict) -> str:
    return gettext("Porosia %(number)s", number=about.get("order", ""))


def _lapsed(about: dict) -> str:
    until = date.fromisoformat(about["until"])
    day = format_date(until, "dd.MM.yyyy", locale=language.LOCALES[language.current()])
    return gettext("Pikë që skaduan më %(day)s", day=day)


def _lost(about: dict) -> str:
    why = about.get("why", "")
    if why == "business":
        return gettext("Pikë të humbura: numri kaloi në tarifë biznesi")
    if why == "holder":
        return gettext("Pikë të humbura: numri kaloi te një mbajtës tjetër")
    if why == "given_up":
        return gettext("Pikë të humbura: shërbimi u mbyll")
    return gettext("Pikë të humbura")


def _returned(about: dict) -> str:
    if about.get("what"):
        return gettext("Kthim: %(name)s nuk u aktivizua", name=service_name(about["what"]))
    if about.get("order"):
        return gettext("Kthim: porosia %(number)s", number=about["order"])
    return gettext("Pikë të kthyera")


def _blocked(about: dict) -> str:
    months = about.get("months") or []
    if not months:
        return gettext("Pikët u bllokuan")
    return gettext("Pikët u bllokuan: nuk fituat në %(months)s", months=months_text(months))


def _name(about: dict) -> str:
    names = about.get("names") or {}
    return names.get(language.current()) or names.get("sq", "")


def _channel(about: dict) -> str:
    said = {"sms": gettext("me SMS"), "ussd": f"*{config.FACE.ussd_code}#"}.get(about.get("channel", ""))
    return f" · {said}" if said else ""


_ENTRIES = {
    "welcome": lambda about: gettext("Pikë mirëseardhjeje"),
    "month": _month,
    "topup": _topup,
    "units": _units,
    "bundle": _units,
    "voucher": _voucher,
    "gift": _gift,
    "order": _order,
    "lapsed": _lapsed,
    "lost": _lost,
    "returned": _returned,
    "blocked": _blocked,
    "unblocked": lambda about: gettext("Pikët u zhbllokuan: fituat përsëri"),
}


def service_state(state: str) -> str:
    return {
        "ordered": gettext("Po aktivizohet"),
        "active": gettext("Aktive"),
        "refused": gettext("Nuk u aktivizua"),
        "over": gettext("Mbaroi"),
        "lost": gettext("Humbi"),
    }[state]


def register(app) -> None:
    """The club's filters for templates."""
    app.jinja_env.filters.update(
        points=points_text,
        count_text=plain_number,
        local_date=local_day,
        signed=signed,
        units=lambda amount, what: units_text(what, amount),
        service_name=service_name,
        entry_text=entry_text,
        months=months_text,
        fixed_kind=fixed_kind,
        service_state=service_state,
    )
