"""The order's page: changing, cancelling and choosing a new time, as its shopper does it (AFT-1, AFT-2, DLV-5)."""

import pytest

from gateways.bank import Verdict
from models import order_change
from models.actor import SHOPPER, Actor
from models.cancellation import Cancellation
from models.cancellation import cancel as cancel_order
from models.claim import Claim
from models.delivery import arrange, arranged, deliver, fail, hand_over, times
from models.order import Order
from models.order_change import Wanted, change
from models.outbox import Mail
from models.payment import Payment, Refund
from models.trail import AuditEntry
from tests import world as named
from tests.views.browser import Browser, signed_link
from tests.views.test_html import LANGUAGES, check
from tests.world import NOW, later

AGENT = Actor("agent", "agent@example.com")
WAREHOUSE = Actor("warehouse", "warehouse@example.com")
ADDRESS = {"street": "Rr. Marshalli 5", "place": "1230", "municipality": "MK-604"}


@pytest.fixture
def order(world):
    """A paid order of one case."""
    return paid(named.ordered(world, "CASE-BLACK")[0])


def paid(order, now=None):
    Payment.latest_of(order).settle(Verdict.PAID, now or later(1))
    return Order.get_by_id(order.id)


def to(order, *states):
    for state in states:
        order.move(state, by=WAREHOUSE, now=NOW)
    return order


@pytest.fixture
def mine(shopper, order) -> Browser:
    """The browser of who has the order's mail."""
    shopper.get(signed_link(order))
    return shopper


def path(order, ending=""):
    return f"/porosia/{order.number}{ending}"


def part(page, name):
    """What the form of one part would send as it stands on the page."""
    for form in page.all("form", action=page_path(page)):
        sent = {field.get("name"): field.get("value", "") for field in form.iter("input") if field.get("name")}
        if sent.get("cka") == name:
            for select in form.iter("select"):
                chosen = [one for one in select.iter("option") if one.get("selected") is not None]
                sent[select.get("name")] = chosen[0].get("value") if chosen else ""
            return sent
    raise AssertionError(f"no form of {name}")


def page_path(page):
    return next(form.get("action") for form in page.all("form") if (form.get("action") or "").endswith("/ndrysho"))


@pytest.mark.rule("AFT-1")
def test_the_address_changes_from_the_page_and_comes_back_in_the_form(mine, order):
    sent = part(mine.get(path(order)), "adresa") | ADDRESS
    done = mine.post(path(order, "/ndrysho"), sent)
    assert done.status == 303
    page = mine.follow(done)
    assert "Ndryshimi u ruajt; ju dërguam edhe e-postë." in page.words
    assert "Rr. Marshalli 5, 1230 Gostivar" in page.words
    assert "Porosia u ndryshua" in page.text_of("permbajtja") or "Porosia u ndryshua" in page.words
    fresh = Order.get_by_id(order.id)
    assert (fresh.street, fresh.postal_code, fresh.municipality, fresh.place) == (
        "Rr. Marshalli 5",
        "1230",
        "MK-604",
        "Gostivar",
    )
    assert AuditEntry.get(AuditEntry.what == "changed").role == "shopper"
    assert Mail.select().where(Mail.kind == "order_changed").count() == 1


@pytest.mark.rule("AFT-1")
@pytest.mark.parametrize(
    ("name", "typed", "column", "kept"),
    [
        ("telefoni", {"phone": "071 222 333"}, "phone", "38971222333"),
        ("shenimi", {"note": "  Kati  3 "}, "note", "Kati 3"),
        ("shenimi", {"note": ""}, "note", ""),
    ],
)
def test_phone_and_note_change_by_themselves(mine, order, name, typed, column, kept):
    Order.update(note="Më parë").where(Order.id == order.id).execute()
    assert mine.post(path(order, "/ndrysho"), part(mine.get(path(order)), name) | typed).status == 303
    assert getattr(Order.get_by_id(order.id), column) == kept
    assert Order.get_by_id(order.id).street == order.street


@pytest.mark.rule("AFT-1")
def test_another_colour_is_offered_where_it_is_in_stock_and_taken(shopper, world):
    blue = world["S25-BLUE-256"]
    blue.storage_gb = 128
    blue.save()
    order = paid(named.ordered(world, "S25-BLACK-128", "CASE-BLACK")[0])
    shopper.get(signed_link(order))
    page = shopper.get(path(order))
    assert "E zezë · në gjendje edhe Blu" in page.words
    [line, _] = order.lines()
    sent = part(page, f"ngjyra-{line.id}") | {f"l{line.id}-ngjyra": str(blue.id)}
    assert shopper.post(path(order, "/ndrysho"), sent).status == 303
    assert order.lines()[0].sku == blue.sku
    assert (world.stock("S25-BLACK-128"), world.stock(blue.sku)) == (20, 2)


@pytest.mark.rule("AFT-1")
def test_a_colour_that_is_gone_meanwhile_is_told_beside_the_choice(shopper, world):
    blue = world["S25-BLUE-256"]
    blue.storage_gb = 128
    blue.save()
    order = paid(named.ordered(world, "S25-BLACK-128")[0])
    shopper.get(signed_link(order))
    [line] = order.lines()
    sent = part(shopper.get(path(order)), f"ngjyra-{line.id}") | {f"l{line.id}-ngjyra": str(blue.id)}
    world.set_stock(blue.sku, 0)
    page = shopper.post(path(order, "/ndrysho"), sent)
    assert page.status == 422
    assert "Zgjidhni një nga ngjyrat në gjendje." in page.words
    assert order.lines()[0].sku == "S25-BLACK-128"


@pytest.mark.rule("AFT-1")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(
    ("name", "typed", "field", "told"),
    [
        ("adresa", {**ADDRESS, "street": " "}, "street", "Shkruani rrugën dhe numrin."),
        ("adresa", {**ADDRESS, "place": "9999"}, "place", "Zgjidhni vendbanimin."),
        ("adresa", {**ADDRESS, "municipality": "MK-999"}, "municipality", "Zgjidhni komunën."),
        ("telefoni", {"phone": "123"}, "phone", "Shkruani numër celular që fillon me 07."),
        ("shenimi", {"note": "x" * 201}, "note", "Lejohen më së shumti 200 shkronja; keni 201."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays(
    mine, order, piece, name, typed, field, told
):
    sent = part(mine.get(path(order)), name) | typed
    page = mine.post(path(order, "/ndrysho"), sent, piece=piece)
    assert page.status == 422
    assert page.text_of(f"{field}-error") == told
    kept = page.by_id(field)
    if kept.tag == "input":
        assert kept.get("value") == typed[field].strip()
    assert page.all("details", open=""), "the part stays open"
    assert not AuditEntry.select().exists()


@pytest.mark.rule("AFT-1", "DSK-1")
@pytest.mark.parametrize("piece", [False, True])
def test_who_changes_an_old_page_is_told_what_changed_and_keeps_what_was_typed(mine, order, piece):
    sent = part(mine.get(path(order)), "telefoni") | {"phone": "071 222 333"}
    change(order, Wanted.of(order, street="Nga qendra 1"), by=AGENT, now=later(5))
    page = mine.post(path(order, "/ndrysho"), sent, piece=piece)
    assert page.status == (422 if piece else 409)
    assert "Porosia ndryshoi ndërkohë" in page.words
    assert "adresa, nga qendra e kontaktit" in page.words
    assert "agent@example.com" not in page.html
    assert page.by_id("phone").get("value") == "071 222 333"
    assert Order.get_by_id(order.id).phone == order.phone
    again = part(page, "telefoni") | {"phone": "071 222 333", "csrf_token": mine.token()}
    assert mine.post(path(order, "/ndrysho"), again).status == 303
    fresh = Order.get_by_id(order.id)
    assert (fresh.phone, fresh.street) == ("38971222333", "Nga qendra 1")


@pytest.mark.rule("AFT-1")
def test_pressed_twice_it_is_one_change(mine, order):
    sent = part(mine.get(path(order)), "telefoni") | {"phone": "071 222 333"}
    assert [mine.post(path(order, "/ndrysho"), sent).status for _ in range(2)] == [303, 303]
    assert AuditEntry.select().count() == 1


@pytest.mark.rule("AFT-1")
@pytest.mark.parametrize("piece", [False, True])
def test_once_the_courier_has_it_an_open_form_changes_nothing_and_says_so(mine, order, piece):
    sent = part(mine.get(path(order)), "adresa") | ADDRESS
    to(order, "packed", "with_courier")
    page = mine.post(path(order, "/ndrysho"), sent, piece=piece)
    assert page.status == (422 if piece else 409)
    assert "Porosia vazhdoi rrugën ndërkohë" in page.words
    assert Order.get_by_id(order.id).street == order.street
    assert "/ndrysho" not in mine.get(path(order)).html


@pytest.mark.rule("AFT-1")
def test_a_form_of_nothing_that_changes_is_refused(mine, order):
    for wrong in ({}, {"cka": "cmimi"}, {"cka": "ngjyra-999"}, {"cka": "ngjyra-x"}):
        assert mine.post(path(order, "/ndrysho"), wrong).status == 422
    assert mine.get(path(order, "/ndrysho")).location.endswith(path(order, "#ndryshimet"))


@pytest.mark.rule("AFT-2", "PAY-9")
def test_before_cancelling_the_page_says_what_returns_and_when_and_then_it_is_cancelled(mine, order):
    shown = mine.get(path(order, "/anulo"))
    assert "990 den kthehen në kartelën me të cilën u pagua, brenda 3 ditëve të punës." in shown.words.replace(
        "\u00a0", " "
    )
    assert shown.words.count("Ta anulojmë porosinë?") == 1
    assert "Ta anulojmë porosinë?" in mine.get(path(order)).words, "the order's page has it as a popover"
    sent = shown.form(path(order, "/anulo")) | {"arsyeja": "too_slow"}
    done = mine.post(path(order, "/anulo"), sent)
    assert done.status == 303
    page = mine.follow(done)
    assert "Porosia u anulua; ju dërguam edhe e-postë." in page.words
    assert "Paratë po kthehen në kartelë" in page.words
    assert Order.get_by_id(order.id).state == "cancelled"
    assert Cancellation.get().why == "too_slow"
    assert Refund.get().amount == order.due_now
    assert mine.post(path(order, "/anulo"), sent).status == 303
    assert (Refund.select().count(), Mail.select().where(Mail.kind == "order_cancelled").count()) == (1, 1)
    assert mine.get(path(order, "/anulo")).status == 303


@pytest.mark.rule("AFT-2")
@pytest.mark.parametrize("piece", [False, True])
def test_a_cancelling_without_a_reason_is_asked_for_one(mine, order, piece):
    for reason in ("", "nonsense"):
        sent = mine.get(path(order, "/anulo")).form(path(order, "/anulo")) | {"arsyeja": reason}
        page = mine.post(path(order, "/anulo"), sent, piece=piece)
        assert page.status == 422
        assert page.text_of("arsyeja-error") == "Zgjidhni arsyen."
    assert Order.get_by_id(order.id).state == "confirmed"


@pytest.mark.rule("AFT-2", "DSK-1")
def test_who_cancels_an_order_that_changed_meanwhile_confirms_anew(mine, order):
    sent = mine.get(path(order, "/anulo")).form(path(order, "/anulo")) | {"arsyeja": "too_slow"}
    change(order, Wanted.of(order, street="Nga qendra 1"), by=AGENT, now=later(5))
    page = mine.post(path(order, "/anulo"), sent)
    assert page.status == 409
    assert "Porosia ndryshoi ndërkohë" in page.words
    again = page.form(path(order, "/anulo")) | {"csrf_token": mine.token()}
    assert again["arsyeja"] == "too_slow"
    assert mine.post(path(order, "/anulo"), again).status == 303


@pytest.mark.rule("AFT-2")
def test_once_the_courier_has_it_the_page_does_not_cancel(mine, order):
    sent = mine.get(path(order, "/anulo")).form(path(order, "/anulo")) | {"arsyeja": "too_slow"}
    to(order, "packed", "with_courier")
    page = mine.post(path(order, "/anulo"), sent)
    assert page.status == 409
    assert "Porosia nuk anulohet më nga kjo faqe" in page.words
    assert "Anulo porosinë" not in mine.get(path(order)).words
    assert Order.get_by_id(order.id).state == "with_courier"


@pytest.mark.rule("AFT-2")
def test_an_order_that_nobody_paid_is_cancelled_and_the_page_says_that_nothing_was_charged(shopper, world):
    order, _ = named.ordered(world, "CASE-BLACK")
    shopper.get(signed_link(order))
    shown = shopper.get(path(order, "/anulo"))
    assert "Asgjë nuk është paguar, asgjë nuk ju merret." in shown.words
    sent = shown.form(path(order, "/anulo")) | {"arsyeja": "changed_mind"}
    assert shopper.post(path(order, "/anulo"), sent).status == 303
    assert not Refund.select().exists()


@pytest.fixture
def failed(mine, order):
    """The courier stood at a closed door."""
    to(order, "packed")
    hand_over(order, by=WAREHOUSE, now=NOW)
    fail(Order.get_by_id(order.id), 1, "not_home", by=WAREHOUSE, now=NOW)
    return Order.get_by_id(order.id)


@pytest.mark.rule("DLV-5")
def test_after_a_failed_attempt_a_new_time_is_chosen_on_the_orders_page(mine, failed):
    page = mine.get(path(failed))
    assert page.by_id("koha") is not None
    assert "Nuk gjetëm njeri në adresë" in page.words
    slot = times(failed, NOW)[4]
    sent = page.form(path(failed, "/koha")) | {"koha": slot.code}
    done = mine.post(path(failed, "/koha"), sent)
    assert done.status == 303
    assert arranged(failed).slot == slot
    page = mine.follow(done)
    assert "Koha u ruajt; ju dërguam edhe e-postë." in page.words
    assert f"ora {slot.hours}" in page.words
    assert "U caktua koha e dorëzimit" in page.words
    assert mine.post(path(failed, "/koha"), sent).status == 303, "the same again is no second choice"
    assert AuditEntry.select().where(AuditEntry.what == "time_arranged").count() == 1


@pytest.mark.rule("DLV-5")
@pytest.mark.parametrize("piece", [False, True])
def test_a_time_that_is_not_offered_is_refused_beside_the_choice(mine, failed, piece):
    for wrong, told in (
        ("", "Zgjidhni ditën dhe orën."),
        ("2026-03-15.9-12", "Kjo kohë nuk ofrohet më. Zgjidhni një tjetër."),
        ("nesër", "Kjo kohë nuk ofrohet më. Zgjidhni një tjetër."),
    ):
        sent = mine.get(path(failed, "/koha")).form(path(failed, "/koha")) | {"koha": wrong}
        page = mine.post(path(failed, "/koha"), sent, piece=piece)
        assert page.status == 422, wrong
        assert page.text_of("termini-error") == told
    assert arranged(failed) is None


@pytest.mark.rule("DLV-5")
def test_after_the_two_working_days_no_time_is_chosen_any_more(mine, failed, clock):
    sent = mine.get(path(failed, "/koha")).form(path(failed, "/koha")) | {"koha": times(failed, NOW)[0].code}
    clock.shift(4 * 86400)
    page = mine.post(path(failed, "/koha"), sent)
    assert page.status in (409, 422)
    assert "Për këtë porosi nuk zgjidhet kohë nga faqja." in page.words
    assert arranged(failed) is None


@pytest.mark.rule("DLV-5")
def test_there_is_no_time_to_choose_before_an_attempt_failed(mine, order):
    page = mine.get(path(order, "/koha"))
    assert page.status == 200
    assert "Për këtë porosi nuk zgjidhet kohë nga faqja." in page.words
    assert mine.post(path(order, "/koha"), {"koha": "2026-03-12.9-12"}).status == 409


@pytest.mark.rule("ORD-4", "PRV-1")
def test_the_timeline_tells_roles_in_words_and_never_who_works_here(mine, order):
    change(order, Wanted.of(order, phone="38971222333"), by=AGENT, now=later(5))
    change(order, Wanted.of(order, note="Kati 3"), by=SHOPPER, now=later(6))
    to(Order.get_by_id(order.id), "packed")
    cancel_order(order, by=AGENT, now=later(9), why="brenda shënim")
    page = mine.get(path(order))
    assert "telefoni · nga qendra e kontaktit" in page.words
    assert "shënimi · nga ju" in page.words
    for secret in ("agent@example.com", "warehouse@example.com", "brenda shënim"):
        assert secret not in page.html


@LANGUAGES
def test_the_pages_after_an_order_are_whole_in_each_state_and_language(mine, order, language, prefix):
    def look():
        for ending in ("", "/anulo", "/koha", "/ankesa", "/terheqja"):
            page = mine.get(prefix + path(order, ending))
            if page.status != 303:
                check(page, language)

    def refused(ending, sent, status=422):
        check(mine.post(prefix + path(order, ending), sent), language, status)
        check(mine.post(prefix + path(order, ending), sent, piece=True), None, 422)

    look()
    for sent in (
        {"cka": "adresa", "street": ""},
        {"cka": "telefoni", "phone": "1"},
        {"cka": "shenimi", "note": "x" * 300},
    ):
        refused("/ndrysho", sent)
    refused("/ndrysho", {"cka": "shenimi", "note": "Kati 3"}, 409)
    refused("/anulo", {})
    refused("/anulo", {"arsyeja": "too_slow"}, 409)
    refused("/ankesa", {"celes": "a" * 20})
    to(order, "packed")
    hand_over(order, by=WAREHOUSE, now=NOW)
    refused("/ndrysho", {"cka": "shenimi", "note": "Kati 3"}, 409)
    look()
    fail(order, 1, "not_home", by=WAREHOUSE, now=NOW)
    order.state = "delivery_failed"
    look()
    refused("/koha", {})
    refused("/koha", {"koha": times(order, NOW)[0].code}, 409)
    arrange(order, times(order, NOW)[0], by=SHOPPER, now=NOW)
    look()
    hand_over(order, by=WAREHOUSE, now=NOW)
    deliver(order, 2, order.receiver, "id_card", by=WAREHOUSE, now=NOW)
    look()
    refused("/terheqja", {"celes": "a" * 20})
    for kind, about in (("complaint", "late"), ("withdrawal", "changed_mind")):
        Claim.open(order, kind, about, key=kind, by=SHOPPER, now=NOW, text="Teksti")
    look()
    refused("/terheqja", {"celes": "a" * 20, "arsyeja": "no_reason", "e_pahapur": "y"}, 409)


@pytest.mark.rule("AFT-1")
def test_after_twenty_changes_the_page_says_to_call(mine, order, monkeypatch):
    monkeypatch.setattr(order_change, "BY_SHOPPER_MOST", 1)
    for note, status in (("E para", 303), ("E dyta", 409)):
        page = mine.post(path(order, "/ndrysho"), part(mine.get(path(order)), "shenimi") | {"note": note})
        assert page.status == status
    assert "Porosinë e keni ndryshuar shumë herë." in page.words
    assert page.by_id("note").get("value") == "E dyta"


NONSENSE = ("", "9" * 40, "\u202e", "x" * 30_000, "{{7*7}}\r\nB: c")


@pytest.mark.parametrize(
    ("ending", "fields"),
    [
        ("/ndrysho", ("cka", "shenja", "street", "place", "municipality", "phone", "note")),
        ("/anulo", ("arsyeja", "shenja")),
        ("/koha", ("koha", "shenja")),
        ("/terheqja", ("cka", "linjat", "arsyeja", "teksti", "e_pahapur", "celes")),
        ("/ankesa", ("arsyeja", "teksti", "celes", "deshmia")),
    ],
)
def test_nonsense_in_any_field_is_refused_and_never_an_error(mine, order, ending, fields):
    line = order.lines()[0].id
    good = {
        "cka": "shenimi",
        "note": "x",
        "arsyeja": "late",
        "teksti": "x",
        "celes": "a" * 20,
        "koha": "2026-03-12.9-12",
    }
    for field in fields:
        for value in NONSENSE:
            page = mine.post(path(order, ending), good | {"arsyeja": "no"} | {field: value})
            assert page.status in (303, 409, 422), (field, value)
    if ending == "/ndrysho":
        for value in NONSENSE:
            sent = {"cka": f"ngjyra-{line}", f"l{line}-ngjyra": value}
            assert mine.post(path(order, ending), sent).status in (303, 409, 422), value
    assert Order.get_by_id(order.id).state == "confirmed"
    assert not Claim.select().exists()
