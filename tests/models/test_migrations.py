"""The tables as the migrations make them."""

import os
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from peewee import IntegrityError
from playhouse.migrations import Runner

import config
from models.actor import SHOPPER
from models.allowance import Allowance
from models.attachment import Attachment
from models.base import IS_SQLITE, connect, db
from models.bill_payment import BillPayment, BillPaymentLine
from models.bss_event import BssEvent
from models.bss_known import BssKnown
from models.bss_push import BssMessage
from models.cart import Cart, CartLine
from models.cart_reminder import CartReminder
from models.catalogue import Brand, Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.checkout import Checkout
from models.claim import Claim
from models.club_ledger import ClubEntry, ClubLot, ClubMovement, debit
from models.club_member import ClubMember, FixedService
from models.club_month import ClubMonth, ClubTopup
from models.club_notice import ClubNotice
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import Rate
from models.club_service import ClubService
from models.consent import Consent
from models.contract import Contract
from models.delivery import ArrangedTime, DeliveryAttempt
from models.desk_joining import DeskJoining
from models.document import Document, Wanted
from models.erasure import Erasure
from models.gift_handout import GiftHandout
from models.identification import Identification
from models.inbound_sms import InboundSms
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.number_claim import NumberClaim
from models.order import Order, OrderLine
from models.order_note import OrderNote
from models.order_points import OrderPoints
from models.outbox import Mail
from models.pay_link import PayLink
from models.payment import BankMessage, Payment, Refund
from models.price_list_job import PriceListJob
from models.profile_link import ProfileLink
from models.refusal import Refusal
from models.registration import Registration
from models.retention import RetentionRun
from models.saved_address import SavedAddress
from models.second_factor import RecoveryCode, SecondFactor, WorkSession
from models.security_code import SecurityCode
from models.sms import Sms
from models.staff import Staff
from models.stock_movement import StockMovement
from models.subscriber import Holder, Subscriber
from models.voucher import Voucher
from models.watch import Watch, WatchMark
from models.wish import WishLine, WishList
from tests.club import gift, joined, joined_fixed, offer
from tests.world import NOW, build, cart_with, checkout_of, later, ordered, profile

# What `pwmigrate diff` says when there is none.
NO_DRIFT = "schema matches models."


@pytest.fixture
def world():
    return build()


def row_of(world, table):
    """A good row of `table` in the world."""
    order, payment = ordered(world, "S25-BLACK-128")
    checkout_of(cart_with(world, "CASE-BLACK"))
    Mail.write("order_confirmed", order, NOW, key="k")
    Refund.begin(payment, NOW)
    PayLink.make(order, NOW)
    claim = Claim.open(order, "complaint", "late", key="k", by=SHOPPER, now=NOW)
    Attachment.create(claim=claim, name="a.pdf", kind="application/pdf", size=1, stored="s", at=NOW)
    Document.issue_of(order, Wanted("confirmation"), NOW)
    BankMessage.create(at=NOW, channel="return", outcome="applied")
    link = {"code": "c", "email": "ana@example.com", "created_at": NOW, "expires_at": later(60)}
    ProfileLink.create(purpose="password", **link)
    Registration.create(password_hash="", first_name="Ana", last_name="M", language="sq", **link)
    billed()
    NumberClaim.begin(ProfileNumber.get().profile, "38970100020", NOW).prove(NOW, sim_end="445566")
    order.move("cancelled", by="shopper", now=NOW)
    BssEvent.number_all()
    BssMessage.create(message="message-1", kind="invoice", digest="d", result="added", taken_at=NOW)
    BssKnown.create(kind="invoice", key="F-1", at=NOW)
    clubbed(order)
    on_desk()
    worked_at(order)
    Erasure.create(code="c", profile=ProfileNumber.get().profile, language="sq", asked_at=NOW, expires_at=later(60))
    RetentionRun.add("carts", 1, NOW)
    Refusal.keep("ana@example.com", "cart_email", NOW)
    return table.select().first()


def billed():
    """A row in each table of the billing system's copy, and a held number."""
    holder = Holder.create(id_number="0101990450006", segment="private")
    subscriber = Subscriber.create(holder=holder, code="S-1", since=NOW.date())
    number = Number.create(msisdn="38970100101", subscriber=subscriber, sim_end="112233", kind="prepaid")
    ProfileNumber.create(profile=profile(), number=number, added_at=NOW)
    days = {"issued_on": NOW.date(), "due_on": NOW.date()}
    invoice = Invoice.create(subscriber=subscriber, number="F-1", amount=1, **days)
    BillPayment.begin(ProfileNumber.get().profile, [invoice.number], NOW, "sq")
    days = {"started_on": NOW.date(), "ends_on": NOW.date()}
    Contract.create(number=number, code="K-1", device="S25", price=2, paid=1, instalments=6, **days)
    NewNumber.create(msisdn="38970200001", state="held", held_until=later(30), cart=Cart.begin(NOW))


def on_desk():
    """A row in each table of the catalogue's desk."""
    StockMovement.move(Variant.get(), 1, "delivery", by=SHOPPER, now=NOW, key="k")
    job = {"token": "t", "name": "l.csv", "size": 1, "digest": "d", "state": "checked", "who": "", "role": "editor"}
    PriceListJob.create(begun_at=NOW, changed_at=NOW, **job)
    Watch.ask("ana@example.com", Variant.get(), "price", language="sq", address="", now=NOW)
    WatchMark.hold(1)


def clubbed(order):
    """A row in each table of the points club."""
    number = Number.get()
    member = joined(number, points=100)
    day = NOW.date()
    entries = [spend(member, 10, kind, f"{kind}:1") for kind in ("units", "voucher", "order", "gift")]
    whose = ProfileNumber.get().profile
    Rate.create(name="euro", since=day, value=6150)
    ClubMonth.create(member=member, month="2026-02", spent=100, at=NOW)
    fixed = joined_fixed(number.subscriber).fixed
    ClubTopup.create(reference="T-1", fixed=fixed, package="net-100", topped_up_at=NOW, at=NOW)
    ClubNotice.create(member=member, usable_until=day, step="first", points=1, at=NOW)
    Voucher.create(entry=entries[1], member=member, offer=offer(), code="ABCD2345", channel="web", until=day)
    service = {"uuid": "u", "msisdn": number.msisdn, "what": "MB", "amount": 50, "days": 30, "channel": "sms"}
    ClubService.create(entry=entries[0], member=member, state="ordered", ordered_at=NOW, **service)
    OrderPoints.create(order=order, member=member, entry=entries[2], points=1, worth=50, state="held", at=NOW)
    handed = {"token": "t", "points": 10, "msisdn": number.msisdn, "asked_at": NOW, "handed_at": NOW}
    GiftHandout.create(member=member, gift=gift(), clerk=whose, entry=entries[3], **handed)
    WishList.add(whose, Device.get(), None, 1, NOW)
    Staff.create(profile=whose, role="clerk", since=NOW)
    app = SecondFactor.create(profile=whose, nonce="n", since=NOW)
    RecoveryCode.create(factor=app, digest="d")
    WorkSession.begin(whose, NOW)
    DeskJoining.create(token="t", number=number, msisdn=number.msisdn, language="sq", asked_at=NOW)
    InboundSms.create(message="m-1", at=NOW)
    Consent.say(whose, "club_sms", True, NOW, wording="Po", channel="web")
    CartReminder.create(cart=Cart.get(), last_line=1, consent=Consent.get(), nonce="n", written_at=NOW)
    SavedAddress.keep(whose, "Rr. Ilindenit 12", "1200", "MK-609", NOW)


def worked_at(order):
    """What the desk wrote of an order."""
    agent = {"role": "agent", "who": "agent@example.com"}
    Identification.create(order=order, at=NOW, compared="sim", matched=True, **agent)
    OrderNote.create(order=order, key="n", at=NOW, text="Thirri.", **agent)
    day, attempt = NOW.date(), {"number": 1, "outcome": "failed", "reason": "not_home", "until": NOW.date()}
    DeliveryAttempt.create(order=order, at=NOW, **attempt, **agent)
    ArrangedTime.create(order=order, attempt=2, day=day, starts=9, ends=12, at=NOW, **agent)


def spend(member, points, kind, key):
    with db.atomic():
        return debit(ClubMember.hold(member.id, NOW), points, kind, NOW, key=key, about={})


# (table, what a bad row says)
BAD = [
    (Device, {"kind": "car"}),
    (Device, {"released": 202}),
    (Device, {"warranty_months": -1}),
    (Variant, {"price": 0}),
    (Variant, {"stock": -1}),
    (Variant, {"storage_gb": 0}),
    (Variant, {"ram_gb": -4}),
    (Tariff, {"monthly_price": -1}),
    (TariffPrice, {"price": -1}),
    (TariffPrice, {"contract_type": "device_only"}),
    (Promotion, {"percent": 0, "price": None}),
    (Promotion, {"percent": 91, "price": None}),
    (Promotion, {"percent": None, "price": 0}),
    (Promotion, {"percent": 10, "price": 100}),
    (Promotion, {"percent": None, "price": None}),
    (Promotion, {"segment": "business"}),
    (Promotion, {"starts_at": later(1), "ends_at": NOW}),
    (Gift, {"stock": -1}),
    (CartLine, {"quantity": 0}),
    (CartLine, {"contract_type": "lease"}),
    (WishList, {"profile": None}),
    (WishLine, {"price_seen": -1}),
    (Order, {"state": "paid"}),
    (Order, {"total": -1}),
    (Order, {"due_now": -1}),
    (Order, {"points": -1}),
    (Order, {"points_worth": 50}),
    (Order, {"wish": "8-10"}),
    (Checkout, {"points": -2}),
    (Checkout, {"points_worth": 50}),
    (Checkout, {"wish": "noon"}),
    (SavedAddress, {"street": ""}),
    (OrderLine, {"payment": "points"}),
    (OrderLine, {"payment": "instalments", "parts": 7}),
    (CartLine, {"payment": "cash"}),
    (CartLine, {"parts": 2}),
    (OrderLine, {"quantity": 0}),
    (OrderLine, {"price": -1}),
    (OrderLine, {"contract_type": "lease"}),
    (Mail, {"state": "lost"}),
    (Payment, {"amount": 0}),
    (Payment, {"state": "maybe"}),
    (Payment, {"order": None}),
    (Payment, {"order": None, "bill_payment": 1, "link": 1}),
    (CartReminder, {"last_line": 0}),
    (BillPayment, {"state": "surplus"}),
    (BillPayment, {"total": 0}),
    (BillPayment, {"paid_at": NOW}),
    (BillPaymentLine, {"amount": 0}),
    (Refund, {"amount": 0}),
    (Refund, {"state": "maybe"}),
    (BankMessage, {"channel": "phone"}),
    (Registration, {"mails": -1}),
    (Registration, {"expires_at": later(-1)}),
    (ProfileLink, {"purpose": "party"}),
    (ProfileLink, {"mails": -1}),
    (ProfileLink, {"expires_at": later(-1)}),
    (ProfileLink, {"purpose": "email", "profile": None}),
    (Holder, {"segment": "vip"}),
    (Number, {"msisdn": "112"}),
    (Number, {"sim_end": "12345"}),
    (Number, {"kind": "fixed"}),
    (Invoice, {"amount": 0}),
    (Invoice, {"paid_at": NOW, "paid_through": "cheque"}),
    (Invoice, {"paid_at": NOW}),
    (Invoice, {"due_on": later(days=-1).date()}),
    (Contract, {"kind": "lease"}),
    (Contract, {"price": -1, "paid": -2}),
    (Contract, {"paid": -1}),
    (Contract, {"instalments": 18}),
    (Contract, {"instalments_paid": -1}),
    (Contract, {"ends_on": later(days=-1).date()}),
    (Contract, {"paid": 3}),
    (Contract, {"instalments_paid": 7}),
    (NewNumber, {"msisdn": "112"}),
    (NewNumber, {"state": "lost", "held_until": None, "cart": None}),
    (NewNumber, {"held_until": None}),
    (NewNumber, {"state": "free", "held_until": None}),
    (SecurityCode, {"tries": -1}),
    (Sms, {"recipient": "112"}),
    (Sms, {"state": "lost"}),
    (Sms, {"report": "maybe"}),
    (BssMessage, {"result": "maybe"}),
    (BssEvent, {"state": "lost"}),
    (Rate, {"name": "dollar"}),
    (Rate, {"value": -1}),
    (FixedService, {"kind": "telex"}),
    (ClubMember, {"balance": -1}),
    (ClubMember, {"number": None, "fixed": None}),
    (ClubLot, {"points": 0, "left": 0}),
    (ClubLot, {"left": -1}),
    (ClubLot, {"left": 101}),
    (ClubMonth, {"month": "2026-2"}),
    (ClubMonth, {"spent": -1}),
    (ClubNotice, {"step": "third"}),
    (ClubNotice, {"points": 0}),
    (PartnerOffer, {"points": 0}),
    (PartnerOffer, {"days": 0}),
    (ClubGift, {"points": 0}),
    (ClubGift, {"stock": -1}),
    (Voucher, {"channel": "fax"}),
    (Voucher, {"used_by": 1}),
    (ClubService, {"what": "KB"}),
    (ClubService, {"amount": 0}),
    (ClubService, {"days": -1}),
    (ClubService, {"channel": "fax"}),
    (ClubService, {"state": "gone"}),
    (ClubService, {"active_at": NOW}),
    (OrderPoints, {"points": 0}),
    (OrderPoints, {"worth": 0}),
    (OrderPoints, {"state": "gone"}),
    (GiftHandout, {"entry": None}),
    (GiftHandout, {"points": 0}),
    (DeskJoining, {"number": None}),
    (DeskJoining, {"joined_at": NOW}),
    (Staff, {"role": "king"}),
    (SecondFactor, {"last_step": -1}),
    (Identification, {"compared": "guess"}),
    (Staff, {"role": "partner"}),
    (DeliveryAttempt, {"number": 0}),
    (DeliveryAttempt, {"outcome": "lost"}),
    (DeliveryAttempt, {"reason": ""}),
    (DeliveryAttempt, {"until": None}),
    (DeliveryAttempt, {"document": "id_card"}),
    (DeliveryAttempt, {"recipient": "Ana"}),
    (ArrangedTime, {"attempt": 0}),
    (ArrangedTime, {"ends": 13}),
    (Claim, {"kind": "wish"}),
    (Claim, {"about": "weather"}),
    (Claim, {"state": "lost"}),
    (Claim, {"state": "answered"}),
    (Claim, {"state": "accepted", "answered_at": NOW}),
    (Claim, {"returned_at": NOW}),
    (Attachment, {"kind": "text/html"}),
    (Attachment, {"size": 0}),
    (Attachment, {"size": 5_242_881}),
    (PriceListJob, {"state": "lost"}),
    (Watch, {"kind": "rumor"}),
    (Watch, {"segment": "business"}),
    (Watch, {"price": 0}),
    (Watch, {"state": "lost"}),
    (Watch, {"email": None}),
    (Watch, {"kind": "stock"}),
    (Watch, {"price": None}),
    (Watch, {"expires_at": NOW}),
    (Erasure, {"expires_at": later(-1)}),
    (Erasure, {"confirmed_at": NOW}),
    (Erasure, {"done_at": NOW}),
    (RetentionRun, {"count": -1}),
    (Refusal, {"mark": ""}),
]


@pytest.mark.rule("CLB-16", "PRV-2")
@pytest.mark.parametrize(
    ("table", "bad"),
    [
        (ClubEntry, {"points": 5}),
        (ClubEntry, {"balance": -1}),
        (ClubMovement, {"points": 0}),
        (Consent, {"kind": "club_pigeon"}),
        (Consent, {"channel": "fax"}),
        (Consent, {"email": "ana@example.com"}),
        (Consent, {"profile": None}),
        (Document, {"kind": "poem"}),
        (Document, {"issue": 0}),
        (StockMovement, {"change": 0}),
        (StockMovement, {"reason": "theft"}),
        (StockMovement, {"stock": -1}),
    ],
)
def test_a_table_that_is_only_added_to_refuses_a_row_that_breaks_a_check(world, table, bad):
    row_of(world, table)
    row = table.select().order_by(table.id.desc()).first()
    values = {name: value for name, value in row.__data__.items() if name != "id"}
    if table is ClubEntry:
        values["key"] = "another"
    if table is StockMovement:
        values["key"] = "another"
    if table is ClubMovement:
        values["entry"] = ClubEntry.select().order_by(ClubEntry.id).first()
    with pytest.raises(IntegrityError, match=r"(?i)check"), db.atomic():
        table.insert(**{**values, **bad}).execute()


@pytest.mark.parametrize(("table", "bad"), BAD, ids=lambda value: getattr(value, "__name__", None) or "-".join(value))
def test_a_migrated_database_refuses_a_row_that_breaks_a_check(world, table, bad):
    row = row_of(world, table)
    with pytest.raises(IntegrityError), db.atomic():
        table.update(**bad).where(table._meta.primary_key == row.get_id()).execute()


def test_every_check_of_the_models_is_among_the_bad_rows():
    """A CHECK that is added to one of these tables must be tried here as well."""
    tried = Counter(table for table, _ in BAD)
    left_out = {}
    for model in tried:
        checks = sum(len(field.constraints or ()) for field in model._meta.sorted_fields)
        checks += len(model._meta.constraints or ())
        if tried[model] < checks:
            left_out[model.__name__] = f"{checks} checks, {tried[model]} bad rows"
    assert left_out == {}


TWICE = [
    (Brand, lambda row: {"name": row.name}),
    (Watch, lambda row: {"code": row.code}),
    (Device, lambda row: {"slug": row.slug}),
    (Variant, lambda row: {"sku": row.sku}),
    (Tariff, lambda row: {"code": row.code}),
    (TariffPrice, lambda row: {}),
    (Gift, lambda row: {"device": row.device_id}),
    (Cart, lambda row: {"token": row.token}),
    (CartLine, lambda row: {}),
    (WishList, lambda row: {"profile": row.profile_id}),
    (WishLine, lambda row: {}),
    (Checkout, lambda row: {"cart": row.cart_id}),
    (Order, lambda row: {"number": row.number}),
    (Mail, lambda row: {"key": row.key}),
    (Payment, lambda row: {"oid": row.oid}),
    (PayLink, lambda row: {"nonce": row.nonce}),
    (PayLink, lambda row: {}),
    (CartReminder, lambda row: {}),
    (Refund, lambda row: {"payment": row.payment_id}),
    (Document, lambda row: {}),
    (Registration, lambda row: {"code": row.code}),
    (ProfileLink, lambda row: {"code": row.code}),
    (Holder, lambda row: {"id_number": row.id_number}),
    (Subscriber, lambda row: {"code": row.code}),
    (Number, lambda row: {"msisdn": row.msisdn}),
    (ProfileNumber, lambda row: {}),
    (Invoice, lambda row: {"number": row.number}),
    (BillPayment, lambda row: {"number": row.number}),
    (BillPaymentLine, lambda row: {}),
    (Contract, lambda row: {"code": row.code}),
    (NewNumber, lambda row: {"msisdn": row.msisdn}),
    (Allowance, lambda row: {}),
    (Sms, lambda row: {"key": row.key}),
    (Sms, lambda row: {"message_id": row.message_id}),
    (NumberClaim, lambda row: {"token": row.token}),
    (Refusal, lambda row: {}),
    (BssMessage, lambda row: {"message": row.message}),
    (BssKnown, lambda row: {}),
    (BssEvent, lambda row: {"uuid": row.uuid}),
    (BssEvent, lambda row: {"sequence": row.sequence}),
    (Rate, lambda row: {}),
    (FixedService, lambda row: {"code": row.code}),
    (ClubMember, lambda row: {}),
    (ClubEntry, lambda row: {"key": row.key}),
    (ClubMovement, lambda row: {}),
    (ClubMonth, lambda row: {}),
    (ClubTopup, lambda row: {"reference": row.reference}),
    (ClubNotice, lambda row: {}),
    (Partner, lambda row: {"code": row.code}),
    (PartnerOffer, lambda row: {}),
    (ClubGift, lambda row: {}),
    (Voucher, lambda row: {"code": row.code, "entry": row.entry_id}),
    (ClubService, lambda row: {"uuid": row.uuid, "entry": row.entry_id}),
    (OrderPoints, lambda row: {"order": row.order_id, "entry": row.entry_id}),
    (GiftHandout, lambda row: {"token": row.token}),
    (DeskJoining, lambda row: {"token": row.token}),
    (Staff, lambda row: {"profile": row.profile_id}),
    (SecondFactor, lambda row: {"profile": row.profile_id}),
    (RecoveryCode, lambda row: {"factor": row.factor_id, "digest": row.digest}),
    (WorkSession, lambda row: {"key": row.key}),
    (OrderNote, lambda row: {"key": row.key}),
    (InboundSms, lambda row: {"message": row.message}),
    (Claim, lambda row: {"key": row.key}),
    (Attachment, lambda row: {"stored": row.stored}),
]


@pytest.mark.parametrize(("table", "same"), TWICE, ids=lambda value: getattr(value, "__name__", ""))
def test_a_migrated_database_refuses_what_must_be_unique_twice(world, table, same):
    row = row_of(world, table)
    values = {**row.__data__}
    for field in table._meta.sorted_fields:
        if field.primary_key:
            values.pop(field.name, None)
        elif field.unique and field.name not in same(row):
            values[field.name] = None if field.null else f"another-{field.name}"
    with pytest.raises(IntegrityError), db.atomic():
        table.insert(**values).execute()


@pytest.mark.rule("CHK-4")
def test_a_checkout_becomes_one_order_by_the_database_itself(world):
    order = row_of(world, Order)
    values = {name: value for name, value in order.__data__.items() if name != "id"}
    with pytest.raises(IntegrityError), db.atomic():
        Order.insert(**{**values, "number": "DY-0000-0000-1"}).execute()


@pytest.mark.rule("PAY-6")
def test_an_order_is_paid_once_by_the_database_itself(world):
    order, payment = ordered(world, "CASE-BLACK")
    second = Payment.begin(order, NOW)
    Payment.update(state="paid").where(Payment.id == payment.id).execute()
    with pytest.raises(IntegrityError), db.atomic():
        Payment.update(state="paid").where(Payment.id == second.id).execute()
    Payment.update(state="surplus").where(Payment.id == second.id).execute()


@pytest.mark.rule("PAY-6")
def test_a_choice_of_invoices_is_paid_once_by_the_database_itself(world):
    bills = row_of(world, BillPayment)
    second = Payment.begin(bills, NOW)
    Payment.update(state="paid").where(Payment.bill_payment == bills, Payment.id != second.id).execute()
    with pytest.raises(IntegrityError), db.atomic():
        Payment.update(state="paid").where(Payment.id == second.id).execute()
    Payment.update(state="surplus").where(Payment.id == second.id).execute()


@pytest.mark.rule("PRO-7")
def test_a_payment_is_for_an_order_or_for_invoices_never_for_both(world):
    bills = row_of(world, BillPayment)
    order, payment = ordered(world, "CASE-BLACK")
    with pytest.raises(IntegrityError), db.atomic():
        Payment.update(bill_payment=bills).where(Payment.id == payment.id).execute()


def test_what_an_order_names_cannot_be_deleted(world):
    order, payment = ordered(world, "CASE-BLACK")
    for query in (
        Variant.delete().where(Variant.sku == "CASE-BLACK"),
        Device.delete().where(Device.slug == "kellef-s25"),
        Order.delete().where(Order.id == order.id),
    ):
        with pytest.raises(IntegrityError), db.atomic():
            query.execute()


@pytest.mark.rule("PRV-3")
def test_a_cart_that_goes_takes_its_lines_and_what_was_typed_along_but_no_order(world):
    cart = cart_with(world, "CASE-BLACK")
    checkout_of(cart)
    order, _ = ordered(world, "TAB-GREY-64")
    Cart.delete().execute()
    assert CartLine.select().count() == Checkout.select().count() == 0
    assert Order.get_by_id(order.id).cart_id is None


@pytest.mark.rule("LOC-3")
def test_a_moment_comes_back_as_it_was_and_in_utc(world):
    moment = datetime.fromisoformat("2026-07-01T12:34:56.789012+02:00")
    cart = Cart.begin(moment)
    read = Cart.get_by_id(cart.id).created_at
    assert read == moment
    assert read.utcoffset().total_seconds() == 0
    assert Cart.select().where(Cart.created_at == moment).exists()
    assert not Cart.select().where(Cart.created_at < moment).exists()


@pytest.mark.rule("LOC-3")
def test_a_moment_without_a_zone_cannot_be_stored():
    with pytest.raises(ValueError, match="time zone"):
        Cart.begin(NOW.replace(tzinfo=None))


def pwmigrate(*arguments, url):
    command = [str(Path(sys.executable).with_name("pwmigrate")), "models.base.db", *arguments]
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(config.ROOT)}
    return subprocess.run(
        command, cwd=config.ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_models_and_the_migrations_agree(fresh_database):
    status = pwmigrate("status", url=fresh_database)
    assert status.returncode == 0, status.stdout + status.stderr
    drift = pwmigrate("diff", url=fresh_database)
    assert (drift.stdout.strip(), drift.stderr.strip()) == (NO_DRIFT, "")


def test_a_column_that_no_model_has_is_seen_as_drift(fresh_database):
    """Else the test above could not fail."""
    database = connect(fresh_database)
    with database.connection_context():
        database.execute_sql("ALTER TABLE cart ADD COLUMN colour VARCHAR(9)")
    database.close()
    assert "colour" in pwmigrate("diff", url=fresh_database).stdout


@pytest.mark.skipif(not IS_SQLITE, reason="PostgreSQL changes the table where it stands")
def test_a_mail_written_before_profiles_is_kept(tmp_path):
    database = connect(f"sqlite:///{tmp_path}/old.db")
    runner = Runner(database, str(config.ROOT / "migrations"))
    with database.connection_context():
        runner.up("0003_contract_lines")
        fields = "kind, key, recipient, language, state, message_id, tries, written_at, trouble"
        row = ("order_lapsed", "k", "ana@example.com", "mk", "handed", "<1@x>", 3, "2026-03-10 11:00:00", "silent")
        database.execute_sql(f"INSERT INTO mail ({fields}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608
        database.execute_sql(
            "INSERT INTO profile"
            " (email, password_hash, first_name, last_name, phone, language, session_number, created_at)"
            " VALUES ('a@x', 'h', '', '', '', 'sq', 1, '2026-01-01')"
        )
        runner.up()
        assert database.execute_sql(f"SELECT {fields} FROM mail").fetchall() == [row]  # noqa: S608
        assert database.execute_sql("SELECT verified_at FROM profile").fetchall() == [("2026-01-01",)]
        names = {index.name for index in database.get_indexes("mail")}
    database.close()
    assert {"mail_key", "mail_due_at", "mail_order_id", "mail_profile_id"} <= names
