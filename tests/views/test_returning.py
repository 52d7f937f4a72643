"""Coming back: kept addresses, two clicks, ordering again, gifts, wishes and the calendar (CHK-2, DLV-2)."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from documents.gift_card import GiftCard
from gateways.bank import Verdict
from mails import compose
from models.actor import SHOPPER, Actor
from models.cart import Cart, CartLine
from models.catalogue import Promotion
from models.checkout import Checkout
from models.delivery import Slot, arrange
from models.desk_order import change
from models.identification import Identification
from models.order import Order
from models.order_change import Wanted
from models.outbox import Mail
from models.payment import Payment
from models.saved_address import MOST, SavedAddress
from models.trail import mark_of
from tests.delivery import failed, packed, with_courier
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import DELIVERY, OVERVIEW, PAYMENT, Browser, signed_link
from tests.views.test_html import faults
from tests.world import NOW, contract_line, in_state, own_number

ADDRESSES, STEP = "/profili/adresat", "/porosia/dergesa"
HOME = {"street": "Rr. e Re 5", "place": "1000", "municipality": "MK-801", "label": "Shtëpia"}
CARD = "Gëzuar ditëlindjen, mami!"


@pytest.fixture
def home(profile):
    return SavedAddress.keep(profile, "Rr. e Re 5", "1000", "MK-801", NOW, label="Shtëpia")


@pytest.fixture
def known(shopper, profile):
    """A shopper who is logged in."""
    shopper.log_in(profile.email)
    return shopper


def ordered(browser, world, *skus, paid=True, **delivery):
    """An order by way of the steps, with this typed at the delivery."""
    for sku in skus or ("CASE-BLACK",):
        browser.choose(world[sku])
    browser.fill_in(until="delivery")
    assert browser.post(STEP, {**DELIVERY, **delivery}).status == 303
    assert browser.post("/porosia/pagesa", PAYMENT).status == 303
    placed = browser.confirm(browser.overview())
    order = Order.of_number(placed.location.split("/")[-2])
    if paid:
        Payment.latest_of(order).settle(Verdict.PAID, NOW)
    return Order.get_by_id(order.id)


# Addresses


def test_an_address_is_added_changed_put_first_and_removed(known, profile):
    assert "Ende nuk keni adresa" in known.get(ADDRESSES).words
    assert known.post(f"{ADDRESSES}/shto", HOME).location == f"{ADDRESSES}?u=ruajtur"
    assert known.post(f"{ADDRESSES}/shto", {**HOME, "street": "Bul. 7", "label": ""}).status == 303
    first, second = SavedAddress.of(profile)

    page = known.get(f"{ADDRESSES}?u=ruajtur")
    assert "Shtëpia Kryesorja Rr. e Re 5, 1000 Shkup" in page.words
    shown = known.get(f"{ADDRESSES}/{second.id}")
    assert shown.form(f"{ADDRESSES}/{second.id}")["street"] == "Bul. 7"
    known.post(f"{ADDRESSES}/{second.id}", {**HOME, "street": "Bul. 8", "label": "Puna"})
    known.post(f"{ADDRESSES}/{second.id}/e-para")
    assert [(one.label, one.street) for one in SavedAddress.of(profile)] == [
        ("Puna", "Bul. 8"),
        ("Shtëpia", "Rr. e Re 5"),
    ]
    for _ in range(2):
        assert known.post(f"{ADDRESSES}/{second.id}/heqja").location == f"{ADDRESSES}?u=hequr"
    assert [(one.id, one.is_default) for one in SavedAddress.of(profile)] == [(first.id, True)]


@pytest.mark.rule("CHK-6")
@pytest.mark.parametrize("piece", [False, True])
def test_a_wrong_address_comes_back_with_what_was_typed(known, profile, piece):
    page = known.post(f"{ADDRESSES}/shto", {**HOME, "place": "9999"}, piece=piece)
    assert (page.status, page.text_of("place-error")) == (422, "Zgjidhni vendbanimin.")
    assert page.by_id("street").get("value") == "Rr. e Re 5"
    assert not SavedAddress.select().exists()


def test_the_list_is_for_who_is_in(shopper):
    assert shopper.get(ADDRESSES).location == f"/hyr?next={ADDRESSES}"


# The step of the delivery


@pytest.mark.rule("CHK-2")
def test_a_kept_address_is_chosen_with_one_press(known, world, profile, home):
    other = SavedAddress.keep(profile, "Bul. Partizanët 7", "1200", "MK-609", NOW)
    known.choose(world["CASE-BLACK"])
    known.fill_in(until="delivery")
    shown = known.get(STEP)
    assert shown.form(STEP)["adresa"] == str(home.id)

    assert known.post(STEP, {**shown.form(STEP), "adresa": str(other.id)}).location == "/porosia/pagesa"
    checkout = Checkout.get()
    assert (checkout.street, checkout.place, checkout.municipality) == ("Bul. Partizanët 7", "1200", "MK-609")
    assert known.get(STEP).form(STEP)["adresa"] == str(other.id)


def test_an_address_is_kept_from_the_checkout_only_when_it_is_ticked(known, world, profile):
    known.choose(world["CASE-BLACK"])
    known.fill_in(until="delivery")
    assert "ruaj" not in known.get(STEP).form(STEP)
    known.post(STEP, DELIVERY)
    assert SavedAddress.of(profile) == []
    for _ in range(2):
        known.post(STEP, {**DELIVERY, "ruaj": "y"})
    assert [one.street for one in SavedAddress.of(profile)] == [DELIVERY["street"]]


def test_a_guest_keeps_no_address_and_is_not_asked(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in(until="delivery")
    assert shopper.get(STEP).by_id("ruaj") is None
    assert shopper.post(STEP, {**DELIVERY, "ruaj": "y", "adresa": "1"}).status == 303
    assert not SavedAddress.select().exists()


def test_one_address_too_many_is_said_at_the_tick_and_nothing_is_lost(known, world, profile):
    for number in range(MOST):
        SavedAddress.keep(profile, f"Rr. {number}", "1200", "MK-609", NOW)
    known.choose(world["CASE-BLACK"])
    known.fill_in(until="delivery")
    page = known.post(STEP, {**DELIVERY, "adresa": "tjeter", "ruaj": "y", "note": "kati 3"})
    assert (page.status, page.by_id("note").get("value")) == (422, "kati 3")
    assert "Keni ruajtur 10 adresa" in page.text_of("ruaj-error")


def test_somebody_elses_address_is_not_chosen(known, world, profile, home):
    other = SavedAddress.keep(
        type(profile).create(email="x@example.com", password_hash="", created_at=NOW), "Rr. 9", "1200", "MK-609", NOW
    )
    known.choose(world["CASE-BLACK"])
    known.fill_in(until="delivery")
    page = known.post(STEP, {"adresa": str(other.id)})
    assert page.status == 422
    assert "Rr. 9" not in page.words
    assert page.text_of("adresa-error")


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_pages_are_well_made_in_each_language(known, world, profile, home, language, prefix):
    own_number(profile)
    known.choose(world["CASE-BLACK"])
    contract_line(Cart.of_token(known.cookie("cart").value))
    overview = known.follow(known.get(f"{prefix}/porosia"))
    delivery = known.get(f"{prefix}{STEP}?pastaj=pasqyra")
    known.confirm(overview, prefix=prefix)
    order = in_state(Order.get(), "confirmed")
    pages = [overview, delivery, known.get(f"{prefix}{ADDRESSES}/{home.id}")]
    pages += [known.get(f"{prefix}/porosia/{order.number}{path}") for path in ("", "/perseri")]
    for page in pages:
        assert faults(page.html, language) == []
    wrong = known.post(f"{prefix}{ADDRESSES}/shto", {"street": ""}, piece=True)
    assert faults(wrong.html) == []


# Two clicks


@pytest.mark.rule("CHK-2", "CHK-3")
def test_who_is_known_orders_with_two_clicks_and_the_tick(known, world, home):
    known.choose(world["CASE-BLACK"])

    with assert_query_count(22):
        first = known.get("/porosia")
    assert first.location == f"{OVERVIEW}?gati=1"
    shown = known.follow(first)
    assert "Gjithçka është gati." in shown.words
    assert "Rr. e Re 5, 1000 Shkup" in shown.words
    assert "terms" not in shown.form(OVERVIEW)
    for step in ("te-dhenat", "dergesa", "pagesa"):
        assert shown.all("a", href=f"/porosia/{step}?pastaj=pasqyra")
    assert known.post(OVERVIEW, shown.form(OVERVIEW)).status == 422

    placed = known.confirm(shown)
    assert placed.status == 303
    order = Order.get()
    assert (order.street, order.email, order.points) == ("Rr. e Re 5", "arben@example.com", 0)
    assert known.confirm(shown).location == placed.location
    assert Order.select().count() == 1


@pytest.mark.rule("ELG-5")
def test_the_only_number_is_proposed_and_shown(known, world, profile, home):
    own_number(profile)
    known.choose(world["CASE-BLACK"])
    cart = Cart.of_token(known.cookie("cart").value)
    contract_line(cart)
    shown = known.follow(known.get("/porosia"))
    assert "070 100 001" in shown.words
    assert shown.all("a", **{"aria-label": "Ndrysho: Numri"})
    assert known.confirm(shown).status == 303
    assert Order.get().lines()[1].msisdn == "38970100001"


@pytest.mark.rule("CHK-1")
def test_of_two_numbers_one_is_asked_for_and_then_the_overview_follows(known, world, profile, home):
    own_number(profile)
    own_number(profile, "38970100002")
    known.choose(world["CASE-BLACK"])
    contract_line(Cart.of_token(known.cookie("cart").value))
    asked = known.get("/porosia")
    assert asked.location == "/porosia/numri?pastaj=pasqyra"
    path = "/porosia/numri?pastaj=pasqyra"
    form = known.follow(asked).form("/porosia/numri")
    assert known.post(path, form).location == OVERVIEW


def test_a_guest_goes_step_by_step_also_with_everything_typed(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    assert shopper.get("/porosia").location == "/porosia/te-dhenat"
    assert "Gjithçka është gati." not in shopper.get(f"{OVERVIEW}?gati=1").words


# Gift and wish


@pytest.mark.rule("DLV-5", "CHK-3")
def test_card_and_wish_are_shown_wherever_the_order_is(shopper, world, app):
    order = ordered(shopper, world, gift_note=CARD, wish="12-15")
    assert (order.gift_note, order.wish) == (CARD, "12-15")
    page = shopper.get(f"/porosia/{order.number}")
    assert CARD in page.words
    assert "ora 12–15" in page.words
    assert "Dëshira juaj: ora 12–15" in shopper.get(f"/porosia/{order.number}/konfirmimi").words
    text = compose(Mail.get(Mail.kind == "order_confirmed")).get_body(("plain",)).get_content()
    assert CARD in text
    assert "Dëshira juaj: ora 12–15." in text
    assert re.search(r"/kalendari\.ics\?k=", text)

    works("warehouse")
    warehouse = Browser(app)
    warehouse.log_in("warehouse@example.com")
    assert f"Me kartolinë dhurate „{CARD}”" in warehouse.get("/desk/depo").words
    packed(order)
    assert "Dëshira: ora 12–15" in warehouse.get("/desk/depo/korrieri").words
    with_courier(Order.get_by_id(order.id))
    assert "Dëshira: ora 12–15" in warehouse.get("/desk/depo/rruga").words


@pytest.mark.rule("CHK-6")
@pytest.mark.parametrize(("name", "value"), [("wish", "8-10"), ("gift_note", "a" * 201)])
def test_a_wish_that_is_none_and_a_card_that_is_too_long_are_refused(shopper, world, name, value):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in(until="delivery")
    page = shopper.post(STEP, {**DELIVERY, name: value})
    assert (page.status, bool(page.text_of(f"{name}-error"))) == (422, True)
    assert Checkout.get().street == ""


@pytest.mark.rule("AFT-1")
def test_wish_and_card_change_until_dispatch_and_until_it_is_packed(shopper, world):
    order = ordered(shopper, world, gift_note=CARD)
    path = f"/porosia/{order.number}/ndrysho"

    def send(part, **typed):
        mark = shopper.get(f"/porosia/{order.number}").form(path)["shenja"]
        return shopper.post(path, {"cka": part, "shenja": mark, **typed})

    assert send("ora", wish="9-12").status == 303
    assert send("dhurata", gift_note="Urime!").status == 303
    order = packed(Order.get_by_id(order.id))
    assert (order.wish, order.gift_note) == ("9-12", "Urime!")
    assert send("ora", wish="15-18").status == 303
    late = send("dhurata", gift_note="Tjetër")
    assert (late.status, Order.get_by_id(order.id).gift_note) == (422, "Urime!")
    assert "kartolina mbetet siç është" in late.words
    mail = compose(Mail.select().where(Mail.kind == "order_changed").order_by(Mail.id).first())
    assert "Ora e dëshiruar: 9–12" in mail.get_body(("plain",)).get_content()
    with_courier(Order.get_by_id(order.id))
    assert shopper.post(path, {"cka": "ora", "wish": "9-12", "shenja": "9.9"}).status == 409


@pytest.mark.rule("DLV-4")
def test_the_gifts_card_is_printed_with_the_papers_and_names_no_price(shopper, world, app):
    order = packed(ordered(shopper, world, gift_note=CARD))
    works("warehouse")
    warehouse = Browser(app)
    warehouse.log_in("warehouse@example.com")
    with_card = warehouse.client.get(f"/desk/dokumentet.pdf?numri={order.number}", base_url="http://shop.test")
    Order.update(gift_note="").where(Order.id == order.id).execute()
    without = warehouse.client.get(f"/desk/dokumentet.pdf?numri={order.number}", base_url="http://shop.test")
    assert with_card.data.count(b"/Type /Page\n") == without.data.count(b"/Type /Page\n") + 1
    order.gift_note = f"{CARD} ❤️🎂"
    made = GiftCard.of(order, NOW).content
    content = str(made)
    assert made["title"] == CARD
    assert "den" not in content.split(CARD)[1]


# Ordering again


def test_ordering_again_fills_the_cart_and_twice_is_once(known, world):
    order = ordered(known, world, "CASE-BLACK", "TAB-GREY-64")
    path = f"/porosia/{order.number}/perseri"
    assert known.get(f"/porosia/{order.number}").form(path)
    for _ in range(2):
        assert known.post(path).location == "/shporta"
    assert sorted(line.quantity for line in CartLine.select()) == [1, 1]


@pytest.mark.rule("CAT-5")
def test_what_is_otherwise_today_is_told_line_by_line(known, world):
    order = ordered(known, world, "REDMI-GREEN-128", "TAB-GREY-64", "CASE-BLACK")
    Promotion.delete().execute()
    world.set_stock("TAB-GREY-64", 0)
    path = f"/porosia/{order.number}/perseri"
    with assert_query_count(30):
        page = known.get(path)
    assert page.words.count("Në shitje") == 2

    assert known.post(path).location == path
    page = known.get(path)
    assert "Çmimi ndryshoi: atëherë 10.800 den, sot 12.000 den." in page.words
    assert "Galaxy Tab A9" in page.words
    assert "Nuk ka më në gjendje" in page.words
    assert CartLine.select().count() == 2


def test_a_guest_orders_again_with_the_link_of_the_mail(shopper, stranger, world):
    order = ordered(shopper, world)
    path = f"/porosia/{order.number}/perseri"
    assert stranger.post(path).status == 404
    assert stranger.get(signed_link(order, "/perseri")).location == path
    assert stranger.post(path).location == "/shporta"


@pytest.mark.rule("OFF-5", "ELG-5")
def test_a_number_gets_no_second_device_by_ordering_again(known, world, profile, home):
    own_number(profile)
    known.choose(world["CASE-BLACK"])
    contract_line(Cart.of_token(known.cookie("cart").value))
    known.confirm(known.follow(known.get("/porosia")))
    order = in_state(Order.get(), "confirmed")
    path = f"/porosia/{order.number}/perseri"
    assert known.post(path).location == path
    page = known.get(path)
    assert "Për këtë numër ka një porosi të hapur me Besnik 24" in page.words
    assert [line.contract_type for line in CartLine.select()] == ["device_only"]


# The calendar


def entry(page) -> SimpleNamespace:
    """The file as a calendar reads it: unfolded, with its values unescaped."""
    text = page.html
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    values = dict(line.split(":", 1) for line in lines)
    plain = {"\\n": "\n", "\\N": "\n"}
    return SimpleNamespace(
        **{
            name.partition(";")[0]: re.sub(r"\\(.)", lambda found: plain.get(found[0], found[1]), value)
            for name, value in values.items()
        }
    )


@pytest.mark.rule("DLV-2")
def test_the_promised_day_is_in_the_calendar(shopper, world):
    order = ordered(shopper, world, wish="9-12")
    path = f"/porosia/{order.number}/kalendari.ics"
    assert shopper.get(f"/porosia/{order.number}").all("a", href=path)
    page = shopper.get(path)
    assert page.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = entry(page)
    assert (found.DTSTART, found.DTEND, found.STATUS) == ("20260316", "20260317", "CONFIRMED")
    assert found.LOCATION == "Rr. Ilindenit 12, 1200 Tetovë"
    assert "ora 9–12" in found.DESCRIPTION
    assert found.DTSTAMP == "20260310T110000Z"
    assert "k=" not in page.html


@pytest.mark.rule("DLV-5", "LOC-3")
def test_a_time_that_is_arranged_moves_the_entry(shopper, world):
    order = ordered(shopper, world)
    path = f"/porosia/{order.number}/kalendari.ics"
    before = entry(shopper.get(path))
    order = failed(with_courier(order))
    arrange(order, Slot.read("2026-03-12.9-12"), by=SHOPPER, now=datetime(2026, 3, 10, 13, tzinfo=UTC))
    after = entry(shopper.get(path))
    # In March, before the clocks change, Skopje is an hour ahead.
    assert (after.DTSTART, after.DTEND) == ("20260312T080000Z", "20260312T110000Z")
    assert after.UID == before.UID
    assert int(after.SEQUENCE) > int(before.SEQUENCE)
    in_state(order, "cancelled")
    cancelled = entry(shopper.get(path))
    assert (cancelled.STATUS, cancelled.SUMMARY.endswith("nuk vjen më")) == ("CANCELLED", True)


def test_nothing_that_is_not_coming_is_in_a_calendar(shopper, stranger, world):
    order = ordered(shopper, world, paid=False)
    path = f"/porosia/{order.number}/kalendari.ics"
    assert shopper.get(path).status == 404
    Payment.latest_of(order).settle(Verdict.PAID, NOW)
    assert stranger.get(path).status == 404
    assert stranger.get(signed_link(order, "/kalendari.ics")).location == path
    assert stranger.get(path).status == 200


def test_what_a_shopper_types_steers_no_calendar(shopper, world):
    order = ordered(shopper, world, street="Rr. A; B, C\\D nr. 1 " + "ë" * 60)
    Order.update(recipient="X\r\nATTENDEE:mailto:x@example.com").where(Order.id == order.id).execute()
    found = entry(shopper.get(f"/porosia/{order.number}/kalendari.ics"))
    assert found.LOCATION.startswith("Rr. A; B, C\\D nr. 1 ë")
    assert not hasattr(found, "ATTENDEE")


def test_the_desk_changes_wish_and_card_for_who_calls(shopper, world, app):
    order = ordered(shopper, world)
    agent = Actor("agent", "agent@example.com")
    said = {"email": order.email, "phone": order.phone}
    assert Identification.check(order, order.number, by=agent, now=NOW, **said)
    works("agent")
    desk = Browser(app)
    desk.log_in("agent@example.com")
    path = f"/desk/porosite/{order.number}"
    page = desk.get(path)
    sent = {**page.form(path), "wish": "15-18", "gift_note": CARD, "arsyeja": "klienti kërkoi"}
    assert desk.post(path, sent).status == 303
    order = Order.get_by_id(order.id)
    assert (order.wish, order.gift_note) == ("15-18", CARD)
    change(order, Wanted.of(order, note="x"), by=agent, now=NOW, mark=mark_of(order), why="y")
    assert Order.get_by_id(order.id).wish == "15-18"
