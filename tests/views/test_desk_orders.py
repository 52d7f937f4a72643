"""The agent's pages: finding an order, and what is done for who calls (DSK-1, AFT-1, AFT-2)."""

import pytest

from gateways.bank import Verdict
from models.actor import SHOPPER, Actor
from models.base import utcnow
from models.catalogue import Variant
from models.delivery import ArrangedTime, arrange, fail, hand_over, pack, times
from models.delivery import contents_of as picked
from models.identification import MOST_OF_ORDER, Identification
from models.order import Order, OrderLine
from models.order_note import OrderNote
from models.outbox import Mail
from models.payment import Refund
from models.sms import Sms
from models.subscriber import Holder
from models.trail import AuditEntry
from tests import world as named
from tests.papers import subscribed
from tests.query_count import assert_query_count
from tests.staff import works
from tests.views.browser import HOST, Browser
from tests.views.test_html import faults
from tests.world import GUEST, later, ordered

DESK = "/desk/porosite"


@pytest.fixture
def agent(app, world) -> Browser:
    works("agent")
    browser = Browser(app)
    browser.log_in("agent@example.com")
    return browser


@pytest.fixture
def colleague(app, world) -> Browser:
    works("agent", "agent2@example.com")
    browser = Browser(app)
    browser.log_in("agent2@example.com")
    return browser


@pytest.fixture
def order(world) -> Order:
    """A guest's order of a black Galaxy, paid; there is a blue one of the same storage."""
    blue = world["S25-BLUE-256"]
    blue.storage_gb = 128
    blue.save()
    made, payment = ordered(world, "S25-BLACK-128")
    payment.settle(Verdict.PAID, later(1))
    return Order.get_by_id(made.id)


def page_of(order) -> str:
    return f"{DESK}/{order.number}"


def identify(browser, order, **changed):
    said = {"numri": order.number, "email": GUEST["email"], "telefoni": "070 123 456"} | changed
    return browser.post(f"{page_of(order)}/identifikimi", said)


def filled(browser, order, **changed) -> dict:
    """The form of the page, with a reason."""
    form = browser.get(page_of(order)).form(page_of(order))
    del form["csrf_token"]
    return form | {"arsyeja": "me telefon"} | changed


# Finding


@pytest.mark.rule("DSK-1")
def test_the_only_hit_opens_by_itself_and_the_address_says_nothing_of_whom_was_asked_for(agent, order):
    for typed in (order.number, "070 123 456", "ana@example.com", "markovska ana"):
        page = agent.post(DESK, {"q": typed})
        assert (page.status, page.location) == (303, page_of(order))
    back = agent.get(page_of(order)).all("a", data_search="")[0].get("href")
    assert "markovska" not in back
    results = agent.get(back)
    assert results.by_id("q").get("value") == "markovska ana"
    assert "1 porosi" in results.text_of("r")


@pytest.mark.rule("DSK-1", "PRV-1")
def test_results_name_the_order_and_show_of_the_phone_what_its_owner_knows(agent, order):
    page = agent.follow(agent.post(DESK, {"q": "", "gjendja": "confirmed", "nga": "01.03.2026"}))
    assert order.number in page.words
    assert "070 ••• 456" in page.words.replace("\xa0", " ")
    assert "Ana Markovska" in page.words
    assert "ana@example.com" not in page.html
    assert agent.follow(agent.post(DESK, {"gjendja": "packed"})).text_of("r") == "0 porosi"
    assert agent.follow(agent.post(DESK, {"nga": "11.03.2026"})).text_of("r") == "0 porosi"


def test_searches_of_any_letters_fit_into_the_cookie(agent, order):
    for number in range(7):
        agent.post(DESK, {"q": f"{number}" + "Ѓѕќ" * 19, "nga": "01.01.2026"})
    assert len(agent.cookie("session").value) < 3000
    page = agent.post(DESK, {"q": "x" * 61})
    assert page.status == 422
    assert page.by_id("q").get("aria-invalid") == "true"


def test_each_tab_comes_back_to_its_own_search(agent, order):
    first, second = (agent.post(DESK, {"q": typed}).location for typed in ("nobody", "neither"))
    assert agent.get(first).by_id("q").get("value") == "nobody"
    assert agent.get(second).by_id("q").get("value") == "neither"
    for number in range(9):
        agent.post(DESK, {"q": f"n{number}"})
    assert agent.get(first).by_id("q").get("value", "") == ""


@pytest.mark.rule("PRV-1", "DSK-5")
def test_whom_an_agent_looked_for_is_forgotten_when_the_work_ends(agent, order, clock):
    assert agent.post(DESK, {"q": "markovska"}).status == 303
    clock.move_to(later(days=1))
    assert agent.get(DESK).status == 303
    with agent.client.session_transaction(base_url=HOST) as kept:
        assert "searches" not in kept


@pytest.mark.parametrize("typed", ["31.02.2026", "sot", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_told_and_what_was_typed_stays(agent, order, typed):
    page = agent.post(DESK, {"q": "ana", "nga": typed})
    assert page.status == 422
    assert (page.by_id("q").get("value"), page.by_id("nga").get("value")) == ("ana", typed)


def test_too_little_is_told_from_nothing_found(agent, order):
    assert "Shkruani më shumë" in agent.follow(agent.post(DESK, {"q": "a"})).words
    assert "Asnjë porosi e tillë" in agent.follow(agent.post(DESK, {"q": "nobody"})).words


@pytest.mark.rule("DSK-1", "DLV-2")
def test_a_late_order_stands_out(agent, order, clock):
    clock.move_to(later(days=9))
    agent.log_in("agent@example.com")
    page = agent.get(DESK)
    assert "Vonë që nga" in page.words
    assert "Vonë që nga" in agent.get(page_of(order)).words
    assert order.number in agent.get(f"{DESK}?gjendja=late").words


@pytest.mark.rule("DSK-1")
def test_results_follow_page_by_page_with_the_same_queries(agent, world):
    for index in range(28):
        ordered(world, "CASE-BLACK", now=later(index / 10)) if index < 3 else _copy(index)
    with assert_query_count(12) as asked:
        page = agent.get(DESK)
    [older] = page.all("a", rel="next")
    second = agent.get(older.get("href"))
    numbers = [a.text for a in page.all("a") + second.all("a") if (a.text or "").startswith("DY-")]
    assert len(numbers) == len(set(numbers)) == 28
    assert len(asked) > 2


def _copy(index):
    first = Order.select().order_by(Order.id).first()
    values = {name: value for name, value in first.__data__.items() if name != "id"}
    made = Order.create(**values | {"number": f"DY-C0PY-{index:04}-0", "checkout_key": f"copy{index}"})
    line = first.lines()[0]
    OrderLine.create(**{name: value for name, value in line.__data__.items() if name != "id"} | {"order": made})


# Who calls


@pytest.mark.rule("DSK-1", "PRV-1")
def test_before_the_caller_is_identified_nothing_personal_is_on_the_page(agent, order):
    page = agent.get(page_of(order))
    for secret in ("ana@example.com", "070 123 456", "38970123456", "Ilindenit"):
        assert secret not in page.words.replace("\xa0", " "), secret
        assert secret not in page.html
    assert identify(agent, order).status == 303
    page = agent.get(page_of(order))
    assert "ana@example.com" in page.words
    assert page.by_id("street").get("value") == "Rr. Ilindenit 12"


@pytest.mark.rule("DSK-1")
@pytest.mark.parametrize(
    "wrong", [{"email": "other@example.com"}, {"telefoni": "071 000 000"}, {"numri": "DY-0000-0000-0"}]
)
def test_a_caller_who_knows_it_not_is_refused_and_the_try_is_in_the_trail(agent, order, wrong):
    page = identify(agent, order, **wrong)
    assert page.status == 422
    assert "Të dhënat nuk përputhen" in page.words
    # What was typed stays, and what it should have been is nowhere.
    assert page.by_id("email").get("value") == wrong.get("email", "ana@example.com")
    assert "Të dhënat e klientit nuk përputheshin" in page.words
    assert not Identification.get().matched


@pytest.mark.rule("DSK-1")
def test_tries_are_limited(agent, order):
    for _ in range(MOST_OF_ORDER):
        identify(agent, order, email="other@example.com")
    page = identify(agent, order)
    assert page.status == 429
    assert "Shumë përpjekje" in page.words
    assert Identification.select().count() == MOST_OF_ORDER


@pytest.mark.rule("DSK-1")
def test_of_a_contract_the_holder_is_asked_and_then_the_customers_standing_is_there(agent, world):
    owner = named.profile()
    number = named.own_number(owner)
    named.owes(number, 189_900)
    cart = named.cart_with(world, profile=owner)
    named.contract_line(cart, number=number, payment="card")
    named.Invoice.delete().execute()
    order, _ = named.place(named.checkout_of(cart), profile=owner)
    named.owes(number, 189_900)
    named.has_device(number, 50)
    page = agent.get(page_of(order))
    assert page.by_id("dokumenti") is not None
    assert "1.899" not in page.words
    assert page.by_id("email") is None
    assert agent.post(f"{page_of(order)}/identifikimi", {"numri": order.number, "dokumenti": "100 001"}).status == 303
    words = agent.get(page_of(order)).words.replace("\xa0", " ")
    for known in ("070 100 001", "Arben Osmani", "Samsung Galaxy A56", "12 / 24", "1.899 den"):
        assert known in words, known


@pytest.mark.rule("DSK-1")
def test_the_call_ends_and_the_next_caller_is_asked_anew(agent, order):
    identify(agent, order)
    for _ in range(2):
        assert agent.post(f"{page_of(order)}/mbaro").status == 303
    assert agent.get(page_of(order)).by_id("numri") is not None


# Changing


@pytest.mark.rule("AFT-1", "DSK-1")
def test_address_phone_and_colour_change_and_the_trail_says_who_and_why(agent, order, world):
    identify(agent, order)
    [line] = order.lines()
    changed = filled(
        agent,
        order,
        street="Rr. Marshall Tito 5",
        place="1000",
        municipality="MK-801",
        phone="071 222 333",
        **{f"ngjyra-{line.id}": str(world["S25-BLUE-256"].id)},
    )
    for _ in range(2):
        # The second is the same form sent twice: it is told, and nothing changes twice.
        page = agent.post(page_of(order), changed)
    assert page.status == 409
    assert AuditEntry.select().where(AuditEntry.what == "changed").count() == 1
    order = Order.get_by_id(order.id)
    assert (order.street, order.postal_code, order.phone) == ("Rr. Marshall Tito 5", "1000", "38971222333")
    assert order.lines()[0].sku == "S25-BLUE-256"
    words = agent.get(page_of(order)).words
    assert "me telefon" in words
    assert "agent@example.com" in words
    assert (world.stock("S25-BLACK-128"), world.stock("S25-BLUE-256")) == (20, 2)


@pytest.mark.rule("AFT-1", "DSK-1")
def test_the_second_agent_is_told_what_changed_and_loses_nothing_typed(agent, colleague, order):
    identify(agent, order)
    identify(colleague, order)
    mine, theirs = (
        filled(browser, order, street=street) for browser, street in ((agent, "E para 1"), (colleague, "E dyta 2"))
    )
    [line] = order.lines()
    blue = str(Variant.get(Variant.sku == "S25-BLUE-256").id)
    mine |= {"phone": "071 222 333", f"ngjyra-{line.id}": blue}
    assert agent.post(page_of(order), mine).status == 303
    page = colleague.post(page_of(order), theirs | {"note": "kati 3", "arsyeja": "ngrit telefonin"})
    assert page.status == 409
    told = page.text_of("nderkohe")
    for known in ("Rr. Ilindenit 12", "E para 1", "agent@example.com", "me telefon"):
        assert known in told, known
    form = page.form(page_of(order))
    # What the other one changed and this one did not touch is as it is now.
    assert (form["phone"], form[f"ngjyra-{line.id}"]) == ("071 222 333", blue)
    assert (form["street"], form["note"], form["arsyeja"]) == ("E dyta 2", "kati 3", "ngrit telefonin")
    assert form["mark"] != theirs["mark"]
    assert Order.get_by_id(order.id).street == "E para 1"
    assert colleague.post(page_of(order), form).status == 303
    assert (Order.get_by_id(order.id).street, Order.get_by_id(order.id).note) == ("E dyta 2", "kati 3")


@pytest.mark.rule("DSK-1")
def test_a_note_of_another_agent_keeps_nobody_from_saving(agent, colleague, order):
    identify(agent, order)
    form = filled(agent, order, street="E para 1")
    assert colleague.post(f"{page_of(order)}/shenime", {"shenimi": "Thirri dje."}).status == 303
    assert agent.post(page_of(order), form).status == 303


@pytest.mark.rule("AFT-1")
def test_bad_input_is_told_at_its_field_and_what_was_typed_stays(agent, order):
    identify(agent, order)
    page = agent.post(page_of(order), filled(agent, order, street="", phone="123", arsyeja="", note="te dera"))
    assert page.status == 422
    assert page.by_id("note").get("value") == "te dera"
    for field in ("street", "phone", "arsyeja"):
        assert page.by_id(f"{field}-error") is not None, field
    assert not AuditEntry.select().where(AuditEntry.what == "changed").exists()


@pytest.mark.rule("AFT-1")
def test_place_or_postal_code_may_be_changed_alone(agent, order):
    identify(agent, order)
    assert agent.post(page_of(order), filled(agent, order, place="1000")).status == 303
    assert Order.get_by_id(order.id).postal_code == "1000"
    assert agent.post(page_of(order), filled(agent, order, postal_code="1200")).status == 303
    assert Order.get_by_id(order.id).postal_code == "1200"
    assert agent.post(page_of(order), filled(agent, order, place="1000", postal_code="7000")).status == 422
    assert agent.post(page_of(order), filled(agent, order, postal_code="9999")).status == 422


@pytest.mark.rule("AFT-1", "AFT-2", "DSK-1")
def test_without_identification_nothing_is_changed_arranged_or_cancelled(agent, colleague, order):
    identify(agent, order)
    form = filled(agent, order, street="Tjetër 1")
    for browser in (colleague,):
        assert browser.post(page_of(order), form).status == 409
        assert browser.get(f"{page_of(order)}/anulo").status == 409
        assert browser.post(f"{page_of(order)}/anulo", {"arsyeja": "x", "mark": form["mark"]}).status == 409
        assert browser.post(f"{page_of(order)}/koha", {"koha": "2026-03-11.9-12"}).status == 409
    assert Order.get_by_id(order.id).street == order.street


@pytest.mark.rule("AFT-1", "DSK-1")
def test_half_an_hour_later_the_caller_is_asked_anew_and_what_was_typed_is_not_saved(agent, order, clock):
    identify(agent, order)
    form = filled(agent, order, street="Tjetër 1")
    clock.move_to(later(31))
    agent.log_in("agent@example.com")
    assert agent.post(page_of(order), form).status == 409
    assert Order.get_by_id(order.id).street == order.street


@pytest.mark.rule("AFT-1")
def test_a_colour_that_went_meanwhile_is_told_and_nothing_else_is_saved(agent, order, world):
    identify(agent, order)
    [line] = order.lines()
    form = filled(agent, order, street="Tjetër 1", **{f"ngjyra-{line.id}": str(world["S25-BLUE-256"].id)})
    world.set_stock("S25-BLUE-256", 0)
    page = agent.post(page_of(order), form)
    assert page.status == 422
    assert "nuk ka më në atë ngjyrë" in page.words
    assert Order.get_by_id(order.id).street == order.street


# Cancelling


@pytest.mark.rule("AFT-2", "PAY-9")
def test_a_cancellation_says_what_returns_and_returns_it_once(agent, order, world):
    identify(agent, order)
    path = f"{page_of(order)}/anulo"
    page = agent.get(path)
    assert "52.800 den në kartelë" in page.words.replace("\xa0", " ")
    form = page.form(path)
    assert agent.post(path, form).status == 422
    for _ in range(2):
        assert agent.post(path, form | {"arsyeja": "ndërroi mendim"}).status == 303
    assert Order.get_by_id(order.id).state == "cancelled"
    assert Refund.get().amount == 5_280_000
    page = agent.get(f"{page_of(order)}?u=anuluar")
    assert "Kthimi i parave" in page.words
    assert "ndërroi mendim" in page.words
    assert agent.get(path).status == 303


@pytest.mark.rule("AFT-2", "DSK-1")
def test_who_cancels_is_told_when_somebody_changed_the_order_meanwhile(agent, colleague, order):
    identify(agent, order)
    identify(colleague, order)
    path = f"{page_of(order)}/anulo"
    form = agent.get(path).form(path) | {"arsyeja": "ndërroi mendim"}
    colleague.post(page_of(order), filled(colleague, order, street="E dyta 2"))
    page = agent.post(path, form)
    assert page.status == 409
    assert "E dyta 2" in page.text_of("nderkohe")
    again = page.form(path)
    assert again["arsyeja"] == "ndërroi mendim"
    assert agent.post(path, again).status == 303
    assert Order.get_by_id(order.id).state == "cancelled"


@pytest.mark.rule("AFT-2", "AFT-3")
def test_what_is_delivered_is_not_cancelled(agent, order):
    identify(agent, order)
    for state in ("packed", "with_courier", "delivered"):
        order.move(state, by="warehouse", now=later(2))
    for page in (agent.get(f"{page_of(order)}/anulo"), agent.post(f"{page_of(order)}/anulo", {"arsyeja": "x"})):
        assert page.status == 409
        assert "nuk anulohet më" in page.words


# Notes, messages, times


@pytest.mark.rule("DSK-1")
def test_a_note_is_kept_once_and_an_empty_one_not_at_all(agent, order):
    path = f"{page_of(order)}/shenime"
    form = agent.get(page_of(order)).form(path)
    assert agent.post(path, form).status == 422
    for _ in range(2):
        assert agent.post(path, form | {"shenimi": "Do të telefonojë <b>nesër</b>."}).status == 303
    assert OrderNote.select().count() == 1
    assert "Do të telefonojë &lt;b&gt;nesër" in agent.get(page_of(order)).html


@pytest.mark.rule("DSK-1", "MSG-1")
def test_a_mail_goes_out_again_once_and_a_code_or_another_orders_mail_never(agent, order, world):
    Mail.update(state="sent").execute()
    path = f"{page_of(order)}/mesazhet"
    form = agent.get(page_of(order)).form(path)
    before = Mail.select().count()
    for _ in range(2):
        assert agent.post(path, form).status == 303
    assert Mail.select().count() == before + 1
    assert AuditEntry.select().where(AuditEntry.what == "resent").count() == 1
    other, payment = ordered(world, "CASE-BLACK", now=later(2))
    payment.settle(Verdict.PAID, later(3))
    foreign = Mail.get(Mail.order == other)
    Sms.write("gift_code", order.phone, "sq", later(2), key="g")
    for sent in ({"lloji": "mail", "mesazhi": foreign.id}, {"lloji": "sms", "mesazhi": 1}, {"lloji": "x"}, {}):
        assert agent.post(path, sent).status == 422
    waiting = Mail.get(Mail.state == "due", Mail.order == order)
    assert agent.post(path, {"lloji": "mail", "mesazhi": waiting.id}).status == 422


@pytest.mark.rule("DLV-5", "DSK-1")
def test_after_a_failed_attempt_the_agent_arranges_a_new_time_and_the_page_tells_all_of_it(agent, order, clock):
    order = undelivered(order)
    identify(agent, order)
    page = agent.get(page_of(order))
    assert "pa përgjigje" in page.words
    assert "dy herë" in page.words
    path, slot = f"{page_of(order)}/koha", times(Order.get_by_id(order.id), later(5))[0]
    form = page.form(path)
    for _ in range(2):
        assert agent.post(path, form | {"koha": slot.code}).status == 303
    assert ArrangedTime.get().slot == slot
    form = agent.get(page_of(order)).form(path)
    assert agent.post(path, form | {"koha": "2026-03-15.9-12"}).status == 422
    sms = Sms.get(Sms.kind == "attempt_failed")
    Sms.update(state="sent").execute()
    resent = {"lloji": "sms", "mesazhi": sms.id, "celesi": "k"}
    assert agent.post(f"{page_of(order)}/mesazhet", resent).status == 303
    assert agent.get(page_of(order)).words.count("Dorëzimi nuk u krye") >= 2


@pytest.mark.rule("DLV-5", "DSK-1")
def test_a_time_that_somebody_else_arranged_is_told_before_the_agents_own_replaces_it(agent, colleague, order):
    order = undelivered(order)
    for browser in (agent, colleague):
        identify(browser, order)
    path, offered = f"{page_of(order)}/koha", times(order, later(5))
    form = agent.get(page_of(order)).form(path)
    assert OrderNote.add(order, "Thirri dje.", by=Actor("agent", "x@example.com"), now=later(5), key="n")
    arrange(order, offered[3], by=SHOPPER, now=later(5))
    page = agent.post(path, form | {"koha": offered[4].code})
    assert page.status == 409
    assert "klienti" in page.text_of("nderkohe").lower()
    assert "Thirri dje." not in page.text_of("nderkohe")
    assert ArrangedTime.get().slot == offered[3]
    again = page.form(path)
    assert again["koha"] == offered[4].code
    assert page.by_id("street") is None
    assert agent.post(path, again).status == 303
    assert ArrangedTime.get().slot == offered[4]


def undelivered(order) -> Order:
    """Packed, handed over, and nobody answered."""
    warehouse = Actor("warehouse", "w@example.com")
    pack(order, picked(order.lines()), by=warehouse, now=later(2))
    hand_over(Order.get_by_id(order.id), by=warehouse, now=later(3))
    fail(Order.get_by_id(order.id), 1, "no_answer", "dy herë", by=warehouse, now=later(4))
    return Order.get_by_id(order.id)


# The page


@pytest.mark.rule("DSK-1")
def test_the_page_asks_no_more_of_an_order_with_more_in_it(agent, order, world):
    identify(agent, order)
    with assert_query_count(60) as few:
        agent.get(page_of(order))
    for index in range(12):
        OrderNote.add(order, f"n{index}", by=Actor("agent", "a"), now=later(2), key=f"k{index}")
        Mail.write("order_confirmed", order, later(2), key=f"m{index}")
    with assert_query_count(len(few)):
        agent.get(page_of(order))


@pytest.mark.parametrize("number", ["DY-0000-0000-0", "x", "DY-7K3M-9QPX-7"])
def test_an_order_that_is_none_is_not_found(agent, number):
    for path in ("", "/anulo"):
        assert agent.get(f"{DESK}/{number}{path}").status == 404


@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_pages_are_valid_and_speak_the_agents_language(agent, order, language, prefix):
    path = f"{prefix}{page_of(order)}"
    pages = [agent.get(f"{prefix}{DESK}"), agent.post(f"{prefix}{DESK}", {"nga": "x"}), agent.get(path)]
    pages.append(agent.post(f"{path}/identifikimi", {}))
    identify(agent, order)
    form = filled(agent, order)
    pages += [agent.get(path), agent.get(f"{path}/anulo"), agent.post(path, form | {"street": "", "arsyeja": ""})]
    agent.post(path, form | {"street": "E para 1"})
    pages += [agent.post(path, form | {"street": "E dyta 2"}), agent.post(f"{path}/anulo", {})]
    for page in pages:
        assert page.status in (200, 409, 422)
        assert faults(page.html, language) == []
    assert ("Porosia u ndryshua" in pages[-2].words) == (language == "sq")


@pytest.mark.rule("DLV-3", "DSK-1")
def test_a_number_that_became_somebody_elses_while_the_order_is_on_its_way_is_pointed_out(agent, world):
    order = subscribed(world)
    Identification.create(
        order=order, at=utcnow(), role="agent", who="agent@example.com", compared="sim", matched=True
    )
    assert "Numri ka tani një posedues tjetër." not in agent.get(page_of(order)).words
    Holder.update(last_name="Krasniqi").execute()
    page = agent.get(page_of(order))
    assert "Numri ka tani një posedues tjetër." in page.words
    assert faults(page.html, "sq") == []
