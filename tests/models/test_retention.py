"""What is past its period goes, and nothing else does (PRV-3)."""

import os
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner
from peewee import IntegrityError, InternalError

import config
from commands.privacy import privacy
from models import retention
from models.actor import SHOPPER, Actor
from models.attachment import Attachment
from models.base import Unfinished, db
from models.bss_event import BssEvent
from models.calendar import local_day
from models.cart import Cart
from models.claim import Claim
from models.consent import Consent
from models.document import Document
from models.new_number import NewNumber
from models.number import Number
from models.order import Order, OrderLine
from models.order_key import OrderKey
from models.order_note import OrderNote
from models.outbox import Mail
from models.payment import Payment, Refund
from models.profile import Attempt
from models.registration import Registration
from models.retention import RULES, RetentionPermit, RetentionRun, due, retain, retain_all_due
from models.security_code import SecurityCode
from models.subscriber import Holder
from models.trail import AuditEntry, record
from tests.world import (
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    ordered,
    own_number,
    place,
    profile,
)

AGENT = Actor("agent", "agent@example.com")
BY_NAME = {rule.name: rule for rule in RULES}


def after(**period):
    return NOW + timedelta(**period)


def run(now) -> dict[str, int]:
    """Each rule once; what went, by rule, without those of which nothing did."""
    return {rule.name: gone for rule in RULES if (gone := retain(rule, now).count)}


@pytest.fixture
def world():
    return build()


@pytest.fixture
def delivered(world):
    """An order that was delivered, with everything that can hang on it."""
    order, payment = ordered(world, "CASE-BLACK")
    order.move("confirmed", by="bank", now=NOW)
    payment.state = "paid"
    payment.save()
    OrderNote.add(order, "Flet vetëm shqip.", by=AGENT, now=NOW, key="n")
    for state, by in (("packed", "warehouse"), ("with_courier", "warehouse"), ("delivered", "courier")):
        order.move(state, by=by if by != "courier" else "warehouse", now=NOW)
    claim = Claim.open(order, "complaint", "late", key="k", by=SHOPPER, now=NOW, text="Erdhi vonë, te Ana.")
    Attachment.create(claim=claim, name="a.pdf", kind="application/pdf", size=1, stored="stored", at=NOW)
    claim.answer("Na falni.", by=AGENT, now=NOW)
    BssEvent.number_all()
    BssEvent.update(state="sent").execute()
    Mail.update(state="sent").execute()
    return Order.get_by_id(order.id)


def test_with_nothing_past_its_period_nothing_goes(delivered):
    assert run(after(hours=1)) == {}


@pytest.mark.rule("PRV-3")
def test_the_dry_run_counts_what_then_goes_and_changes_nothing(world):
    cart_with(world, "CASE-BLACK")
    Attempt.begin({"login:ana@example.com": 5}, timedelta(minutes=15), NOW)
    later = after(days=config.CART_DAYS + 1)
    counted = {rule.name: count for rule, count, _ in due(later) if count}
    assert counted == {rule.name: count for rule, count, _ in due(later) if count}
    assert counted["carts"] == 1
    assert BY_NAME["carts"].count(later)[1] == Cart.get().seen_at
    assert run(later) == counted
    assert run(later) == {}
    assert not Cart.select().exists()


@pytest.mark.rule("PRV-3")
def test_the_job_and_the_hourly_sweeps_agree_on_what_is_past(world):
    begun = {"email": "ana@example.com", "password": "fjale-kyce-7", "address": "10.0.0.1", "language": "sq"}
    later = after(days=400)
    owner = profile()
    for sweep, names in (
        (Cart.forget_old, ["carts"]),
        (Attempt.forget_old, ["attempts"]),
        (Registration.forget_old, ["registrations"]),
        (SecurityCode.forget_old, ["codes"]),
    ):
        cart_with(world, "CASE-BLACK")
        Attempt.begin({"login:ana@example.com": 500}, timedelta(minutes=15), NOW)
        Registration.begin(first_name="Ana", last_name="Markovska", now=NOW, **begun)
        SecurityCode.send(owner, f"3897010{len(begun['email']):04}", NOW, genuine=False)
        assert all(BY_NAME[name].count(later)[0] for name in names)
        sweep(later)
        assert not any(BY_NAME[name].count(later)[0] for name in names)
        begun["email"] = f"a{begun['email']}"


@pytest.mark.rule("PRV-3")
def test_an_orders_contact_goes_some_years_after_it_ended_and_the_rest_stays(delivered):
    later = after(days=config.KEEP_CONTACT_DAYS + 2)
    assert run(after(days=config.KEEP_CONTACT_DAYS - 2)).get("contacts") is None
    assert run(later)["contacts"] == 1
    order = Order.get_by_id(delivered.id)
    assert (order.email, order.phone, order.note) == ("", "", "")
    assert (order.full_name, order.street) == (delivered.full_name, delivered.street)
    keys = [key for (key,) in OrderKey.select(OrderKey.key).where(OrderKey.order == order).tuples()]
    assert not [key for key in keys if key.startswith("t") or "@" in key]
    assert Document.select().where(Document.order == order).exists()


@pytest.mark.rule("PRV-3")
def test_after_its_years_an_order_is_a_figure_without_a_person(delivered):
    later = NOW.replace(year=NOW.year + config.KEEP_ORDER_YEARS)
    assert "orders" not in run(later)
    gone = run(later.replace(year=later.year + 1))
    assert gone["orders"] == 1
    order = Order.get_by_id(delivered.id)
    assert (order.first_name, order.last_name, order.email, order.street, order.signer) == ("",) * 5
    assert (order.total, order.state, order.municipality) == (delivered.total, "delivered", delivered.municipality)
    assert OrderLine.get(OrderLine.order == order).sku == "CASE-BLACK"
    for model in (Document, AuditEntry, OrderNote):
        assert not model.select().where(model.order == order).exists()
    assert not Attachment.select().exists()
    claim = Claim.get()
    assert (claim.text, claim.reply, claim.answered_by) == ("", "", "")
    keys = [key for (key,) in OrderKey.select(OrderKey.key).where(OrderKey.order == order).tuples()]
    assert keys
    assert all(key.startswith("n") for key in keys)
    assert "Ana" not in str([event.payload for event in BssEvent.select()])
    assert not RetentionPermit.select().exists()


@pytest.mark.rule("PRV-3")
@pytest.mark.parametrize("state", ["due", "refused"])
def test_events_that_the_billing_system_never_took_are_given_up_and_keep_their_numbers(delivered, state):
    # Without a webhook all of them wait for ever, and nobody has numbered them.
    BssEvent.update(state=state, sequence=None).execute()
    kinds = [event.kind for event in BssEvent.select().order_by(BssEvent.id)]
    assert "bss_events" not in run(after(days=config.KEEP_EVENT_DAYS - 1))
    late = after(days=config.KEEP_EVENT_DAYS + 1)
    expected = {rule.name: count for rule, count, _ in due(late)}["bss_events"]
    assert run(late)["bss_events"] == expected == len(kinds)
    kept = list(BssEvent.select().order_by(BssEvent.sequence))
    assert [(event.sequence, event.kind) for event in kept] == list(enumerate(kinds, 1))
    assert {(event.state, event.version, str(event.payload)) for event in kept} == {("skipped", 0, "{}")}
    assert "bss_events" not in run(late)


@pytest.mark.rule("PRV-3")
def test_an_order_takes_its_events_along_whether_they_were_told_or_not(delivered, monkeypatch):
    BssEvent.update(state="due", sequence=None).execute()
    monkeypatch.setattr(config, "KEEP_EVENT_DAYS", 365 * 30)
    gone = run(NOW.replace(year=NOW.year + config.KEEP_ORDER_YEARS + 1))
    assert gone["orders"] == 1
    assert "bss_events" not in gone
    kept = list(BssEvent.select().order_by(BssEvent.sequence))
    assert [event.sequence for event in kept] == list(range(1, len(kept) + 1))
    assert {(event.state, str(event.payload)) for event in kept} == {("skipped", "{}")}


@pytest.mark.rule("PRV-3", "OFF-6")
def test_a_new_number_leads_to_no_order_that_was_forgotten(world):
    cart = cart_with(world)
    contract_line(cart, "S25-BLACK-128", "new_number", "card", None, number=NewNumber.create(msisdn="38970200001"))
    order, payment = place(checkout_of(cart))
    order.move("confirmed", by="bank", now=NOW)
    Payment.update(state="paid").where(Payment.id == payment.id).execute()
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by="warehouse", now=NOW)
    assert NewNumber.get().order == order
    assert run(NOW.replace(year=NOW.year + config.KEEP_ORDER_YEARS + 1))["orders"] == 1
    # It is not to be had again, and nobody's.
    assert (NewNumber.get().state, NewNumber.get().order_id) == ("sold", None)


@pytest.mark.rule("PRV-3")
def test_an_order_that_came_to_nothing_is_forgotten_within_months(world):
    order, payment = ordered(world, "CASE-BLACK")
    order.lapse(after(hours=1))
    # The bank may still speak of one that was begun.
    assert "unpaid_orders" not in run(after(days=config.KEEP_UNPAID_DAYS + 1))
    Payment.update(state="abandoned").where(Payment.id == payment.id).execute()
    assert "unpaid_orders" not in run(after(days=config.KEEP_UNPAID_DAYS - 1))
    assert run(after(days=config.KEEP_UNPAID_DAYS + 1))["unpaid_orders"] == 1
    assert Order.get_by_id(order.id).last_name == ""


@pytest.mark.rule("PRV-3")
def test_what_is_still_open_keeps_its_order_whatever_its_age(world):
    order, payment = ordered(world, "CASE-BLACK")
    order.move("confirmed", by="bank", now=NOW)
    payment.state = "paid"
    payment.save()
    order.move("cancelled", by="shopper", now=NOW)
    late = NOW.replace(year=NOW.year + 12)
    assert Refund.get().state == "due"
    assert {"contacts", "orders", "unpaid_orders"} & set(run(late)) == set()
    Refund.update(state="done", done_at=NOW).execute()
    assert {"contacts", "orders"} <= set(run(late))


@pytest.mark.rule("PRV-3")
def test_trail_notes_and_papers_refuse_to_go_without_a_permit(delivered):
    for model in (AuditEntry, OrderNote, Document):
        assert model.select().exists(), model
        with pytest.raises((IntegrityError, InternalError)), db.atomic():
            model.delete().execute()
        # A permit for what is older lets nothing newer go.
        with pytest.raises((IntegrityError, InternalError)), db.atomic():
            retention.delete_kept(model, model.id > 0, NOW)
    assert not RetentionPermit.select().exists()


@pytest.mark.rule("PRV-3")
def test_the_trail_goes_after_its_years_and_not_a_day_before(world):
    record(SHOPPER, "note", NOW, subject="x", why="Ana")
    record(SHOPPER, "note", after(days=2), subject="y")
    assert run(after(days=config.KEEP_TRAIL_DAYS)).get("trail") is None
    assert run(after(days=config.KEEP_TRAIL_DAYS + 1))["trail"] == 1
    assert [entry.subject for entry in AuditEntry.select()] == ["y"]


@pytest.mark.rule("PRV-3")
def test_a_files_row_goes_and_the_sweeper_takes_the_file(delivered, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "ATTACHMENTS", tmp_path)
    (tmp_path / "stored").write_bytes(b"%PDF")
    os.utime(tmp_path / "stored", (time.time() - 86_400,) * 2)
    assert Attachment.sweep(NOW) == 0
    assert run(after(days=config.KEEP_FILE_DAYS + 1))["claim_files"] == 1
    assert Attachment.sweep(NOW) == 1
    assert Claim.get().text


@pytest.mark.rule("PRV-3")
def test_a_holder_without_a_number_is_forgotten_and_one_with_a_number_is_not(world):
    owner = profile()
    kept, given_up = own_number(owner, "38970100001"), own_number(owner, "38970100009")
    Number.update(active=False).where(Number.id == given_up.id).execute()
    assert run(after(days=1))["holders"] == 1
    gone = Holder.get_by_id(given_up.subscriber.holder_id)
    assert (gone.first_name, gone.last_name, gone.id_number) == ("", "", f"-{gone.id}")
    assert Number.get_by_id(given_up.id).sim_end == "000000"
    assert Holder.get_by_id(kept.subscriber.holder_id).first_name == "Arben"


@pytest.mark.rule("PRV-3", "PRV-2")
def test_of_a_consent_the_last_word_stays_as_long_as_the_profile(world):
    owner = profile()
    for number, given in enumerate((True, False, True)):
        Consent.say(owner, "club_sms", given, after(minutes=number), wording="Po", channel="web")
    assert run(after(days=config.KEEP_CONSENT_DAYS + 1))["consents"] == 2
    assert Consent.of(owner)["club_sms"]


@pytest.mark.rule("PRV-3")
def test_a_batch_is_small_and_many_make_up_for_days_off(world, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        Attempt.insert(key="x", at=NOW).execute()
    assert BY_NAME["attempts"].batch(after(days=40)) == 2
    assert retain(BY_NAME["attempts"], after(days=40)).count == 3
    assert RetentionRun.get(RetentionRun.kind == "attempts").count == 5


@pytest.mark.rule("PRV-3")
def test_the_worker_does_each_kind_once_a_day_and_goes_on_where_its_time_was_over(world):
    later = after(days=40)
    assert isinstance(retain_all_due(later, within=-1), Unfinished)
    rounds = 0
    while isinstance(retain_all_due(later, within=-1), Unfinished):
        rounds += 1
    assert rounds == len(RULES) - 2
    assert retain_all_due(later) == 0
    assert retain_all_due(later + timedelta(days=1)) == len(RULES)
    assert RetentionRun.select().where(RetentionRun.ended_at.is_null(False)).count() == 2 * len(RULES)


@pytest.fixture
def carts_stumble(monkeypatch):
    def stumble(ids, now):
        raise IntegrityError("carts are held")

    rules = tuple(replace(rule, take=stumble) if rule.name == "carts" else rule for rule in RULES)
    monkeypatch.setattr(retention, "RULES", rules)


@pytest.mark.rule("PRV-3")
def test_a_kind_that_fails_stops_no_other_and_is_tried_again(world, carts_stumble, monkeypatch):
    cart_with(world, "CASE-BLACK")
    Attempt.insert(key="x", at=NOW).execute()
    later = after(days=config.CART_DAYS + 1)
    # However short the time is, the others have their turn.
    while isinstance(retain_all_due(later, within=-1), Unfinished):
        pass
    assert not Attempt.select().exists()
    assert Cart.select().exists()
    assert {rule.name for rule in RULES} - RetentionRun.ended_on(local_day(later)) == {"carts"}
    assert retain_all_due(later) == 0
    monkeypatch.setattr(retention, "RULES", RULES)
    assert retain_all_due(later) == 1
    assert not Cart.select().exists()


@pytest.mark.rule("PRV-3")
def test_an_operator_is_told_which_kind_failed(world, carts_stumble, monkeypatch):
    cart_with(world, "CASE-BLACK", now=NOW)
    Attempt.insert(key="x", at=NOW).execute()
    monkeypatch.setattr("commands.privacy.utcnow", lambda: after(days=config.CART_DAYS + 1))
    done = CliRunner().invoke(privacy, ["retention"])
    assert done.exit_code == 1
    assert "Error: carts failed" in done.output
    assert ["carts", "failed"] in [line.split() for line in done.output.splitlines()]
    assert not Attempt.select().exists()
    report = CliRunner().invoke(privacy, ["report"]).output.splitlines()
    assert [line.split()[1:] for line in report if "carts" in line] == [["carts", "0", "no"]]


@pytest.mark.rule("PRV-3")
def test_an_operator_sees_what_would_go_and_what_went(world, monkeypatch):
    Attempt.insert(key="x", at=NOW).execute()
    told = CliRunner().invoke(privacy, ["retention", "--dry-run"])
    assert told.exit_code == 0, told.output
    assert "attempts" in told.output
    assert "2026-03-10T11:00+00:00" in told.output
    assert Attempt.select().exists()
    done = CliRunner().invoke(privacy, ["retention"])
    assert done.exit_code == 0, done.output
    assert not Attempt.select().exists()
    report = CliRunner().invoke(privacy, ["report"]).output.splitlines()
    assert [line.split()[1:] for line in report if "attempts" in line] == [["attempts", "1", "yes"]]
