"""Contracts in the checkout, page by page: the number, what stands against it, the payment, the overview (CHK-1)."""

import pytest

import config
from models.cart import Cart, CartLine
from models.checkout import Checkout
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.order import Order
from tests.query_count import assert_query_count
from tests.views.browser import DATA, DELIVERY
from tests.world import NOW, contract_line, has_device, owes, own_number
from tests.world import profile as new_profile

NUMBER = "/porosia/numri"
MSISDN, OTHER = "38970100001", "38970100002"


@pytest.fixture
def number(profile):
    return own_number(profile)


@pytest.fixture
def known(shopper, profile, number):
    """A shopper who is logged in, with a number."""
    shopper.log_in(profile.email)
    return shopper


def with_contract(browser, world, profile=None, **line):
    """The browser's cart, holding a contract and nothing else."""
    browser.choose(world["CASE-BLACK"])
    cart = Cart.of_token(browser.cookie("cart").value)
    CartLine.delete().where(CartLine.cart == cart).execute()
    return contract_line(cart, **line)


def free(*msisdns):
    return [NewNumber.create(msisdn=msisdn) for msisdn in msisdns]


# The step


@pytest.mark.rule("CHK-1")
def test_the_checkout_of_a_contract_begins_with_the_number_and_one_without_does_not(known, world):
    known.choose(world["CASE-BLACK"])
    assert known.get("/porosia").location == "/porosia/te-dhenat"
    assert known.get(NUMBER).location == "/porosia/te-dhenat"

    with_contract(known, world)

    assert known.get("/porosia").location == NUMBER
    assert "Hapi 1 nga 5" in known.get(NUMBER).words


@pytest.mark.rule("CHK-1")
def test_no_later_step_is_shown_before_the_number_is_chosen(known, world):
    with_contract(known, world)

    for path in ("/porosia/te-dhenat", "/porosia/dergesa", "/porosia/pagesa", "/porosia/pasqyra"):
        assert known.get(path).location == NUMBER


@pytest.mark.rule("OFF-3")
def test_a_guest_is_led_to_the_login_and_back_to_the_number(shopper, world, profile, number):
    with_contract(shopper, world)

    page = shopper.get(NUMBER)

    assert page.location == "/hyr?next=/porosia/numri"
    shopper.log_in(profile.email)
    assert "070 100 001" in shopper.get(NUMBER).words


def test_a_profile_without_a_number_is_shown_the_way_to_add_one(shopper, world, profile):
    shopper.log_in(profile.email)
    with_contract(shopper, world)

    page = shopper.get(NUMBER)

    assert page.status == 200
    assert "nuk ka ende asnjë numër" in page.words
    assert page.all("a", href="/profili/numrat/shto?tjetra=/porosia/numri")


@pytest.mark.rule("CHK-1", "PRO-5")
def test_one_of_the_own_numbers_is_chosen_and_the_way_goes_on(known, world):
    line = with_contract(known, world)
    shown = known.get(NUMBER)
    assert "I përshtatshëm" in shown.words

    page = known.post(NUMBER, shown.form(NUMBER))

    assert (page.status, page.location) == (303, "/porosia/te-dhenat")
    assert CartLine.get_by_id(line.id).number.msisdn == MSISDN


def test_without_a_choice_the_step_comes_back_with_the_error_beside_the_numbers(known, world, profile):
    own_number(profile, OTHER)
    with_contract(known, world)

    page = known.post(NUMBER, {"linja": CartLine.get().id})

    assert page.status == 422
    assert page.text_of("numri-error") == "Zgjidhni një numër."


def test_two_contracts_are_given_their_numbers_one_after_the_other(known, world, profile):
    own_number(profile, OTHER)
    with_contract(known, world, number=Number.get(Number.msisdn == OTHER))
    line = contract_line(Cart.of_token(known.cookie("cart").value))
    contract_line(Cart.of_token(known.cookie("cart").value), contract_type="new_number", payment="card")
    free("38970227418")

    page = known.post(NUMBER, {"linja": line.id, "numri": MSISDN})

    assert page.location == NUMBER
    assert "Zgjidhni numrin tuaj të ri" in known.get(NUMBER).words


@pytest.mark.rule("ELG-5")
def test_a_number_that_the_cart_names_already_is_told_so_in_the_list(known, world, profile, number):
    own_number(profile, OTHER)
    with_contract(known, world, number=number)
    second = contract_line(Cart.of_token(known.cookie("cart").value))

    page = known.get(f"{NUMBER}?linja={second.id}")

    assert "Është zgjedhur për një pajisje tjetër në shportë" in page.words
    assert known.post(NUMBER, {"linja": second.id, "numri": MSISDN}).status == 422


# What stands against it


@pytest.mark.rule("ELG-1", "ELG-4")
def test_all_reasons_are_shown_together_each_with_what_to_do(shopper, world, profile):
    number = own_number(profile, months=3, has_history=False)
    owes(number)
    has_device(number, 50)
    shopper.log_in(profile.email)
    with_contract(shopper, world)

    page = shopper.get(NUMBER)

    assert page.status == 200
    assert "Nuk mund ta përfundoni porosinë" in page.words
    assert "Keni borxh të papaguar: 1.899 den" in page.words
    assert "Fatura F-38970100001, me afat 05.03.2026: 1.899 den" in page.words
    assert "Jeni abonent më pak se 6 muaj" in page.words
    assert "Ky numër ka tashmë një pajisje me Besnik 24" in page.words
    assert page.words.count("Çfarë të bëni:") == 3
    assert page.all("a", href="/paguaj")


@pytest.mark.rule("ELG-2")
@pytest.mark.parametrize(("through", "hours", "time"), [("shop", 24, "10:00"), ("online", 3, None)])
def test_a_debt_just_paid_tells_until_when_to_wait(shopper, world, profile, through, hours, time):
    owes(own_number(profile), paid_hours_ago=2, through=through)
    shopper.log_in(profile.email)
    with_contract(shopper, world)

    words = shopper.get(NUMBER).words

    assert f"Nuk kanë kaluar {hours} orë nga pagesa e borxhit" in words
    assert (
        "provoni përsëri pas 11.03.2026, ora 10:00" if time else "provoni përsëri pas 10.03.2026, ora 13:00"
    ) in words


@pytest.mark.rule("ELG-2")
def test_five_hours_after_an_online_payment_the_order_is_possible(shopper, world, profile):
    owes(own_number(profile), paid_hours_ago=5, through="online")
    shopper.log_in(profile.email)
    with_contract(shopper, world)

    assert "I përshtatshëm" in shopper.get(NUMBER).words


@pytest.mark.rule("ELG-3")
def test_too_few_instalments_paid_offer_the_card_then_and_there(shopper, world, profile):
    number, other = own_number(profile), own_number(profile, OTHER)
    Number.update(subscriber=number.subscriber).where(Number.id == other.id).execute()
    has_device(other, 50)
    shopper.log_in(profile.email)
    line = with_contract(shopper, world)
    shown = shopper.get(NUMBER)
    assert "Vetëm me kartelë" in shown.words

    refused = shopper.post(NUMBER, {"linja": line.id, "numri": MSISDN})

    assert refused.status == 422
    assert "Nuk janë paguar 75% e kësteve" in refused.words
    assert "Duhen edhe 6 këste" in refused.words
    offered = refused.form(NUMBER)
    assert offered["pagesa"] == "kartele"

    assert shopper.post(NUMBER, offered).location == "/porosia/te-dhenat"
    line = CartLine.get_by_id(line.id)
    assert (line.number.msisdn, line.payment, line.parts) == (MSISDN, "card", None)


@pytest.mark.rule("ELG-3")
def test_at_80_per_cent_instalments_are_open(shopper, world, profile):
    number, other = own_number(profile), own_number(profile, OTHER)
    Number.update(subscriber=number.subscriber).where(Number.id == other.id).execute()
    has_device(other, 80)
    shopper.log_in(profile.email)
    line = with_contract(shopper, world)

    assert shopper.post(NUMBER, {"linja": line.id, "numri": MSISDN}).status == 303


def test_the_card_offer_is_worth_nothing_against_another_reason(shopper, world, profile):
    number = own_number(profile)
    owes(number)
    shopper.log_in(profile.email)
    line = with_contract(shopper, world)

    page = shopper.post(NUMBER, {"linja": line.id, "numri": MSISDN, "pagesa": "kartele"})

    assert page.status == 422
    assert CartLine.get_by_id(line.id).number is None


def test_why_a_number_is_refused_can_be_read_at_an_address(known, world, profile, number):
    own_number(profile, OTHER)
    owes(number)
    line = with_contract(known, world)

    page = known.get(f"{NUMBER}/pengesat?linja={line.id}&numri={MSISDN}")

    assert (page.status, "Keni borxh" in page.words) == (200, True)
    assert known.get(f"{NUMBER}/pengesat?linja={line.id}&numri={OTHER}").location.startswith(NUMBER)


# Whose


@pytest.mark.parametrize("how", ["post", "obstacles"])
def test_nobody_chooses_or_asks_about_somebody_elses_number(known, world, how):
    stranger = own_number(new_profile("other@example.com"), OTHER)
    owes(stranger)
    line = with_contract(known, world)

    if how == "post":
        page = known.post(NUMBER, {"linja": line.id, "numri": OTHER})
        assert page.status == 422
    else:
        page = known.get(f"{NUMBER}/pengesat?linja={line.id}&numri={OTHER}")
        assert page.status == 404
    assert "borxh" not in page.words
    assert CartLine.get_by_id(line.id).number is None


def test_a_line_of_somebody_elses_cart_is_not_found(known, stranger, world):
    theirs = with_contract(stranger, world, contract_type="new_number", payment="card")
    [number] = free("38970227418")
    with_contract(known, world)

    for data in ({"linja": theirs.id, "numri": MSISDN}, {"linja": theirs.id, "numri": number.msisdn}):
        assert known.post(NUMBER, data).status == 404
    assert known.post(f"{NUMBER}/mbajtja", {"linja": theirs.id, "numri": number.msisdn}).status == 404
    assert NewNumber.get().state == "free"


@pytest.mark.parametrize("line", ["0", "-1", "x", "9" * 40, "1 OR 1=1", "ë"])
def test_a_line_that_does_not_exist_is_not_found(known, world, line):
    with_contract(known, world)

    assert known.get(NUMBER, query_string={"linja": line}).status == 404


# New numbers


@pytest.mark.rule("OFF-6")
def test_free_numbers_are_searched_by_digits(shopper, world):
    free("38970227418", "38971111222", "38970427190")
    with_contract(shopper, world, contract_type="new_number", payment="card")

    words = shopper.get(f"{NUMBER}?shifra=27").words

    assert "070 227 418" in words
    assert "070 427 190" in words
    assert "071 111 222" not in words
    assert "Asnjë numër i lirë" in shopper.get(f"{NUMBER}?shifra=999999").words


def test_what_is_no_digit_is_told_beside_the_field_and_shows_all(shopper, world):
    free("38970227418")
    with_contract(shopper, world, contract_type="new_number", payment="card")

    page = shopper.get(f"{NUMBER}?shifra=abc")

    assert page.text_of("shifra-error") == "Shkruani vetëm shifra, p.sh. 27."
    assert "070 227 418" in page.words


@pytest.mark.rule("OFF-6")
def test_more_numbers_than_a_page_shows_are_paged(shopper, world):
    free(*(f"389702274{number:02}" for number in range(12)))
    with_contract(shopper, world, contract_type="new_number", payment="card")

    first = shopper.get(NUMBER)
    [more] = [link for link in first.all("a") if "pas=" in (link.get("href") or "")]
    second = shopper.get(more.get("href"))

    assert len(first.all("input", type="radio")) == 9
    assert len(second.all("input", type="radio")) == 3


@pytest.mark.rule("OFF-6")
def test_pointing_at_a_number_holds_it_and_says_until_when(shopper, stranger, world):
    free("38970227418", "38970427190")
    line = with_contract(shopper, world, contract_type="new_number", payment="card")

    piece = shopper.post(f"{NUMBER}/mbajtja", {"linja": line.id, "numri": "38970227418"}, piece=True)

    assert piece.status == 200
    assert "Numrin 070 227 418 e ruajmë për ju deri në orën 12:30." in piece.words
    with_contract(stranger, world, contract_type="new_number", payment="card")
    assert "070 227 418" not in stranger.get(NUMBER).words


@pytest.mark.rule("OFF-6")
def test_the_number_is_the_lines_until_it_goes(shopper, world):
    free("38970227418")
    line = with_contract(shopper, world, contract_type="new_number", payment="card")

    assert shopper.post(NUMBER, {"linja": line.id, "numri": "38970227418"}).location == "/porosia/te-dhenat"
    assert (NewNumber.get().state, NewNumber.get().line_id) == ("held", line.id)

    shopper.post(f"/shporta/{line.id}/heqja", {"ku": "shporta"})
    assert NewNumber.search("", NOW)


@pytest.mark.rule("OFF-6")
def test_a_number_that_somebody_else_took_a_moment_ago_is_told_and_others_are_offered(shopper, stranger, world):
    free("38970227418", "38970427190")
    theirs = with_contract(stranger, world, contract_type="new_number", payment="card")
    line = with_contract(shopper, world, contract_type="new_number", payment="card")
    stranger.post(NUMBER, {"linja": theirs.id, "numri": "38970227418"})

    for path in (NUMBER, f"{NUMBER}/mbajtja"):
        page = shopper.post(path, {"linja": line.id, "numri": "38970227418"}, piece=True)
        assert page.status == 422
        assert "sapo e zgjodhi dikush tjetër" in page.words
        assert "070 427 190" in page.words


@pytest.mark.rule("OFF-6")
def test_one_address_does_not_pick_numbers_without_end(shopper, world, monkeypatch):
    monkeypatch.setattr(config, "NUMBER_HOLDS_PER_ADDRESS", 2)
    first, second, third = free("38970227418", "38970427190", "38970512727")
    line = with_contract(shopper, world, contract_type="new_number", payment="card")
    from_outside = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}

    picked = [
        shopper.post(f"{NUMBER}/mbajtja", {"linja": line.id, "numri": one.msisdn}, piece=True, **from_outside)
        for one in (first, second, third)
    ]

    assert [page.status for page in picked] == [200, 200, 422]
    assert "Keni zgjedhur shumë numra." in picked[2].words
    page = shopper.post(NUMBER, {"linja": line.id, "numri": third.msisdn}, **from_outside)
    assert (page.status, NewNumber.get_by_id(third.id).state) == (429, "free")


@pytest.mark.parametrize("msisdn", ["", "38970999999", "x" * 500, "'; DROP TABLE new_number; --"])
def test_a_number_that_is_not_in_the_pool_is_refused(shopper, world, msisdn):
    free("38970227418")
    line = with_contract(shopper, world, contract_type="new_number", payment="card")

    page = shopper.post(NUMBER, {"linja": line.id, "numri": msisdn})

    assert page.status == 422
    assert page.by_id("numri-error") is not None


# Payment and overview


def go_to_payment(browser):
    for path, typed in (("/porosia/te-dhenat", DATA), ("/porosia/dergesa", DELIVERY)):
        page = browser.post(path, typed)
        assert page.status == 303, page.words


@pytest.mark.rule("PAY-1", "PAY-3")
def test_a_besnik_device_is_paid_by_card_on_the_first_bill_or_in_instalments(known, world, number):
    line = with_contract(known, world, number=number)
    go_to_payment(known)
    way, parts = f"pagesa-{line.id}", f"keste-{line.id}"
    shown = known.get("/porosia/pagesa")
    assert [field.get("value") for field in shown.all("input", name=way)] == ["instalments", "card", "first_bill"]
    assert [field.get("value") for field in shown.all("input", name=parts)] == ["1", "6", "12", "24"]
    assert shown.form("/porosia/pagesa")[way] == "instalments"

    for typed, kept in (
        ({way: "instalments", parts: "6"}, ("instalments", 6)),
        ({way: "first_bill", parts: "6"}, ("first_bill", None)),
        ({way: "card"}, ("card", None)),
    ):
        assert known.post("/porosia/pagesa", typed).location == "/porosia/pasqyra"
        line = CartLine.get_by_id(line.id)
        assert (line.payment, line.parts) == kept


@pytest.mark.rule("PAY-1")
@pytest.mark.parametrize(
    "typed", [{"way": ""}, {"way": "points"}, {"way": "instalments", "parts": "7"}, {"way": "cash"}]
)
def test_another_way_to_pay_is_refused_beside_its_field(known, world, number, typed):
    line = with_contract(known, world, number=number)
    go_to_payment(known)
    sent = {f"pagesa-{line.id}": typed["way"], f"keste-{line.id}": typed.get("parts", "24")}

    page = known.post("/porosia/pagesa", sent)

    assert page.status == 422
    assert page.by_id(f"pagesa-{line.id}-error") is not None or page.by_id(f"keste-{line.id}-error") is not None
    assert CartLine.get_by_id(line.id).payment == "instalments"


@pytest.mark.rule("PAY-1", "PAY-2")
def test_a_guest_pays_a_new_number_by_card_alone_also_when_the_first_bill_was_chosen(shopper, world):
    [number] = free("38970227418")
    line = with_contract(shopper, world, contract_type="new_number", payment="first_bill", number=number)
    go_to_payment(shopper)
    shown = shopper.get("/porosia/pagesa")

    assert [field.get("value") for field in shown.all("input", name=f"pagesa-{line.id}")] == ["card"]
    assert shopper.post("/porosia/pagesa", {f"pagesa-{line.id}": "first_bill"}).status == 422
    assert shopper.post("/porosia/pagesa", shown.form("/porosia/pagesa")).location == "/porosia/pasqyra"


@pytest.mark.rule("PAY-3", "CHK-3")
def test_an_order_in_instalments_is_confirmed_without_the_bank(known, world, number):
    line = with_contract(known, world, number=number)
    go_to_payment(known)
    known.post("/porosia/pagesa", known.get("/porosia/pagesa").form("/porosia/pagesa"))
    shown = known.overview()
    assert "070 100 001" in shown.words
    assert "Me këste në faturë: 24 × 1.080 den" in shown.words
    assert "Sot nuk paguani asgjë" in shown.words
    assert "e pranon vetëm Arben Osmani, poseduesi i numrit" in shown.words

    page = known.confirm(shown)

    order = Order.get()
    assert page.location == f"/porosia/{order.number}/konfirmimi"
    assert (order.state, order.due_now, order.lines()[0].sku) == ("confirmed", 0, line.variant.sku)
    assert known.follow(page).status == 200


@pytest.mark.rule("PAY-1", "CHK-3")
def test_the_overview_of_a_mixed_cart_says_what_is_due_when_and_the_bank_gets_the_card_part(known, world, number):
    with_contract(known, world, number=number)
    known.choose(world["TAB-GREY-64"])
    go_to_payment(known)
    shown = known.get("/porosia/pagesa")
    assert "Pjesa tjetër paguhet njëfish me kartelë: 11.990 den" in shown.words
    known.post("/porosia/pagesa", shown.form("/porosia/pagesa"))
    shown = known.overview()
    assert "Porosit dhe paguaj 11.990 den" in shown.words
    assert "Tarifa Linja M" in shown.words

    page = known.confirm(shown)

    assert page.location == f"/porosia/{Order.get().number}/pagesa"
    assert "11.990 den" in known.follow(page).words


@pytest.mark.rule("ELG-1")
def test_a_debt_that_comes_up_before_confirming_leads_to_the_obstacles(known, world, number):
    with_contract(known, world, number=number)
    go_to_payment(known)
    known.post("/porosia/pagesa", known.get("/porosia/pagesa").form("/porosia/pagesa"))
    shown = known.overview()
    owes(number)

    page = known.confirm(shown)

    assert page.location.startswith(f"{NUMBER}/pengesat?linja=")
    assert "Keni borxh të papaguar" in known.follow(page).words
    assert not Order.select().exists()


@pytest.mark.rule("CHK-3")
def test_what_another_tab_typed_meanwhile_is_shown_before_it_is_ordered(known, world, number):
    with_contract(known, world, number=number)
    go_to_payment(known)
    known.post("/porosia/pagesa", known.get("/porosia/pagesa").form("/porosia/pagesa"))
    shown = known.overview()
    known.copy().post("/porosia/dergesa", {**DELIVERY, "street": "Rr. Tjetër 7"})

    page = known.confirm(shown)

    assert page.status == 409
    assert "Rr. Tjetër 7" in page.words
    assert not Order.select().exists()
    assert known.confirm(page).status == 303


@pytest.mark.rule("CHK-6")
def test_from_the_overview_the_number_is_changed_and_the_overview_follows(known, world, profile, number):
    own_number(profile, OTHER)
    line = with_contract(known, world, number=number)
    go_to_payment(known)
    known.post("/porosia/pagesa", known.get("/porosia/pagesa").form("/porosia/pagesa"))
    path = f"{NUMBER}?linja={line.id}&pastaj=pasqyra"
    [action] = {form.get("action") for form in known.get(path).all("form") if NUMBER in form.get("action")}

    page = known.post(action, {"linja": line.id, "numri": OTHER})

    assert page.location == "/porosia/pasqyra"


@pytest.mark.rule("ELG-3", "PAY-1")
def test_a_new_number_on_the_first_bill_becomes_a_card_payment_where_instalments_run(shopper, world, profile):
    has_device(own_number(profile), 50)
    free("38970227418")
    shopper.log_in(profile.email)
    line = with_contract(shopper, world, contract_type="new_number", payment="first_bill")

    page = shopper.post(NUMBER, {"linja": line.id, "numri": "38970227418"})

    assert page.location == "/porosia/te-dhenat"
    assert CartLine.get_by_id(line.id).payment == "card"
    go_to_payment(shopper)
    shown = shopper.get("/porosia/pagesa")
    assert [field.get("value") for field in shown.all("input", name=f"pagesa-{line.id}")] == ["card"]
    assert "Nuk janë paguar 75% e kësteve" in shown.words


@pytest.mark.rule("PRO-5")
def test_a_number_that_left_the_profile_leads_back_to_the_choice_of_one(known, world, number):
    line = with_contract(known, world, number=number)
    ProfileNumber.delete().execute()

    page = known.get(f"{NUMBER}/pengesat?linja={line.id}")

    assert page.location == f"{NUMBER}?linja={line.id}"


@pytest.mark.rule("DLV-3")
def test_with_besnik_nobody_else_is_asked_to_receive_it(known, world, number):
    with_contract(known, world, number=number)
    known.post("/porosia/te-dhenat", DATA)

    page = known.get("/porosia/dergesa")

    assert "E pranon vetëm Arben Osmani, poseduesi i numrit." in page.words
    assert not page.all("input", name="recipient")


@pytest.mark.rule("CHK-2")
def test_what_is_known_of_a_subscriber_is_filled_in(known, world, profile, number):
    with_contract(known, world, number=number)
    known.post("/porosia/te-dhenat", DATA)
    known.post("/porosia/dergesa", DELIVERY)
    known.post("/porosia/pagesa", known.get("/porosia/pagesa").form("/porosia/pagesa"))
    known.confirm(known.overview())
    known.choose(world["TAB-GREY-64"])
    Checkout.delete().execute()

    shown = known.get("/porosia/te-dhenat").form("/porosia/te-dhenat")
    assert (shown["first_name"], shown["email"], shown["phone"]) == ("Arben", profile.email, "070 654 321")
    known.post("/porosia/te-dhenat", shown)
    shown = known.get("/porosia/dergesa").form("/porosia/dergesa")
    assert {name: shown[name] for name in DELIVERY} == DELIVERY


@pytest.mark.rule("CHK-2", "PRO-5")
def test_a_profile_without_a_telephone_is_called_at_its_number(known, world, profile, number):
    type(profile).update(phone="").execute()
    known.choose(world["TAB-GREY-64"])

    assert known.get("/porosia/te-dhenat").form("/porosia/te-dhenat")["phone"] == "070 100 001"


# Budgets


def test_each_step_of_a_contract_asks_at_most_eight_queries(known, world, profile, number):
    for digit in range(3, 9):
        own_number(profile, f"3897010000{digit}")
    line = with_contract(known, world)
    contract_line(Cart.of_token(known.cookie("cart").value), contract_type="new_number", payment="card")
    known.choose(world["TAB-GREY-64"])
    free(*(f"389702274{number:02}" for number in range(12)))
    other = CartLine.get(CartLine.contract_type == "new_number")
    for path in (f"{NUMBER}?linja={line.id}", f"{NUMBER}?linja={other.id}"):
        with assert_query_count(8):
            known.get(path)
    known.post(NUMBER, {"linja": line.id, "numri": MSISDN})
    known.post(NUMBER, {"linja": other.id, "numri": "38970227400"})
    go_to_payment(known)
    # Being at a step for the first time is counted, by two more statements.
    Checkout.update(reached=5).execute()
    # One more for whose points there are (PAY-4).
    with assert_query_count(9):
        shown = known.get("/porosia/pagesa")
    known.post("/porosia/pagesa", shown.form("/porosia/pagesa"))
    for path in ("/porosia/te-dhenat", "/porosia/dergesa", "/porosia/pasqyra"):
        with assert_query_count(8):
            assert known.get(path).status == 200
