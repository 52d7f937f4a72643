"""The box at the checkout by which a left cart may be reminded of: empty until somebody ticks it (PRV-2)."""

from flask import request

import config
from language import current
from models.cart_reminder import KIND, remember_wish
from models.checkout import Checkout
from models.consent import Consent
from views.consent_words import WORDING
from views.shopper import shopper

FIELD = "kujtesa"


def reminder_box(checkout: Checkout) -> dict:
    """What the step of the data shows of it; none for a profile that agreed, or where none are written."""
    profile = shopper().profile
    if not config.CART_REMINDER_HOURS or (profile is not None and Consent.live(KIND, profile=profile)):
        return {}
    ticked = FIELD in request.form if request.method == "POST" else profile is None and bool(checkout.remind_in)
    return {"remind_wording": WORDING[KIND], "remind": ticked}


def take_wish(checkout: Checkout, before: str) -> None:
    """Keep what was ticked, with the words beside it: a profile's for all its carts, a guest's for this one.

    `before` is the e-mail that the checkout had until now.
    """
    if not config.CART_REMINDER_HOURS:
        return
    person, wants, wording = shopper(), FIELD in request.form, str(WORDING[KIND])
    if person.profile is None:
        remember_wish(checkout, wants, current(), wording, person.now, before)
    elif wants:
        Consent.say(person.profile, KIND, True, person.now, wording=wording, channel="checkout")
