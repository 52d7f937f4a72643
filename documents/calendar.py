"""The delivery as an entry for a calendar, by RFC 5545: the promised day, or the arranged time (DLV-2, DLV-5).

Each change of the order raises SEQUENCE, and the UID stays: a calendar that takes the file again moves its entry.
Times are written in UTC, which every calendar shows in its own zone; a day without a time is one of Skopje.
"""

import re
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import config
import mails
from mails import clean
from models.calendar import ZONE, wish_hours
from models.delivery import ArrangedTime, arranged
from models.order import Order, OrderEvent
from models.trail import AuditEntry
from views.templating import phone_text

# From here on there is a delivery to be told of.
COMING = frozenset({"confirmed", "packed", "with_courier", "delivery_failed"})
# In these it does not come any more.
OFF = frozenset({"cancelled", "returned"})


def is_known(order: Order) -> bool:
    """Whether there is, or was, a delivery that a calendar may have: not of an order that was never confirmed."""
    return order.state in COMING or order.state == "delivered" or (order.state in OFF and order.was("confirmed"))


def entry_of(order: Order, language: str, address: str, now: datetime) -> str:
    """The file's text, in `language`; `address` is where the order can be looked at.

    Four queries at most. Call it for an order that `is_known`.
    """
    _ = mails.words(language).gettext
    time = arranged(order) if order.state in COMING else _last_time(order)
    said = [_("E pranon %(name)s, me dokument identifikimi.") % {"name": clean(order.receiver)}]
    if time is None:
        title = _("%(shop)s: porosia %(number)s vjen deri sot")
        said.insert(
            0, _("Korrieri ju telefonon në %(phone)s për ta caktuar kohën.") % {"phone": phone_text(order.phone)}
        )
        if order.wish:
            said.insert(1, _("Dëshira juaj: ora %(hours)s.") % {"hours": wish_hours(order.wish)})
        when = [
            ("DTSTART;VALUE=DATE", _day(order.promised_on)),
            ("DTEND;VALUE=DATE", _day(order.promised_on + timedelta(days=1))),
            ("TRANSP", "TRANSPARENT"),
        ]
    else:
        title = _("%(shop)s: vjen porosia %(number)s")
        when = [
            ("DTSTART", _moment(_at(time.day, time.starts))),
            ("DTEND", _moment(_at(time.day, time.ends))),
            ("TRANSP", "OPAQUE"),
        ]
    if order.state in OFF:
        # Calendars that keep a cancelled entry show its title.
        title = _("%(shop)s: porosia %(number)s nuk vjen më")
    lines = [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", text(f"-//{config.BRAND}//Porosi//{language.upper()}")),
        ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"),
        ("BEGIN", "VEVENT"),
        ("UID", text(f"{order.number}@{urlsplit(config.BASE_URL).hostname}")),
        ("SEQUENCE", str(_changes(order))),
        ("DTSTAMP", _moment(now)),
        *when,
        ("SUMMARY", text(title % {"shop": config.BRAND, "number": order.number})),
        ("LOCATION", text(clean(order.address_in(language)))),
        ("DESCRIPTION", text("\n".join([*said, address]))),
        ("URL", address),
        ("STATUS", _status(order, time)),
        ("END", "VEVENT"),
        ("END", "VCALENDAR"),
    ]
    return "".join(f"{fold(f'{name}:{value}')}\r\n" for name, value in lines)


def is_coming(order: Order) -> bool:
    """Whether a page offers it: while the order is on its way, and after a failed attempt once a time is arranged."""
    return order.state in COMING and (order.state != "delivery_failed" or arranged(order) is not None)


def _status(order: Order, time: ArrangedTime | None) -> str:
    if order.state in OFF:
        return "CANCELLED"
    # The promised day is over, and nobody knows the next one yet.
    return "TENTATIVE" if order.state == "delivery_failed" and time is None else "CONFIRMED"


def _last_time(order: Order) -> ArrangedTime | None:
    """The time that was arranged last: an entry of an order that is over stays where it was."""
    return ArrangedTime.select().where(ArrangedTime.order == order).order_by(ArrangedTime.attempt.desc()).first()


def _changes(order: Order) -> int:
    """How often something happened to the order: rows that are only ever added."""
    events = OrderEvent.select().where(OrderEvent.order == order).count()
    return events + AuditEntry.select().where(AuditEntry.order == order).count()


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def text(value: str) -> str:
    """A value of type TEXT: backslash, semicolon, comma and line ends escaped, nothing else that steers (3.3.11)."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\\", "\\\\").replace(";", "\\;")
    value = value.replace(",", "\\,").replace("\n", "\\n")
    return re.sub(r"[\x00-\x1f\x7f]", "", value)


def fold(line: str) -> str:
    """A content line in pieces of at most 75 octets, never split inside of a character (3.1)."""
    pieces, piece, room = [], "", 75
    for character in line:
        size = len(character.encode())
        if size > room:
            pieces.append(piece)
            # The space that begins the next piece is one of its octets.
            piece, room = "", 74
        piece += character
        room -= size
    return "\r\n ".join([*pieces, piece])
