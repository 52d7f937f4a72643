"""The language is in the address, and stays there through every form, redirect and the bank (LOC-1)."""

from datetime import UTC, datetime

import pytest

from gateways.bank import Verdict
from models.cart import CartLine
from models.order import Order
from models.outbox import Mail
from models.payment import Payment
from tests import world as named
from tests.views.browser import OVERVIEW, STEPS, Browser, signed_link
from tests.views.test_pay import result

LANGUAGES = pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
OTHERS = pytest.mark.parametrize("prefix", ["/mk", "/en"])


@pytest.mark.rule("LOC-1")
@LANGUAGES
@pytest.mark.parametrize("piece", [False, True])
def test_a_whole_purchase_stays_in_its_language(shopper, world, language, prefix, piece):
    assert shopper.choose(world["S25-BLACK-128"], prefix).location == f"{prefix}/shporta"
    assert shopper.get(f"{prefix}/porosia").location == f"{prefix}/porosia/te-dhenat"
    following = [*(path for path, _ in STEPS.values()), OVERVIEW][1:]
    for (path, typed), then in zip(STEPS.values(), following, strict=True):
        assert shopper.get(prefix + path).tree.get("lang") == language
        assert shopper.post(prefix + path, typed, piece=piece).location == prefix + then
    placed = shopper.confirm(shopper.overview(prefix), prefix=prefix, piece=piece)
    order = Order.get()
    assert order.language == language
    assert placed.location == f"{prefix}/porosia/{order.number}/pagesa"
    payment = Payment.latest_of(order)
    payment.settle(Verdict.DECLINED, named.NOW)
    again = shopper.post(f"{prefix}/porosia/{order.number}/pagesa", piece=piece)
    assert again.location == f"{prefix}/porosia/{order.number}/pagesa"
    back = Browser(shopper.app).post("/pay/return", result(Payment.latest_of(order)), token=False)
    assert back.location.startswith(f"{prefix}/porosia/{order.number}/konfirmimi?k=")
    assert shopper.get(f"{prefix}/porosia/{order.number}/pagesa").location == back.location.split("?")[0]
    assert shopper.follow(shopper.get(back.location)).tree.get("lang") == language


@pytest.mark.rule("MSG-3")
@LANGUAGES
def test_an_orders_mails_are_in_the_language_it_was_placed_in(shopper, world, language, prefix):
    order = shopper.order(world["CASE-BLACK"], prefix=prefix)
    Payment.latest_of(order).settle(Verdict.PAID, named.NOW)
    assert Mail.get().language == language


@pytest.mark.rule("LOC-1")
@OTHERS
@pytest.mark.parametrize("piece", [False, True])
def test_every_other_redirect_keeps_the_language(shopper, stranger, world, profile, prefix, piece):
    empty = stranger.post(f"{prefix}{OVERVIEW}", {"terms": "y"}, piece=piece)
    assert empty.location == f"{prefix}/shporta"
    assert stranger.get(f"{prefix}/porosia/te-dhenat", piece=piece).location == f"{prefix}/shporta"
    shopper.choose(world["CASE-BLACK"])
    assert shopper.get(f"{prefix}/porosia/pagesa", piece=piece).location == f"{prefix}/porosia/te-dhenat"
    assert shopper.get(f"{prefix}/porosia/dergesa/kodi").location == f"{prefix}/porosia/dergesa"
    line = CartLine.get()
    removed = shopper.post(f"{prefix}/shporta/{line.id}/heqja", {"ku": "porosia"}, piece=piece)
    assert removed.location == f"{prefix}/shporta"
    order, _ = named.ordered(world, "S25-BLACK-128")
    found = shopper.post(f"{prefix}/porosia/gjej", {"number": order.number, "email": order.email}, piece=piece)
    assert found.location == f"{prefix}/porosia/{order.number}"
    opened = stranger.get(prefix + signed_link(order, "/konfirmimi"))
    assert opened.location == f"{prefix}/porosia/{order.number}/konfirmimi"
    fields = {"email": profile.email, "password": named.PASSWORD}
    assert shopper.post(f"{prefix}/hyr", fields, piece=piece).location == f"{prefix}/"
    assert shopper.post(f"{prefix}/dil", piece=piece).location == f"{prefix}/"


@pytest.mark.rule("CHK-7")
@OTHERS
def test_the_login_of_a_step_comes_back_to_it_in_its_language(shopper, world, profile, prefix):
    shopper.choose(world["CASE-BLACK"], prefix)
    page = shopper.get(f"{prefix}/porosia/te-dhenat")
    link = next(a.get("href") for a in page.all("a") if "/hyr?next=" in (a.get("href") or ""))
    form = shopper.get(link).form(f"{prefix}/hyr")
    logged_in = shopper.post(f"{prefix}/hyr", {**form, "email": profile.email, "password": named.PASSWORD})
    assert logged_in.location == f"{prefix}/porosia/te-dhenat"


@pytest.mark.rule("LOC-1")
@OTHERS
def test_every_link_and_form_of_a_page_keeps_the_language(shopper, world, prefix):
    shopper.choose(world["S25-BLACK-128"])
    shopper.fill_in(prefix)
    order, _ = named.ordered(world, "CASE-BLACK")
    shopper.get(signed_link(order))
    pages = ["/", "/shporta", "/hyr", "/porosia/gjej", "/pajisja/galaxy-s25", OVERVIEW, "/porosia/dergesa"]
    pages += [f"/porosia/{order.number}{ending}" for ending in ("", "/konfirmimi", "/pagesa")]
    for path in pages:
        page = shopper.get(prefix + path)
        assert page.status == 200
        for element in page.tree.iter():
            for name in ("href", "action", "hx-get", "hx-post"):
                address = element.get(name) or ""
                switches = element.get("hreflang") is not None
                ours = address.startswith("/") and not address.startswith(("/static/", "/ikona/"))
                if ours and not switches:
                    assert address.startswith(prefix), (path, element.tag, address)


@pytest.mark.rule("LOC-1")
def test_the_first_language_has_no_prefix_and_others_are_no_languages(shopper):
    assert shopper.get("/mk").tree.get("lang") == "mk"
    assert shopper.get("/en/").tree.get("lang") == "en"
    for path in ("/sq/shporta", "/de/shporta", "/MK/shporta", "/mkd/shporta", "/en/mk/shporta"):
        assert shopper.get(path).status == 404


@pytest.mark.rule("LOC-1")
@LANGUAGES
def test_search_engines_are_told_of_the_same_page_in_each_language(shopper, world, language, prefix):
    page = shopper.get(f"{prefix}/pajisja/galaxy-s25")
    links = {link.get("hreflang"): link.get("href") for link in page.all("link", rel="alternate")}
    assert links == {
        "sq": "http://shop.test/pajisja/galaxy-s25",
        "mk": "http://shop.test/mk/pajisja/galaxy-s25",
        "en": "http://shop.test/en/pajisja/galaxy-s25",
        "x-default": "http://shop.test/pajisja/galaxy-s25",
    }


@pytest.mark.rule("LOC-1")
def test_a_cart_filled_in_one_language_is_the_same_in_another(shopper, world):
    shopper.choose(world["CASE-BLACK"])
    shopper.fill_in()
    assert "Case for Galaxy S25" in shopper.get("/en/shporta").words
    assert "Футрола за Galaxy S25" in shopper.get("/mk/shporta").words
    assert shopper.get("/en/porosia/te-dhenat").form("/en/porosia/te-dhenat")["first_name"] == "Ana"
    assert shopper.overview("/mk").status == 200


@pytest.mark.rule("LOC-2")
@pytest.mark.parametrize(
    ("prefix", "amount"), [("", "52.800\u00a0den"), ("/mk", "52.800\u00a0ден."), ("/en", "52,800\u00a0den")]
)
def test_money_is_written_as_the_language_writes_it(shopper, world, prefix, amount):
    shopper.choose(world["S25-BLACK-128"])
    assert amount in shopper.get(f"{prefix}/shporta").html


@pytest.mark.rule("LOC-3")
@pytest.mark.parametrize(("month", "shown"), [(3, "12:30"), (7, "13:30")])
def test_times_are_shown_as_clocks_in_skopje_stand(app, world, clock, month, shown):
    now = datetime(2026, month, 10, 11, 0, tzinfo=UTC)
    clock.move_to(now)
    order, _ = named.ordered(world, "CASE-BLACK", now=now)
    assert order.payable_until.isoformat() == f"2026-{month:02d}-10T11:30:00+00:00"
    shopper = Browser(app)
    shopper.get(signed_link(order))
    assert f"deri në orën {shown}" in shopper.get(f"/porosia/{order.number}").words
