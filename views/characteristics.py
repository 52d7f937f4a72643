"""The facts of a device in the words and numbers of each language (CAT-3, LOC-1)."""

import language
from models.money import SIGNS, symbol
from models.order import storage_label
from views.words import gettext, ngettext

_NBSP = "\u00a0"
_PORTS = {"usb-c": "USB-C", "lightning": "Lightning", "micro-usb": "Micro-USB"}


def grouped(number: int) -> str:
    """4000 → "4.000", as the language groups digits."""
    if number < 1000:
        return str(number)
    return f"{number:,}".replace(",", SIGNS.get(language.current(), SIGNS["en"])[0])


def decimal(value) -> str:
    """6.2 → "6,2"; what is no number stays as it is."""
    text = f"{value:.10g}" if isinstance(value, int | float) else str(value)
    return text.replace(".", SIGNS.get(language.current(), SIGNS["en"])[1])


def currency() -> str:
    return symbol(language.current())


def _parts(text, sign: str) -> list[str]:
    return [part.strip() for part in str(text).replace("×", "x").split(sign) if part.strip()]


def _screen(facts) -> str:
    size, rate = facts.get("screen_in"), facts.get("refresh_hz")
    parts = [gettext("%(size)s inç", size=decimal(size)) if size else "", facts.get("screen_tech", "")]
    text = " ".join(part for part in parts if part)
    return ", ".join(part for part in (text, f"{rate}{_NBSP}Hz" if rate else "") if part)


def _resolution(facts) -> str:
    if not facts.get("screen_px"):
        return ""
    return gettext("%(size)s piksele", size=f"{_NBSP}×{_NBSP}".join(_parts(facts["screen_px"], "x")))


def _memory(facts, variant) -> str:
    parts = [storage_label(variant.storage_gb)] if variant.storage_gb else []
    if variant.ram_gb:
        parts.append(f"{variant.ram_gb}{_NBSP}GB{_NBSP}RAM")
    return ", ".join(parts)


def _megapixels(value) -> str:
    return f"{' + '.join(decimal(part) for part in _parts(value, '+'))}{_NBSP}MP" if value else ""


def _battery(facts) -> str:
    parts = []
    if facts.get("battery_mah"):
        parts.append(f"{grouped(facts['battery_mah'])}{_NBSP}mAh")
    if facts.get("battery_hours"):
        hours = facts["battery_hours"]
        if hours >= 72 and hours % 24 == 0:
            days = int(hours // 24)
            parts.append(ngettext("deri %(num)d ditë", "deri %(num)d ditë", days))
        else:
            parts.append(gettext("deri %(hours)s orë", hours=decimal(hours)))
    if facts.get("charging_w"):
        parts.append(gettext("karikim %(power)s", power=f"{decimal(facts['charging_w'])}{_NBSP}W"))
    return ", ".join(parts)


def _network(facts) -> str:
    parts = []
    if facts.get("network"):
        parts.append(gettext("Vetëm Wi-Fi") if facts["network"] == "none" else facts["network"])
    cards = [
        f"{part[0]} {part[1:]}" if part[0].isdigit() and part[1:2].isalpha() else part
        for part in _parts(facts.get("sim", ""), "+")
    ]
    if cards:
        parts.append(_and(cards))
    return ", ".join(parts)


def _and(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return gettext("%(these)s dhe %(that)s", these=", ".join(words[:-1]), that=words[-1])


def _size(facts) -> str:
    parts = []
    if facts.get("size_mm"):
        sides = [decimal(side) for side in _parts(facts["size_mm"], "x")]
        parts.append(f"{' × '.join(sides)}{_NBSP}mm")
    if facts.get("weight_g"):
        parts.append(f"{decimal(facts['weight_g'])}{_NBSP}g")
    return ", ".join(parts)


def _in_box(facts) -> str:
    names = {
        "phone": gettext("telefoni"),
        "tablet": gettext("tableti"),
        "watch": gettext("ora"),
        "earbuds": gettext("kufjet"),
        "charger": gettext("karikuesi"),
        "powerbank": gettext("powerbanku"),
        "case": gettext("mbrojtësja"),
        "cable": gettext("kablloja"),
        "usb-c-cable": gettext("kablloja USB-C"),
        "strap": gettext("rripi"),
        "sim-tool": gettext("gjilpëra e SIM-it"),
        "sim": gettext("kartela SIM"),
    }
    text = ", ".join(names.get(part, part) for part in _parts(facts.get("in_box", ""), "+"))
    return text[:1].upper() + text[1:]


def warranty(device) -> str:
    """How long; nothing for a card, which is replaced and not repaired."""
    months = 0 if device.kind == "prepaid_sim" else device.warranty_months
    return ngettext("%(num)d muaj", "%(num)d muaj", months) if months else ""


def specifications(device, variant) -> list[tuple[str, str, str]]:
    """(key, name, text) of what is known of `variant`, in the order in which people ask."""
    return [row for row in rows_of(device, variant) if row[2]]


def rows_of(device, variant) -> list[tuple[str, str, str]]:
    """As `specifications`, with an empty text for what is not known: the same keys for every device."""
    facts = device.facts
    system = " ".join(str(facts[key]) for key in ("os", "os_version") if facts.get(key))
    return [
        ("ekrani", gettext("Ekrani"), _screen(facts)),
        ("rezolucioni", gettext("Rezolucioni"), _resolution(facts)),
        ("procesori", gettext("Procesori"), facts.get("chipset", "")),
        ("memoria", gettext("Memoria"), _memory(facts, variant)),
        ("kamera", gettext("Kamera kryesore"), _megapixels(facts.get("rear_mp"))),
        ("kamera-para", gettext("Kamera e përparme"), _megapixels(facts.get("front_mp"))),
        ("sistemi", gettext("Sistemi"), system),
        (
            "fuqia",
            gettext("Fuqia"),
            f"{decimal(facts['power_w'])}{_NBSP}W" if facts.get("power_w") else "",
        ),
        (
            "kapaciteti",
            gettext("Kapaciteti"),
            f"{grouped(facts['capacity_mah'])}{_NBSP}mAh" if facts.get("capacity_mah") else "",
        ),
        (
            "gjatesia",
            gettext("Gjatësia"),
            f"{decimal(facts['length_m'])}{_NBSP}m" if facts.get("length_m") else "",
        ),
        ("bateria", gettext("Bateria"), _battery(facts)),
        ("lidhja", gettext("Lidhja e karikimit"), _PORTS.get(facts.get("port"), "")),
        ("rrjeti", gettext("Rrjeti"), _network(facts)),
        ("bluetooth", "Bluetooth", facts.get("bluetooth", "")),
        ("uji", gettext("Mbrojtja nga uji"), facts.get("water", "")),
        ("permasat", gettext("Përmasat"), _size(facts)),
        ("kutia", gettext("Në kuti"), _in_box(facts)),
        ("garancia", gettext("Garancia"), warranty(device)),
    ]


def summary(device) -> str:
    """The line below the name: what tells this device from others."""
    facts = device.facts
    note = device.note(language.current())
    parts = [note] if note else []
    if device.kind in ("phone", "tablet"):
        if facts.get("screen_in"):
            parts.append(gettext("ekran %(size)s inç", size=decimal(facts["screen_in"])))
        if facts.get("rear_mp"):
            best = max(_parts(facts["rear_mp"], "+"), key=float)
            parts.append(gettext("kamerë %(size)s", size=f"{decimal(best)}{_NBSP}MP"))
        if facts.get("network"):
            parts.append(gettext("vetëm Wi-Fi") if facts["network"] == "none" else facts["network"])
    if time := warranty(device):
        parts.append(gettext("garanci %(time)s", time=time))
    text = " · ".join(parts)
    return text[:1].upper() + text[1:]
