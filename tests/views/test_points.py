"""Points beside the card payment, page by page: the payment's step, the overview, the order (PAY-4, DLV-3)."""

import re

import pytest

from gateways.bank import Verdict
from models.base import db
from models.cart import Cart, CartLine
from models.checkout import Checkout
from models.club_ledger import ClubEntry, block, debit
from models.club_member import ClubMember
from models.club_rate import Rate
from models.number import ProfileNumber
from models.order import Order
from models.order_points import OrderPoints
from models.subscriber import Holder
from tests.club import give, joined, joined_fixed
from tests.query_count import assert_query_count
from tests.views.browser import DATA, DELIVERY, OVERVIEW, signed_link
from tests.views.test_html import check
from tests.world import NOW, contract_line, later, own_number
from tests.world import profile as new_profile

PAYMENT, LIVE = "/porosia/pagesa", "/porosia/pagesa/piket"


@pytest.fixture
def number(profile):
    return own_number(profile)


@pytest.fixture
def member(number):
    return joined(number, points=1000)


@pytest.fixture
def known(shopper, profile, number):
    """A shopper who is logged in, with a number."""
    shopper.log_in(profile.email)
    return shopper


def at_payment(browser, world, *skus):
    """The payment's page, with these in the cart."""
    for sku in skus or ("TAB-GREY-64",):
        browser.choose(world[sku])
    browser.post("/porosia/te-dhenat", DATA)
    browser.post("/porosia/dergesa", DELIVERY)
    page = browser.get(PAYMENT)
    assert page.status == 200, page.words
    return page


def at_contract(browser, world, number, payment="card", **line):
    browser.choose(world["CASE-BLACK"])
    cart = Cart.of_token(browser.cookie("cart").value)
    if not line.pop("also_case", False):
        CartLine.delete().where(CartLine.cart == cart).execute()
    made = contract_line(cart, number=number, payment=payment, **line)
    browser.post("/porosia/te-dhenat", DATA)
    browser.post("/porosia/dergesa", DELIVERY)
    page = browser.get(PAYMENT)
    assert page.status == 200, page.words
    return page, made


def send(browser, page, piece=False, **typed):
    return browser.post(PAYMENT, {**page.form(PAYMENT), **typed}, piece=piece)


def kept() -> Checkout:
    return Checkout.get()


# What is offered


@pytest.mark.rule("PAY-4")
def test_a_member_is_offered_its_points_with_slider_field_and_button(known, world, member):
    page = at_payment(known, world)
    slider, field = page.by_id("pike-shiriti"), page.by_id("pike")
    assert (slider.get("min"), slider.get("max"), slider.get("step"), slider.get("value")) == ("0", "1000", "2", "0")
    assert (slider.get("name"), slider.get("data-pair"), field.get("data-pair")) == (None, "pike", "pike-shiriti")
    assert "Keni 1.000 pikë." in page.words
    assert page.text_of("pike-vlera") == "0 pikë = 0 den"
    assert [button.text.strip() for button in page.all("button", name="veprimi")] == ["Llogarit", "Përdor të gjitha"]


@pytest.mark.rule("PAY-1", "PAY-2", "CHK-7")
def test_a_guest_is_offered_no_points_and_told_that_a_login_opens_them(shopper, world):
    page = at_payment(shopper, world)
    assert page.by_id("piket") is None
    assert "mund t’i përdorni pikët" in shopper.get("/porosia/te-dhenat").words
    sent = shopper.post(PAYMENT, {"payment_way": "card", "pike": "500", "pike_te": "1"})
    assert sent.status == 303
    assert kept().points == 0


@pytest.mark.rule("PAY-1")
def test_a_profile_without_a_number_is_offered_no_points(shopper, world, profile):
    shopper.log_in(profile.email)
    assert at_payment(shopper, world).by_id("piket") is None


@pytest.mark.rule("PAY-1")
def test_a_prepaid_sim_takes_no_points(known, world, member):
    page = at_payment(known, world, "SIM-PREPAID")
    assert page.by_id("piket") is None
    assert send(known, page, pike="100", pike_te=str(member.id)).status == 303
    assert kept().points == 0


@pytest.mark.rule("PAY-4")
def test_who_is_no_member_is_offered_to_join(known, world):
    page = at_payment(known, world)
    assert "Bëhuni anëtar i Klubit Im" in page.words
    assert page.by_id("pike") is None
    assert any(link.get("href") == "/klubi" for link in page.by_id("piket").iter("a"))
    assert send(known, page).status == 303


@pytest.mark.rule("PAY-4", "CLB-7")
def test_blocked_points_are_told_with_the_way_to_the_club(known, world, member):
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    page = at_payment(known, world)
    assert "Pikët janë të bllokuara. I keni 1.000 pikë" in page.words
    assert page.by_id("pike") is None
    assert f'href="/klubi?sherbimi={member.id}"' in page.html
    sent = send(known, page, pike="100")
    assert (sent.status, kept().points) == (422, 0)
    assert "Këto pikë janë të bllokuara" in sent.words
    assert send(known, page).status == 303


@pytest.mark.rule("PAY-4")
def test_a_member_without_points_is_told_so(known, world, number):
    joined(number)
    page = at_payment(known, world)
    assert "Ende nuk keni pikë." in page.words
    assert send(known, page).status == 303


@pytest.mark.rule("PAY-4")
def test_of_several_memberships_one_is_chosen(known, world, number, member):
    fixed = joined_fixed(number.subscriber, points=300)
    page = at_payment(known, world)
    radios = page.all("input", name="pike_te", type="radio")
    assert [radio.get("value") for radio in radios] == [str(member.id), str(fixed.id)]
    assert page.form(PAYMENT)["pike_te"] == str(member.id)
    assert send(known, page, pike_te=str(fixed.id), pike="300").status == 303
    assert (kept().points_of_id, kept().points, kept().points_worth) == (fixed.id, 300, 15_000)
    # It is shown chosen from now on.
    page = known.get(PAYMENT)
    assert (page.form(PAYMENT)["pike_te"], page.form(PAYMENT)["pike"]) == (str(fixed.id), "300")
    assert [page.by_id("pike-shiriti").get(name) for name in ("max", "value")] == ["300", "300"]


@pytest.mark.rule("PAY-4")
def test_the_card_keeps_60_den_and_the_page_says_so(known, world, number):
    joined(number, points=50_000)
    page = at_payment(known, world, "CASE-BLACK")
    assert page.by_id("pike-shiriti").get("max") == "1860"
    assert "Kjo porosi merr më së shumti 1.860 pikë: në kartelë duhet të mbeten së paku 60 den." in page.words
    assert send(known, page, pike="1860").status == 303
    assert "Porosit dhe paguaj 60 den" in known.overview().words


# Choosing


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("typed", ["1000", "1.000", "1 000", " 01000 "])
def test_points_are_typed_as_people_write_them(known, world, member, typed):
    sent = send(known, at_payment(known, world), pike=typed)
    assert (sent.status, sent.location) == (303, OVERVIEW)
    assert (kept().points, kept().points_worth, kept().points_of_id) == (1000, 50_000, member.id)


@pytest.mark.rule("PAY-4", "CHK-6")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("1002", "Nuk ka aq pikë: keni 1.000 pikë."),
        ("999", "Shkruani një numër që pjesëtohet me 2."),
        ("-5", "Shkruani një numër të plotë"),
        ("1,5", "Shkruani një numër të plotë"),
        ("shumë", "Shkruani një numër të plotë"),
        ("١٢", "Shkruani një numër të plotë"),
        ("1e3", "Shkruani një numër të plotë"),
        ("9" * 400, "Shkruani një numër të plotë"),
    ],
)
@pytest.mark.parametrize("piece", [False, True])
def test_what_cannot_be_used_is_told_beside_the_field_and_nothing_is_lost(known, world, member, typed, said, piece):
    send(known, at_payment(known, world), pike="200")
    page = send(known, known.get(PAYMENT), pike=typed, piece=piece)
    assert page.status == 422
    assert said in page.text_of("pike-error")
    field = page.by_id("pike")
    assert (field.get("value"), field.get("aria-invalid")) == (typed, "true")
    assert 0 <= int(page.by_id("pike-shiriti").get("value")) <= 1000
    assert "#pike" in [link.get("href") for link in page.all("a")]
    # What was chosen before stands.
    assert kept().points == 200
    assert page.form(PAYMENT)["payment_way"] == "card"


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("whose", ["a stranger's", "none", "words", "huge"])
def test_points_of_somebody_else_are_refused(known, world, member, whose):
    other = joined(own_number(new_profile("other@example.com"), "38970100055"), points=900)
    chosen = {"a stranger's": str(other.id), "none": "999999", "words": "x", "huge": "9" * 40}[whose]
    page = send(known, at_payment(known, world), pike="100", pike_te=chosen)
    assert (page.status, kept().points, kept().points_of_id) == (422, 0, None)
    assert "Këto pikë nuk janë më në profilin tuaj." in page.text_of("pike-error")
    # One's own are shown to be chosen.
    assert page.form(PAYMENT)["pike_te"] == str(member.id)
    assert "070 100 055" not in page.words


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("typed", ["", "0", "000"])
def test_no_points_are_a_choice_too(known, world, member, typed):
    send(known, at_payment(known, world), pike="200")
    assert send(known, known.get(PAYMENT), pike=typed).status == 303
    assert (kept().points, kept().points_of_id, kept().points_worth) == (0, None, 0)


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("piece", [False, True])
def test_the_buttons_show_what_comes_of_it_and_keep_nothing(known, world, member, piece):
    page = at_payment(known, world)
    shown = send(known, page, pike="600", veprimi="llogarit", piece=piece)
    assert (shown.status, shown.text_of("pike-vlera")) == (200, "600 pikë = −300 den")
    assert "Në kartelë mbeten 11.690 den." in shown.words
    assert "pranon vetëm Arben Osmani, poseduesi i numrit" in shown.words
    assert (shown.form(PAYMENT)["pike"], shown.by_id("pike-shiriti").get("value")) == ("600", "600")
    # The sums stand outside of what htmx swaps.
    assert "600 pikë −300 den Sot paguani 11.690 den" in shown.text_of("shumat")
    every = send(known, page, veprimi="te-gjitha", piece=piece)
    assert (every.status, every.form(PAYMENT)["pike"]) == (200, "1000")
    assert kept().points == 0
    assert send(known, page, pike="999", veprimi="llogarit", piece=piece).status == 422


@pytest.mark.rule("PAY-4")
def test_while_points_are_typed_the_sums_follow_and_nothing_is_kept(known, world, member):
    at_payment(known, world)
    query = {"pike": "600", "pike_te": str(member.id), "payment_way": "card"}
    piece = known.get(LIVE, piece=True, query_string=query, headers={"HX-Target": "pike-shuma"})
    assert piece.status == 200
    assert "Në kartelë mbeten 11.690 den." in piece.text_of("pike-shuma")
    assert piece.text_of("pike-vlera") == "600 pikë = −300 den"
    assert (piece.text_of("shuma-kartele"), piece.text_of("shuma-gjithsej")) == ("11.690 den", "11.690 den")
    assert "600 pikë −300 den Sot paguani 11.690 den" in piece.text_of("shumat")
    # Who types is not disturbed.
    assert piece.by_id("pike") is None
    assert kept().points == 0
    wrong = known.get(LIVE, piece=True, query_string={**query, "pike": "5000"}, headers={"HX-Target": "pike-shuma"})
    assert "Nuk ka aq pikë" in wrong.text_of("pike-error")
    assert wrong.text_of("shuma-kartele") == "11.990 den"


@pytest.mark.rule("PAY-4", "CRT-3")
def test_the_whole_choice_follows_the_cart_and_the_membership(known, world, number, member):
    fixed = joined_fixed(number.subscriber, points=300)
    at_payment(known, world)
    query = {"pike": "400", "pike_te": str(fixed.id)}
    piece = known.get(LIVE, piece=True, query_string=query, headers={"HX-Target": "piket"})
    assert (piece.by_id("pike-shiriti").get("max"), piece.by_id("pike").get("value")) == ("300", "400")
    assert "Nuk ka aq pikë: keni 300 pikë." in piece.text_of("pike-error")
    line = CartLine.get()
    known.choose(world["CASE-BLACK"])
    gone = known.post(f"/shporta/{line.id}/heqja", {"ku": "porosia", "hapi": "payment"}, piece=True)
    assert gone.headers["HX-Trigger"] == "cart-changed"


def test_the_piece_by_itself_leads_to_its_page(known, world, member):
    at_payment(known, world)
    assert known.get(LIVE).location == PAYMENT


# Contracts


@pytest.mark.rule("PAY-1", "PAY-4")
def test_a_contract_paid_by_card_takes_points_inside_that_choice(known, world, number, member):
    page, line = at_contract(known, world, number, "instalments")
    # Shown though instalments are chosen: who has no script can choose the card.
    assert page.by_id("pike-shiriti").get("max") == "1000"
    sent = send(known, page, **{f"pagesa-{line.id}": "card", "pike": "1000"})
    assert sent.status == 303
    assert kept().points == 1000
    words = known.overview().words
    assert "Njëfish me kartelë, 25.420 den" in words
    assert "Me 1.000 pikë (−500 den)" in words


@pytest.mark.rule("PAY-1", "PAY-3")
def test_points_typed_before_instalments_were_chosen_are_not_used(known, world, number, member):
    page, line = at_contract(known, world, number)
    sent = send(known, page, **{f"pagesa-{line.id}": "instalments", "pike": "1000"})
    assert (sent.status, kept().points) == (303, 0)
    assert "Porosit dhe paguaj" not in known.overview().words


@pytest.mark.rule("PAY-3", "PAY-4")
def test_what_is_paid_by_card_beside_a_billed_contract_takes_points(known, world, number, member):
    page, line = at_contract(known, world, number, "instalments", also_case=True)
    assert send(known, page, pike="1000").status == 303
    words = known.overview().words
    assert "Njëfish me kartelë, 490 den" in words
    known.confirm(known.overview())
    order = Order.get()
    assert (order.due_now, order.points, OrderPoints.get().state) == (49_000, 1000, "held")
    assert CartLine.select().count() == 0
    assert line.id


@pytest.mark.rule("CHK-6")
def test_a_wrong_number_of_points_keeps_the_way_that_was_chosen_for_the_contract(known, world, number, member):
    page, line = at_contract(known, world, number, "instalments")
    sent = send(known, page, **{f"pagesa-{line.id}": "card", "pike": "7"})
    assert sent.status == 422
    assert sent.form(PAYMENT)[f"pagesa-{line.id}"] == "card"
    assert CartLine.get().payment == "instalments"


# The overview, and placing


def with_points(browser, world, member, points=600, *skus):
    page = at_payment(browser, world, *skus)
    assert send(browser, page, pike=str(points), pike_te=str(member.id)).status == 303
    return browser.overview()


@pytest.mark.rule("PAY-4", "DLV-3", "CHK-3")
def test_the_overview_tells_points_card_amount_and_who_may_receive(known, world, member):
    page = with_points(known, world, member)
    assert "Njëfish me kartelë, 11.690 den Me 600 pikë (−300 den)" in page.words
    assert "e pranon vetëm Arben Osmani, poseduesi i numrit" in page.words
    assert "600 pikë −300 den" in page.text_of("shumat")
    assert "Sot paguani 11.690 den" in page.text_of("shumat")
    assert "Porosit dhe paguaj 11.690 den" in page.words
    # The step before asks for no other recipient.
    assert "E pranon vetëm Arben Osmani" in known.get("/porosia/dergesa").words


@pytest.mark.rule("PAY-4")
def test_an_order_is_placed_with_points_once(known, world, member):
    page = with_points(known, world, member)
    first, again = known.confirm(page), known.confirm(page)
    assert first.location == again.location
    order = Order.get()
    assert (order.points, order.due_now) == (600, 1_169_000)
    assert "11.690 den" in known.follow(first).words
    assert [entry.points for entry in ClubEntry.select().where(ClubEntry.kind == "order")] == [-600]


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("piece", [False, True])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("spent", "Nuk ka aq pikë: keni 500 pikë."),
        ("blocked", "bllokuara"),
        ("business", "Ende nuk keni pikë."),
        ("number", None),
        ("rate", "Vlera e pikëve ndryshoi."),
    ],
)
def test_points_that_changed_lead_back_to_the_payment_and_nothing_is_lost(known, world, member, change, said, piece):
    page = with_points(known, world, member)
    with db.atomic():
        held = ClubMember.hold(member.id, NOW)
        if change == "spent":
            debit(held, 500, "units", NOW, key="elsewhere", about={})
        elif change == "blocked":
            block(held, NOW, ["2026-01", "2026-02"])
    if change == "business":
        Holder.update(segment="business", company="Firma dooel").execute()
    elif change == "number":
        ProfileNumber.delete().execute()
    elif change == "rate":
        Rate.create(name="point", key="", since=NOW.date(), value=100)

    placed = known.confirm(page, piece=piece)

    assert placed.location == PAYMENT
    assert Order.select().count() == 0
    shown = known.get(PAYMENT)
    assert "Pikët që zgjodhët nuk mund të përdoren më kështu." in shown.words
    if said:
        assert said in shown.words
    assert (kept().points, kept().first_name, kept().street) == (600, DATA["first_name"], DELIVERY["street"])
    # The overview by itself does not go round it.
    assert known.overview().location == PAYMENT
    # And without them the order goes on.
    assert known.post(PAYMENT, {"payment_way": "card"}).location == OVERVIEW
    assert known.confirm(known.overview()).status == 303
    assert Order.get().points == 0


@pytest.mark.rule("PAY-4", "CRT-3")
@pytest.mark.parametrize("piece", [False, True])
def test_a_line_that_is_taken_out_from_under_the_points_leads_back_to_the_payment(known, world, number, piece):
    member = joined(number, points=5000)
    with_points(known, world, member, 3000, "TAB-GREY-64", "CASE-BLACK")
    line = CartLine.select().order_by(CartLine.id).first()
    gone = known.post(f"/shporta/{line.id}/heqja", {"ku": "porosia", "hapi": "overview"}, piece=piece)
    location = gone.location if piece else known.follow(gone).location
    assert location == PAYMENT
    page = known.get(PAYMENT)
    assert "Kjo porosi merr më së shumti 1.860 pikë." in page.text_of("pike-error")
    assert "Sot paguani 990 den" in page.text_of("shumat")


@pytest.mark.rule("PAY-4", "CRT-4")
def test_points_do_not_stay_with_a_browser_that_logs_out(known, world, member):
    with_points(known, world, member)
    known.post("/dil")
    assert known.get(PAYMENT).location == "/shporta"
    other = new_profile("other@example.com")
    known.log_in(other.email)
    page = at_payment(known, world)
    assert page.by_id("piket") is None
    assert "600 pikë" not in page.words


# After the order


@pytest.mark.rule("PAY-4", "DLV-3", "CHK-5", "ORD-1")
def test_the_pages_of_the_order_tell_points_card_amount_and_who_may_receive(known, world, member):
    known.confirm(with_points(known, world, member))
    order = Order.get()
    page = known.get(f"/porosia/{order.number}")
    assert "600 pikë −300 den Për pagesë me kartelë 11.690 den" in page.words
    order.payments.get().settle(Verdict.PAID, later(1))
    page = known.get(f"/porosia/{order.number}")
    assert "Gjithsej për pajisjet 11.990 den 600 pikë −300 den U paguan me kartelë 11.690 den" in page.words
    assert "vetëm poseduesi i numrit, Arben Osmani, ose dikush me autorizimin e tij" in page.words
    assert "Kontrata Besnik 24" not in page.words
    page = known.get(f"/porosia/{order.number}/konfirmimi")
    assert "u paguan 11.690 den me kartelë · me 600 pikë (−300 den)" in page.words
    assert "E pranon vetëm Arben Osmani, poseduesi i numrit" in page.words
    assert "me 600 pikë (−300 den)" in known.get("/porosite").words


@pytest.mark.rule("PAY-8", "PAY-9")
def test_a_lapsed_order_tells_that_its_points_are_back(known, world, member):
    known.confirm(with_points(known, world, member))
    order = Order.get()
    order.lapse(later(31))
    for path in ("", "/konfirmimi"):
        assert "600 pikë u kthyen në Klubin Im." in known.get(f"/porosia/{order.number}{path}").words


@pytest.mark.rule("PAY-9", "CLB-14")
def test_points_that_were_lost_meanwhile_are_not_told_to_be_back(known, world, member):
    known.confirm(with_points(known, world, member))
    Holder.update(segment="business", company="Firma dooel").execute()
    ClubMember.follow_all_services(later(1))
    order = Order.get()
    order.lapse(later(31))
    words = known.get(f"/porosia/{order.number}").words
    assert "u kthyen në Klubin Im" not in words
    assert "600 pikë nuk u kthyen" in words


@pytest.mark.rule("PAY-4")
def test_a_strangers_link_shows_the_order_with_its_points_and_none_of_the_club(known, stranger, world, member):
    known.confirm(with_points(known, world, member))
    page = stranger.follow(stranger.get(signed_link(Order.get())))
    assert "600 pikë −300 den" in page.words
    assert not re.search(r"\b400 pikë", page.words)


# What browsers and people are given


@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
def test_the_pages_are_whole_html_in_each_language(known, world, number, member, language, prefix):
    page = at_payment(known, world)
    check(known.get(prefix + PAYMENT), language)
    check(known.post(prefix + PAYMENT, {"pike": "7", "payment_way": "card"}), language, 422)
    check(known.post(prefix + PAYMENT, {"pike": "7", "payment_way": "card"}, piece=True), None, 422)
    for target in ("piket", "pike-shuma"):
        query = {**page.form(PAYMENT), "pike": "7"}
        check(known.get(prefix + LIVE, piece=True, query_string=query, headers={"HX-Target": target}), None)
    joined_fixed(number.subscriber)
    send(known, page, pike="600")
    for path in (PAYMENT, OVERVIEW):
        check(known.get(prefix + path), language)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    check(known.get(prefix + PAYMENT), language)
    at_contract(known, world, number, "instalments", also_case=True)
    check(known.get(prefix + PAYMENT), language)
    ClubMember.update(ended_at=NOW).execute()
    check(known.get(prefix + PAYMENT), language)


# Their price in queries


@pytest.mark.parametrize("path", [PAYMENT, LIVE, OVERVIEW, "/porosia/te-dhenat", "/porosia/dergesa"])
def test_pages_with_points_ask_the_same_queries_however_many_memberships_and_lines(known, world, many, path, profile):
    first = joined(number_of(profile), points=1000)
    with_points(known, world, first)
    counts = []
    for _ in range(2):
        with assert_query_count(9) as asked:
            assert known.get(path, piece=path == LIVE).status == 200
        counts.append(len(asked))
        cart = Cart.of_token(known.cookie("cart").value)
        for sku in many[:15]:
            cart.add(variant(sku), NOW)
        for digit in range(2, 8):
            if len(counts) == 1:
                member = joined(own_number(profile, f"3897010000{digit}"), points=10 * digit)
                give(member, 5)
    assert counts[0] == counts[1]


def number_of(profile):
    return ProfileNumber.get(ProfileNumber.profile == profile).number


def variant(sku):
    from models.catalogue import Variant

    return Variant.get(Variant.sku == sku)
