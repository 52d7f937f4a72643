"""The card that lies in a gift's parcel: the giver's words, and no price (AFT-1).

No paper is kept of it: the words stand in the order, and change no more once it is packed, so that a reprint is the
same. The receipt form beside it has no prices either; a contract has them, for whoever signs it has to see them.
"""

import unicodedata
from dataclasses import dataclass

import config
import mails
from mails import clean
from models.order import Order


@dataclass(frozen=True)
class GiftCard:
    """As a `Document`, what stands on it."""

    content: dict

    @classmethod
    def of(cls, order: Order, now) -> "GiftCard":
        """The card of an order that has one, in the order's language."""
        _ = mails.words(order.language).gettext
        return cls(
            {
                "title": _printable(order.gift_note) or _("Një dhuratë për ju"),
                "lead": _("Një dhuratë për ju"),
                "number": order.number,
                "number_name": _("Numri i porosisë"),
                "about": [],
                "shop": config.BRAND,
                "contact": " · ".join((config.BRAND, config.CONTACT_PHONE, config.CONTACT_EMAIL)),
                "page_name": _("Faqja %(page)s nga %(pages)s") % {"page": "{page}", "pages": "{pages}"},
                "language": order.language,
                "blocks": [["pairs", [[_("Nga"), clean(order.full_name)]]]],
            }
        )


def _printable(text: str) -> str:
    """The words without small pictures, which the paper's letters do not have: a heart became a question mark."""
    letters = (one for one in clean(text) if unicodedata.category(one) not in ("So", "Sk") and one != "\ufe0f")
    return " ".join("".join(letters).split())
