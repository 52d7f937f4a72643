"""What the mails on an order's way to the door say; mails.py writes them out (DLV-3…5, MSG-3)."""

import language as languages
from models.delivery import DeliveryAttempt, Slot, is_holder_only
from models.order_points import OrderPoints
from models.outbox import Mail


def context(mail: Mail, language: str) -> dict:
    """What the templates of mail/<kind>/ are given beside the order's own."""
    order, data = mail.order, mail.data or {}
    attempt = DeliveryAttempt.get_or_none(DeliveryAttempt.id == data.get("attempt")) if _tells(mail) else None
    return {
        "has_order_link": True,
        "when": slot_text(Slot.read(data["time"]), language) if "time" in data else "",
        "attempt": attempt,
        "reason": reason_text(attempt.reason, language) if attempt is not None and attempt.reason else "",
        "has_contract": any(line.contract_type == "besnik24" for line in order.lines()),
        "holder_only": is_holder_only(order),
        "points_state": OrderPoints.of(order).state if order.points else None,
    }


def _tells(mail: Mail) -> bool:
    # `attempt` of the others is a number, not an id.
    return mail.kind in ("attempt_failed", "delivered")


def slot_text(slot: Slot, language: str) -> str:
    """A time as people say it: "të martën, 24 nëntor, ora 15–18" (DLV-5)."""
    from mails import words

    gettext = words(language).gettext
    phrase = (
        gettext("të hënën, %(date)s, ora %(hours)s"),
        gettext("të martën, %(date)s, ora %(hours)s"),
        gettext("të mërkurën, %(date)s, ora %(hours)s"),
        gettext("të enjten, %(date)s, ora %(hours)s"),
        gettext("të premten, %(date)s, ora %(hours)s"),
        gettext("të shtunën, %(date)s, ora %(hours)s"),
        gettext("të dielën, %(date)s, ora %(hours)s"),
    )[slot.day.weekday()]
    return phrase % {"date": languages.day_and_month(slot.day, language), "hours": slot.hours}


def reason_text(reason: str, language: str) -> str:
    """Why an attempt failed, as the customer is told; a courier's own words stay in the house (DLV-5)."""
    from mails import words

    gettext = words(language).gettext
    return {
        "no_answer": gettext("Askush nuk u përgjigj te dera as në telefon."),
        "not_home": gettext("Në adresë nuk ishte askush që mund ta pranonte."),
        "refused": gettext("Dërgesa nuk u pranua."),
        "wrong_address": gettext("Korrieri nuk e gjeti adresën."),
        "no_id": gettext("Te dera nuk u tregua dokument i vlefshëm."),
        "no_authorisation": gettext("Te dera ishte një person tjetër, pa autorizim të rregullt."),
        "other": gettext("Dorëzimi nuk ishte i mundur."),
    }[reason]
