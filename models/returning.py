"""What the shop knows of who comes back: an order that is filled in, and ready to be looked at (CHK-2, CHK-3).

Only what was typed or chosen before is filled in, and only where nothing was typed since. Points, the card of a gift,
notes and the terms are of one order: nobody finds them chosen.
"""

from contextlib import suppress

from models.cart import Chosen, InCartAlready
from models.checkout import Checkout
from models.eligibility import ways_left
from models.number import Number
from models.order import Order
from models.payment_ways import CARD, POINTS, ways
from models.places import municipality_of, place_of
from models.profile import Profile
from models.saved_address import SavedAddress
from models.standing import reasons_against, standings

_PERSON = ("first_name", "last_name", "email", "phone")


def last_order(profile: Profile) -> Order | None:
    """The profile's newest order, whatever became of it."""
    return Order.select().where(Order.profile == profile).order_by(Order.placed_at.desc(), Order.id.desc()).first()


def fill_in_person(checkout: Checkout, profile: Profile, numbers: list[Number], last: Order | None = None) -> None:
    """Who it is, from the profile, where nothing was typed; `last` has what the profile does not say (CHK-2)."""
    if checkout.first_name or checkout.email:
        return
    for name in _PERSON:
        setattr(checkout, name, getattr(profile, name) or (getattr(last, name) if last is not None else ""))
    if not checkout.phone and numbers:
        checkout.phone = numbers[0].msisdn


def fill_in_address(checkout: Checkout, profile: Profile) -> None:
    """Where it goes: the address that is chosen first, else where the last order went (CHK-2).

    What was typed stays. What is left of the order before is none of it: nobody was at a step since.
    """
    typed = checkout.street or checkout.place
    if typed and checkout.reached:
        return
    first = next((address for address in SavedAddress.of(profile) if address.is_deliverable), None)
    if first is not None:
        _take(checkout, first.street, first.postal_code, first.municipality)
    elif not typed and (last := last_order(profile)) is not None:
        with suppress(KeyError):
            place_of(last.postal_code), municipality_of(last.municipality)
            _take(checkout, last.street, last.postal_code, last.municipality)


def _take(checkout: Checkout, street: str, postal_code: str, municipality: str) -> None:
    checkout.street, checkout.municipality = street, municipality
    checkout.place = checkout.postal_code = postal_code


def fill_in(checkout: Checkout, profile: Profile, numbers: list[Number], lines: list[Chosen], now) -> str | None:
    """Fill in all that is known; returns the step that has to be gone to, None where the overview may be shown.

    Who is not known well enough begins at "data", and nothing is written. A contract without a number gets the only
    one of the profile's that it may be for; where there is a choice, or none, the step is "number". A contract that
    may not be paid as it was chosen leads to "payment".
    """
    last = None if profile.last_name and (profile.phone or numbers) else last_order(profile)
    fill_in_person(checkout, profile, numbers, last)
    fill_in_address(checkout, profile)
    if not (checkout.has_data and checkout.has_delivery):
        return "data"
    step, contracts = None, [chosen for chosen in lines if chosen.is_contract]
    known = standings([number.holder.id for number in numbers], now) if contracts else {}
    waiting = [chosen for chosen in contracts if not chosen.msisdn]
    if waiting and not (len(waiting) == 1 and _propose_number(checkout, waiting[0], numbers, lines, now, known)):
        step = "number"
    # How a contract is paid stands in its line; everything else is paid by card (PAY-1).
    if all(_may_be_paid(chosen, profile, numbers, lines, now, known) for chosen in contracts):
        checkout.payment_way = CARD
    else:
        step = step or "payment"
    checkout.save()
    return step


def _propose_number(checkout: Checkout, chosen: Chosen, numbers, lines, now, known) -> bool:
    """Let the line be for the only number that it can be for; whether there is one (ELG-1…5)."""
    only = _only_number(chosen, numbers, lines, now, known)
    if only is None:
        return False
    try:
        checkout.cart.choose_number(chosen.id, only)
    except InCartAlready:
        return False
    chosen.line.number = only
    return True


def _only_number(chosen: Chosen, numbers, lines, now, known) -> Number | None:
    """The number that a Besnik 24 device can be for, where there is no other to choose from (ELG-1…5)."""
    if chosen.contract_type != "besnik24":
        return None
    usable = [
        (number, reasons)
        for number in numbers
        if CARD
        in ways_left([CARD], reasons := reasons_against(chosen, numbers, lines, now, number=number, known=known))
    ]
    if len(usable) != 1 or usable[0][1]:
        # With a reason against it the shopper decides: by card, or not at all (ELG-3).
        return None
    return usable[0][0]


def _may_be_paid(chosen: Chosen, profile, numbers, lines, now, known) -> bool:
    way = chosen.line.payment
    if way not in ways(chosen.contract_type, profile is not None, bool(numbers)) or way == POINTS:
        return False
    against = reasons_against(chosen, numbers, lines, now, payment=way, known=known)
    return way in ways_left([way], against)
