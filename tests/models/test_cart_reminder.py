"""One mail about a left cart, to who agreed, and never where it would be wrong (PRV-2, MSG-1)."""

import re
from datetime import timedelta

import pytest

import config
import mails
from models.cart import TOUCHED_EVERY, Cart, CartLine
from models.cart_reminder import CartReminder, LinkOver, remember_wish
from models.checkout import Checkout
from models.consent import Consent
from models.new_number import NewNumber
from models.order import Order
from models.outbox import Mail
from models.payment import Payment
from models.person_data import data_of, person_of
from models.profile import Profile
from tests.query_count import assert_query_count
from tests.world import (
    GUEST,
    NOW,
    build,
    cart_with,
    checkout_of,
    contract_line,
    later,
    own_number,
    place,
    profile,
    stands_in,
)

# A day later, and the hour in which a visit need not be written down.
DUE = NOW + timedelta(hours=config.CART_REMINDER_HOURS) + TOUCHED_EVERY


@pytest.fixture
def world():
    return build()


def left(world, *skus, wants=True, email=GUEST["email"], language="sq", now=NOW):
    """A guest's cart that was left at `now`, with the box ticked or not."""
    checkout = checkout_of(cart_with(world, *(skus or ("S25-BLACK-128",)), now=now), now, email=email)
    remember_wish(checkout, wants, language, "Më kujtoni", now)
    return checkout


def remind(now=DUE) -> int:
    return CartReminder.write_all_due(now)


@pytest.mark.rule("PRV-2")
def test_a_left_cart_is_reminded_of_once_after_its_hours_to_who_ticked_the_box(world):
    left(world)
    left(world, wants=False, email="other@example.com")
    assert remind(DUE - timedelta(minutes=1)) == 0
    assert remind() == 1
    assert [remind(), remind(DUE + timedelta(hours=1)), remind(DUE + timedelta(days=2))] == [0, 0, 0]
    mail = Mail.get()
    assert (mail.kind, mail.recipient, mail.order_id, mail.profile_id) == (
        "cart_reminder",
        GUEST["email"],
        None,
        None,
    )
    assert Consent.get_by_id(mail.data["consent"]).wording == "Më kujtoni"


@pytest.mark.rule("PRV-2", "PRV-4")
def test_the_mailbox_is_written_down_in_small_letters_and_is_the_same_however_it_is_typed(world):
    checkout = left(world, email="Ana@Example.com")
    assert remind() == 1
    mail = Mail.get()
    assert mail.recipient == "ana@example.com"
    assert not mail.is_too_late(DUE)
    # As rows that were written before have it.
    Mail.update(recipient="Ana@Example.com").execute()
    assert not Mail.get().is_too_late(DUE)
    Checkout.update(email="anna@example.com").where(Checkout.id == checkout.id).execute()
    assert Mail.get().is_too_late(DUE)


@pytest.mark.rule("PRV-2")
def test_a_profile_agrees_once_for_its_carts_and_what_was_typed_at_a_checkout_is_not_asked(world):
    arben = profile()
    checkout_of(cart_with(world, "CASE-BLACK", profile=arben), email="elsewhere@example.com")
    assert remind() == 0
    Consent.say(arben, "cart_email", True, NOW, wording="Po", channel="web")
    Profile.update(verified_at=None).execute()
    assert remind() == 0
    Profile.update(verified_at=NOW).execute()
    assert remind() == 1
    assert (Mail.get().recipient, Mail.get().profile) == (arben.email, arben)
    Consent.say(arben, "cart_email", False, NOW, wording="Jo", channel="web")
    assert Mail.claim(DUE).send(DUE) == "failed"


@pytest.mark.rule("PRV-2")
def test_a_guests_box_is_for_that_cart_and_taking_the_tick_away_takes_the_word_back(world):
    left(world)
    # Somebody else types the same e-mail and ticks nothing: neither reminded of, nor a word of whose it is.
    other = left(world, "CASE-BLACK", wants=False)
    assert Consent.live("cart_email", email=GUEST["email"])
    assert remind() == 1
    assert CartReminder.get().cart_id != other.cart_id
    mine = Checkout.get(Checkout.remind_in != "")
    remember_wish(mine, False, "sq", "Më kujtoni", later(1))
    assert [row.given for row in Consent.select().order_by(Consent.id)] == [True, False]


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("hour", [3, 21])
def test_nobody_is_reminded_at_night_nor_of_what_was_left_long_ago(world, hour):
    left(world)
    assert remind(DUE.replace(hour=hour)) == 0
    assert remind(DUE + timedelta(days=config.CART_REMINDER_DAYS)) == 0
    assert remind(DUE + timedelta(days=config.CART_REMINDER_DAYS) - timedelta(minutes=1)) == 1


@pytest.mark.rule("PRV-2")
def test_with_the_setting_at_nought_none_is_written(world, monkeypatch):
    left(world)
    monkeypatch.setattr(config, "CART_REMINDER_HOURS", 0)
    assert remind(DUE) == 0


@pytest.mark.rule("PRV-2")
def test_none_goes_to_who_ordered_or_has_an_order_waiting_wherever_they_ordered(world):
    # The same e-mail from another browser, before and after the cart was left.
    checkout = left(world, "CASE-BLACK", now=later(-60))
    order, payment = place(checkout_of(cart_with(world, "TAB-GREY-64"), NOW), NOW)
    assert (order.state, remind()) == ("awaiting_payment", 0)
    order.lapse(later(31))
    # It lapsed, but was placed after the cart had been filled.
    assert remind() == 0
    # What is put in later is another left cart.
    checkout.cart.add(world["REDMI-GREEN-128"], later(60))
    assert remind(DUE + timedelta(hours=1)) == 1
    assert Payment.select().where(Payment.id == payment.id).exists()


@pytest.mark.rule("PRV-2")
def test_a_cart_that_was_ordered_is_empty_and_one_whose_line_stayed_is_not_told_of_either(world):
    checkout = left(world)
    place(checkout, later(1))
    assert remind() == 0
    # What another tab put in while the order was placed.
    checkout.cart.add(world["CASE-BLACK"], later(1))
    Order.update(state="confirmed").execute()
    CartLine.update(added_at=NOW).execute()
    assert remind(DUE + timedelta(hours=2)) == 0
    # The tick was for the cart that was ordered.
    assert Checkout.get().remind_in == ""


@pytest.mark.rule("PRV-2", "MSG-1")
@pytest.mark.parametrize("what", ["ordered", "emptied", "seen", "moved", "stopped", "too late"])
def test_what_was_written_is_not_sent_once_it_says_nothing_true(world, what):
    checkout = left(world)
    remind()
    now = DUE + timedelta(minutes=5)
    if what == "ordered":
        place(checkout, now)
    elif what == "emptied":
        CartLine.delete().execute()
    elif what == "seen":
        checkout.cart.touch(now)
    elif what == "moved":
        Checkout.update(email="new@example.com").execute()
    elif what == "stopped":
        Consent.get().take_back(now, wording="Mos", channel="mail")
    else:
        now = DUE + timedelta(hours=13)
    assert Mail.select().where(Mail.kind == "cart_reminder").get().is_too_late(now)
    assert not Mail.select().where(Mail.kind == "cart_reminder", Mail.state == "sent").exists()


@pytest.mark.rule("PRV-2")
def test_one_mailbox_hears_of_one_cart_in_a_week_however_many_it_left(world):
    left(world)
    left(world, "CASE-BLACK")
    assert remind() == 1
    week = DUE + timedelta(days=config.CART_REMINDER_PAUSE_DAYS)
    late = left(world, "TAB-GREY-64", now=week - timedelta(hours=26))
    assert remind(week - timedelta(minutes=1)) == 0
    assert remind(week + timedelta(minutes=1)) == 1
    assert CartReminder.select().order_by(CartReminder.id.desc()).first().cart_id == late.cart_id


@pytest.mark.rule("MSG-1")
def test_a_second_worker_that_found_the_same_cart_writes_no_second_mail(world):
    number = left(world).cart_id
    assert CartReminder._write(number, DUE)
    assert not CartReminder._write(number, DUE)
    assert Mail.select().count() == 1


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_the_mail_has_todays_prices_and_a_way_to_stop_and_nothing_that_was_typed(world, language):
    arben = profile()
    cart = left(world, "S25-BLACK-128", "REDMI-GREEN-128", language=language).cart
    contract_line(cart, "S25-BLACK-128", "new_number", "card", None, number=_pool())
    world["S25-BLACK-128"].price = 5_000_000
    world["S25-BLACK-128"].save()
    own_number(arben)
    Cart.update(seen_at=NOW).execute()
    assert remind(DUE) == 1
    message = mails.compose(Mail.get())
    text = " ".join(message.get_body(("plain",)).get_content().split()).replace("\u00a0", " ")
    prefix = "" if language == "sq" else f"/{language}"
    for price in ("50,000", "10,800") if language == "en" else ("50.000", "10.800"):
        assert price in text
    found = re.search(rf"http://shop\.test{prefix}/shporta/e-ruajtur/([\w.-]+)", text)
    assert CartReminder.of_token(found[1], DUE) == CartReminder.get()
    stop = message["List-Unsubscribe"]
    assert re.fullmatch(rf"<http://shop\.test{prefix}/pelqimet/ndal/[\w.-]+>", stop)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        part = message.get_body((kind,)).get_content()
        assert stop[1:-1] in part
        for secret in (GUEST["first_name"], GUEST["last_name"], GUEST["street"], "123 456", "38970", "200 001"):
            assert not stands_in(secret, part)
        # The address in the To line is the mail's own.
        assert GUEST["email"] not in part


def _pool():
    return NewNumber.create(msisdn="38970200001", state="free")


@pytest.mark.rule("PRV-2")
def test_the_link_gives_the_lines_that_were_there_and_nothing_else_until_it_is_over(world):
    cart = left(world, "S25-BLACK-128", "CASE-BLACK").cart
    cart.set_quantity(cart.lines(NOW)[1].id, 3)
    remind()
    reminder = CartReminder.get()
    # What comes in afterwards is not for who has the mail.
    cart.add(world["TAB-GREY-64"], DUE)
    other = Cart.begin(DUE)
    world.set_stock("S25-BLACK-128", 0)
    for _ in range(2):
        reminder.copy_into(other, DUE)
        assert [(one.variant.sku, one.quantity) for one in other.lines(DUE)] == [("CASE-BLACK", 3)]
    assert Checkout.get_or_none(Checkout.cart == other) is None
    # A quantity that the other browser chose stays.
    other.set_quantity(other.lines(DUE)[0].id, 1)
    reminder.copy_into(other, DUE)
    assert other.lines(DUE)[0].quantity == 1
    token = reminder.token()
    last = DUE + timedelta(days=config.CART_LINK_DAYS)
    assert CartReminder.of_token(token, last - timedelta(seconds=1)) == reminder
    for bad, now in ((token, last), ("x", DUE), (token[:-1], DUE), (reminder.nonce, DUE)):
        with pytest.raises(LinkOver):
            CartReminder.of_token(bad, now)


@pytest.mark.rule("PRV-2", "OFF-6")
def test_a_contract_comes_along_without_the_number_that_was_picked(world):
    arben = profile()
    number = own_number(arben)
    cart = cart_with(world, profile=arben)
    contract_line(cart, number=number)
    Consent.say(arben, "cart_email", True, NOW, wording="Po", channel="web")
    assert remind() == 1
    other = Cart.begin(DUE)
    CartReminder.get().copy_into(other, DUE)
    [line] = other.lines(DUE)
    assert (line.contract_type, line.line.parts, line.msisdn) == ("besnik24", 24, "")


@pytest.mark.rule("PRV-5")
def test_a_persons_dossier_has_the_words_of_the_mailbox_and_the_reminders(world):
    left(world)
    remind()
    found = data_of(person_of(GUEST["email"]))
    assert [row["wording"] for row in found["consent"]] == ["Më kujtoni"]
    assert len(found["cart_reminder"]) == 1
    assert "nonce" not in found["cart_reminder"][0]


def test_carts_nobody_agreed_to_be_reminded_of_cost_nothing_each(world):
    for _ in range(20):
        left(world, wants=False)
    with assert_query_count(2):
        assert remind() == 0


def test_a_reminder_goes_with_its_cart(world):
    left(world)
    remind()
    Cart.forget_old(NOW + timedelta(days=config.CART_DAYS + 1))
    assert CartReminder.select().count() == 0
    assert Mail.get().is_too_late(DUE)


def test_a_profile_that_is_gone_is_written_to_no_more(world):
    arben = profile()
    cart_with(world, "CASE-BLACK", profile=arben)
    Consent.say(arben, "cart_email", True, NOW, wording="Po", channel="web")
    remind()
    Profile.delete().where(Profile.id == arben.id).execute()
    assert Mail.select().count() == Consent.select().count() == CartReminder.select().count() == 0
