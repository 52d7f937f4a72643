"""Papers for the tests: orders that have all kinds of them, and the text of a PDF as somebody would copy it."""

import io

from pypdf import PdfReader

from gateways.bank import Verdict
from models.new_number import NewNumber
from models.order import Order
from models.points_choice import PointsChoice
from tests.club import joined
from tests.world import NOW, cart_with, checkout_of, contract_line, later, move, own_number, place, profile

NEW = "38970200001"


def subscribed(world, language="sq", *, payment="instalments", parts=24, extra=("CASE-BLACK",), **typed) -> Order:
    """A confirmed order of a Besnik 24 device, paid by the bill, and of accessories paid by card."""
    owner = profile()
    number = own_number(owner)
    cart = cart_with(world, *extra, profile=owner)
    contract_line(cart, payment=payment, parts=parts, number=number)
    order, card = place(checkout_of(cart, **typed), NOW, language, profile=owner)
    return paid(order, card)


def of_new_number(world, language="sq") -> Order:
    """A confirmed order of a guest: a device with a new number, paid by card."""
    cart = cart_with(world)
    number = NewNumber.create(msisdn=NEW, state="free")
    contract_line(cart, contract_type="new_number", payment="card", parts=None, number=number)
    return paid(*place(checkout_of(cart), NOW, language))


def with_points(world, language="sq", sku="TAB-GREY-64", points=1000) -> Order:
    """A confirmed order of a tablet, paid by card and points."""
    owner = profile()
    member = joined(own_number(owner), points=points)
    checkout = checkout_of(cart_with(world, sku, profile=owner))
    checkout.choose_points(PointsChoice(owner, checkout.cart.lines(NOW), NOW), member.id, points)
    return paid(*place(checkout, NOW, language, profile=owner))


def paid(order: Order, payment) -> Order:
    if payment is not None:
        payment.settle(Verdict.PAID, later(1))
    return order.relock()


def brought_to(order: Order, *states: str) -> Order:
    """The order, one step after the other, a minute each."""
    for minute, state in enumerate(states, 2):
        move(order, state, later(minute))
    return order.relock()


def pages(data: bytes) -> list[str]:
    """The text of each page, in the reading order of the file, with plain spaces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


def text(data: bytes) -> str:
    return " ".join(pages(data))
