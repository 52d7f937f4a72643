"""A paid order of a guest, made in the running shop: from its confirmation up to its delivery."""

# As far as the second argument says.
ORDERED = """
import sys
from gateways.bank import Verdict
from models.actor import Actor
from models.base import db, utcnow
from models.cart import Cart
from models.catalogue import Device, Variant
from models.checkout import Checkout
from models.delivery import contents_of, deliver, fail, hand_over, pack
from models.order import Order
from models.order_link import sign

email, until, *slugs = sys.argv[1:]
now = utcnow()
by = Actor("warehouse", "warehouse@example.com")
with db.connection_context(), db.atomic():
    cart = Cart.begin(now)
    for slug in slugs:
        variant = Variant.select().join(Device).where(Device.slug == slug, Variant.listed, Variant.stock > 1)
        cart.add(variant.order_by(Variant.position).first(), now)
    checkout = Checkout.of(cart, now)
    checkout.first_name, checkout.last_name, checkout.email, checkout.phone = "Emri", "Mbiemri", email, "38970123456"
    checkout.street, checkout.place, checkout.postal_code = "Rruga 12", "1200", "1200"
    checkout.municipality, checkout.payment_way = "MK-609", "card"
    checkout.save()
    seen = checkout.digest(cart.lines(now))
    order, payment = checkout.place_order(seen=seen, key=checkout.key, language="sq", now=now)
    payment.settle(Verdict.PAID, now)
    order = Order.get_by_id(order.id)
    if until != "paid":
        pack(order, contents_of(order.lines()), by=by, now=now)
        hand_over(order, by=by, now=now)
    if until == "failed":
        fail(order, 1, "not_home", by=by, now=now)
    if until == "delivered":
        deliver(order, 1, "Emri Mbiemri", "id_card", by=by, now=now)
    print(order.number, sign(order))
"""


def ordered(shop, email, until="paid", *slugs) -> tuple[str, str]:
    """The order's number, and the path that its mails link to."""
    number, token = shop.run(ORDERED, email, until, *(slugs or ("samsung-galaxy-s25",))).split()[-2:]
    return number, f"/porosia/{number}?k={token}"
