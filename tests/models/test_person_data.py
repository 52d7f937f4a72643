"""All that is kept about a person, and giving it to an authority (PRV-5)."""

import json
import sqlite3

import pytest
from peewee import ForeignKeyField

from models import MODELS
from models.actor import Actor
from models.base import IS_SQLITE, db
from models.bill_payment import BillPayment
from models.cart import Cart
from models.catalogue import Device
from models.claim import Claim
from models.club_member import ClubMember
from models.number import Number, ProfileNumber
from models.order import Order
from models.order_note import OrderNote
from models.outbox import Mail
from models.person_data import NobodyFound, data_of, disclose, own_data, person_of
from models.personal import KEYS, NOBODYS, WORKERS, untold
from models.profile import Profile
from models.refusal import Refusal
from models.registration import Registration
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from models.trail import AuditEntry
from tests.club import joined, offer
from tests.staff import voucher, works
from tests.world import GUEST, NOW, build, cart_with, checkout_of, ordered, owes, own_number, place, profile

ADMIN = Actor("admin", "admin@example.com")
# What a person's data begin with.
ROOTS = {Profile, Order, Number, Subscriber, Holder, Registration, Mail, Sms, Refusal}
# What no key leads to from a person: counts of tries, what comes from the billing system or goes there, which repeats
# what stands elsewhere, and who works here.
UNREACHED = {
    "allowance", "attempt", "bss_event", "bss_known", "bss_message", "device_draft", "inbound_sms", "price_list_job",
    "stock_movement",
}  # fmt: skip


@pytest.fixture
def world():
    return build()


def test_every_table_is_a_persons_or_is_said_to_be_nobodys():
    theirs = set(ROOTS)
    for _ in MODELS:
        theirs |= {
            model
            for model in MODELS
            for field in model._meta.sorted_fields
            if isinstance(field, ForeignKeyField) and field.rel_model in theirs
        }
    assert {model._meta.table_name for model in set(MODELS) - theirs} == NOBODYS | UNREACHED


def test_each_way_to_a_profile_says_whether_it_is_theirs_or_somebody_at_work():
    names = {
        (model._meta.table_name, field.name)
        for model in MODELS
        for field in model._meta.sorted_fields
        if isinstance(field, ForeignKeyField) and field.rel_model is Profile and field.name != "profile"
    }
    assert names == WORKERS


@pytest.mark.rule("PRV-5")
def test_an_email_brings_profile_numbers_points_and_orders_and_nobody_elses(world):
    besa = profile("besa@example.com")
    own_number(besa, "38970100009")
    mine = joined(points=700)
    order, _ = ordered(world, "CASE-BLACK")
    Order.update(profile=Profile.get(Profile.email == "arben@example.com")).where(Order.id == order.id).execute()
    found = data_of(person_of("arben@example.com"))
    assert [row["email"] for row in found["profile"]] == ["arben@example.com"]
    assert [row["number"] for row in found["order"]] == [order.number]
    assert {row["msisdn"] for row in found["number"]} == {mine.number.msisdn}
    assert [row["points"] for row in found["club_lot"]] == [700]
    assert "besa@example.com" not in json.dumps(found)
    assert "device" not in found


@pytest.mark.rule("PRV-5")
def test_no_secret_is_told(world):
    joined(points=700)
    ordered(world, "CASE-BLACK")
    for text in ("arben@example.com", "ana@example.com"):
        for table, rows in data_of(person_of(text)).items():
            assert not [name for row in rows for name in row if name in untold(table)], table
            assert table not in KEYS
    text = json.dumps(data_of(person_of("arben@example.com")))
    assert Profile.get(Profile.email == "arben@example.com").password_hash not in text


@pytest.mark.rule("PRV-5", "PRV-1")
def test_neither_who_of_the_shop_it_was_nor_a_code_that_could_be_used_is_told(world):
    member, order = joined(points=700), ordered(world, "CASE-BLACK")[0]
    order.move("cancelled", by=ADMIN, now=NOW)
    Claim.open(order, "complaint", "late", key="k", by=ADMIN, now=NOW).answer("Po.", by=ADMIN, now=NOW)
    bought = voucher(member, offer("KOKO", 50))
    begun = {"email": "ana@example.com", "password": "fjale-kyce-7", "address": "10.0.0.1", "language": "sq"}
    Registration.begin(first_name="Ana", last_name="Markovska", now=NOW, **begun)
    ana, arben = (data_of(person_of(text)) for text in ("ana@example.com", "arben@example.com"))
    assert ADMIN.name not in json.dumps(ana)
    assert [row["reply"] for row in ana["claim"]] == ["Po."]
    assert "code" not in ana["registration"][0]
    assert bought.code not in json.dumps(arben["voucher"])
    # Codes that open nothing belong to it.
    assert data_of(person_of(member.number.msisdn))["subscriber"][0]["code"]


@pytest.mark.rule("PRV-5")
@pytest.mark.skipif(not IS_SQLITE, reason="The limit is SQLite's.")
def test_somebody_with_more_rows_than_a_statement_takes_values_is_given_whole(world):
    numbers = {ordered(world, "CASE-BLACK")[0].id for _ in range(3)}
    before = db.connection().setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 600)
    try:
        found = data_of({Order: numbers | set(range(10**6, 10**6 + 700))})
    finally:
        db.connection().setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)
    assert [row["id"] for row in found["order"]] == sorted(numbers)
    assert len(found["order_line"]) == 3


@pytest.mark.rule("PRV-5")
def test_a_number_brings_its_holder_and_an_order_itself_alone(world):
    member = joined(points=10)
    found = data_of(person_of("070 100 001"))
    assert found["holder"][0]["id"] == member.number.subscriber.holder_id
    order, _ = ordered(world, "CASE-BLACK")
    other, _ = ordered(world, "TAB-GREY-64")
    found = data_of(person_of(order.number))
    assert [row["number"] for row in found["order"]] == [order.number]
    assert [row["sku"] for row in found["order_line"]] == ["CASE-BLACK"]


@pytest.mark.rule("PRV-5")
def test_who_works_here_does_not_own_what_they_worked_on(world):
    works("clerk")
    joined(points=500)
    assert "club_member" not in data_of(person_of("clerk@example.com"))
    assert ClubMember.select().exists()


@pytest.mark.rule("PRV-5")
def test_giving_data_away_is_recorded_with_who_asked_and_why(world):
    ordered(world, "CASE-BLACK")
    given = disclose(
        "ana@example.com", by=ADMIN, authority="Gjykata themelore", reference="12/2026", ground="neni 12", now=NOW
    )
    entry = AuditEntry.get()
    assert (entry.what, entry.who, entry.subject) == ("disclosed", "admin@example.com", "person:ana@example.com")
    assert (entry.after["authority"], entry.why) == ("Gjykata themelore", "neni 12")
    assert entry.after["rows"] == sum(len(rows) for rows in given["tables"].values()) > 1


def test_nobody_found_gives_nothing_and_records_nothing(world):
    for text in ("nobody@example.com", "070 999 999", "DY-0000-0000-0", ""):
        with pytest.raises(NobodyFound):
            disclose(text, by=ADMIN, authority="a", reference="b", ground="c", now=NOW)
    assert not AuditEntry.select().exists()
    assert not BillPayment.select().exists()
    assert Device.select().exists()


@pytest.mark.rule("PRV-4")
def test_a_profile_gets_its_own_data_and_nothing_of_who_shares_its_number(world):
    member = joined(points=700)
    mine, theirs = Profile.get(Profile.email == "arben@example.com"), profile("besa@example.com")
    ProfileNumber.create(profile=theirs, number=member.number, added_at=NOW)
    besas = checkout_of(cart_with(world, "TAB-GREY-64", profile=theirs), first_name="Besa", street="Rr. e Besës")
    besas.points_of, besas.points, besas.points_worth = member, 60, 600
    besas.save()
    order, _ = ordered(world, "CASE-BLACK")
    Order.update(profile=mine, recipient="Drita Osmani").where(Order.id == order.id).execute()
    OrderNote.add(order, "Klienti ishte i vrazhdë.", by=ADMIN, now=NOW, key="k")
    owes(member.number)
    found = own_data(mine, NOW)
    text = json.dumps(found)
    assert [row["msisdn"] for row in found["number"]] == [member.number.msisdn]
    assert [row["points"] for row in found["club_lot"]] == [700]
    assert [row["amount"] for row in found["invoice"]] == [189_900]
    # Who receives it stands there as the shopper typed it.
    assert [row["recipient"] for row in found["order"]] == ["Drita Osmani"]
    for others in ("Besa", "besa@", "Rr. e Besës", "vrazhdë", ADMIN.name, mine.password_hash):
        assert others not in text, others
    assert member.holder.id_number not in text
    assert not {"holder", "order_note", "subscriber"} & set(found)


@pytest.mark.rule("PRV-4")
def test_who_had_the_number_before_is_in_nobodys_download(world):
    member = joined(points=700)
    ClubMember.update(ended_at=NOW).where(ClubMember.id == member.id).execute()
    mine = Profile.get(Profile.email == "arben@example.com")
    found = own_data(mine, NOW)
    assert "club_member" not in found
    assert "club_entry" not in found


@pytest.mark.rule("PRV-4", "PRV-5")
def test_what_a_guest_ordered_at_the_same_browser_is_not_of_who_logs_in_there(world):
    mine = profile()
    typed = checkout_of(cart_with(world, "CASE-BLACK"))
    order, _ = place(typed)
    typed.cart.join(mine, NOW)
    # Placing it again still finds it.
    assert Order.get_by_id(order.id).cart == Cart.get(Cart.profile == mine)
    for found in (own_data(mine, NOW), data_of(person_of(mine.email))):
        assert {row["id"] for row in found["cart"]} == {order.cart_id}
        assert not {"order", "order_line", "payment"} & set(found)
        assert order.number not in json.dumps(found)
    # The guest's own dossier has it, and nothing of the other.
    for text in (GUEST["email"], "070 123 456", order.number):
        found = data_of(person_of(text))
        assert [row["number"] for row in found["order"]] == [order.number]
        assert mine.email not in json.dumps(found)


@pytest.mark.rule("PRV-5")
def test_what_a_guest_typed_and_did_not_order_is_in_the_dossier_of_their_email_and_phone(world):
    mine = profile("besa@example.com")
    checkout_of(cart_with(world, "CASE-BLACK"), email="Ana@Example.com")
    checkout_of(cart_with(world, "TAB-GREY-64", profile=mine), phone="38970999999", street="Rr. e Besës")
    for text in (GUEST["email"], "070 123 456"):
        found = data_of(person_of(text))
        assert GUEST["street"] in {row["street"] for row in found["checkout"]}
        assert len(found["cart_line"]) == 1
    # In somebody's cart: what was typed, and nothing of whose cart it is.
    [row] = data_of(person_of("070 999 999"))["checkout"]
    assert (row["email"], row["street"]) == (GUEST["email"], "Rr. e Besës")
    assert len(data_of(person_of(GUEST["email"]))["checkout"]) == 2
    assert "cart" not in data_of(person_of("070 999 999"))
    assert GUEST["phone"] not in json.dumps(own_data(mine, NOW))


@pytest.mark.rule("PRV-5")
def test_a_mail_is_found_by_its_mailbox_however_that_was_typed(world):
    Mail.write_to("Ana@Example.COM", "payer_receipt", NOW, key="k", language="sq", data={"payment": 1})
    assert [row["kind"] for row in data_of(person_of("ana@example.com"))["mail"]] == ["payer_receipt"]


@pytest.mark.rule("PRV-5")
def test_what_somebody_typed_who_pays_with_the_points_of_a_shared_number_is_their_own(world):
    member, theirs = joined(points=700), profile("besa@example.com")
    ProfileNumber.create(profile=theirs, number=member.number, added_at=NOW)
    besas = checkout_of(cart_with(world, "TAB-GREY-64", profile=theirs), first_name="Besa", street="Rr. e Besës")
    besas.points_of, besas.points, besas.points_worth = member, 60, 600
    besas.save()
    assert "checkout" not in data_of(person_of("arben@example.com"))
    assert [row["first_name"] for row in data_of(person_of("besa@example.com"))["checkout"]] == ["Besa"]
