"""The rows of a person's data as people read them (PRV-4), beside the file for programs.

The register says which columns hold something of a person; what these and the others are called, and how amounts,
days, devices and codes are said, stands here. A column without a name is for programs alone.
"""

import json
from contextlib import suppress
from datetime import date, datetime

import language
from models import personal
from models.calendar import wish_hours
from models.catalogue import Brand, Device, Tariff, Variant
from models.club_ledger import ClubEntry
from models.club_offer import ClubGift, PartnerOffer
from models.order import storage_label
from models.places import municipality_of, place_of
from views import club_words, consent_words, desk_words, trail_words
from views.forms import lazy_gettext
from views.privacy_words import DATA
from views.templating import contract_name, day_text, den, moment, phone_text, state_name
from views.words import gettext

# What the rows of a table are.
TABLES = {
    "profile": lazy_gettext("Llogaria"),
    "consent": lazy_gettext("Pëlqimet"),
    "erasure": lazy_gettext("Fshirja e llogarisë"),
    "cart": lazy_gettext("Shporta"),
    "cart_line": lazy_gettext("Në shportë"),
    "checkout": lazy_gettext("Të shkruara gjatë porosisë"),
    "wish_list": lazy_gettext("Lista e dëshirave"),
    "wish_line": lazy_gettext("Dëshirat"),
    "watch": lazy_gettext("Njoftimet"),
    "saved_address": lazy_gettext("Adresat"),
    "order": lazy_gettext("Porositë"),
    "order_line": lazy_gettext("Pajisjet e porositura"),
    "order_event": lazy_gettext("Gjendjet e porosive"),
    "order_points": lazy_gettext("Pikët e porosive"),
    "cancellation": lazy_gettext("Anulimet"),
    "delivery_attempt": lazy_gettext("Dorëzimet"),
    "arranged_time": lazy_gettext("Oraret e dorëzimit"),
    "document": lazy_gettext("Dokumentet"),
    "new_number": lazy_gettext("Numrat e rinj"),
    "audit_entry": lazy_gettext("Ndryshimet"),
    "identification": lazy_gettext("Identifikimet"),
    "claim": lazy_gettext("Ankesat dhe tërheqjet"),
    "attachment": lazy_gettext("Skedarët"),
    "payment": lazy_gettext("Pagesat"),
    "refund": lazy_gettext("Kthimet e parave"),
    "bill_payment": lazy_gettext("Pagesat e faturave"),
    "bill_payment_line": lazy_gettext("Faturat e paguara"),
    "mail": lazy_gettext("E-postat"),
    "number": lazy_gettext("Numrat"),
    "profile_number": lazy_gettext("Numrat e shtuar"),
    "invoice": lazy_gettext("Faturat e papaguara"),
    "contract": lazy_gettext("Kontratat"),
    "fixed_service": lazy_gettext("Shërbimet fikse"),
    "club_member": lazy_gettext("Anëtarësimet"),
    "club_entry": lazy_gettext("Historia e pikëve"),
    "club_lot": lazy_gettext("Pikët sipas afatit"),
    "voucher": lazy_gettext("Kodet te partnerët"),
    "club_service": lazy_gettext("Shërbimet e konvertuara"),
    "gift_handout": lazy_gettext("Dhuratat"),
}

# What columns are called.
COLUMNS = {
    "first_name": lazy_gettext("emri"),
    "last_name": lazy_gettext("mbiemri"),
    "recipient": lazy_gettext("kush e pranon"),
    "street": lazy_gettext("rruga"),
    "place": lazy_gettext("vendi"),
    "municipality": lazy_gettext("komuna"),
    "postal_code": lazy_gettext("kodi postar"),
    "verified_at": lazy_gettext("konfirmuar më"),
    "confirmed_at": lazy_gettext("konfirmuar më"),
    "sku": lazy_gettext("kodi i pajisjes"),
    "number": lazy_gettext("numri"),
    "msisdn": lazy_gettext("numri"),
    "state": lazy_gettext("gjendja"),
    "kind": lazy_gettext("lloji"),
    "at": lazy_gettext("koha"),
    "created_at": lazy_gettext("filloi më"),
    "begun_at": lazy_gettext("filloi më"),
    "started_at": lazy_gettext("filloi më"),
    "started_on": lazy_gettext("filloi më"),
    "seen_at": lazy_gettext("vizita e fundit"),
    "placed_at": lazy_gettext("porositur më"),
    "ordered_at": lazy_gettext("porositur më"),
    "added_at": lazy_gettext("shtuar më"),
    "saved_at": lazy_gettext("shtuar më"),
    "written_at": lazy_gettext("shkruar më"),
    "sent_at": lazy_gettext("dërguar më"),
    "total": lazy_gettext("gjithsej"),
    "due_now": lazy_gettext("me kartelë"),
    "amount": lazy_gettext("shuma"),
    "price": lazy_gettext("çmimi"),
    "before": lazy_gettext("çmimi i mëparshëm"),
    "price_seen": lazy_gettext("çmimi që patë"),
    "payment": lazy_gettext("pagesa"),
    "payment_way": lazy_gettext("pagesa"),
    "contract_type": lazy_gettext("si blihet"),
    "wish": lazy_gettext("ora e dëshiruar"),
    "promised_on": lazy_gettext("premtuar deri më"),
    "payable_until": lazy_gettext("paguhet deri më"),
    "paid_at": lazy_gettext("paguar më"),
    "quantity": lazy_gettext("sasia"),
    "points": lazy_gettext("pikët"),
    "points_worth": lazy_gettext("vlera e pikëve"),
    "worth": lazy_gettext("vlera e pikëve"),
    "balance": lazy_gettext("gjendja e pikëve"),
    "left": lazy_gettext("pikë të mbetura"),
    "names": lazy_gettext("pajisja"),
    "device": lazy_gettext("pajisja"),
    "variant": lazy_gettext("pajisja"),
    "colours": lazy_gettext("ngjyra"),
    "storage_gb": lazy_gettext("memoria"),
    "gift": lazy_gettext("dhurata"),
    "offer": lazy_gettext("oferta"),
    "what": lazy_gettext("çfarë"),
    "why": lazy_gettext("arsyeja"),
    "role": lazy_gettext("kush"),
    "author": lazy_gettext("kush"),
    "channel": lazy_gettext("si"),
    "given": lazy_gettext("pranuar"),
    "tariff": lazy_gettext("tarifa"),
    "currency": lazy_gettext("valuta"),
    "issued_on": lazy_gettext("lëshuar më"),
    "issued_at": lazy_gettext("lëshuar më"),
    "due_on": lazy_gettext("afati"),
    "day": lazy_gettext("dita"),
    "ends_on": lazy_gettext("vlen deri më"),
    "ends_at": lazy_gettext("vlen deri më"),
    "until": lazy_gettext("vlen deri më"),
    "usable_until": lazy_gettext("vlen deri më"),
    "expires_at": lazy_gettext("vlen deri më"),
    "held_until": lazy_gettext("mbahet deri më"),
    "joined_at": lazy_gettext("anëtar që nga"),
    "ended_at": lazy_gettext("mbaroi më"),
    "done_at": lazy_gettext("përfunduar më"),
    "settled_at": lazy_gettext("përfunduar më"),
    "used_at": lazy_gettext("përdorur më"),
    "asked_at": lazy_gettext("kërkuar më"),
    "opened_at": lazy_gettext("kërkuar më"),
    "answered_at": lazy_gettext("përgjigjur më"),
    "handed_at": lazy_gettext("dorëzuar më"),
    "returned_at": lazy_gettext("kthyer më"),
    "withdrawn_at": lazy_gettext("tërhequr më"),
    "made_at": lazy_gettext("bërë më"),
    "revoked_at": lazy_gettext("anuluar më"),
}

# In minor units, but for the units that points were turned into.
_AMOUNTS = frozenset({"total", "due_now", "amount", "price", "before", "price_seen", "points_worth", "worth"})
_UNITS = frozenset({("club_service", "amount")})
_PHONES = frozenset({"phone", "msisdn", "taken"})
# Tables whose rows say by a key alone what they are of.
_KEYS = {
    "cart_line": ("variant", "tariff"),
    "wish_line": ("device", "variant"),
    "watch": ("variant",),
    "voucher": ("offer",),
    "gift_handout": ("gift",),
}
_WATCHES = {
    "stock": lazy_gettext("Më trego kur të kthehet"),
    "price": lazy_gettext("Më trego kur të ulet çmimi"),
}
_BILLS = {
    "awaiting_payment": lazy_gettext("Pret pagesën"),
    "paid": lazy_gettext("E paguar"),
    "lapsed": lazy_gettext("Skadoi pa pagesë"),
}
_CODES = {
    ("order", "state"): state_name,
    ("order_event", "state"): state_name,
    ("payment", "state"): desk_words.PAYMENT_STATES,
    ("refund", "state"): desk_words.REFUND_STATES,
    ("order_points", "state"): desk_words.POINTS_STATES,
    ("claim", "state"): desk_words.CLAIM_STATES,
    ("claim", "kind"): desk_words.CLAIMS,
    ("claim", "about"): desk_words.ABOUT,
    ("mail", "state"): desk_words.MESSAGE_STATES,
    ("mail", "kind"): desk_words.MESSAGES,
    ("delivery_attempt", "document"): desk_words.DOCUMENTS,
    ("bill_payment", "state"): _BILLS,
    ("club_service", "state"): club_words.service_state,
    ("fixed_service", "kind"): club_words.fixed_kind,
    ("consent", "kind"): consent_words.NAMES,
    ("consent", "channel"): consent_words.PLACES,
    ("watch", "kind"): _WATCHES,
    ("contract", "kind"): contract_name,
    ("audit_entry", "what"): trail_words.WHAT,
}
_CODES_EVERYWHERE = {
    "contract_type": contract_name,
    "role": trail_words.ROLES,
    "author": trail_words.ROLES,
    "language": language.NAMES,
    "wish": wish_hours,
}


def table(name: str) -> str:
    """What the rows of a table are; as it is called where nobody named it."""
    return str(TABLES.get(name, name.replace("_", " ")))


def column(table: str, name: str) -> str | None:
    """What a column of `table` is called; None of one that is for programs alone."""
    if (table, name) == ("claim", "about"):
        return gettext("për çfarë")
    if name in COLUMNS:
        return str(COLUMNS[name])
    held = {column: what for kind in personal.TABLES[table].kinds.values() for column, what in kind.items()}
    return str(DATA[held[name]]) if name in held else None


class Reader:
    """Reads rows of `tables` out in this request's language; what keys stand for takes at most five queries."""

    def __init__(self, tables: dict[str, list[dict]]):
        self._language = language.current()
        wanted: dict[str, set] = {}
        for name, keys in _KEYS.items():
            for row in tables.get(name, ()):
                for key in keys:
                    wanted.setdefault(key, set()).add(row.get(key))
        self._names = {key: self._named(key, ids - {None}) for key, ids in wanted.items()}

    def _named(self, key: str, ids: set) -> dict[int, str]:
        code = self._language
        if not ids:
            return {}
        if key == "variant":
            found = Variant.select(Variant, Device, Brand).join(Device).join(Brand).where(Variant.id.in_(ids))
            return {variant.id: self._variant(variant) for variant in found}
        if key == "device":
            found = Device.select(Device, Brand).join(Brand).where(Device.id.in_(ids))
            return {device.id: device.full_name(code) for device in found}
        model = {"tariff": Tariff, "offer": PartnerOffer, "gift": ClubGift}[key]
        found = model.select().where(model.id.in_(ids))
        return {one.id: one.name if key == "tariff" else one.name(code) for one in found}

    def _variant(self, variant: Variant) -> str:
        name, size, colour = (
            variant.device.full_name(self._language),
            variant.storage_gb,
            variant.colour(self._language),
        )
        return ", ".join(filter(None, (name, storage_label(size) if size else "", colour)))

    def row(self, table: str, row: dict) -> list[tuple[str, str]]:
        """(what, value) of each column that people read something of; empty ones are left out."""
        shown = []
        for name, held in row.items():
            of_key = name in _KEYS.get(table, ())
            if held in (None, "", [], {}) or not (of_key or name in personal.TABLES[table].columns):
                continue
            title = column(table, name)
            if title is None or (name == "device" and row.get("variant") in self._names.get("variant", ())):
                continue
            text = self._names[name].get(held, "") if of_key else self._value(table, name, held, row)
            if text:
                shown.append((title, text))
        return shown

    def _value(self, table: str, name: str, held, row: dict) -> str:
        if table == "club_entry" and name == "kind":
            return club_words.entry_text(ClubEntry(kind=held, about=row.get("about") or {}))
        if name in ("payment", "payment_way"):
            return desk_words.way_name(held, row.get("parts"))
        codes = _CODES.get((table, name)) or _CODES_EVERYWHERE.get(name)
        if codes is not None:
            # A code that nobody named is shown as it is.
            with suppress(KeyError):
                return str(codes(held) if callable(codes) else codes[held])
        if isinstance(held, bool):
            return gettext("Po") if held else gettext("Jo")
        if name in _AMOUNTS and isinstance(held, int) and (table, name) not in _UNITS:
            return den(held)
        if name in _PHONES:
            return phone_text(str(held))
        if name == "storage_gb":
            return storage_label(held)
        if name in ("place", "municipality"):
            with suppress(KeyError):
                return (municipality_of if name == "municipality" else place_of)(held).name(self._language)
        if isinstance(held, dict):
            return str(held.get(self._language) or held.get("sq") or "")
        if isinstance(held, list):
            return json.dumps(held, ensure_ascii=False)
        return _day_or_moment(str(held))


def _day_or_moment(text: str) -> str:
    with suppress(ValueError):
        if len(text) == 10:
            return day_text(date.fromisoformat(text))
        if text[10:11] == "T":
            return moment(datetime.fromisoformat(text))
    return text
