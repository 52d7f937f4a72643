"""The audit trail in words: what was done, by whom, and what of it changed (DSK-1).

Who writes a new `what` with `models.trail.record` adds its words to WHAT, and the names of its fields to FIELDS.
"""

from dataclasses import dataclass
from datetime import date, datetime

import language
from delivery_mails import slot_text
from models.actor import Actor
from models.delivery import NotOffered, Slot
from models.trail import Step
from views.desk_words import ABOUT, ATTEMPTS, CHANNELS, CLAIM_STATES, CLAIMS, COMPARED, DOCUMENTS, MESSAGES
from views.forms import lazy_gettext
from views.templating import day_text, den, moment, phone_text, plain, state_name
from views.words import gettext

# What was done → its words. A subject or a `why` stands beside it, so no sentence here names one.
WHAT = {
    "changed": lazy_gettext("Porosia u ndryshua"),
    "cancelled": lazy_gettext("Porosia u anulua"),
    "pieces_back": lazy_gettext("Pajisjet u kthyen në depo"),
    "refund_hurried": lazy_gettext("Kthimi i parave provohet përsëri"),
    # On the way to the door: models/delivery.py.
    "packed": lazy_gettext("U paketua"),
    "handed_over": lazy_gettext("Iu dha korrierit"),
    "attempt_failed": lazy_gettext("Përpjekja nuk doli"),
    "time_arranged": lazy_gettext("Koha e dorëzimit u caktua"),
    "delivered": lazy_gettext("U dorëzua"),
    "returned": lazy_gettext("U kthye"),
    # At the desk: models/identification.py, models/order_note.py, models/desk_order.py, models/claim.py.
    "identified": lazy_gettext("Klienti u identifikua"),
    "not_identified": lazy_gettext("Të dhënat e klientit nuk përputheshin"),
    "call_ended": lazy_gettext("Telefonata mbaroi"),
    "note": lazy_gettext("Shënim i brendshëm"),
    "resent": lazy_gettext("Mesazhi u dërgua përsëri"),
    "disclosed": lazy_gettext("Të dhënat iu dhanë një autoriteti"),
    "data_taken": lazy_gettext("Klienti i shkarkoi të dhënat e veta"),
    "erasure_asked": lazy_gettext("Klienti kërkoi fshirjen e llogarisë"),
    "erasure_confirmed": lazy_gettext("Klienti e konfirmoi fshirjen"),
    "erasure_withdrawn": lazy_gettext("Klienti hoqi dorë nga fshirja"),
    "erased": lazy_gettext("Llogaria u fshi"),
    "claim_opened": lazy_gettext("Erdhi kërkesë e klientit"),
    "claim_answered": lazy_gettext("Klienti mori përgjigje"),
    # At work: models/second_factor.py, models/staff.py.
    "login": lazy_gettext("Hyri në punë me kod"),
    "login_failed": lazy_gettext("Kodi i hyrjes nuk ishte i saktë"),
    "login_locked": lazy_gettext("Hyrja u mbyll pas shumë kodeve të pasakta"),
    "recovery_used": lazy_gettext("Hyri në punë me kod rezervë"),
    "recovery_renewed": lazy_gettext("Kodet rezervë u bënë të reja"),
    "factor_enrolled": lazy_gettext("Aplikacioni i kodeve u lidh"),
    "factor_reset": lazy_gettext("Aplikacioni i kodeve u shkëput"),
    "role_given": lazy_gettext("Roli u dha"),
    "role_taken": lazy_gettext("Roli u hoq"),
    # The catalogue: models/device_draft.py, models/catalogue_tables.py, models/stock_movement.py,
    # models/price_list_job.py.
    "draft_begun": lazy_gettext("Drafti u fillua"),
    "drafted": lazy_gettext("U ruajt në draft"),
    "draft_caught_up": lazy_gettext("Drafti vazhdoi nga gjendja e re e dyqanit"),
    "draft_dropped": lazy_gettext("Drafti u hoq"),
    "edited": lazy_gettext("Katalogu u ndryshua"),
    "stock_moved": lazy_gettext("Gjendja lëvizi"),
    "import_begun": lazy_gettext("Një listë çmimesh u ngarkua"),
    "import_confirmed": lazy_gettext("Importi u konfirmua"),
    "import_cancelled": lazy_gettext("Importi u anulua"),
    "imported": lazy_gettext("Lista e çmimeve u mor"),
    "shops_adopted": lazy_gettext("Dyqanet u morën nga skedari"),
}
ROLES = {
    "agent": lazy_gettext("Agjent"),
    "warehouse": lazy_gettext("Depo"),
    "clerk": lazy_gettext("Shitës"),
    "partner": lazy_gettext("Partner"),
    "editor": lazy_gettext("Redaktor"),
    "admin": lazy_gettext("Administrator"),
    "shopper": lazy_gettext("Klienti"),
    "bank": lazy_gettext("Banka"),
    "system": lazy_gettext("Sistemi"),
}
# A field of `before` and `after` → its name; `colour:2` is the second line's.
FIELDS = {
    "street": lazy_gettext("Adresa"),
    "place": lazy_gettext("Vendbanimi"),
    "municipality": lazy_gettext("Komuna"),
    "postal_code": lazy_gettext("Kodi postar"),
    "phone": lazy_gettext("Telefoni"),
    "note": lazy_gettext("Shënimi"),
    "gift_note": lazy_gettext("Kartolina e dhuratës"),
    "wish": lazy_gettext("Ora e dëshiruar"),
    "colour": lazy_gettext("Ngjyra"),
    "role": lazy_gettext("Roli"),
    "partner": lazy_gettext("Partneri"),
    "state": lazy_gettext("Gjendja"),
    "price": lazy_gettext("Çmimi"),
    "amount": lazy_gettext("Shuma"),
    "stock": lazy_gettext("Gjendja në depo"),
    "points": lazy_gettext("Pikë"),
    "sellable": lazy_gettext("Mund të shitet"),
    "authority": lazy_gettext("Autoriteti"),
    "reference": lazy_gettext("Numri i kërkesës"),
    "rows": lazy_gettext("Rreshta"),
    "left": lazy_gettext("Kode të mbetura"),
    "left_tries": lazy_gettext("Përpjekje të mbetura"),
    "attempt": lazy_gettext("Përpjekja"),
    "reason": lazy_gettext("Arsyeja"),
    "until": lazy_gettext("Afati"),
    "time": lazy_gettext("Koha"),
    "recipient": lazy_gettext("E pranoi"),
    "document": lazy_gettext("Dokumenti"),
    "authorised": lazy_gettext("Me autorizim"),
    "compared": lazy_gettext("U krahasua"),
    "message": lazy_gettext("Mesazhi"),
    "kind": lazy_gettext("Lloji"),
    "claim": lazy_gettext("Kërkesa"),
    "about": lazy_gettext("Për"),
    "answer": lazy_gettext("Përgjigjja"),
}
# Fields whose values are codes → the words of each.
VALUES = {
    "reason": ATTEMPTS,
    "document": DOCUMENTS,
    "compared": COMPARED,
    "message": CHANNELS,
    "kind": MESSAGES,
    "claim": CLAIMS,
    "about": ABOUT,
    "answer": CLAIM_STATES,
}
# Fields in minor units.
AMOUNTS = frozenset({"price", "amount", "total", "due_now"})
# Reasons that the code gives by itself.
WHY = {
    "repack": lazy_gettext("paketohet përsëri"),
    "no_new_time": lazy_gettext("nuk u caktua kohë e re"),
    **ATTEMPTS,
}


@dataclass(frozen=True)
class Change:
    """One field: its name, and what stood and stands there, as people read it; "" where nothing did."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Words:
    """A step as it is read. `by` is the role with the e-mail; `role` alone is for shoppers' eyes."""

    what: str
    changes: list[Change]
    role: str
    by: str
    why: str


# The first word of a subject → who says its entries in words of its own (views/catalogue_words.py).
OF_SUBJECT = {}


def step_in_words(step: Step) -> Words:
    """A `models.trail.Step`, or an AuditEntry, which has the same fields."""
    own = OF_SUBJECT.get(getattr(step, "subject", "").partition(":")[0])
    if own is not None:
        return own(step)
    changes = []
    if step.what == "state":
        what = state_name(step.after["state"])
    else:
        what = what_name(step.what)
        names = list(dict.fromkeys([*step.before, *step.after]))
        changes = [
            Change(field_name(name), _value(name, step.before.get(name)), _value(name, step.after.get(name)))
            for name in names
        ]
    return Words(what, changes, role_name(step.by.role), actor_name(step.by), str(WHY.get(step.why, step.why)))


def what_name(what: str) -> str:
    """What was done, in words; a word of the code that has none yet is shown as it is."""
    return str(WHAT[what]) if what in WHAT else what.replace("_", " ")


def role_name(role: str) -> str:
    """A role as the pages call it: "Agjent"."""
    return str(ROLES.get(role, role))


def actor_name(by: Actor) -> str:
    """Who did it, for people at work: "Agjent · agent@example.com"; never for shoppers."""
    return f"{role_name(by.role)} · {by.name}" if by.name else role_name(by.role)


def subject_name(subject: str) -> str:
    """What it was done to where that is no order: "galaxy-s25" of `device:galaxy-s25`."""
    return subject.partition(":")[2] or subject


def field_name(name: str) -> str:
    """ "Ngjyra 2" for `colour:2`: which line it is of."""
    name, _, place = name.partition(":")
    known = str(FIELDS[name]) if name in FIELDS else name.replace("_", " ")
    return f"{known} {place}" if place else known


def _value(name: str, value) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return gettext("Po") if value else gettext("Jo")
        case int():
            return den(value) if name in AMOUNTS else plain(value * 100)
        case dict() if value.keys() & {"sq", "mk", "en"}:
            return str(value.get(language.current()) or next(iter(value.values())))
        case dict():
            return ", ".join(f"{field_name(part)}: {_value(part, value[part])}" for part in value)
        case list():
            return ", ".join(_value(name, one) for one in value)
        case str() if value in VALUES.get(name, ()):
            return str(VALUES[name][value])
        case str() if name == "phone":
            return phone_text(value)
        case str() if name == "state":
            return _known_state(value)
        case str() if name == "role":
            return role_name(value)
        case str() if name == "time":
            return _slot(value)
        case str() if len(value) >= 10 and value[4:5] == value[7:8] == "-":
            return _moment(value)
    return str(value)


def _known_state(value: str) -> str:
    try:
        return state_name(value)
    except KeyError:
        return value


def _slot(value: str) -> str:
    try:
        return slot_text(Slot.read(value), language.current())
    except NotOffered:
        return value


def _moment(value: str) -> str:
    """A day or a moment as JSON keeps it; what is neither stays as it is."""
    try:
        return day_text(date.fromisoformat(value)) if len(value) == 10 else moment(datetime.fromisoformat(value))
    except ValueError:
        return value


def register(app) -> None:
    """`step|in_words` and `role|role_name` for templates."""
    app.jinja_env.filters.update(in_words=step_in_words, role_name=role_name, subject_name=subject_name)
