"""What the mail about a left cart says, and what who paid for somebody else gets; mails.py writes them out."""

from models.cart_reminder import CartReminder
from models.checkout import title_of
from models.consent import take_back_token
from models.drawing import picture_path
from models.outbox import Mail
from models.payment import Payment


def reminder(mail: Mail, language: str, root: str, pictures) -> dict:
    """The lines at the prices of the moment the mail was written, and the links to the cart and to no more mails.

    Nobody's name, number or address: the mail may be passed on.
    """
    found = CartReminder.get_by_id(mail.data["reminder"])
    lines = found.lines(mail.written_at)
    return {
        "about_order": False,
        "lines": [_line(chosen, language, pictures) for chosen in lines],
        "total": sum(chosen.total for chosen in lines if chosen.is_available),
        "cart_url": f"{root}/shporta/e-ruajtur/{found.token()}",
        "until": found.until,
        "written_at": mail.written_at,
        "stop_url": f"{root}/pelqimet/ndal/{take_back_token(found.consent)}",
    }


def _line(chosen, language: str, pictures) -> dict:
    gift = chosen.gift.name(language) if chosen.gift else ""
    return {
        "title": title_of(chosen, language),
        "colour": chosen.variant.colour(language),
        "quantity": chosen.quantity,
        "price": chosen.price.now,
        "before": chosen.price.before,
        "total": chosen.total,
        "gift": gift,
        "contract_type": chosen.contract_type,
        "tariff": chosen.tariff.name if chosen.is_contract and chosen.tariff else "",
        "available": chosen.is_available,
        "cid": pictures.of(picture_path(chosen.device, chosen.variant)),
    }


def receipt(mail: Mail) -> dict:
    """The payer's receipt: the amount, when, and what the bank calls it. Nothing of the order (PRV-1)."""
    payment = Payment.get_by_id(mail.data["payment"])
    return {"about_order": False, "payment": payment, "paid_at": payment.settled_at}
