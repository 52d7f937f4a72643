"""Who may buy what, paid how: every cell of the table in docs/rules.md is placed as an order (PAY-1, ELG-1…6)."""

import re
from itertools import product
from pathlib import Path

import pytest

from models.base import db
from models.cart import Cart, InCartAlready, NotForSale
from models.checkout import Incomplete, NotEligible, PointsChanged
from models.club_member import ClubMember
from models.new_number import NewNumber
from models.number import Number
from models.order_points import OrderPoints
from models.payment_ways import CARD, POINTS
from models.points_choice import PointsChoice
from tests.club import joined
from tests.world import (
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    has_device,
    owes,
    own_number,
    place,
    profile,
)

RULES = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
WAYS = ("card", "points", "first_bill", "instalments")
SKUS = {"device_only": "TAB-GREY-64", "accessory": "CASE-BLACK", "prepaid_sim": "SIM-PREPAID"}
OWN, OTHER = "38970100001", "38970100002"


def _another(number):
    """One more number of the same holder, in nobody's profile."""
    return Number.create(msisdn=OTHER, subscriber=number.subscriber, sim_end="100002", kind="postpaid")


# What is known of the number, and of its holder: the columns' names in docs/rules.md.
STATES = {
    "nothing against it": lambda number: None,
    "debt": owes,
    "debt paid 2 h ago in a shop": lambda number: owes(number, paid_hours_ago=2),
    "debt paid 2 h ago online": lambda number: owes(number, paid_hours_ago=2, through="online"),
    "debt paid 5 h ago online": lambda number: owes(number, paid_hours_ago=5, through="online"),
    "50 % of another number's device paid": lambda number: has_device(_another(number), 50),
    "80 % of another number's device paid": lambda number: has_device(_another(number), 80),
    "subscriber for 3 months": None,
    "has Besnik 24 itself": lambda number: has_device(number, 80),
    "in an open order": None,
    "in the cart already": None,
}
PEOPLE = ("guest", "no number", *STATES)


def person(who: str, segment: str):
    """The profile and its number of a row of the table."""
    if who == "guest":
        return None, None
    owner = profile()
    if who == "no number":
        return owner, None
    newcomer = who == "subscriber for 3 months"
    number = own_number(owner, OWN, segment=segment, months=3 if newcomer else 60, has_history=not newcomer)
    if STATES[who]:
        STATES[who](number)
    if who == "in an open order":
        cart = Cart.begin(NOW).join(owner, NOW)
        contract_line(cart, number=number)
        place(checkout_of(cart), profile=owner)
    return owner, number


def outcome(world, bought: str, who: str, segment: str, payment: str) -> str:
    """What comes of the attempt, in the words of the table."""
    with_points = payment == POINTS
    if with_points:
        # Points go beside a one-off card payment (PAY-4).
        payment = CARD
    owner, number = person(who, segment)
    member = _member(number) if with_points else None
    cart = Cart.begin(NOW) if owner is None else Cart.begin(NOW).join(owner, NOW)
    if bought in SKUS:
        if payment != "card":
            return "–"
        cart = cart_with(world, SKUS[bought], profile=owner)
    else:
        if who == "in the cart already":
            contract_line(cart, number=number)
        picked = number if bought == "besnik24" else NewNumber.create(msisdn="38970227418")
        try:
            line = contract_line(cart, contract_type=bought, payment=payment, parts=24)
        except NotForSale:
            return "–"
        if bought == "new_number":
            picked.hold(cart, NOW)
            picked.attach(line, NOW)
        elif picked is not None:
            try:
                cart.choose_number(line.id, picked)
            except InCartAlready:
                return "ELG-5"
    try:
        checkout = checkout_of(cart)
        if with_points:
            # The ids of a form can be anybody's: a guest tries with somebody's points, too.
            choice = PointsChoice(owner, cart.lines(NOW), NOW)
            checkout.choose_points(choice, member.id, 100)
        order, paid = place(checkout, profile=owner)
    except PointsChanged:
        return "–"
    except NotEligible as refused:
        return ", ".join(dict.fromkeys(reason.rule for reason in refused.reasons))
    except Incomplete as missing:
        return {"number": "log in" if owner is None else "add a number", "payment": "–"}[missing.step]
    if paid is None:
        assert (order.state, order.due_now) == ("confirmed", 0)
        return "yes, billed"
    assert order.state == "awaiting_payment"
    assert paid.amount == order.due_now
    if with_points:
        assert (order.points, order.due_now) == (100, sum(line.quote.today for line in order.lines()) - 5_000)
        assert (OrderPoints.of(order).member_id, order.receiver) == (member.id, member.holder.name)
        return "yes, bank and points"
    return "yes, bank"


def _member(number: Number | None) -> ClubMember:
    """The number as a member with points; where there is none, somebody else's."""
    if number is None:
        number = own_number(profile("member@example.com"), "38970100077")
    return joined(number, points=1000)


def table() -> dict[tuple[str, str, str], str]:
    """The cells of docs/rules.md by (bought, who, way to pay)."""
    text = RULES.read_text(encoding="utf-8")
    part = text[text.index("<!-- who may buy: begin -->") : text.index("<!-- who may buy: end -->")]
    cells = {}
    for line in part.splitlines():
        found = [cell.strip() for cell in line.strip("|").split("|")]
        if len(found) == 2 + len(WAYS) and re.fullmatch(r"`\w+`", found[0]):
            for way, cell in zip(WAYS, found[2:], strict=True):
                cells[found[0].strip("`"), found[1], way] = cell
    return cells


BOUGHT = (*SKUS, "new_number", "besnik24")


def test_the_table_has_a_cell_for_every_contract_type_person_and_way_to_pay():
    assert set(table()) == {(bought, who, way) for bought in BOUGHT for who in PEOPLE for way in WAYS}


@pytest.mark.rule(
    "PAY-1", "PAY-2", "PAY-3", "PAY-4", "ELG-1", "ELG-2", "ELG-3", "ELG-4", "ELG-5", "ELG-6", "OFF-4", "OFF-5"
)
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("bought", BOUGHT)
def test_an_order_ends_as_its_cells_of_the_table_say(bought, who):
    world, cells, ended = build(), table(), {}

    for way, segment in product(WAYS, ("private", "business")):
        with db.atomic() as attempt:
            ended[way, segment] = outcome(world, bought, who, segment, way)
            attempt.rollback()

    assert ended == {(way, segment): cells[bought, who, way] for way, segment in ended}


if __name__ == "__main__":
    # Prints the table as the models have it, to be read before it is written down.
    for bought in BOUGHT:
        for who in PEOPLE:
            cells = []
            for way in WAYS:
                with db.atomic() as transaction:
                    cells.append(outcome(build(), bought, who, "private", way))
                    transaction.rollback()
            print(f"| `{bought}` | {who} | " + " | ".join(cells) + " |")
