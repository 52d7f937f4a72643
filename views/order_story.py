"""What happened to an order as its shopper reads it: in words, with roles and never with names of who works here."""

from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date

import language
from models.delivery import NotOffered, Slot
from models.trail import Step
from views.forms import lazy_gettext
from views.forms.claims import ABOUT
from views.templating import state_name, weekday
from views.words import gettext

# Who it was, for shoppers; the shop itself is not named.
BY = {
    "shopper": lazy_gettext("nga ju"),
    "agent": lazy_gettext("nga qendra e kontaktit"),
    "admin": lazy_gettext("nga qendra e kontaktit"),
    "warehouse": lazy_gettext("nga depoja"),
    "clerk": lazy_gettext("nga dyqani"),
}
# Why an attempt failed: what the courier wrote down.
WHY_NOT = {
    "no_answer": lazy_gettext("Askush nuk u përgjigj në telefon"),
    "not_home": lazy_gettext("Nuk gjetëm njeri në adresë"),
    "refused": lazy_gettext("Dërgesa nuk u mor"),
    "wrong_address": lazy_gettext("Adresa nuk u gjet"),
    "no_id": lazy_gettext("Mungonte dokumenti i identifikimit"),
    "no_authorisation": lazy_gettext("Mungonte autorizimi"),
    "other": lazy_gettext("Korrieri nuk e la dot"),
}
# Field of a change → its words.
_FIELDS = {
    "street": lazy_gettext("adresa"),
    "postal_code": lazy_gettext("adresa"),
    "municipality": lazy_gettext("adresa"),
    "place": lazy_gettext("adresa"),
    "phone": lazy_gettext("telefoni"),
    "note": lazy_gettext("shënimi"),
    "gift_note": lazy_gettext("kartolina e dhuratës"),
    "wish": lazy_gettext("ora e dëshiruar"),
    "colour": lazy_gettext("ngjyra"),
}
_ANSWERS = {
    "answered": lazy_gettext("Iu përgjigjëm ankesës"),
    "accepted": lazy_gettext("Tërheqja u pranua"),
    "refused": lazy_gettext("Tërheqja nuk u pranua"),
}


@dataclass(frozen=True)
class Told:
    """One line of the timeline: what, when, and what there is to say of it."""

    what: str
    at: datetime
    notes: list[str]
    # The state that it is, or "" for what happened in between.
    state: str = ""


def story(steps: list[Step]) -> list[Told]:
    """The steps that concern the shopper, in their order."""
    return [told for step in steps if (told := tell(step)) is not None]


def tell(step: Step) -> Told | None:
    """The step in words; None for what only people at work need to know."""
    tell_of = _OF.get(step.what)
    if tell_of is None:
        return None
    what, *notes = tell_of(step)
    if step.what == "state" and step.after["state"] in ("delivered", "delivery_failed"):
        notes.append(gettext("nga korrieri"))
    elif step.by.role in BY:
        notes.append(str(BY[step.by.role]))
    return Told(what, step.at, [note for note in notes if note], step.after["state"] if step.what == "state" else "")


def _state(step: Step):
    state = step.after["state"]
    if state == "confirmed" and step.why == "repack":
        return gettext("Po paketohet përsëri"), gettext("me ngjyrën e re")
    note = ""
    if state == "delivery_failed" and step.why in WHY_NOT:
        note = str(WHY_NOT[step.why])
    elif state == "confirmed" and step.by.role == "bank":
        note = gettext("u pagua me kartelë")
    return state_name(state), note


def _changed(step: Step):
    changed = {key.partition(":")[0] for key in step.after}
    # In one order, whichever a database keeps them in.
    names = dict.fromkeys(str(word) for name, word in _FIELDS.items() if name in changed)
    return gettext("Porosia u ndryshua"), ", ".join(names)


def _arranged(step: Step):
    try:
        return gettext("U caktua koha e dorëzimit"), slot_text(Slot.read(step.after.get("time", "")))
    except NotOffered:
        return gettext("U caktua koha e dorëzimit"), ""


def _claim(step: Step):
    about = str(ABOUT.get(step.after.get("about"), ""))
    if step.after.get("claim") == "withdrawal":
        return gettext("Kërkuat tërheqje nga blerja"), about
    return gettext("Bëtë ankesë"), about


def _claim_answered(step: Step):
    return (str(_ANSWERS.get(step.after.get("answer"), _ANSWERS["answered"])),)


def _back(step: Step):
    return (gettext("Pajisjet u kthyen te ne"),)


_OF = {
    "state": _state,
    "changed": _changed,
    "time_arranged": _arranged,
    "claim_opened": _claim,
    "claim_answered": _claim_answered,
    "pieces_back": _back,
}


def slot_text(slot: Slot) -> str:
    """ "e martë, 25 nëntor, ora 9–12"."""
    return gettext("%(day)s, ora %(hours)s", day=weekday(slot.day), hours=slot.hours)


def short_day(day) -> str:
    """ "e martë, 25.11."."""
    return format_date(day, "EEEE, d.MM.", locale=language.LOCALES[language.current()])
