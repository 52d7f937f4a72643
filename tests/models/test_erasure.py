"""Erasing a profile: asked, confirmed, thought about, done; and what is left (PRV-4)."""

from datetime import timedelta

import pytest

import config
from models import MODELS
from models import erasure as erasing
from models.actor import SHOPPER
from models.attachment import Attachment
from models.bill_payment import BillPayment
from models.cart import Cart
from models.checkout import Checkout
from models.claim import Claim
from models.club_ledger import audit
from models.club_member import ClubMember
from models.consent import Consent
from models.erasure import AGAIN, AlreadyConfirmed, Erasure, NotYet, StaffProfile, outlook, what_is_open
from models.mark import mark_of
from models.my_orders import guest_orders, take_guest_orders
from models.number import ProfileNumber
from models.order import Order
from models.order_key import OrderKey
from models.outbox import Mail
from models.payment import Payment, Refund
from models.person_data import data_of, person_of
from models.profile import Attempt, Profile
from models.profile_link import LinkOver, ProfileLink
from models.registration import Registration
from models.retention import RULES, retain
from models.saved_address import SavedAddress
from models.staff import Staff
from models.trail import AuditEntry
from models.watch import Watch
from models.wish import WishList
from tests.club import joined
from tests.staff import works
from tests.world import NOW, PASSWORD, build, cart_with, checkout_of, has_device, ordered, owes, profile

EMAIL = "arben@example.com"


def after(**period):
    return NOW + timedelta(**period)


@pytest.fixture
def world():
    return build()


@pytest.fixture
def owner(world):
    """A profile with a bit of everything, and nothing that is open."""
    member = joined(points=700)
    owner = Profile.get(Profile.email == EMAIL)
    order, payment = ordered(world, "CASE-BLACK")
    Order.update(profile=owner, email=EMAIL, note="Bie zilja dy herë").where(Order.id == order.id).execute()
    order.move("cancelled", by="shopper", now=NOW)
    Payment.update(state="abandoned").where(Payment.id == payment.id).execute()
    checkout_of(cart_with(world, "TAB-GREY-64", profile=owner))
    SavedAddress.keep(owner, "Rr. Ilindenit 12", "1200", "MK-609", NOW)
    WishList.create(profile=owner, created_at=NOW, seen_at=NOW)
    Watch.ask_for(owner, world["IP16-BLACK-256"], "stock", segment=None, now=NOW)
    Consent.say(owner, "club_email", True, NOW, wording="Po, dua lajme", channel="web")
    # Before there was a profile, or in another browser.
    Consent.say_as_guest(EMAIL, "cart_email", True, NOW, wording="Po, më kujtoni", channel="checkout")
    Watch.ask(EMAIL, world["IP16-BLACK-256"], "stock", language="sq", address="", now=NOW)
    checkout_of(cart_with(world, "CASE-BLACK"), email="Arben@Example.com")
    has_device(member.number, 50)
    ProfileLink.ask_password(EMAIL, "", NOW)
    Registration.begin(
        email=EMAIL, password="fjale-kyce-7", first_name="A", last_name="O", language="sq", address="", now=NOW
    )
    return owner


def erased(owner, now=NOW) -> Erasure:
    """The profile, erased after its days."""
    erasure = Erasure.ask(owner, "", now)
    erasure.confirm(now)
    assert Erasure.carry_out_all_due(now + timedelta(days=config.ERASURE_DAYS)) == 1
    return Erasure.get_by_id(erasure.id)


@pytest.mark.rule("PRV-4")
def test_what_was_counted_goes_for_a_mailbox_with_a_plus_too(world):
    owner = profile("arben+dyqani@example.com")
    ProfileLink.ask_password(owner.email, "", NOW)
    assert Attempt.select().where(Attempt.key.contains("arben@")).exists()
    erased(owner)
    assert not Attempt.select().where(Attempt.key.contains("arben")).exists()


@pytest.mark.rule("PRV-4")
def test_nothing_personal_of_the_profile_is_left(owner):
    erasure = erased(owner)
    left = Profile.get_by_id(owner.id)
    assert (left.email, left.password_hash, left.name, left.phone) == (f"erased-{owner.id}", "", "", "")
    assert not Cart.select().where(Cart.profile == owner).exists()
    for model in (ProfileNumber, ProfileLink, Registration, SavedAddress, WishList, Watch):
        assert not model.select().exists(), model.__name__
    assert not Attempt.select().where(Attempt.key.contains(EMAIL)).exists()
    order = Order.get()
    assert (order.profile_id, order.note, order.email) == (None, "", EMAIL)
    assert ClubMember.get().profile_id is None
    assert erasure.mark == mark_of(EMAIL)
    [farewell] = Mail.select().where(Mail.order.is_null())
    assert (farewell.kind, farewell.recipient, farewell.profile_id) == ("profile_erased", EMAIL, None)
    # The e-mail stands in the orders, which stay, in the last mail, and nowhere else.
    others = set(MODELS) - {Order, OrderKey, Mail}
    for model in others:
        rows = [str(row).lower() for row in model.select().dicts()]
        assert not [row for row in rows if EMAIL in row], model.__name__
    [farewells] = [rule for rule in RULES if rule.name == "farewells"]
    Mail.update(state="sent").execute()
    assert retain(farewells, after(days=config.ERASURE_DAYS + 2)).count == 1


@pytest.mark.rule("PRV-4")
def test_what_was_typed_as_a_guest_goes_and_what_others_typed_stays(owner, world):
    besa = profile("besa@example.com")
    # She has her husband's e-mail in her own cart, and somebody else one that is alike.
    hers = checkout_of(cart_with(world, "CASE-BLACK", profile=besa), email=EMAIL)
    alike = checkout_of(cart_with(world, "CASE-BLACK"), email=f"x{EMAIL}")
    erased(owner)
    assert {row.id for row in Checkout.select().where(Checkout.email.contains("arben"))} == {hers.id, alike.id}


@pytest.mark.rule("PRV-4")
def test_a_mail_to_the_mailbox_goes_however_it_was_typed(owner):
    Mail.write_to("Arben@Example.COM", "payer_receipt", NOW, key="old", language="sq", data={"payment": 1})
    erased(owner)
    assert [mail.kind for mail in Mail.select().where(Mail.order.is_null())] == ["profile_erased"]


@pytest.mark.rule("PRV-4", "CLB-16")
def test_points_and_contract_go_on_with_the_number(owner):
    told = outlook(owner, NOW)
    assert [member.balance for member in told.members] == [700]
    assert (told.orders, told.contracts, told.guest_orders) == (1, 1, 0)
    erased(owner)
    member = ClubMember.get()
    assert (member.balance, member.ended_at) == (700, None)
    assert list(audit()) == []


@pytest.mark.rule("PRV-4", "PRV-2")
def test_consents_stay_as_proof_that_leads_to_nobody_and_nobody_is_written_to(owner):
    erasure = erased(owner)
    rows = [(row.kind, row.given) for row in Consent.select().order_by(Consent.id)]
    assert rows == [("club_email", True), ("cart_email", True), ("club_email", False), ("cart_email", False)]
    assert Consent.live_of("club_email") == {}
    assert Consent.live("cart_email", email=EMAIL) is None
    found = data_of(person_of(EMAIL))
    assert len(found["consent"]) == 4
    assert found["erasure"][0]["done_at"]
    # Who shows the e-mail finds the proof by it.
    assert Erasure.get(Erasure.mark == mark_of(EMAIL)).profile_id == Consent.get().profile_id == erasure.profile_id
    for rule in RULES:
        retain(rule, after(days=config.ERASURE_DAYS + config.KEEP_CONSENT_DAYS + 1))
    assert not Consent.select().exists()
    assert Erasure.get().mark == ""


@pytest.mark.rule("PRV-4")
def test_the_email_opens_a_new_profile_that_begins_empty(owner):
    erased(owner)
    assert Profile.log_in(EMAIL, PASSWORD, "10.0.0.1", NOW) is None
    again = profile(EMAIL)
    assert again.id != owner.id
    assert guest_orders(again) == take_guest_orders(again) == 0
    assert Consent.of(again)["club_email"] is False
    assert Profile.of_session(owner.get_id()) is None


@pytest.mark.rule("PRV-4")
def test_nothing_happens_without_the_link_nor_before_its_days(owner):
    erasure = Erasure.ask(owner, "", NOW)
    assert Erasure.carry_out_all_due(after(days=100)) == 0
    erasure.confirm(NOW)
    with pytest.raises(AlreadyConfirmed):
        Erasure.ask(owner, "", NOW)
    assert Erasure.carry_out_all_due(after(days=config.ERASURE_DAYS, seconds=-1)) == 0
    assert Erasure.withdraw(owner, NOW)
    assert not Erasure.withdraw(owner, NOW)
    assert Erasure.carry_out_all_due(after(days=100)) == 0
    assert Profile.get_by_id(owner.id).email == EMAIL
    whats = [entry.what for entry in AuditEntry.select().where(AuditEntry.subject != "")]
    assert whats == ["erasure_asked", "erasure_confirmed", "erasure_withdrawn"]


@pytest.mark.rule("PRV-4")
def test_a_link_opens_once_and_only_the_latest(owner):
    first, second = Erasure.ask(owner, "", NOW), Erasure.ask(owner, "", NOW)
    with pytest.raises(LinkOver):
        Erasure.of_token(first.token, NOW)
    assert Erasure.of_token(second.token, NOW) == second
    for token in (second.code, "x", f"{second.token}x"):
        with pytest.raises(LinkOver):
            Erasure.of_token(token, NOW)
    with pytest.raises(LinkOver):
        Erasure.of_token(second.token, after(hours=config.CONFIRM_HOURS))
    second.confirm(NOW)
    for again in (lambda: second.confirm(NOW), lambda: Erasure.of_token(second.token, NOW)):
        with pytest.raises(LinkOver):
            again()


@pytest.mark.rule("PRV-4")
def test_all_that_is_open_is_told_at_once_and_refuses(world):
    member = joined()
    owner = Profile.get(Profile.email == EMAIL)
    orders = []
    for state in ("awaiting_payment", "confirmed", "returning", "claimed"):
        order, payment = ordered(world, "CASE-BLACK")
        Order.update(profile=owner).where(Order.id == order.id).execute()
        if state != "awaiting_payment":
            order.move("confirmed", by="bank", now=NOW)
            Payment.update(state="paid").where(Payment.id == payment.id).execute()
        if state == "returning":
            order.move("packed", by="warehouse", now=NOW)
            order.move("cancelled", by="agent", now=NOW)
        if state == "claimed":
            Claim.open(order, "complaint", "late", key="k", by=SHOPPER, now=NOW)
        orders.append(order.number)
    BillPayment.begin(owner, [owes(member.number).number], NOW, "sq")
    found = {reason.code: reason.numbers for reason in what_is_open(owner, NOW)}
    assert found["unpaid"] == (orders[0],)
    assert found["order"] == tuple(sorted((orders[1], orders[3])))
    assert found["claim"] == (orders[3],)
    assert found["refund"] == (orders[2],)
    assert set(found) >= {"bill"} or BillPayment.get().state == "awaiting_payment"
    with pytest.raises(NotYet) as refused:
        Erasure.ask(owner, "", NOW)
    assert {reason.code for reason in refused.value.reasons} == set(found)
    assert not Erasure.select().exists()


@pytest.mark.rule("PRV-4")
def test_what_was_begun_in_the_meantime_is_waited_for(owner, world):
    erasure = Erasure.ask(owner, "", NOW)
    erasure.confirm(NOW)
    order, payment = ordered(world, "CASE-BLACK")
    Order.update(profile=owner).where(Order.id == order.id).execute()
    due = after(days=config.ERASURE_DAYS)
    assert Erasure.carry_out_all_due(due) == 0
    assert Erasure.get_by_id(erasure.id).due_at == due + AGAIN
    order.lapse(due)
    Payment.update(state="abandoned").where(Payment.id == payment.id).execute()
    assert not Refund.select().exists()
    assert Erasure.carry_out_all_due(due + AGAIN) == 1
    assert Erasure.carry_out_all_due(due + AGAIN) == 0


@pytest.mark.rule("PRV-4", "DSK-5")
def test_whoever_works_here_is_not_erased_before_the_role_is_gone(world):
    clerk = works("clerk")
    with pytest.raises(StaffProfile):
        Erasure.ask(clerk, "", NOW)
    owner = profile()
    Erasure.ask(owner, "", NOW).confirm(NOW)
    Staff.add(owner, "agent", NOW)
    assert Erasure.carry_out_all_due(after(days=30)) == 0
    assert Profile.get_by_id(owner.id).email == owner.email


def test_files_of_claims_are_no_part_of_the_profile(owner):
    claim = Claim.open(Order.get(), "complaint", "late", key="k", by=SHOPPER, now=NOW)
    Attachment.create(claim=claim, name="a.pdf", kind="application/pdf", size=1, stored="s", at=NOW)
    claim.answer("Po.", by=SHOPPER, now=NOW)
    erased(owner)
    assert Attachment.select().exists()


@pytest.mark.rule("PRV-4")
def test_one_that_stumbles_keeps_no_other_from_being_done(owner, monkeypatch):
    first, part = erased(owner), erasing._part

    def stumble(profile):
        if profile.id == owner.id:
            raise RuntimeError
        part(profile)

    monkeypatch.setattr(erasing, "_part", stumble)
    besa = profile("besa@example.com")
    now = first.done_at - timedelta(days=config.ERASURE_DAYS) + timedelta(minutes=1)
    Erasure.ask(besa, "", now).confirm(now)
    # What was written in the last moment cannot be taken from the first, and the second is due.
    assert Erasure.carry_out_all_due(first.done_at + timedelta(minutes=1)) == 1
    assert Profile.get_by_id(besa.id).email == f"erased-{besa.id}"


@pytest.mark.rule("PRV-4")
def test_what_somebody_was_writing_at_that_moment_goes_a_little_later(owner, world):
    erasure = erased(owner)
    cart_with(world, "CASE-BLACK", profile=owner)
    SavedAddress.keep(owner, "Rr. Ilindenit 12", "1200", "MK-609", NOW)
    assert Erasure.carry_out_all_due(erasure.done_at + timedelta(minutes=1)) == 0
    assert not SavedAddress.select().exists()
    assert not Cart.select().where(Cart.profile == owner).exists()
