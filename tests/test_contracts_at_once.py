"""One number that many want at the same moment: real processes, on the database of DATABASE_URL (ELG-5, OFF-6)."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import pytest

from tests.crowd import Crowd
from tests.databases import own_database
from tests.processes import Browser, Page, Process, free_port, until
from tests.world import GUEST, NOW

OWN, NEW = "38970100001", "38970227418"
SKU = "S25-BLACK-128"
PHONE = "070 123 456"
TAKEN = "Këtë numër sapo e zgjodhi dikush tjetër. Zgjidhni një tjetër."


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A crowd on a database of its own, with a web server of four processes."""
    folder = tmp_path_factory.mktemp("contracts")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        crowd.alone("begin_anew")
        settings = {"DATABASE_URL": url, "PORT": str(port), "DYQANI_BASE_URL": base, "WEB_CONCURRENCY": "4"}
        web = Process(folder, "web", "gunicorn", "--config", "gunicorn.conf.py", SECRET_KEY="one for all", **settings)
        try:
            yield crowd, web, base
        finally:
            crowd.end()
            web.kill()


@pytest.fixture
def shop(running):
    """The crowd, in front of the world as it is at its beginning."""
    running[0].alone("begin_anew")
    return running[0]


@pytest.fixture
def base(running):
    """Where the web server answers."""
    _, web, address = running

    def answers():
        assert web.is_running, web.log.read_text()[-2000:]
        try:
            return Browser(address).get("/health").status == 200
        except OSError:
            return False

    until(answers, 30)
    return address


def errors(results):
    return Counter(result["error"] for result in results if "error" in result)


def said(results):
    """What those who were refused were told."""
    return {result["text"].splitlines()[0] for result in results if "error" in result}


def good(results):
    wrong = [result for result in results if "error" in result]
    assert not wrong, wrong[0]
    return [result["is"] for result in results]


def together(actions):
    """What each of them returns, all begun at the same moment in a thread of its own."""
    start, results = threading.Barrier(len(actions)), [None] * len(actions)

    def run(index):
        start.wait(60)
        results[index] = actions[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return results


# A new number


def at_the_number(base):
    """A guest who ordered a phone with a new number, at the page where that is picked."""
    browser = Browser(base)
    page = browser.get("/pajisja/galaxy-s25?lloji=numer-i-ri&tarifa=linja-m&pagesa=kartele").send("/shporta")
    assert page.url.endswith("/shporta"), f"{page.status} {page.text[:500]}"
    page = browser.get("/porosia")
    assert page.url.endswith("/porosia/numri"), f"{page.status} {page.url}"
    return page


def pick(page, msisdn, path="/porosia/numri", **more):
    """Send the form of the numbers with this one chosen."""
    [form] = [form for form in page.forms("/porosia/numri") if form.get("method") == "post"]
    return page.browser.post(urljoin(page.url, path), {**Page._filled(form), "numri": msisdn}, **more)


def overview(page):
    """From the step of the data on to the page with the last button."""
    page = page.send("te-dhenat", **{name: GUEST[name] for name in ("first_name", "last_name", "email")}, phone=PHONE)
    page = page.send("dergesa", **{name: GUEST[name] for name in ("street", "municipality", "place")})
    page = page.send("pagesa")
    assert page.url.endswith("/pasqyra"), f"{page.status} {page.text[:500]}"
    return page


def shown(page):
    """The numbers that a page offers."""
    return {
        field.get("value")
        for field in page.document.iter("input")
        if field.get("name") == "numri" and field.get("type") == "radio"
    }


@pytest.mark.rule("OFF-6")
@pytest.mark.rule("CHK-4")
def test_twenty_shoppers_at_once_want_one_new_number_and_one_buys_it(shop, base):
    """Each other is told so, offered others, and may have one of those."""
    others = [str(int(NEW) + more) for more in range(1, 31)]
    shop.alone("carts_and_pool", 0, [NEW, *others])
    pages = [at_the_number(base) for _ in range(20)]
    assert all(NEW in shown(page) for page in pages)

    answers = together([lambda page=page: pick(page, NEW) for page in pages])

    won = [page for page in answers if page.url.endswith("/porosia/te-dhenat")]
    lost = [page for page in answers if page not in won]
    assert (len(won), Counter(page.status for page in lost)) == (1, {422: 19})
    for page in lost:
        assert TAKEN in page.text
        assert NEW not in shown(page)
        assert len(shown(page)) == 9
    assert Counter(state for state, _ in shop.alone("pool").values()) == {"held": 1, "free": 30}

    page = pick(lost[0], others[0])
    assert page.url.endswith("/porosia/te-dhenat")

    page = overview(won[0])
    placed = together([lambda: page.send("pasqyra", terms="y")] * 4)
    [order] = shop.alone("facts")["orders"]
    assert all(order["number"] in page.url for page in placed)
    assert order["numbers"] == [[NEW, None]]
    assert shop.alone("sold_numbers")[NEW] == ["sold", order["number"]]


@pytest.mark.rule("OFF-6")
def test_a_number_that_twenty_point_at_at_once_is_held_for_one(shop, base):
    shop.alone("carts_and_pool", 0, [NEW, *(str(int(NEW) + more) for more in range(1, 10))])
    pages = [at_the_number(base) for _ in range(20)]

    def point(page):
        return pick(page, NEW, "/porosia/numri/mbajtja", headers={"HX-Request": "true"})

    answers = together([lambda page=page: point(page) for page in pages])

    assert Counter(page.status for page in answers) == {200: 1, 422: 19}
    for page in answers:
        assert (TAKEN in page.text) == (page.status == 422)
        assert (NEW in shown(page)) == (page.status == 200)
    assert Counter(state for state, _ in shop.alone("pool").values()) == {"held": 1, "free": 9}


@pytest.mark.rule("OFF-6")
def test_an_order_and_another_tab_that_changes_its_number_end_in_one_of_both(shop):
    """The order has the number that its overview showed and the other is free, or the shopper is asked anew."""
    first = [str(int(NEW) + more) for more in range(8)]
    second = [str(int(NEW) + more) for more in range(100, 108)]
    overviews = shop.alone("new_number_checkouts", first)
    shop.alone("carts_and_pool", 0, second)
    lines = [shop.alone("lines_of", overview[0])[0] for overview in overviews]
    for line, msisdn in zip(lines, second, strict=True):
        # Pointed at already: it is held for the cart, though not for the line yet.
        shop.alone("point_at", line, msisdn)

    results = shop.at_once(
        [("place", *overview) for overview in overviews]
        + [("pick_number", line, msisdn) for line, msisdn in zip(lines, second, strict=True)]
    )

    placed, picked = results[:8], results[8:]
    assert set(errors(placed)) <= {"OfferChanged"}
    assert set(errors(picked)) <= {"CartLineDoesNotExist"}
    pool = shop.alone("sold_numbers")
    for place, pick_, old, new in zip(placed, picked, first, second, strict=True):
        assert ("is" in place) != ("is" in pick_)
        if "is" in place:
            assert (pool[old], pool[new][0]) == (["sold", place["is"][0]], "held")
        else:
            assert (pool[old][0], pool[new][0]) == ("free", "held")
    assert {number for [[number, _]] in (order["numbers"] for order in shop.alone("facts")["orders"])} <= set(first)


@pytest.mark.rule("OFF-6")
@pytest.mark.rule("CRT-3")
def test_a_line_that_one_tab_takes_out_while_another_picks_its_number_is_gone_without_an_error(shop, base):
    shop.alone("carts_and_pool", 0, [NEW, *(str(int(NEW) + more) for more in range(1, 12))])
    pages = [at_the_number(base) for _ in range(8)]
    free = [str(int(NEW) + more) for more in range(8)]

    answers = together(
        [lambda page=page, msisdn=msisdn: pick(page, msisdn) for page, msisdn in zip(pages, free, strict=True)]
        + [lambda page=page: Page(page.browser, page.response).send("heqja") for page in pages]
    )

    assert {page.status for page in answers} <= {200, 404}
    assert set(map(tuple, shop.alone("facts")["carts"].values())) == {()}
    # What is held yet is held for nobody, and the next who wants it gets it.
    [cart] = shop.alone("carts_and_pool", 1, ["38970999999"])
    now = (datetime.now(UTC) - NOW) / timedelta(minutes=1)
    good(shop.at_once([("hold_number", cart, msisdn, now) for msisdn in free]))


@pytest.mark.rule("OFF-6")
def test_a_new_number_for_two_devices_in_two_tabs_at_once_is_for_one(shop):
    [lines, _] = shop.alone("contract_lines", 2, "new_number")
    good(shop.at_once([("pick_number", line, NEW) for line in lines] * 4))
    assert sorted(shop.alone("numbers_of_lines").values(), key=str) == [NEW, None]


# A number of one's own


@pytest.mark.rule("ELG-5")
@pytest.mark.parametrize("payment", ["instalments", "card"])
def test_twenty_profiles_at_once_order_a_besnik_device_for_one_number_and_one_gets_it(shop, payment):
    overviews = shop.alone("besnik_checkouts", 20, payment)
    results = shop.at_once([("place", *overview) for overview in overviews])
    assert errors(results) == {"NotEligible": 19}
    assert said(results) == {"in_open_order"}
    [placed] = [result["is"] for result in results if "is" in result]
    one_order(shop, placed, payment, carts_left=19)


@pytest.mark.rule("ELG-5")
@pytest.mark.rule("CHK-4")
def test_eight_browsers_of_one_profile_and_twelve_profiles_for_one_number_make_one_order(shop):
    overviews = shop.alone("besnik_checkouts", 13)
    results = shop.at_once([("place", *overview) for overview in [overviews[0]] * 8 + overviews[1:]])
    mine, others = results[:8], results[8:]
    placed = {tuple(result["is"]) for result in results if "is" in result}
    assert len(placed) == 1
    # All eight are told of the one order, or one of the others is.
    won = [result for result in others if "is" in result]
    assert (errors(mine), len(won)) in (({}, 0), ({"NotEligible": 8}, 1))
    assert said(results) == {"in_open_order"}
    one_order(shop, list(placed.pop()), "instalments", carts_left=12)


@pytest.mark.rule("CHK-4")
@pytest.mark.parametrize("payment", ["instalments", "card"])
def test_a_contract_placed_by_eight_processes_is_one_order_with_one_mail(shop, payment):
    [overview] = shop.alone("besnik_checkouts", 1, payment)
    placed = good(shop.at_once([("place", *overview)] * 8))
    assert len({tuple(one) for one in placed}) == 1
    one_order(shop, placed[0], payment, carts_left=0)


def one_order(shop, placed, payment, carts_left):
    """Of all that was asked for: its pieces are taken once, and with nothing due now it is told of at once."""
    number, oid = placed
    after = shop.alone("facts")
    [order] = after["orders"]
    assert (order["number"], order["numbers"]) == (number, [[OWN, OWN]])
    assert (after["stock"][SKU], after["gifts"]) == (19, 9)
    if payment == "card":
        assert (order["events"], after["payments"], after["mails"]) == (["awaiting_payment"], {oid: "started"}, [])
    else:
        assert (order["events"], after["payments"], oid) == (["confirmed"], {}, None)
        assert [(kind, state) for kind, state, _ in after["mails"]] == [("order_confirmed", "due")]
    # Who was refused still has what was chosen.
    assert Counter(map(tuple, after["carts"].values())) == Counter({(SKU,): carts_left, (): 1})


@pytest.mark.rule("ELG-5")
def test_a_number_that_is_chosen_for_two_devices_in_two_tabs_at_once_is_for_one(shop):
    [lines, number] = shop.alone("contract_lines", 2)
    results = shop.at_once([("choose_number", line, number) for line in lines] * 4)
    assert errors(results) == {"InCartAlready": 4}
    assert sorted(shop.alone("numbers_of_lines").values(), key=str) == [OWN, None]


# Money that comes when the order has lapsed


def lapsed(shop, *overview):
    """An order that nobody paid in half an hour: its number, and the payment that may come yet."""
    number, oid = shop.alone("place", *overview)
    shop.alone("lapse", number)
    return number, oid


def back_or_refunded(shop, number, oid, pieces):
    """Whether the late money brought its order back; either way all that belongs to it is right."""
    after = shop.alone("facts")
    state = {order["number"]: order["state"] for order in after["orders"]}[number]
    paid = after["payments"][oid]
    assert (state, paid, after["refunds"]) in (("confirmed", "paid", []), ("lapsed", "surplus", ["due"]))
    told = [kind for order, kind, _ in after["mails_of"] if order == number]
    assert told == ["order_confirmed" if paid == "paid" else "payment_returned"]
    assert (after["stock"][SKU], after["gifts"]) == (20 - pieces, 10 - pieces)
    return paid == "paid"


@pytest.mark.rule("OFF-6")
@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("rival", ["has not", "holds it", "has bought it"])
def test_late_money_brings_a_new_number_back_unless_somebody_else_has_it(shop, rival):
    number, oid = lapsed(shop, *shop.alone("new_number_checkouts", [NEW])[0])
    assert shop.alone("sold_numbers") == {NEW: ["free", None]}
    theirs = None
    if rival != "has not":
        [overview] = shop.alone("new_number_checkouts", [NEW], 31)
        if rival == "has bought it":
            theirs, _ = shop.alone("place", *overview, None, 32)

    shop.alone("settle", oid, "PAID", 40)

    assert back_or_refunded(shop, number, oid, pieces=rival != "holds it") == (rival == "has not")
    assert shop.alone("sold_numbers") == {
        NEW: {"has not": ["sold", number], "holds it": ["held", None], "has bought it": ["sold", theirs]}[rival]
    }
    # Told by the bank once more, nothing changes.
    shop.alone("settle", oid, "PAID", 41)
    back_or_refunded(shop, number, oid, pieces=rival != "holds it")


@pytest.mark.rule("ELG-5")
@pytest.mark.rule("PAY-8")
@pytest.mark.parametrize("rival", ["has not", "has"])
def test_late_money_brings_a_besnik_device_back_unless_its_number_is_in_another_order(shop, rival):
    mine, others = shop.alone("besnik_checkouts", 2, "card")
    number, oid = lapsed(shop, *mine)
    if rival == "has":
        theirs, _ = shop.alone("place", *others, 31)

    shop.alone("settle", oid, "PAID", 40)

    assert back_or_refunded(shop, number, oid, pieces=1) == (rival == "has not")
    kept = {order["number"]: order["numbers"] for order in shop.alone("facts")["orders"]}
    if rival == "has":
        assert kept == {number: [[OWN, None]], theirs: [[OWN, OWN]]}
    else:
        assert kept == {number: [[OWN, OWN]]}


@pytest.mark.rule("OFF-6")
@pytest.mark.rule("PAY-8")
def test_late_money_and_eight_who_want_its_new_number_at_once_leave_it_to_one(shop):
    number, oid = lapsed(shop, *shop.alone("new_number_checkouts", [NEW])[0])
    carts = shop.alone("carts_and_pool", 8, [str(int(NEW) + 1)])
    settled, *held = shop.at_once(
        [("settle", oid, "PAID", 31)] * 1 + [("hold_number", cart, NEW, 31) for cart in carts]
    )
    paid = good([settled]) == ["paid"]
    assert errors(held) == {"NumberTaken": 8 if paid else 7}
    assert back_or_refunded(shop, number, oid, pieces=int(paid)) == paid
    assert shop.alone("sold_numbers")[NEW] == (["sold", number] if paid else ["held", None])


@pytest.mark.rule("ELG-5")
@pytest.mark.rule("PAY-8")
def test_late_money_and_another_order_for_its_number_at_once_make_one(shop):
    """Six times, for whoever comes in the other's way: none of them fails for it."""
    for _ in range(6):
        shop.alone("begin_anew")
        mine, *others = shop.alone("besnik_checkouts", 4, "card")
        number, oid = lapsed(shop, *mine)
        settled, *placed = shop.at_once(
            [("settle", oid, "PAID", 31)] + [("place", *overview, 31) for overview in others]
        )
        paid = good([settled]) == ["paid"]
        assert errors(placed) == {"NotEligible": 3 if paid else 2}
        assert said(placed) == {"in_open_order"}
        assert back_or_refunded(shop, number, oid, pieces=1) == paid
        taken = [taken for order in shop.alone("facts")["orders"] for _, taken in order["numbers"]]
        assert Counter(taken) == Counter([OWN] if paid else [OWN, None])
