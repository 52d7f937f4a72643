"""The warehouse's and the courier's pages (DSK-2, DLV-2, DLV-3, DLV-5)."""

import re
from datetime import timedelta

import pytest

from models.actor import SHOPPER
from models.cancellation import cancel
from models.catalogue import Variant
from models.claim import Claim
from models.delivery import ArrangedTime, DeliveryAttempt, arrange, arranged, deliver, next_attempt, times
from models.order import Order
from models.order_change import Wanted, change
from models.order_link import sign_short
from models.order_number import new_number
from models.outbox import Mail
from models.sms import Sms
from models.stock_return import StockReturn
from models.trail import AuditEntry
from tests import world as named
from tests.delivery import AGENT, RECEIVER, WAREHOUSE, confirmed, failed, packed, with_courier
from tests.query_count import assert_query_count
from tests.staff import works
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser
from tests.views.test_html import faults

PICK, PACK, HANDOVER, TOUR = "/desk/depo", "/desk/depo/paketimi", "/desk/depo/korrieri", "/desk/depo/rruga"
ATTEMPTS, RETURNS = "/desk/depo/perpjekjet", "/desk/depo/kthimet"


@pytest.fixture
def warehouse(app, world) -> Browser:
    works("warehouse")
    browser = Browser(app)
    assert browser.log_in("warehouse@example.com").status == 303
    return browser


def state(order) -> str:
    return Order.get_by_id(order.id).state


def path_of(order, step: str = "") -> str:
    return f"/desk/depo/porosia/{order.number}{step}"


def counts(page) -> list[int]:
    """The numbers beside the steps."""
    return [int(count) for count in re.findall(r'<b class="num">(\d+)</b></a>', page.html)]


def blue_of_128(world) -> Variant:
    """Another colour of the Galaxy with the same storage."""
    blue = Variant.get_by_id(world["S25-BLUE-256"].id)
    blue.storage_gb = 128
    blue.save()
    return blue


# Packing


@pytest.mark.rule("DSK-2", "DLV-2")
def test_the_pick_list_says_what_to_pick_for_whom_by_the_promised_day(warehouse, world):
    order = confirmed(world, "S25-BLACK-128", "CASE-BLACK")
    later_order = confirmed(world, "REDMI-GREEN-128")
    Order.update(promised_on=order.promised_on + timedelta(days=1)).where(Order.id == later_order.id).execute()
    page = warehouse.get(PICK)
    for said in (
        "E hënë, 16 mars",
        "E martë, 17 mars",
        "Galaxy S25, 128 GB",
        "E zezë",
        "S25-BLACK-128",
        "Dhuratë: Kufje Galaxy Buds FE",
        "Këllëf për Galaxy S25",
        RECEIVER,
        "Rr. Ilindenit 12",
    ):
        assert said.lower() in page.words.lower(), said
    assert page.words.index(order.number) < page.words.index(later_order.number)
    assert counts(page) == [2, 0, 0, 0, 0]


@pytest.mark.rule("DLV-2")
def test_what_is_later_than_promised_stands_out_on_every_page(warehouse, world, clock):
    order = confirmed(world)
    assert "vonë" not in warehouse.get(PICK).words.lower()
    Order.update(promised_on=named.NOW.date() - timedelta(days=1)).where(Order.id == order.id).execute()
    for path in (PICK, HANDOVER, TOUR, ATTEMPTS, RETURNS, path_of(order)):
        assert "1 porosi është më vonë se sa u premtua." in warehouse.get(path).words
    assert "Vonë që nga 09.03.2026" in warehouse.get(PICK).words


@pytest.mark.rule("DSK-2")
def test_one_or_many_are_packed_and_said_to_be(warehouse, world):
    orders = [confirmed(world) for _ in range(3)]
    page = warehouse.get(PICK)
    values = [box.get("value") for box in page.all("input", name="porosia")]
    assert [value.partition(":")[0] for value in values] == [order.number for order in orders]
    one = warehouse.post(PACK, {"nje": values[0], "porosia": values[1:]})
    assert one.status == 303
    assert "1 porosi u paketua." in warehouse.follow(one).words
    assert [state(order) for order in orders] == ["packed", "confirmed", "confirmed"]
    many = warehouse.post(PACK, {"porosia": values[1:]})
    assert "2 porosi u paketuan." in warehouse.follow(many).words
    # Pressed twice it is done once.
    assert warehouse.post(PACK, {"porosia": values[1:]}).status == 303
    assert AuditEntry.select().where(AuditEntry.what == "packed").count() == 3
    assert "Asnjë porosi nuk pret paketimin." in warehouse.get(PICK).words


def test_nothing_ticked_is_said(warehouse, world):
    confirmed(world)
    page = warehouse.post(PACK)
    assert page.status == 422
    assert "Zgjidhni së paku një porosi." in page.words


@pytest.mark.rule("AFT-1", "DSK-2")
def test_a_colour_that_changed_since_the_list_was_shown_keeps_its_order_unpacked_and_the_others_not(warehouse, world):
    order, other = confirmed(world, "S25-BLACK-128"), confirmed(world)
    page = warehouse.get(PICK)
    values = [box.get("value") for box in page.all("input", name="porosia")]
    [line] = order.lines()
    change(order, Wanted.of(order, colours={line.id: blue_of_128(world).id}), by=AGENT, now=named.NOW)
    page = warehouse.post(PACK, {"porosia": values})
    assert page.status == 422
    assert f"{order.number} : Porosia ndryshoi që kur u hap lista" in page.words
    assert f"{other.number} : U bë." in page.words
    assert (state(order), state(other)) == ("confirmed", "packed")


# Handing over


@pytest.mark.rule("DSK-2")
def test_a_batch_goes_to_the_courier_and_each_line_is_answered(warehouse, world):
    good, spoken = packed(confirmed(world)), packed(confirmed(world))
    unpacked, gone = confirmed(world), confirmed(world)
    cancel(gone, by=AGENT, now=named.NOW)
    waiting = failed(confirmed(world))
    unknown = new_number()
    mistyped = good.number[:-1] + ("A" if good.number[-1] != "A" else "B")
    typed = [good.number, spoken.number.replace("-", " ").lower(), good.number, unpacked.number]
    typed += [gone.number, waiting.number, unknown, mistyped]
    page = warehouse.post(HANDOVER, {"numrat": "\r\n".join(typed)})
    assert page.status == 422
    for order, text in (
        (unpacked.number, "Ende nuk është paketuar."),
        (gone.number, "Gjendja e saj: Anuluar."),
        (waiting.number, "Pas përpjekjes që nuk doli pritet kohë e re."),
        (unknown, "Nuk ka porosi me këtë numër."),
        (mistyped, "Numri është shkruar gabim"),
        (good.number, "U bë."),
        (spoken.number, "U bë."),
    ):
        assert f"{order} : {text}" in page.words, order
    # What was not done stays typed, what was done does not.
    left = page.by_id("numrat").text.split()
    assert left == [unpacked.number, gone.number, waiting.number, unknown, mistyped]
    assert [state(order) for order in (good, spoken, unpacked, gone, waiting)] == [
        "with_courier",
        "with_courier",
        "confirmed",
        "cancelled",
        "delivery_failed",
    ]
    assert Mail.select().where(Mail.kind == "on_its_way", Mail.order.in_([good, spoken])).count() == 2


@pytest.mark.rule("DSK-2")
@pytest.mark.parametrize("between", ["\n", "\r\n", ",", "; ", " ", "\t"])
def test_numbers_are_taken_however_a_scanner_separates_them(warehouse, world, between):
    orders = [packed(confirmed(world)) for _ in range(3)]
    page = warehouse.post(HANDOVER, {"numrat": between.join(order.number for order in orders)})
    assert "3 porosi iu dhanë korrierit." in warehouse.follow(page).words
    assert {state(order) for order in orders} == {"with_courier"}
    # Sent twice it is done once.
    again = warehouse.post(HANDOVER, {"numrat": between.join(order.number for order in orders)})
    assert again.status == 303
    assert Mail.select().where(Mail.kind == "on_its_way").count() == 3


@pytest.mark.rule("AFT-1", "DSK-2")
def test_an_order_that_was_recoloured_after_packing_is_not_handed_over(warehouse, world):
    order = packed(confirmed(world, "S25-BLACK-128"))
    [line] = order.lines()
    change(order, Wanted.of(order, colours={line.id: blue_of_128(world).id}), by=SHOPPER, now=named.later(15))
    page = warehouse.post(HANDOVER, {"numrat": order.number})
    assert page.status == 422
    assert "Ngjyra ndryshoi pas paketimit: paketojeni përsëri." in page.words
    assert state(order) == "confirmed"
    assert "Paketohet përsëri: ngjyra ndryshoi" in warehouse.get(PICK).words


@pytest.mark.rule("AFT-1", "DLV-4")
def test_papers_that_changed_after_packing_are_to_be_printed_anew(warehouse, world):
    order, other = packed(confirmed(world)), packed(confirmed(world))
    anew = "Printoni përsëri dokumentet"
    assert anew not in warehouse.get(HANDOVER).words
    change(order, Wanted.of(order, street="E re 1"), by=AGENT, now=named.later(15))
    for path in (HANDOVER, path_of(order)):
        assert warehouse.get(path).words.count(anew) == 1
    assert anew not in warehouse.get(path_of(other)).words
    page = warehouse.post(HANDOVER, {"numrat": f"{order.number} {other.number}"})
    assert page.status == 200
    assert f"{order.number} : U bë. Dokumentet ndryshuan pas paketimit" in page.words
    assert page.words.count("Dokumentet ndryshuan") == 1
    assert [link.text for link in page.all("a", href=f"/desk/dokumentet.pdf?numri={order.number}")] == ["Dokumentet"]
    assert (state(order), state(other)) == ("with_courier", "with_courier")
    assert page.text_of("numrat") == ""
    # Sent twice it is told as done before.
    assert warehouse.post(HANDOVER, {"numrat": order.number}).status == 303


@pytest.mark.rule("AFT-1", "DLV-4")
def test_an_order_that_is_packed_anew_has_the_papers_of_its_last_packing(warehouse, world):
    order = packed(confirmed(world, "S25-BLACK-128"))
    [line] = order.lines()
    changed = change(order, Wanted.of(order, colours={line.id: blue_of_128(world).id}), by=AGENT, now=named.later(15))
    packed(changed, named.later(16))
    assert "Printoni përsëri" not in warehouse.get(HANDOVER).words


@pytest.mark.parametrize("typed", ["", "   ", "\n"])
def test_an_empty_box_is_said(warehouse, world, typed):
    page = warehouse.post(HANDOVER, {"numrat": typed})
    assert page.status == 422
    assert page.text_of("numrat-error") == "Skanoni ose shkruani së paku një numër."


def test_what_is_typed_is_shown_as_text(warehouse, world):
    page = warehouse.post(HANDOVER, {"numrat": "<script>alert(1)</script>"})
    assert page.status == 422
    assert "<script>alert" not in page.html


# The courier


@pytest.mark.rule("DSK-2", "DLV-5")
def test_the_couriers_list_has_todays_times_first(warehouse, world, clock):
    untimed, today, tomorrow = (with_courier(confirmed(world)) for _ in range(3))
    offered = times(today, named.NOW, AGENT)
    arrange(today, offered[0], by=AGENT, now=named.NOW)
    arrange(tomorrow, offered[4], by=AGENT, now=named.NOW)
    page = warehouse.get(TOUR)
    order = [untimed.number, today.number, tomorrow.number]
    assert sorted(order, key=page.words.index) == [today.number, untimed.number, tomorrow.number]
    assert "të martën, 10 mars, ora 12–15" in page.words
    assert "070 123 456" in page.words
    clock.shift(5 * 3600)
    warehouse.log_in("warehouse@example.com")
    page = warehouse.get(TOUR)
    assert "1 kohë e caktuar kaloi pa përpjekje." in page.words
    assert "Koha kaloi pa përpjekje" in page.words


def crowd_of(order, count: int = 200) -> list[int]:
    """So many copies of the order, promised for days before; their ids."""
    values = {name: value for name, value in order.__data__.items() if name != "id"}
    values["promised_on"] -= timedelta(days=9)
    begin = Order.select().count()
    rows = [values | {"number": f"C-{begin + each}", "checkout_key": f"c{begin + each}"} for each in range(count)]
    Order.insert_many(rows).execute()
    return [row.id for row in Order.select(Order.id).where(Order.number.in_([row["number"] for row in rows]))]


@pytest.mark.rule("DSK-2", "DLV-5")
def test_over_200_parcels_hide_none_that_goes_to_its_door_today(warehouse, world):
    order = with_courier(confirmed(world))
    crowd_of(order)
    arrange(order, times(order, named.NOW, AGENT)[0], by=AGENT, now=named.NOW)
    words = warehouse.get(TOUR).words
    assert order.number in words
    assert "Shfaqen 200 më të hershmet nga 201." in words


@pytest.mark.rule("DSK-2", "DLV-5")
def test_over_200_failed_attempts_hide_none_whose_time_or_days_come_first(warehouse, world):
    waiting, arranged_today = failed(confirmed(world)), failed(confirmed(world))
    said = DeliveryAttempt.get(DeliveryAttempt.order == waiting)
    facts = {name: value for name, value in said.__data__.items() if name not in ("id", "order", "until")}
    facts["until"] = said.until + timedelta(days=1)
    crowd = crowd_of(waiting, 400)
    DeliveryAttempt.insert_many([facts | {"order": each} for each in crowd]).execute()
    arrange(arranged_today, times(arranged_today, named.later(70), AGENT)[0], by=AGENT, now=named.later(70))
    slot = {"attempt": 2, "day": named.NOW.date() + timedelta(days=1), "starts": 9, "ends": 12}
    slot |= {"at": named.NOW, "role": "agent"}
    ArrangedTime.insert_many([slot | {"order": each} for each in crowd[:200]]).execute()
    page = warehouse.get(ATTEMPTS)
    for order in (waiting, arranged_today):
        assert order.number in page.words
    assert page.words.count("Shfaqen 200 më të hershmet nga 201.") == 2
    page = warehouse.get(HANDOVER)
    assert arranged_today.number in page.words
    assert "Shfaqen 200 më të hershmet nga 201." in page.words


@pytest.mark.rule("DLV-3")
def test_delivered_to_who_may_receive_it(warehouse, world):
    order = with_courier(confirmed(world))
    page = warehouse.get(path_of(order))
    sent = page.form(path_of(order, "/dorezuar"))
    assert sent["pranuesi"] == "0"
    refused = warehouse.post(path_of(order, "/dorezuar"), sent)
    assert refused.status == 422
    assert refused.text_of("dokumenti-error") == "Zgjidhni llojin e dokumentit që u tregua."
    done = warehouse.post(path_of(order, "/dorezuar"), sent | {"dokumenti": "passport"})
    assert "Dorëzimi u shënua." in warehouse.follow(done).words
    attempt = DeliveryAttempt.get()
    assert (attempt.recipient, attempt.document, attempt.who) == (RECEIVER, "passport", "warehouse@example.com")
    # A second press finds it done.
    assert warehouse.post(path_of(order, "/dorezuar"), sent | {"dokumenti": "passport"}).status == 303
    assert DeliveryAttempt.select().count() == 1
    assert f"{RECEIVER} · pasaportë" in warehouse.get(path_of(order)).words


@pytest.mark.rule("DLV-3")
def test_somebody_else_needs_a_name_and_an_authorisation(warehouse, world):
    order = with_courier(confirmed(world))
    sent = {"perpjekja": "1", "pranuesi": "tjeter", "dokumenti": "id_card", "emri": "Besa Krasniqi"}
    refused = warehouse.post(path_of(order, "/dorezuar"), sent)
    assert refused.status == 422
    assert "Pa autorizim të rregullt" in refused.text_of("autorizimi-error")
    assert refused.by_id("emri").get("value") == "Besa Krasniqi"
    nameless = warehouse.post(path_of(order, "/dorezuar"), sent | {"emri": "", "autorizimi": "y"})
    assert "Shkruani emrin" in nameless.text_of("emri-error")
    assert state(order) == "with_courier"
    assert warehouse.post(path_of(order, "/dorezuar"), sent | {"autorizimi": "y"}).status == 303
    assert DeliveryAttempt.get().authorised


@pytest.mark.rule("DLV-5")
def test_a_failed_attempt_is_told_and_waits_for_a_time(warehouse, world):
    order = with_courier(confirmed(world))
    sent = warehouse.get(path_of(order)).form(path_of(order, "/pa-dorezuar"))
    refused = warehouse.post(path_of(order, "/pa-dorezuar"), sent)
    assert refused.text_of("arsyeja-error") == "Zgjidhni arsyen."
    wordless = warehouse.post(path_of(order, "/pa-dorezuar"), sent | {"arsyeja": "other"})
    assert wordless.text_of("shenimi-error") == "Shkruani me pak fjalë arsyen."
    assert state(order) == "with_courier"
    typed = sent | {"arsyeja": "no_answer", "shenimi": "zilja nuk punon"}
    for _ in range(2):
        assert warehouse.post(path_of(order, "/pa-dorezuar"), typed).status == 303
    assert (Mail.select().where(Mail.kind == "attempt_failed").count(), Sms.select().count()) == (1, 1)
    page = warehouse.get(ATTEMPTS)
    assert "zilja nuk punon" in page.words
    assert "E enjte, 12 mars".lower() in page.words.lower()


@pytest.mark.rule("DLV-5")
def test_a_new_time_is_arranged_and_the_order_goes_out_again(warehouse, world):
    order = failed(confirmed(world))
    form = warehouse.get(path_of(order)).form(path_of(order, "/koha"))
    refused = warehouse.post(path_of(order, "/koha"), form | {"koha": "2026-03-15.9-12"})
    assert refused.status == 422
    assert refused.text_of("koha-error") == "Zgjidhni një nga kohët e ofruara."
    slot = times(order, named.later(70), AGENT)[5]
    done = warehouse.post(path_of(order, "/koha"), form | {"koha": slot.code})
    assert "Koha u caktua" in warehouse.follow(done).words
    assert arranged(order).slot == slot
    page = warehouse.get(HANDOVER)
    assert "Niset përsëri, me kohë të re" in page.words
    assert warehouse.post(HANDOVER, {"numrat": order.number}).status == 303
    assert (state(order), next_attempt(order)) == ("with_courier", 2)


@pytest.mark.rule("DSK-1")
def test_a_time_is_not_arranged_over_a_change_that_was_not_seen(warehouse, world):
    order = failed(confirmed(world))
    form = warehouse.get(path_of(order)).form(path_of(order, "/koha"))
    offered = times(order, named.later(70))
    arrange(order, offered[3], by=SHOPPER, now=named.later(70))
    page = warehouse.post(path_of(order, "/koha"), form | {"koha": offered[4].code})
    assert page.status == 409
    assert "Porosia ndryshoi ndërkohë" in page.words
    assert arranged(order).slot == offered[3]


@pytest.mark.rule("DSK-2")
def test_an_order_that_went_on_meanwhile_is_left_as_it_is(warehouse, world):
    order = with_courier(confirmed(world))
    cancel(order, by=AGENT, now=named.later(30))
    sent = {"perpjekja": "1", "pranuesi": "0", "dokumenti": "id_card", "arsyeja": "not_home"}
    for step in ("/dorezuar", "/pa-dorezuar", "/kthehet"):
        page = warehouse.post(path_of(order, step), sent)
        assert page.status == 409
        assert "Asgjë nuk u shënua: gjendja e porosisë është „Anuluar“." in page.words
    assert not DeliveryAttempt.select().exists()


# Back


@pytest.mark.rule("DSK-2", "DLV-5")
def test_pieces_that_come_back_go_into_stock_or_aside_once(warehouse, world):
    good, broken = failed(confirmed(world)), failed(confirmed(world))
    for order in (good, broken):
        back = warehouse.post(path_of(order, "/kthehet"))
        assert "Porosia kthehet; pjesët priten në depo." in warehouse.follow(back).words
    assert counts(warehouse.get(RETURNS)) == [0, 0, 0, 0, 2]
    assert world.stock("CASE-BLACK") == 38
    for _ in range(2):
        page = warehouse.post(f"{RETURNS}/{good.number}", {"gjendja": "shitet"})
        assert page.status == 303
    assert "u kthyen në shitje" in warehouse.follow(page).words
    warehouse.post(f"{RETURNS}/{broken.number}", {"gjendja": "menjane"})
    assert world.stock("CASE-BLACK") == 39
    assert [row.sellable for row in StockReturn.select().order_by(StockReturn.id)] == [True, False]
    assert "Asnjë pjesë nuk pritet mbrapsht." in warehouse.get(RETURNS).words


@pytest.mark.rule("AFT-3")
def test_of_a_withdrawal_the_lines_that_come_back_are_listed_alone(warehouse, world):
    order = with_courier(confirmed(world, "S25-BLACK-128", "CASE-BLACK"))
    deliver(order, 1, RECEIVER, "id_card", by=WAREHOUSE, now=named.later(60))
    case = order.lines()[1]
    more = {"key": "k", "by": SHOPPER, "now": named.later(90), "lines": [case.id]}
    claim = Claim.open(order, "withdrawal", "changed_mind", **more)
    claim.decide(True, by=AGENT, now=named.later(100))
    page = warehouse.get(RETURNS)
    assert "CASE-BLACK" in page.words
    assert "S25-BLACK-128" not in page.words
    warehouse.post(f"{RETURNS}/{order.number}", {"gjendja": "shitet"})
    assert (world.stock("CASE-BLACK"), world.stock("S25-BLACK-128"), state(order)) == (40, 19, "delivered")


def test_what_is_not_awaited_does_not_arrive(warehouse, world):
    order = confirmed(world)
    assert warehouse.post(f"{RETURNS}/{order.number}", {"gjendja": "shitet"}).status == 404
    failed(order)
    warehouse.post(path_of(order, "/kthehet"))
    assert warehouse.post(f"{RETURNS}/{order.number}", {"gjendja": "x"}).status == 422
    assert world.stock("CASE-BLACK") == 39


@pytest.mark.parametrize("number", ["nonsense", "DY-0000-0000-0", "DY-7K3M-9QPX-7"])
def test_no_such_order_is_no_page(warehouse, world, number):
    assert warehouse.get(f"/desk/depo/porosia/{number}").status == 404
    assert warehouse.post(f"/desk/depo/porosia/{number}/dorezuar").status == 404


# The SMS's link


@pytest.mark.rule("DLV-5", "ORD-2")
def test_the_link_of_the_sms_opens_the_order_where_a_time_is_chosen(app, world):
    order = failed(confirmed(world))
    browser = Browser(app)
    page = browser.get(f"/koha/{sign_short(order)}")
    assert page.status == 303
    assert page.location.endswith("#koha")
    assert "no-store" in page.headers["Cache-Control"]
    opened = browser.follow(browser.follow(page))
    assert order.number in opened.words
    other = sign_short(confirmed(world))[:-10] + sign_short(order)[-10:]
    assert Browser(app).get(f"/koha/{other}").status == 404
    assert Browser(app).get("/koha/x").status == 404


# Budgets


@pytest.mark.parametrize("path", [PICK, HANDOVER, TOUR, ATTEMPTS])
def test_lists_ask_as_much_for_many_orders_as_for_few(warehouse, world, path):
    for _ in range(4):
        confirmed(world)
        packed(confirmed(world))
        with_courier(confirmed(world))
        failed(confirmed(world))
    warehouse.get(path)
    with assert_query_count(22):
        assert warehouse.get(path).status == 200


# Markup and words


@pytest.mark.rule("LOC-1", "DSK-2")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_every_page_is_in_order_and_in_its_language(warehouse, world, language, prefix):
    at_door, timed = with_courier(confirmed(world, "S25-BLACK-128")), failed(confirmed(world))
    late, waiting, back = confirmed(world), failed(confirmed(world)), failed(confirmed(world))
    Order.update(promised_on=named.NOW.date() - timedelta(days=1)).where(Order.id == late.id).execute()
    packed(confirmed(world))
    arrange(at_door, times(at_door, named.NOW, AGENT)[0], by=AGENT, now=named.NOW)
    arrange(timed, times(timed, named.later(70))[0], by=SHOPPER, now=named.later(70))
    warehouse.post(path_of(back, "/kthehet"))
    pages = [warehouse.get(prefix + path) for path in (PICK, HANDOVER, TOUR, ATTEMPTS, RETURNS)]
    pages += [warehouse.get(prefix + path_of(order)) for order in (at_door, timed, waiting, back, late)]
    door = prefix + path_of(at_door)
    somebody = {"perpjekja": "1", "pranuesi": "tjeter", "emri": "Besa", "dokumenti": "id_card"}
    refused = [
        warehouse.post(prefix + PACK),
        warehouse.post(prefix + HANDOVER, {"numrat": f"{late.number} {timed.number} x {new_number()}"}),
        warehouse.post(f"{door}/dorezuar", somebody),
        warehouse.post(f"{door}/dorezuar", {"perpjekja": "1", "pranuesi": "tjeter"}),
        warehouse.post(f"{door}/pa-dorezuar", {"perpjekja": "1", "arsyeja": "other"}),
        warehouse.post(f"{door}/koha", {"koha": "x"}),
    ]
    assert [page.status for page in refused] == [422] * len(refused)
    done = warehouse.follow(warehouse.post(f"{door}/pa-dorezuar", {"perpjekja": "1", "arsyeja": "no_id"}))
    albanian = Albanian(language) if prefix else None
    for page in (*pages, *refused, done):
        assert faults(page.html, language) == []
        if albanian:
            assert [text for text in Said(page, language).texts if albanian.is_in(text)] == []
