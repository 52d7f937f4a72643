"""The pool of free numbers: searched, held for half an hour, given back, sold once (OFF-6)."""

import pytest

from models.cart import Cart, CartLine
from models.new_number import NewNumber, NumberTaken
from tests.crowd import Crowd
from tests.databases import own_database
from tests.world import NOW, build, cart_with, later, ordered

pytestmark = pytest.mark.rule("OFF-6")

POOL = ("38970200001", "38970200012", "38971212345", "38975300300")


@pytest.fixture
def pool():
    NewNumber.insert_many([{"msisdn": msisdn} for msisdn in POOL]).execute()
    return {number.msisdn[-3:]: number for number in NewNumber.select()}


@pytest.fixture
def world():
    return build()


@pytest.fixture
def cart(world):
    return cart_with(world, "CASE-BLACK")


@pytest.fixture
def rival(world):
    return cart_with(world, "CASE-BLACK")


def found(digits, now=NOW, **more):
    return [number.msisdn for number in NewNumber.search(digits, now, **more)]


def state(number):
    return NewNumber.get_by_id(number.id).state


@pytest.mark.parametrize(
    ("digits", "which"),
    [
        ("", POOL),
        ("12", ("38970200012", "38971212345")),
        ("0712", ("38971212345",)),
        ("070 200-0", ("38970200001", "38970200012")),
        ("38975", ("38975300300",)),
        ("%", POOL),
        ("99999", ()),
    ],
)
def test_numbers_are_searched_by_digits_as_people_type_them(pool, digits, which):
    assert found(digits) == list(which)


def test_a_search_is_paged_by_the_last_number_of_the_page_before(pool):
    assert found("", limit=2) == list(POOL[:2])
    assert found("", limit=2, after=POOL[1]) == list(POOL[2:])


def test_a_number_is_held_for_half_an_hour_and_nobody_else_is_offered_it(pool, cart, rival):
    number = pool["001"]
    number.hold(cart, NOW)
    assert (number.state, number.held_until) == ("held", later(30))
    assert number.msisdn not in found("")
    assert number.msisdn in found("", cart=cart)
    assert [one.msisdn for one in NewNumber.held_by(cart, later(29))] == [number.msisdn]
    with pytest.raises(NumberTaken):
        pool["001"].hold(rival, later(29))
    assert NewNumber.held_by(rival, NOW) == []


def test_when_the_time_is_up_anybody_may_have_it_though_nobody_swept(pool, cart, rival):
    number = pool["001"]
    number.hold(cart, NOW)
    assert not number.is_free(later(29))
    assert number.is_free(later(30))
    assert NewNumber.held_by(cart, later(30)) == []
    assert number.msisdn in found("", later(30))
    number.hold(rival, later(30))
    assert not number.release(cart)
    assert [one.msisdn for one in NewNumber.held_by(rival, later(31))] == [number.msisdn]


def test_holding_again_does_not_prolong_the_time_until_it_is_up(pool, cart):
    number = pool["001"]
    number.hold(cart, NOW)
    number.hold(cart, later(20))
    assert number.held_until == later(30)
    number.hold(cart, later(30))
    assert number.held_until == later(60)


def test_choosing_another_gives_the_first_back_but_not_one_that_is_in_the_cart(pool, cart):
    line = cart.held.get()
    pool["001"].hold(cart, NOW)
    pool["001"].attach(line, NOW)
    pool["012"].hold(cart, NOW)
    pool["345"].hold(cart, NOW)
    assert [state(pool[name]) for name in ("001", "012", "345")] == ["held", "free", "held"]
    # Another number for the line gives the line's first back.
    pool["345"].attach(line, NOW)
    assert [state(pool[name]) for name in ("001", "345")] == ["free", "held"]


def test_a_number_goes_back_with_its_line_and_with_its_cart(pool, cart, rival):
    line = cart.held.get()
    pool["001"].hold(cart, NOW)
    pool["001"].attach(line, NOW)
    pool["012"].hold(cart, NOW)
    assert {one.msisdn for one in NewNumber.held_by(cart, NOW)} == {POOL[0], POOL[1]}
    cart.remove(line.id)
    assert found("") == [POOL[0], *POOL[2:]]
    pool["001"].hold(rival, NOW)
    Cart.delete().where(Cart.id == cart.id).execute()
    assert found("") == list(POOL[1:])
    assert NewNumber.release_all_due(NOW) == 1
    assert state(pool["012"]) == "free"


def test_a_line_that_joins_another_cart_keeps_its_number(pool, cart, rival):
    line = cart.held.get()
    pool["001"].hold(cart, NOW)
    pool["001"].attach(line, NOW)
    CartLine.update(cart=rival, choice="new_number").where(CartLine.id == line.id).execute()
    Cart.delete().where(Cart.id == cart.id).execute()
    assert [one.msisdn for one in NewNumber.held_by(rival, NOW)] == [POOL[0]]


def test_what_a_cart_does_not_hold_it_can_neither_release_nor_attach_nor_buy(pool, cart, rival, world):
    number, line = pool["001"], rival.held.get()
    number.hold(cart, NOW)
    order, _ = ordered(world, "TAB-GREY-64")
    assert not number.release(rival)
    with pytest.raises(NumberTaken):
        number.attach(line, NOW)
    with pytest.raises(NumberTaken):
        number.sell(rival, order, NOW)
    assert number.release(cart)
    assert not number.release(cart)
    assert state(number) == "free"


def test_a_number_is_sold_to_an_order_and_comes_back_when_that_ends(pool, cart, rival, world):
    number = pool["001"]
    number.hold(cart, NOW)
    number.attach(cart.held.get(), NOW)
    order, _ = ordered(world, "TAB-GREY-64")
    number.sell(cart, order, later(29))
    assert (number.state, number.order_id, number.line_id) == ("sold", order.id, None)
    assert NewNumber.release_all_due(later(0, days=40)) == 0
    with pytest.raises(NumberTaken):
        number.hold(rival, later(0, days=40))
    assert NewNumber.give_back(order) == 1
    assert NewNumber.give_back(order) == 0
    number.hold(rival, NOW)


def test_a_number_whose_time_is_up_is_not_sold(pool, cart, world):
    pool["001"].hold(cart, NOW)
    order, _ = ordered(world, "TAB-GREY-64")
    with pytest.raises(NumberTaken):
        pool["001"].sell(cart, order, later(30))


def test_the_sweep_gives_back_what_is_due_and_nothing_else(pool, cart, rival):
    pool["001"].hold(cart, NOW)
    pool["012"].hold(rival, later(1))
    assert NewNumber.release_all_due(later(29)) == 0
    assert NewNumber.release_all_due(later(30)) == 1
    assert (state(pool["001"]), state(pool["012"])) == ("free", "held")


# Real processes, each with its own connection.


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("numbers")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        yield crowd
        crowd.end()


@pytest.fixture
def carts(running):
    running.alone("begin_anew")
    return running.alone("carts_and_pool", 20, list(POOL))


@pytest.mark.parametrize("minutes", [0, 30], ids=["that is free", "whose time is up"])
def test_twenty_at_once_want_one_number_and_one_gets_it(running, carts, minutes):
    if minutes:
        running.alone("hold_number", carts[0], POOL[0])
    results = running.at_once([("hold_number", cart, POOL[0], minutes) for cart in carts])
    assert sorted(result.get("error", "held") for result in results) == ["NumberTaken"] * 19 + ["held"]
    [winner] = [cart for cart, result in zip(carts, results, strict=True) if "is" in result]
    assert running.alone("pool") == {POOL[0]: ["held", winner], **dict.fromkeys(POOL[1:], ["free", None])}


def test_twenty_change_their_minds_at_once_and_none_holds_two(running, carts):
    for cart, msisdn in zip(carts, POOL, strict=False):
        running.alone("hold_number", cart, msisdn)
    wanted = [(cart, POOL[(index + 1) % 4]) for index, cart in enumerate(carts)]
    for minutes in (0, 30):
        results = running.at_once([("hold_number", cart, msisdn, minutes) for cart, msisdn in wanted])
        # Some are refused; none fails otherwise, as in a ring of processes that wait for each other.
        assert {result["error"] for result in results if "error" in result} == {"NumberTaken"}
        holders = [holder for _, holder in running.alone("pool").values() if holder]
        assert len(holders) == len(set(holders))
