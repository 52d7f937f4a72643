"""Many processes that do something at the same moment, each with its own connection.

A `Crowd` is one process that has imported the shop and connected to nothing. For each batch of tasks it forks a
process per task, lets them all connect, and then lets them all go. A task is the name of a function below and its
arguments; what it returns, or the name of the error it ended with, comes back in the order of the tasks.
"""

import contextlib
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path

from tests import starter

ROOT = Path(__file__).resolve().parent.parent


class Crowd:
    """Processes on the database `url`, with the settings of `environment`."""

    def __init__(self, url: str, folder: Path, **environment: str):
        self.url, self.log = url, folder / "crowd.log"
        with self.log.open("ab") as log:
            self.process = starter.start(
                ["-m", "tests.crowd"],
                env={**os.environ, "DATABASE_URL": url, "DATABASE_POOL": "2", **environment},
                stdin=starter.PIPE,
                stdout=starter.PIPE,
                stderr=log,
            )

    def at_once(self, tasks: list[tuple]) -> list[dict]:
        """Each result is {"is": …} or {"error": name, "text": …}."""
        self.process.stdin.write(json.dumps(tasks) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-4000:]
        return json.loads(line)

    def alone(self, name: str, *arguments):
        """One task by itself; its error is the test's."""
        [result] = self.at_once([(name, *arguments)])
        assert "is" in result, result
        return result["is"]

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


# What a process of the crowd can do. `now` is the tests' noon unless a function says otherwise.


def begin_anew():
    """The world as it is at its beginning, whatever was there."""
    from tests import world

    clear()
    world.build()


def clear():
    from tests.databases import empty

    empty()


def script(text, words):
    """Run `text` with `words` as its arguments; what it says."""
    said, sys.argv = io.StringIO(), ["-c", *words]
    with contextlib.redirect_stdout(said):
        exec(text, {"__name__": "__main__"})  # noqa: S102
    return said.getvalue()


def set_stock(sku, pieces):
    from models.catalogue import Variant

    Variant.update(stock=pieces).where(Variant.sku == sku).execute()


def set_gifts(pieces):
    from models.catalogue import Gift

    Gift.update(stock=pieces).execute()


def checkouts(baskets):
    """A filled-in checkout per list of SKUs: what its overview page holds."""
    from models.catalogue import Variant
    from tests.world import NOW, World, cart_with, checkout_of

    world = World(variants={variant.sku: variant for variant in Variant.select()})
    made = []
    for skus in baskets:
        checkout = checkout_of(cart_with(world, *skus))
        made.append([checkout.id, checkout.key, checkout.digest(checkout.cart.lines(NOW))])
    return made


def besnik_checkouts(count, payment="instalments"):
    """Profiles that all added one number, each with a Besnik 24 device for it in a filled-in checkout."""
    from models.cart import Cart
    from models.profile import Profile
    from tests.world import NOW, contract_line, own_number, profile

    first = profile("holder@example.com")
    number, made = own_number(first), []
    for index in range(count):
        # A password's hash takes its time: one will do.
        owner = Profile.create(
            email=f"holder{index}@example.com",
            password_hash=first.password_hash,
            first_name="Demo",
            last_name="Holder",
            phone=first.phone,
            created_at=NOW,
            verified_at=NOW,
        )
        number.add_to(owner, NOW)
        cart = Cart.begin(NOW).join(owner, NOW)
        contract_line(cart, payment=payment, number=number)
        made.append([*_overview(cart), owner.id])
    return made


def points_checkouts(count, points, have, sku="CASE-BLACK"):
    """Profiles that all added one number, a member with `have` points: each has a filled-in checkout that uses so
    many of them."""
    from models.points_choice import PointsChoice
    from models.profile import Profile
    from tests.club import joined
    from tests.world import NOW, World, cart_with, checkout_of, own_number, profile

    first = profile("member@example.com")
    number, made = own_number(first), []
    member = joined(number, points=have)
    for index in range(count):
        owner = Profile.create(
            email=f"member{index}@example.com", password_hash=first.password_hash, created_at=NOW, verified_at=NOW
        )
        number.add_to(owner, NOW)
        cart = cart_with(World(), sku, profile=owner)
        # One each: no e-mail holds several unpaid orders.
        checkout = checkout_of(cart, email=owner.email)
        checkout.choose_points(PointsChoice(owner, cart.lines(NOW), NOW), member.id, points)
        made.append([checkout.id, checkout.key, checkout.digest(cart.lines(NOW)), owner.id])
    return made


def convert(points, key):
    """Points of the only member become something else."""
    from models.base import db
    from models.club_ledger import debit
    from models.club_member import ClubMember
    from tests.world import NOW

    with db.atomic():
        return debit(ClubMember.hold(ClubMember.get().id, NOW), points, "units", NOW, key=key, about={}).points


def converts(times):
    """As `convert`, so often, a point each time."""
    for turn in range(times):
        convert(1, f"converts:{turn}")


def audits(times):
    """What so many audits find, one after the other."""
    from models.club_ledger import audit

    return [difference for _ in range(times) for difference in audit()]


def cancel_whole(number):
    """As the desk does: pieces, points and the order itself, in one transaction."""
    from models.base import db
    from models.order import Order
    from tests.world import later

    with db.atomic():
        order = Order.of_number(number).relock()
        order.give_back_stock()
        order.move("cancelled", by="admin", now=later(2))


def points_now():
    """What the ledger holds of the only member, what each order's points are, and what an audit finds."""
    from models.club_ledger import ClubEntry, audit
    from models.club_member import ClubMember
    from models.order_points import OrderPoints

    return {
        "balance": ClubMember.get().balance,
        "entries": [[entry.kind, entry.points] for entry in ClubEntry.select().order_by(ClubEntry.id)],
        "orders": {row.order.number: row.state for row in OrderPoints.select().order_by(OrderPoints.id)},
        "audit": list(audit()),
    }


def points_of_email(email):
    """How many points the member of this profile has, and what its orders' points are."""
    from models.club_ledger import audit
    from models.club_member import ClubMember
    from models.order_points import OrderPoints
    from models.profile import Profile

    [member] = ClubMember.of_profile(Profile.get(Profile.email == email))
    states = [row.state for row in OrderPoints.select().where(OrderPoints.member == member)]
    return [member.balance, states, list(audit())]


def overdue_with_points(email, points):
    """An order of the member's profile that uses points, as old as that of `place_overdue`."""
    from models.cart import Cart
    from models.club_member import ClubMember
    from models.points_choice import PointsChoice
    from models.profile import Profile
    from tests.world import World, cart_with, checkout_of, place

    ago, owner = _half_an_hour_ago(), Profile.get(Profile.email == email)
    cart = cart_with(World(now=ago), "S25-BLACK-128", profile=owner)
    checkout = checkout_of(Cart.get_by_id(cart.id), ago)
    [member] = ClubMember.of_profile(owner)
    checkout.choose_points(PointsChoice(owner, cart.lines(ago), ago), member.id, points)
    order, _ = place(checkout, ago, profile=owner)
    return order.number


def subscriber():
    """A profile with a number of its own, different each time: its e-mail and the number."""
    from models.number import Number
    from tests.world import own_number, profile

    count = Number.select().count()
    email = f"subscriber{count}@example.com"
    return [email, own_number(profile(email), str(38970100001 + count)).msisdn]


def free_number():
    """One more number of the pool."""
    from models.new_number import NewNumber

    return NewNumber.create(msisdn=str(38970227400 + NewNumber.select().count())).msisdn


def new_number_checkouts(msisdns, minutes=0):
    """A guest's filled-in checkout, paid by card, for each of these numbers of the pool, which is given new ones."""
    from models.cart import Cart
    from models.new_number import NewNumber
    from tests.world import contract_line, later

    made = []
    for msisdn in msisdns:
        number, _ = NewNumber.get_or_create(msisdn=msisdn)
        cart = Cart.begin(later(minutes))
        contract_line(cart, "S25-BLACK-128", "new_number", "card", number=number, now=later(minutes))
        made.append(_overview(cart, minutes))
    return made


def _overview(cart, minutes=0):
    from tests.world import checkout_of, later

    checkout = checkout_of(cart, later(minutes))
    return [checkout.id, checkout.key, checkout.digest(cart.lines(later(minutes)))]


def place(checkout_id, key, seen, profile_id=None, minutes=0):
    from models.checkout import Checkout
    from models.profile import Profile
    from tests.world import later

    checkout = Checkout.get_by_id(checkout_id)
    order, payment = checkout.place_order(
        key=key,
        seen=seen,
        language="sq",
        now=later(minutes),
        profile=profile_id and Profile.get_by_id(profile_id),
    )
    return [order.number, payment and payment.oid]


def place_overdue(checkout_id, key, seen):
    """As `place`, half an hour and a minute ago by the real clock."""
    from models.checkout import Checkout

    checkout = Checkout.get_by_id(checkout_id)
    order, payment = checkout.place_order(key=key, seen=seen, language="sq", now=_half_an_hour_ago())
    return [order.number, payment.oid]


def overdue_new_number(msisdn):
    """An order of a guest with this number of the pool, as old as that of `place_overdue`."""
    from models.cart import Cart
    from models.new_number import NewNumber
    from tests.world import checkout_of, contract_line, place

    ago, number = _half_an_hour_ago(), NewNumber.get(NewNumber.msisdn == msisdn)
    cart = Cart.begin(ago)
    contract_line(cart, contract_type="new_number", payment="card", number=number, now=ago)
    order, _ = place(checkout_of(cart, ago), ago)
    return order.number


def _half_an_hour_ago():
    from datetime import timedelta

    from models.base import utcnow

    return utcnow() - timedelta(minutes=31)


def restock(first, second):
    """As a long import does: one device after the other, in the order of its file, in one transaction."""
    import time

    from models.base import db
    from models.catalogue import Variant

    with db.atomic():
        for sku in (first, second):
            Variant.update(stock=Variant.stock + 10).where(Variant.sku == sku).execute()
            time.sleep(0.7)


def lapse(number):
    from models.order import Order
    from tests.world import later

    Order.of_number(number).lapse(later(30))


def lapse_all_due():
    from models.payment import Payment
    from tests.world import later

    return Payment.lapse_all_due(later(30))


def hear(fields, channel):
    from models.payment import hear as heard
    from tests.world import later

    payment = heard(fields, channel, later(1))
    return payment and payment.oid


def settle(oid, verdict, minutes=1):
    from gateways.bank import Verdict
    from models.payment import Payment
    from tests.world import later

    return Payment.get(Payment.oid == oid).settle(Verdict[verdict], later(minutes))


def ask_bank(oid):
    from models.payment import Payment
    from tests.world import later

    return Payment.get(Payment.oid == oid).ask_bank(later(1))


def refund_all():
    from models.payment import Refund
    from tests.world import later

    return Refund.carry_out_all_due(later(2))


def refunds_are_free():
    """The time is over for which a worker keeps a refund from others."""
    from models.base import utcnow
    from models.payment import Refund

    Refund.update(try_at=utcnow()).where(Refund.state != "done").execute()


def form(oid):
    from models.payment import Payment

    return Payment.get(Payment.oid == oid).form("sq")


def retry(number):
    from models.order import Order
    from models.payment import Payment
    from tests.world import later

    return Payment.retry(Order.of_number(number), later(1)).oid


def owing(profiles, invoices):
    """So many profiles with a number of one holder, who owes so many invoices; the profiles' ids."""
    from models.profile import Profile
    from tests import bills
    from tests.world import NOW, profile

    first = profile("owing0@example.com")
    code = bills.owing(first, *(f"F-{number}" for number in range(invoices)))
    made = [first.id]
    for index in range(1, profiles):
        # A password's hash takes its time: one will do.
        owner = Profile.create(
            email=f"owing{index}@example.com", password_hash=first.password_hash, created_at=NOW, verified_at=NOW
        )
        bills.number(code, f"3897030000{index}", owner)
        made.append(owner.id)
    return made


def begin_bills(profile_id, numbers):
    """A card payment of these invoices: what its latest attempt is known by."""
    from models.bill_payment import BillPayment
    from models.payment import Payment
    from models.profile import Profile
    from tests.world import NOW

    return Payment.latest_of(BillPayment.begin(Profile.get_by_id(profile_id), numbers, NOW, "sq")).oid


def pay_in_shop(number):
    from models.invoice import Invoice
    from tests.world import later

    return Invoice.get(Invoice.number == number).pay(later(1), "shop")


def bills():
    """What became of invoices and of the money for them."""
    from models.bill_payment import BillPayment, BillPaymentLine
    from models.bss_event import BssEvent
    from models.invoice import Invoice
    from models.outbox import Mail
    from models.payment import Payment, Refund

    return {
        "paid": {invoice.number: invoice.paid_through for invoice in Invoice.select()},
        "needed": sorted(line.number for line in BillPaymentLine.select().where(BillPaymentLine.paid)),
        "states": sorted(bills.state for bills in BillPayment.select()),
        "payments": sorted(payment.state for payment in Payment.select()),
        "charged": sum(payment.amount for payment in Payment.select().where(Payment.state.in_(("paid", "surplus")))),
        "back": sum(refund.amount for refund in Refund.select()),
        "mails": sorted(mail.kind for mail in Mail.select()),
        "told": sorted(event.subject for event in BssEvent.select()),
    }


def code_profiles(count):
    from tests.world import profile

    for index in range(count):
        profile(f"profile{index}@example.com")


def send_code(index, msisdn):
    from models.profile import Profile
    from models.security_code import SecurityCode
    from tests.world import NOW

    profile = Profile.get(Profile.email == f"profile{index}@example.com")
    return SecurityCode.send(profile, msisdn, NOW, genuine=True).id


def send_code_now(index, msisdn):
    """As `send_code`, by the real clock; the digits."""
    from models.base import utcnow
    from models.profile import Profile
    from models.security_code import SecurityCode

    profile = Profile.get(Profile.email == f"profile{index}@example.com")
    return SecurityCode.send(profile, msisdn, utcnow(), genuine=True).digits


def check_code(code_id, typed):
    """ "wrong": another code than the right one."""
    from models.security_code import SecurityCode
    from tests.world import NOW

    code = SecurityCode.get_by_id(code_id)
    wrong = f"{(int(code.digits) + 1) % 10**6:06}"
    code.check(wrong if typed == "wrong" else code.digits, NOW)
    return True


def spend_code(code_id):
    from models.base import db
    from models.security_code import SecurityCode
    from tests.world import NOW

    check = SecurityCode.get_by_id(code_id)
    with db.atomic():
        check.spend(NOW)
    return True


def sms_states():
    from collections import Counter

    from models.sms import Sms

    return Counter(sms.state for sms in Sms.select())


def a_number():
    """A number with a holder."""
    from models.number import Number
    from models.subscriber import Holder, Subscriber
    from tests.world import NOW

    holder = Holder.create(id_number="0101990450006", segment="private", first_name="Demo")
    subscriber = Subscriber.create(holder=holder, code="S-1", since=NOW.date())
    Number.create(msisdn="38970100020", subscriber=subscriber, sim_end="445566", kind="postpaid")


def claim_number(index):
    """A claim of the number that is proved; its token and the code."""
    from models.number_claim import NumberClaim
    from models.profile import Profile
    from tests.world import NOW

    profile = Profile.get(Profile.email == f"profile{index}@example.com")
    claim = NumberClaim.begin(profile, "38970100020", NOW)
    claim.prove(NOW, sim_end="445566")
    claim = NumberClaim.of_profile(profile, claim.token)
    return [claim.token, claim.code.digits]


def begin_claim():
    from models.number_claim import NumberClaim
    from models.profile import Profile
    from tests.world import NOW

    return NumberClaim.begin(Profile.get(), "38970100020", NOW).token


def prove_claim(token):
    from models.number_claim import NumberClaim
    from tests.world import NOW

    NumberClaim.get(NumberClaim.token == token).prove(NOW, sim_end="445566")
    return True


def confirm_claim(token, digits):
    from models.number_claim import NumberClaim
    from models.profile import Profile
    from tests.world import NOW

    NumberClaim.of_profile(Profile.get(), token).confirm(digits, NOW)
    return True


def added_numbers():
    from models.number import ProfileNumber

    return ProfileNumber.select().count()


def registrations(count):
    """Registrations of one e-mail, each with the link in its mail; the tokens."""
    from models.profile_link import new_code
    from models.registration import Registration
    from tests.world import NOW, later

    typed = {
        "email": "ana@example.com",
        "password_hash": "x",
        "first_name": "Ana",
        "last_name": "M",
        "language": "sq",
    }
    times = {"created_at": NOW, "expires_at": later(60)}
    return [Registration.create(code=new_code(), **typed, **times).token for _ in range(count)]


def confirm_registration(token):
    from models.registration import Registration
    from tests.world import NOW

    return Registration.of_token(token, NOW).confirm(NOW).id


def link_to(purpose, email, profile_email="profile0@example.com"):
    """The token of a link that was mailed for the profile."""
    from models.profile import Profile
    from models.profile_link import ProfileLink, sign
    from tests.world import NOW

    profile = Profile.get(Profile.email == profile_email)
    if purpose == "password":
        ProfileLink.ask_password(profile.email, "", NOW)
    else:
        ProfileLink.ask_email(profile, email, "", NOW)
    link = ProfileLink.select().order_by(ProfileLink.id.desc()).get()
    return sign(purpose, link.code)


def set_password(token, password):
    from models.profile_link import ProfileLink
    from tests.world import NOW

    ProfileLink.of_token("password", token, NOW).set_password(password, NOW)
    return password


def confirm_email(token):
    from models.profile_link import ProfileLink
    from tests.world import NOW

    return ProfileLink.of_token("email", token, NOW).confirm_email(NOW).email


def guess(email, password):
    from models.profile import Profile
    from tests.world import NOW

    return Profile.log_in(email, password, "192.0.2.1", NOW) is not None


def profiles():
    from models.outbox import Mail
    from models.profile import Profile

    return {
        "emails": sorted(profile.email for profile in Profile.select()),
        "sessions": [profile.session_number for profile in Profile.select().order_by(Profile.id)],
        "mails": sorted(mail.kind for mail in Mail.select()),
    }


def write_mails(count):
    from models.order import Order
    from models.outbox import Mail
    from tests.world import NOW

    order = Order.select().first()
    for number in range(count):
        Mail.write("order_confirmed", order, NOW, key=f"mail-{number}")


def tries_of(number):
    from models.order import Order
    from models.outbox import Mail

    return Mail.select(Mail.tries).join(Order).where(Order.number == number).scalar()


def send_all():
    from models.outbox import Mail
    from tests.world import later

    return Mail.send_all_due(later(1))


def bss_copy():
    """The billing system's data of the import's tests."""
    from tests.models.test_bss_import import load

    load()


def push(kind, data, number, minutes=0):
    """A message of the billing system, of so many minutes after the tests' noon."""
    from models.bss_push import Message
    from tests.world import later

    told = {"id": number, "at": later(minutes).isoformat(), "data": data}
    return Message.read(kind, json.dumps(told).encode()).take(later(60))


def import_for(seconds):
    """An import that takes its time."""
    import time

    from models.bss_import import BssExtract
    from tests.models.test_bss_import import INVOICES
    from tests.world import NOW

    BssExtract({"invoices.csv": INVOICES.encode()}).load(NOW, progress=lambda share: time.sleep(seconds / 2))


def push_after(seconds, *message):
    import time

    time.sleep(seconds)
    return push(*message)


def number_of(msisdn):
    from models.number import Number

    number = Number.get(Number.msisdn == msisdn)
    return [number.tariff, number.active]


def invoice_of(number):
    from models.invoice import Invoice

    invoice = Invoice.get_or_none(Invoice.number == number)
    return invoice and [invoice.amount, invoice.paid_through]


def cancel(number):
    from models.order import Order
    from tests.world import later

    Order.of_number(number).move("cancelled", by="admin", now=later(2))


def number_events():
    from models.bss_event import BssEvent

    return BssEvent.number_all()


def events():
    """Those of the billing system's outbox, in the order in which they were written."""
    from models.bss_event import BssEvent

    return [[event.sequence, event.subject, event.state] for event in BssEvent.select().order_by(BssEvent.id)]


def join(token, profile_id):
    from models.cart import Cart
    from models.profile import Profile
    from tests.world import NOW

    return Cart.of_token(token).join(Profile.get_by_id(profile_id), NOW).id


def guests(baskets):
    """A profile, and a guest's cart per list of SKUs."""
    from models.catalogue import Variant
    from tests.world import World, cart_with, profile

    world = World(variants={variant.sku: variant for variant in Variant.select()})
    return [profile().id, [cart_with(world, *skus).token for skus in baskets]]


def tokens():
    from models.cart import Cart

    return [cart.token for cart in Cart.select().order_by(Cart.id)]


def first_checkout(token):
    from models.cart import Cart
    from models.checkout import Checkout
    from tests.world import NOW

    return Checkout.of(Cart.of_token(token), NOW).key


def add(token, sku):
    from models.cart import Cart
    from models.catalogue import Variant
    from tests.world import NOW

    return Cart.of_token(token).add(Variant.get(Variant.sku == sku), NOW).id


def carts_and_pool(count, pool):
    """The ids of so many carts, and a pool of these new numbers."""
    from models.cart import Cart
    from models.new_number import NewNumber
    from tests.world import NOW

    NewNumber.insert_many([{"msisdn": msisdn} for msisdn in pool]).execute()
    return [Cart.begin(NOW).id for _ in range(count)]


def hold_number(cart_id, msisdn, minutes=0):
    from models.cart import Cart
    from models.new_number import NewNumber
    from tests.world import later

    NewNumber.get(NewNumber.msisdn == msisdn).hold(Cart.get_by_id(cart_id), later(minutes))


def contract_lines(count, contract_type="besnik24"):
    """A cart with so many contracts, none with a number yet, and a number for them: ids of the lines and the number.

    Each is for another variant. The number is the profile's own, or a free one of the pool.
    """
    from models.cart import Cart
    from models.catalogue import Tariff, TariffPrice, Variant
    from models.new_number import NewNumber
    from tests.world import NOW, contract_line, own_number, profile

    variants = list(Variant.select().where(Variant.stock > 0).order_by(Variant.id).limit(count))
    for variant in variants:
        TariffPrice.get_or_create(
            variant=variant, tariff=Tariff.get(), contract_type=contract_type, defaults={"price": 1_000_000}
        )
    owner = profile()
    cart = Cart.begin(NOW).join(owner, NOW)
    lines = [contract_line(cart, variant.sku, contract_type, "card") for variant in variants]
    number = own_number(owner) if contract_type == "besnik24" else NewNumber.create(msisdn="38970227418")
    return [[line.id for line in lines], number.id]


def choose_number(line_id, number_id):
    from models.cart import CartLine
    from models.number import Number

    CartLine.get_by_id(line_id).cart.choose_number(line_id, Number.get_by_id(number_id))


def pick_number(line_id, msisdn, minutes=0):
    """As the page of the new number does: hold it for the cart, and put it into the line."""
    from models.base import db
    from models.cart import CartLine
    from models.new_number import NewNumber
    from tests.world import later

    line = CartLine.get_by_id(line_id)
    with db.atomic():
        number = NewNumber.get(NewNumber.msisdn == msisdn)
        number.hold(line.cart, later(minutes))
        number.attach(line, later(minutes))


def point_at(line_id, msisdn):
    """Held for the cart of the line, and not yet put into it."""
    from models.cart import CartLine
    from models.new_number import NewNumber
    from tests.world import NOW

    NewNumber.get(NewNumber.msisdn == msisdn).hold(CartLine.get_by_id(line_id).cart, NOW)


def lines_of(checkout_id):
    from models.cart import CartLine
    from models.checkout import Checkout

    cart = Checkout.get_by_id(checkout_id).cart
    return [line.id for line in CartLine.select().where(CartLine.cart == cart).order_by(CartLine.id)]


def numbers_of_lines():
    """The number that each line of a cart is for, or None; by the line's id."""
    from models.cart import CartLine
    from models.new_number import NewNumber

    new = {number.line_id: number.msisdn for number in NewNumber.select() if number.line_id}
    return {
        str(line.id): line.number.msisdn if line.number_id else new.get(line.id)
        for line in CartLine.select().order_by(CartLine.id)
    }


def sold_numbers():
    """Each number of the pool, with its state and the order that has it."""
    from models.new_number import NewNumber

    return {one.msisdn: [one.state, one.order and one.order.number] for one in NewNumber.select()}


def pool():
    """Each new number's state and cart."""
    from models.new_number import NewNumber

    return {number.msisdn: [number.state, number.cart_id] for number in NewNumber.select()}


def next_version():
    from models.base import db
    from models.catalogue import CatalogueVersion

    with db.atomic():
        return CatalogueVersion.next()


def facts():
    """What is in the database now."""
    from models.cart import Cart
    from models.catalogue import Gift, Variant
    from models.order import Order
    from models.outbox import Mail
    from models.payment import Payment, Refund

    return {
        "stock": {variant.sku: variant.stock for variant in Variant.select()},
        "gifts": Gift.select(Gift.stock).scalar(),
        "orders": [
            {
                "number": order.number,
                "state": order.state,
                "total": order.total,
                "lines": [[line.sku, line.quantity, line.price, bool(line.gift)] for line in order.lines()],
                # Of each contract: the number it is for, and the one that it keeps from other orders.
                "numbers": [[line.msisdn, line.taken] for line in order.lines() if line.is_contract],
                "events": [event.state for event in order.history()],
            }
            for order in Order.select().order_by(Order.id)
        ],
        "payments": {payment.oid: payment.state for payment in Payment.select()},
        "refunds": [refund.state for refund in Refund.select()],
        "mails": [[mail.kind, mail.state, mail.message_id] for mail in Mail.select().order_by(Mail.id)],
        "mails_of": [[mail.order.number, mail.kind, mail.state] for mail in Mail.select().order_by(Mail.id)],
        "carts": {
            str(cart.id): sorted(line.variant.sku for line in cart.held) for cart in Cart.select().order_by(Cart.id)
        },
    }


def club_member(msisdn, points, language="sq"):
    """A member with so many points by the real clock: its id, and the e-mail of the profile that has the number."""
    from models.base import utcnow
    from tests.club import joined
    from tests.world import own_number, profile

    email = f"member{msisdn}@example.com"
    member = joined(own_number(profile(email, utcnow()), msisdn, now=utcnow()), points=points, now=utcnow())
    member.language = language
    member.save()
    return [member.id, email]


def club_offer(code, points):
    from tests.club import offer

    return offer(code, points).id


def club_speaks(member_id, language):
    from models.club_member import ClubMember

    return ClubMember.update(language=language).where(ClubMember.id == member_id).execute()


def club_converts(member_id, what, points, key):
    """As the club's page does; by the real clock."""
    from models.base import utcnow
    from models.club_service import ClubService

    return ClubService.convert(member_id, what, points, utcnow(), channel="web", key=key).uuid


def club_sms(base, secret, message, msisdn, text):
    """What the SMS gateway brings, and what it is answered."""
    import requests

    query = {"secret": secret, "from": msisdn, "to": "50777", "text": text, "id": message}
    query |= {"smsc": "fake", "time": "2026-03-10 11:00:00"}
    answer = requests.get(f"{base}/sms/inbound", params=query, timeout=60)
    return [answer.status_code, answer.text]


def club_dials(base, secret, session, msisdn, text, code="*777*1#"):
    """What the USSD gateway brings, and what it is answered."""
    import requests

    form = {"sessionId": session, "serviceCode": code, "phoneNumber": f"+{msisdn}", "text": text}
    answer = requests.post(f"{base}/ussd", params={"secret": secret}, data=form, timeout=60)
    return [answer.status_code, answer.text]


def posts(address, cookies, fields):
    """A form that a browser sends: the status, and where it leads."""
    import requests

    answer = requests.post(address, cookies=cookies, data=fields, timeout=60, allow_redirects=False)
    return [answer.status_code, answer.headers.get("Location", "")]


def club_waiting():
    """How many SMS, mails and events are still to be sent."""
    from models.bss_event import BssEvent
    from models.outbox import Mail
    from models.sms import Sms

    return sum(model.select().where(model.state == "due").count() for model in (Sms, Mail, BssEvent))


def club_facts(member_id):
    """What became of a member's points, and what was written of it."""
    from models.base import utcnow
    from models.bss_event import BssEvent
    from models.club_ledger import SPENT, ClubEntry, audit, usable_points
    from models.club_member import ClubMember
    from models.club_service import ClubService
    from models.inbound_sms import InboundSms
    from models.outbox import Mail
    from models.sms import Sms
    from models.voucher import Voucher

    member = ClubMember.get_by_id(member_id)
    services = list(ClubService.select().where(ClubService.member == member).order_by(ClubService.id))
    vouchers = list(Voucher.select().where(Voucher.member == member).order_by(Voucher.id))
    mails = Mail.select().where(Mail.kind == "voucher", Mail.profile == member.profile_id)
    return {
        "points": usable_points(member, utcnow()),
        "balance": member.balance,
        "spent": [entry.points for entry in member.entries.where(ClubEntry.kind.in_(SPENT)).order_by(ClubEntry.id)],
        "services": [[service.what, service.amount, service.channel] for service in services],
        "vouchers": [[voucher.offer.code, voucher.code, voucher.channel] for voucher in vouchers],
        "events": [
            event.state for event in BssEvent.select().where(BssEvent.subject.in_([one.uuid for one in services]))
        ],
        "sms": [[sms.kind, sms.state] for sms in Sms.select().where(Sms.recipient == member.msisdn).order_by(Sms.id)],
        "mails": [mail.state for mail in mails],
        "inbound": InboundSms.select().count(),
        "audit": list(audit()),
    }


# Who works here


def people_at_work():
    """A clerk with an app and two admins; the code that the clerk's app shows."""
    from tests.staff import code_of, works
    from tests.world import NOW

    works("clerk")
    for number in range(2):
        works("admin", f"admin{number}@example.com")
    return code_of("clerk@example.com", NOW)


def give_code(typed):
    """Whether the code of the clerk was a recovery code."""
    from models.actor import Actor
    from models.profile import Profile
    from models.second_factor import begin_work
    from tests.world import NOW

    return begin_work(Actor("clerk", "clerk@example.com"), Profile.of_email("clerk@example.com"), typed, NOW)[1]


def take_role(by, email):
    from models.actor import Actor
    from models.profile import Profile
    from models.staff import Staff
    from tests.world import NOW

    return Staff.remove(Profile.of_email(email), NOW, by=Actor("admin", by))


def work_facts():
    from models.second_factor import WorkSession
    from models.staff import Staff
    from models.trail import AuditEntry

    whats = [one.what for one in AuditEntry.select() if one.what != "role_given"]
    return {
        "sessions": WorkSession.select().count(),
        "admins": Staff.select().where(Staff.role == "admin").count(),
        "trail": {what: whats.count(what) for what in sorted(set(whats))},
    }


# At the counter and at a partner's till


def counter(clerks, stock, points=1000, members=None):
    """A handout that waits for its code for each of so many clerks, with a member each, or of so many `members`."""
    from tests.club import gift, joined
    from tests.staff import asked, digits, works
    from tests.world import own_number, profile

    cable, made = gift(stock=stock), []
    people = [
        joined(own_number(profile(f"m{index}@example.com"), f"3897010020{index}"), points=points)
        for index in range(members or clerks)
    ]
    for index in range(clerks):
        one = asked(works("clerk", f"clerk{index}@example.com"), people[index % len(people)], cable)
        made.append([one.token, digits()])
    return made


def hand_out(token, typed):
    """The gift's points once it is handed out."""
    from models.gift_handout import GiftHandout
    from tests.world import NOW

    handout = GiftHandout.get(GiftHandout.token == token)
    handout.hand_out(typed, NOW)
    return handout.entry.points


def take_gift_slowly(seconds):
    """A piece of the only gift is taken in a transaction that ends after so long."""
    from models.base import db
    from models.club_offer import ClubGift

    with db.atomic():
        ClubGift.update(stock=ClubGift.stock - 1).execute()
        time.sleep(seconds)


def load_gifts(path, seconds):
    """The list of gifts, taken after so long; how many lines were new or changed."""
    from models.club_lists import GiftList
    from tests.world import NOW

    time.sleep(seconds)
    return GiftList(Path(path)).load(NOW.date())


def ask_gift(clerk, msisdn):
    """The clerk's request for the only gift: its token."""
    from models.club_member import ClubMember
    from models.club_offer import ClubGift
    from models.profile import Profile
    from tests.staff import asked

    return asked(Profile.of_email(clerk), ClubMember.of_msisdn(msisdn), ClubGift.get()).token


def counter_facts():
    from models.club_ledger import ClubEntry, audit
    from models.club_member import ClubMember
    from models.club_offer import ClubGift
    from models.gift_handout import GiftHandout
    from models.sms import Sms

    return {
        "stock": ClubGift.get().stock,
        "balances": [member.balance for member in ClubMember.select().order_by(ClubMember.id)],
        "gifts": ClubEntry.select().where(ClubEntry.kind == "gift").count(),
        "handed": GiftHandout.select().where(GiftHandout.handed_at.is_null(False)).count(),
        "handouts": GiftHandout.select().count(),
        "codes": Sms.select().where(Sms.kind == "gift_code").count(),
        "audit": list(audit()),
    }


def till(logins):
    """A member's code at a partner: [code, e-mails of so many logins of the partner]."""
    from tests.club import joined, offer
    from tests.staff import voucher, works

    ticket = voucher(joined(points=1000), offer())
    emails = [f"till{index}@example.com" for index in range(logins)]
    for email in emails:
        works("partner", email, ticket.offer.partner)
    return [ticket.code, emails]


def redeem(email, code, key):
    """When the login marked the code used."""
    from models.profile import Profile
    from models.staff import Staff
    from models.voucher import Voucher
    from tests.world import NOW

    login = Profile.of_email(email)
    return str(Voucher.redeem(Staff.of(login).partner, code, login, NOW, key).used_at)


def redeemed():
    """Who used it, by which page, and how many tries are counted."""
    from models.allowance import Allowance
    from models.voucher import Voucher

    used = Voucher.get()
    return [used.used_by.email if used.used_by else None, used.used_key, Allowance.select().count()]


def desk_joinings(clerks):
    """One number that so many clerks take into the club, each with a code of their own: [token, code]."""
    from models.desk_joining import DeskJoining
    from tests.staff import digits, works
    from tests.world import NOW, own_number, profile

    number, made = own_number(profile()), []
    for index in range(clerks):
        clerk = works("clerk", f"clerk{index}@example.com")
        made.append([DeskJoining.ask(clerk, number, number.msisdn, "sq", NOW).token, digits()])
    return made


def desk_join(token, typed):
    from models.desk_joining import DeskJoining
    from tests.world import NOW

    joining = DeskJoining.get(DeskJoining.token == token)
    joining.confirm(typed, NOW)
    return joining.member_id


def web_join():
    from models.club_member import ClubMember
    from models.number import Number
    from tests.world import NOW

    return ClubMember.join_number(Number.get(), NOW, language="sq").id


def desk_joined():
    from models.club_ledger import ClubEntry
    from models.club_member import ClubMember
    from models.desk_joining import DeskJoining

    done = DeskJoining.select().where(DeskJoining.joined_at.is_null(False)).count()
    return [ClubMember.select().count(), ClubEntry.select().count(), done]


def parcels(state, count):
    """Paid orders of a case each, brought to `state` on their way to the door; their numbers. Attempts failed at
    the tests' noon: the customers have two working days."""
    from tests.delivery import confirmed, failed, packed, with_courier
    from tests.world import World

    brought = {"confirmed": lambda order: order, "packed": packed, "with_courier": with_courier}
    brought["delivery_failed"] = failed
    return [brought[state](confirmed(World())).number for _ in range(count)]


def pack_parcels(numbers):
    from models.delivery import contents_of
    from models.order import Order
    from models.warehouse import pack_all
    from tests.delivery import WAREHOUSE
    from tests.world import later

    chosen = [(number, contents_of(Order.of_number(number).lines())) for number in numbers]
    return [told.outcome for told in pack_all(chosen, by=WAREHOUSE, now=later(10))]


def hand_over_parcels(numbers):
    from models.warehouse import hand_over_all
    from tests.delivery import WAREHOUSE
    from tests.world import later

    return [told.outcome for told in hand_over_all(numbers, by=WAREHOUSE, now=later(20))]


def hand_over_parcel(number):
    return hand_over_parcels([number])


def cancel_parcel(number):
    from models.actor import SHOPPER
    from models.cancellation import cancel
    from models.order import Order
    from tests.world import later

    return cancel(Order.of_number(number), by=SHOPPER, now=later(20)).state


def tell_failed(number):
    from models.delivery import fail
    from models.order import Order
    from tests.delivery import WAREHOUSE
    from tests.world import later

    return fail(Order.of_number(number), 1, "not_home", by=WAREHOUSE, now=later(60)).number


def tell_delivered(number):
    from models.delivery import deliver
    from models.order import Order
    from tests.delivery import RECEIVER, WAREHOUSE
    from tests.world import later

    return deliver(Order.of_number(number), 1, RECEIVER, "id_card", by=WAREHOUSE, now=later(60)).number


def return_due(seconds):
    """The worker, so many seconds after the two working days."""
    from datetime import timedelta

    from models.delivery import DeliveryAttempt, return_all_due

    return return_all_due(DeliveryAttempt.select().first().over_at + timedelta(seconds=seconds))


def choose_time(number, seconds, place=0):
    """The customer, so many seconds from the end of the two working days."""
    from datetime import timedelta

    from models.actor import SHOPPER
    from models.delivery import DeliveryAttempt, arrange, times
    from models.order import Order

    order = Order.of_number(number)
    now = DeliveryAttempt.last_of(order).over_at + timedelta(seconds=seconds)
    slots = times(order, now)
    return arrange(order, slots[place], by=SHOPPER, now=now).slot.code if slots else None


def parcel_facts():
    """Counts of all that the way to the door has written."""
    from collections import Counter

    from models.catalogue import Variant
    from models.delivery import ArrangedTime, DeliveryAttempt
    from models.order import Order
    from models.outbox import DELIVERY_KINDS, Mail
    from models.payment import Refund
    from models.sms import Sms
    from models.stock_return import StockReturn
    from models.trail import AuditEntry

    return {
        "states": Counter(order.state for order in Order.select()),
        "trail": Counter(entry.what for entry in AuditEntry.select() if entry.role != "bank"),
        "mails": Counter(mail.kind for mail in Mail.select().where(Mail.kind.in_(DELIVERY_KINDS))),
        "smses": Sms.select().count(),
        "attempts": [attempt.outcome for attempt in DeliveryAttempt.select().order_by(DeliveryAttempt.id)],
        "timed": ArrangedTime.select().count(),
        "awaited": StockReturn.select().count(),
        "refunds": Refund.select().count(),
        "stock": Variant.get(Variant.sku == "CASE-BLACK").stock,
    }


def _one(name, arguments, ready, go, out) -> None:
    """A child: connect, say so, wait for the start, do it, write down what came of it."""
    from models.base import db

    try:
        db.connect()
        db.execute_sql("SELECT 1")
        os.write(ready, b".")
        os.read(go, 1)
        result = {"is": globals()[name](*arguments)}
    except Exception as error:
        result = {"error": type(error).__name__, "text": f"{error}\n{traceback.format_exc()}"[-3000:]}
    with os.fdopen(out, "w") as file:
        json.dump(result, file)
    os._exit(0)


def main() -> None:
    # Everything is imported before a fork, nothing is connected.
    import requests  # noqa: F401

    import mails  # noqa: F401
    import tests.world  # noqa: F401

    for line in sys.stdin:
        sys.stdout.write(json.dumps(_all(json.loads(line))) + "\n")
        sys.stdout.flush()


def _all(tasks) -> list[dict]:
    ready_read, ready = os.pipe()
    go, go_write = os.pipe()
    children = []
    for name, *arguments in tasks:
        out_read, out = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go_write)
            os.close(ready_read)
            os.close(out_read)
            # What is logged is not the answer.
            os.dup2(2, 1)
            _one(name, arguments, ready, go, out)
        os.close(out)
        children.append((child, out_read))
    os.close(ready)
    waiting = len(children)
    while waiting and (said := os.read(ready_read, waiting)):
        waiting -= len(said)
    os.close(ready_read)
    # All of them wait at the pipe; its end is the start.
    os.close(go)
    os.close(go_write)
    results = []
    for child, out_read in children:
        with os.fdopen(out_read) as file:
            text = file.read()
        os.waitpid(child, 0)
        results.append(json.loads(text) if text else {"error": "Died", "text": ""})
    return results


# At the catalogue's desk.


def move_stock(sku, change, key):
    from models.actor import Actor
    from models.catalogue import Variant
    from models.stock_movement import StockMovement
    from tests.world import NOW

    variant = Variant.get(Variant.sku == sku)
    return StockMovement.move(variant, change, "count", by=Actor("editor", "e@example.com"), now=NOW, key=key).id


def save_draft(slug, after, mark=None):
    from models.actor import Actor
    from models.device_draft import DeviceDraft
    from tests.world import NOW

    DeviceDraft.save_changes(slug, after, by=Actor("editor", "e@example.com"), now=NOW, mark=mark)


def publish_draft(slug):
    from models.actor import Actor
    from models.device_draft import DeviceDraft
    from tests.world import NOW

    DeviceDraft.publish(slug, by=Actor("editor", "e@example.com"), now=NOW)


def catalogue_facts(sku):
    from models.catalogue import Variant
    from models.device_draft import DeviceDraft
    from models.stock_movement import StockMovement
    from models.trail import AuditEntry

    variant = Variant.get(Variant.sku == sku)
    edits = AuditEntry.select().where(AuditEntry.what == "edited").count()
    moved = sum(movement.change for movement in StockMovement.select())
    drafts = DeviceDraft.select().count()
    return {"price": variant.price, "stock": variant.stock, "edits": edits, "moved": moved, "drafts": drafts}


if __name__ == "__main__":
    main()
