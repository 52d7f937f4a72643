"""The catalogue's fields in words, and a device's trail as its editors read it (DSK-4)."""

from datetime import datetime

import language
from models.device_sheet import promotion_json as as_json
from models.device_sheet import read_path
from models.places import municipality_of
from models.price_list_columns import FAMILIES
from models.trail import AuditEntry
from views.characteristics import decimal, grouped
from views.forms import lazy_gettext
from views.templating import category_name, day_text, den, moment
from views.trail_words import OF_SUBJECT, Change, Words, actor_name, role_name, what_name
from views.words import gettext

# Column of the price list → its name on the page.
NAMES = {
    "slug": lazy_gettext("Adresa në dyqan"),
    "kind": lazy_gettext("Lloji"),
    "brand": lazy_gettext("Prodhuesi"),
    "name_sq": lazy_gettext("Emri, shqip"),
    "name_mk": lazy_gettext("Emri, maqedonisht"),
    "name_en": lazy_gettext("Emri, anglisht"),
    "note_sq": lazy_gettext("Shënim i shkurtër, shqip"),
    "note_mk": lazy_gettext("Shënim i shkurtër, maqedonisht"),
    "note_en": lazy_gettext("Shënim i shkurtër, anglisht"),
    "released": lazy_gettext("Doli në treg"),
    "popularity": lazy_gettext("Popullariteti"),
    "warranty_months": lazy_gettext("Garancia, muaj"),
    "listed": lazy_gettext("Shfaqet në dyqan"),
    "screen_in": lazy_gettext("Ekrani, inç"),
    "screen_tech": lazy_gettext("Lloji i ekranit"),
    "screen_px": lazy_gettext("Piksele"),
    "refresh_hz": lazy_gettext("Rifreskimi, Hz"),
    "chipset": lazy_gettext("Procesori"),
    "rear_mp": lazy_gettext("Kamera prapa, MP"),
    "front_mp": lazy_gettext("Kamera para, MP"),
    "battery_mah": lazy_gettext("Bateria, mAh"),
    "charging_w": lazy_gettext("Karikimi, W"),
    "network": lazy_gettext("Rrjeti"),
    "sim": lazy_gettext("Kartelat SIM"),
    "os": lazy_gettext("Sistemi operativ"),
    "os_version": lazy_gettext("Versioni i sistemit"),
    "size_mm": lazy_gettext("Përmasat, mm"),
    "weight_g": lazy_gettext("Pesha, g"),
    "water": lazy_gettext("Rezistenca ndaj ujit"),
    "bluetooth": "Bluetooth",
    "in_box": lazy_gettext("Në kuti"),
    "power_w": lazy_gettext("Fuqia, W"),
    "capacity_mah": lazy_gettext("Kapaciteti, mAh"),
    "length_m": lazy_gettext("Gjatësia, m"),
    "battery_hours": lazy_gettext("Bateria, orë"),
    "port": lazy_gettext("Lidhja e karikimit"),
    "draw_kind": lazy_gettext("Çka vizatohet"),
    "draw_camera": lazy_gettext("Kamera në vizatim"),
    "draw_hole": lazy_gettext("Kamera e përparme në vizatim"),
    "fits": lazy_gettext("Përshtatet me"),
    "gift_sq": lazy_gettext("Dhurata, shqip"),
    "gift_mk": lazy_gettext("Dhurata, maqedonisht"),
    "gift_en": lazy_gettext("Dhurata, anglisht"),
    "gift_sku": lazy_gettext("SKU i dhuratës"),
    "sku": "SKU",
    "position": lazy_gettext("Radha"),
    "colour_sq": lazy_gettext("Ngjyra, shqip"),
    "colour_mk": lazy_gettext("Ngjyra, maqedonisht"),
    "colour_en": lazy_gettext("Ngjyra, anglisht"),
    "colour_hex": lazy_gettext("Ngjyra, #rrggbb"),
    "colour_family": lazy_gettext("Ngjyra në filtra"),
    "storage_gb": lazy_gettext("Memoria, GB"),
    "ram_gb": "RAM, GB",
    "price": lazy_gettext("Çmimi vetëm për pajisjen"),
    "screen": lazy_gettext("Ngjyrat e ekranit në vizatim"),
    "photo": lazy_gettext("Skedari i fotos"),
    "promotions": lazy_gettext("Promocionet"),
    "besnik24": lazy_gettext("Besnik 24"),
    "new_number": lazy_gettext("Numër i ri"),
    # Of the plain tables.
    "name": lazy_gettext("Emri"),
    "code": lazy_gettext("Kodi"),
    "monthly_price": lazy_gettext("Çmimi në muaj"),
    "internet_gb": lazy_gettext("Internet, GB"),
    "minutes": lazy_gettext("Minuta"),
    "sms": "SMS",
    "partner": lazy_gettext("Partneri"),
    "place": lazy_gettext("Vendi"),
    "points": lazy_gettext("Pikë"),
    "days": lazy_gettext("Ditë që vlen kodi"),
    "since": lazy_gettext("Nga dita"),
    "until": lazy_gettext("Deri më"),
    "detail_sq": lazy_gettext("Hollësi, shqip"),
    "detail_mk": lazy_gettext("Hollësi, maqedonisht"),
    "detail_en": lazy_gettext("Hollësi, anglisht"),
    "municipality": lazy_gettext("Komuna"),
    "postal_code": lazy_gettext("Kodi postar"),
    "street_sq": lazy_gettext("Rruga, shqip"),
    "street_mk": lazy_gettext("Rruga, maqedonisht"),
    "street_en": lazy_gettext("Rruga, anglisht"),
    "weekdays": lazy_gettext("E hënë–e premte"),
    "saturday": lazy_gettext("E shtunë"),
    "sunday": lazy_gettext("E diel"),
    "phone": lazy_gettext("Telefoni"),
    "rows": lazy_gettext("Rreshta"),
    "stock": lazy_gettext("Copë"),
    "change": lazy_gettext("Lëvizja"),
    "reason": lazy_gettext("Arsyeja"),
    "file": lazy_gettext("Skedari"),
    "size": lazy_gettext("Madhësia, bajte"),
}
_AMOUNTS = frozenset({"price", "besnik24", "new_number", "monthly_price"})
REASONS = {
    "delivery": lazy_gettext("Furnizim"),
    "count": lazy_gettext("Numërim"),
    "damage": lazy_gettext("Dëmtim"),
    "correction": lazy_gettext("Korrigjim"),
    "other": lazy_gettext("Tjetër"),
}
FAMILY_NAMES = {
    "black": lazy_gettext("E zezë"),
    "white": lazy_gettext("E bardhë"),
    "grey": lazy_gettext("Gri"),
    "silver": lazy_gettext("Argjend"),
    "blue": lazy_gettext("Blu"),
    "green": lazy_gettext("E gjelbër"),
    "red": lazy_gettext("E kuqe"),
    "pink": lazy_gettext("Rozë"),
    "purple": lazy_gettext("Vjollcë"),
    "yellow": lazy_gettext("E verdhë"),
    "orange": lazy_gettext("Portokalli"),
    "gold": lazy_gettext("Ar"),
    "brown": lazy_gettext("Kafe"),
}
assert set(FAMILY_NAMES) == set(FAMILIES)  # noqa: S101
SEGMENTS = {"all": lazy_gettext("Të gjithë"), "private": lazy_gettext("Vetëm abonentë privatë")}


def name_of(column: str) -> str:
    """A column's name on the page; of a price with a tariff also the tariff's code."""
    stem, colon, code = column.partition(":")
    name = str(NAMES.get(stem, stem))
    return f"{name}, {code}" if colon else name


def path_name(path: str) -> str:
    """A path of a sheet in words: "Çmimi vetëm për pajisjen · S25-BLACK-128"."""
    column, sku = read_path(path)
    return f"{name_of(column)} · {sku}" if sku else name_of(column)


def promotion_text(one: dict) -> str:
    """ "−10 %, 01.12.2025–31.12.2025, vetëm abonentë privatë"; `one` as a sheet holds it."""
    said = [f"−{one['percent']}\u00a0%" if one.get("percent") else den(one["price"])]
    since, until = (moment(datetime.fromisoformat(one[name])) if one.get(name) else "" for name in ("from", "until"))
    if since:
        said.append(gettext("nga %(moment)s", moment=since))
    if until:
        said.append(gettext("deri %(moment)s", moment=until))
    if one.get("segment", "all") != "all":
        said.append(str(SEGMENTS[one["segment"]]))
    return ", ".join(said)


def value_text(path: str, value) -> str:
    """A value of a sheet, or of a table, as people read it; "" where there is none."""
    column = read_path(path)[0].partition(":")[0]
    if value is None or value == "" or value == []:
        return ""
    match column:
        case "promotions":
            return "; ".join(map(promotion_text, value))
        case "kind":
            return category_name(value)
        case "colour_family":
            return str(FAMILY_NAMES.get(value, value))
        case "municipality":
            return municipality_of(value).name(language.current())
        case "reason":
            return str(REASONS.get(value, value))
        case "released":
            return f"{value % 100:02}.{value // 100}"
        case "change":
            return signed(value)
        case "since" | "until":
            return day_text(datetime.fromisoformat(value).date())
    if column in _AMOUNTS and isinstance(value, int):
        return den(value)
    if isinstance(value, bool):
        return gettext("Po") if value else gettext("Jo")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, int):
        return grouped(value)
    if isinstance(value, dict):
        return str(value.get(language.current()) or next(iter(value.values()), ""))
    return decimal(value) if isinstance(value, float) else str(value)


def changes_of(before: dict, after: dict) -> list[Change]:
    """Field by field, in the order of the sheet."""
    return [
        Change(path_name(path), value_text(path, before.get(path)), value_text(path, after.get(path)))
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    ]


def entry_in_words(entry: AuditEntry) -> Words:
    """An entry of a device's trail, a variant's, or a table's."""
    by = entry.by
    changes = changes_of(entry.before, entry.after)
    return Words(what_name(entry.what), changes, role_name(by.role), actor_name(by), entry.why)


def promotion_row_text(row) -> str:
    """As `promotion_text`, of a row."""
    return promotion_text(as_json(row))


def cell_text(value, column: str) -> str:
    """A value of a small table; what has no limit says so."""
    if value is None and column in ("internet_gb", "minutes", "sms"):
        return gettext("Pa kufi")
    return value_text(column, value) or "—"


def job_state(state: str) -> str:
    """What has become of an upload."""
    return {
        "waiting": gettext("Po kontrollohet"),
        "bad": gettext("Ka rreshta të gabuar"),
        "checked": gettext("Pret konfirmimin"),
        "confirmed": gettext("Po merret"),
        "done": gettext("U mor"),
        "failed": gettext("Nuk u mor"),
        "cancelled": gettext("U anulua"),
    }[state]


def signed(number: int) -> str:
    """+10, −2."""
    return f"{number:+d}".replace("-", "\u2212")


_SUBJECTS = ("device", "variant", "gift", "club_gift", "tariff", "brand", "partner", "offer", "shop", "price_list")
OF_SUBJECT.update(dict.fromkeys(_SUBJECTS, entry_in_words))


def register(app) -> None:
    app.jinja_env.filters.update(
        column_name=name_of,
        path_name=path_name,
        catalogue_words=entry_in_words,
        promotion=promotion_text,
        promotion_row=promotion_row_text,
        cell_text=cell_text,
        job_state=job_state,
        signed=signed,
        reason=lambda reason: str(REASONS.get(reason, reason)),
    )
