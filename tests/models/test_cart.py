"""The cart (CRT-1…5, CAT-5)."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import config
from models.base import db
from models.cart import Cart, CartLine, NotForSale, count_items
from models.catalogue import Device, Promotion, Variant
from models.checkout import Checkout
from models.profile import Profile
from tests.world import GUEST, NOW, build, cart_with, checkout_of, later, ordered, place, profile


@pytest.fixture
def world():
    return build()


def skus(cart, now=NOW):
    return [chosen.variant.sku for chosen in cart.lines(now)]


@pytest.mark.rule("CRT-1")
def test_the_badge_counts_pieces(world):
    cart = cart_with(world, "S25-BLACK-128", "CASE-BLACK")
    assert count_items(cart.token) == 2
    cart.set_quantity(cart.lines(NOW)[1].id, 3)
    assert count_items(cart.token) == 4


@pytest.mark.rule("CRT-1")
def test_the_badge_of_nobody_is_zero(world):
    assert count_items(None) == count_items("") == count_items("unknown") == 0


@pytest.mark.rule("CRT-2")
def test_the_cart_shows_what_was_put_in_in_that_order(world):
    assert skus(cart_with(world, "CASE-BLACK", "S25-BLACK-128", "TAB-GREY-64")) == [
        "CASE-BLACK",
        "S25-BLACK-128",
        "TAB-GREY-64",
    ]


def test_what_is_in_the_cart_already_is_not_put_in_twice(world):
    cart = cart_with(world, "CASE-BLACK", "CASE-BLACK")
    assert skus(cart) == ["CASE-BLACK"]
    assert cart.lines(NOW)[0].quantity == 1


@pytest.mark.rule("CRT-3")
def test_a_line_is_removed_once(world):
    cart = cart_with(world, "S25-BLACK-128", "CASE-BLACK")
    line = cart.lines(NOW)[0]
    assert cart.remove(line.id)
    assert not cart.remove(line.id)
    assert skus(cart) == ["CASE-BLACK"]


@pytest.mark.rule("CRT-3")
def test_nobody_removes_or_changes_a_line_of_another_cart(world):
    mine, other = cart_with(world, "CASE-BLACK"), cart_with(world, "TAB-GREY-64")
    line = other.lines(NOW)[0]
    assert not mine.remove(line.id)
    assert not mine.set_quantity(line.id, 2)
    assert skus(other) == ["TAB-GREY-64"]
    assert other.lines(NOW)[0].quantity == 1


@pytest.mark.parametrize("quantity", [0, -1, config.LINE_QUANTITY_MAX + 1])
def test_a_quantity_out_of_bounds_is_refused(world, quantity):
    cart = cart_with(world, "CASE-BLACK")
    with pytest.raises(ValueError, match="1 to"):
        cart.set_quantity(cart.lines(NOW)[0].id, quantity)
    assert cart.lines(NOW)[0].quantity == 1


@pytest.mark.parametrize("spoil", ["sold out", "variant not listed", "device not listed"])
def test_what_is_not_for_sale_cannot_be_put_in(world, spoil):
    variant = world["TAB-GREY-64"]
    if spoil == "sold out":
        world.set_stock("TAB-GREY-64", 0)
    elif spoil == "variant not listed":
        Variant.update(listed=False).where(Variant.id == variant.id).execute()
    else:
        Device.update(listed=False).where(Device.id == variant.device_id).execute()
    with pytest.raises(NotForSale):
        Cart.begin(NOW).add(Variant.get_by_id(variant.id), NOW)


def test_a_line_that_sold_out_meanwhile_stays_and_says_so(world):
    cart = cart_with(world, "TAB-GREY-64")
    world.set_stock("TAB-GREY-64", 0)
    assert [chosen.is_available for chosen in cart.lines(NOW)] == [False]


def test_a_line_of_more_pieces_than_there_are_says_so(world):
    cart = cart_with(world, "S25-BLUE-256")
    cart.set_quantity(cart.lines(NOW)[0].id, 4)
    assert not cart.lines(NOW)[0].is_available
    cart.set_quantity(cart.lines(NOW)[0].id, 3)
    assert cart.lines(NOW)[0].is_available


@pytest.mark.rule("CAT-5")
def test_a_line_costs_what_the_promotion_of_the_moment_says(world):
    Promotion.update(ends_at=later(60)).where(Promotion.variant == world["REDMI-GREEN-128"]).execute()
    cart = cart_with(world, "REDMI-GREEN-128")
    before, after = cart.lines(later(59))[0], cart.lines(later(60))[0]
    assert (before.total, before.price_changed) == (1_080_000, False)
    assert (after.total, after.price_changed) == (1_200_000, True)


@pytest.mark.rule("CAT-5")
def test_a_guest_does_not_get_a_promotion_for_private_subscribers(world):
    cart = cart_with(world, "PIXEL-WHITE-128")
    assert cart.lines(NOW)[0].total == 4_800_000
    assert cart.lines(NOW, "private")[0].total == 3_840_000


@pytest.mark.rule("CAT-5")
def test_the_gift_comes_while_there_is_one_for_every_piece(world):
    cart = cart_with(world, "S25-BLACK-128")
    line = cart.lines(NOW)[0]
    cart.set_quantity(line.id, 2)
    world.set_gifts(2)
    assert cart.lines(NOW)[0].gift.name_en == "Galaxy Buds FE earbuds"
    world.set_gifts(1)
    assert cart.lines(NOW)[0].gift is None


@pytest.mark.rule("CAT-5")
def test_the_last_gift_is_promised_to_one_of_two_variants_of_a_device(world):
    cart = cart_with(world, "S25-BLACK-128", "S25-BLUE-256")
    world.set_gifts(1)
    assert [chosen.gift is not None for chosen in cart.lines(NOW)] == [True, False]


@pytest.mark.rule("CAT-5")
def test_a_line_that_cannot_be_had_keeps_no_gift_from_another(world):
    cart = cart_with(world, "S25-BLACK-128", "S25-BLUE-256")
    world.set_gifts(1)
    world.set_stock("S25-BLACK-128", 0)
    assert [chosen.gift is not None for chosen in cart.lines(NOW)] == [False, True]


@pytest.mark.rule("CRT-4")
def test_a_cart_is_found_by_its_token_alone(world):
    cart = cart_with(world, "CASE-BLACK")
    assert len(cart.token) >= 32
    assert Cart.of_token(cart.token) == cart
    assert Cart.of_token(str(cart.id)) is None
    assert Cart.of_token(None) is Cart.of_token("") is None


@pytest.mark.rule("CRT-4")
def test_a_cart_lives_thirty_days_from_its_last_use(world):
    cart = cart_with(world, "CASE-BLACK")
    gone = cart_with(world, "TAB-GREY-64")
    cart.add(world["TAB-GREY-64"], NOW + timedelta(days=20))
    assert Cart.forget_old(NOW + timedelta(days=30)) == 0
    assert Cart.forget_old(NOW + timedelta(days=31)) == 1
    assert Cart.of_token(gone.token) is None
    assert skus(cart) == ["CASE-BLACK", "TAB-GREY-64"]


@pytest.mark.rule("CRT-4")
def test_who_checks_out_keeps_the_cart_for_thirty_days_more(world):
    cart = cart_with(world, "CASE-BLACK")
    Checkout.of(cart, NOW + timedelta(days=29))
    assert Cart.forget_old(NOW + timedelta(days=31)) == 0


@pytest.mark.rule("CRT-4")
def test_a_guests_cart_becomes_the_profiles_first_one(world):
    arben, cart = profile(), cart_with(world, "CASE-BLACK")
    joined = cart.join(arben, NOW)
    assert joined.id == cart.id
    assert Cart.get(Cart.profile == arben).token == cart.token


@pytest.mark.rule("CRT-4")
def test_a_guests_cart_joins_the_profiles_cart_on_login(world):
    arben = profile()
    theirs = cart_with(world, "TAB-GREY-64", "CASE-BLACK", profile=arben)
    cart = cart_with(world, "CASE-BLACK", "S25-BLACK-128")
    cart.set_quantity(cart.lines(NOW)[0].id, 3)
    joined = cart.join(arben, NOW)
    assert joined.id == theirs.id
    assert {chosen.variant.sku: chosen.quantity for chosen in joined.lines(NOW)} == {
        "TAB-GREY-64": 1,
        "CASE-BLACK": 3,
        "S25-BLACK-128": 1,
    }
    assert Cart.of_token(cart.token) is None


@pytest.mark.rule("CRT-4")
def test_joining_again_changes_nothing(world):
    arben = profile()
    joined = cart_with(world, "CASE-BLACK", profile=arben)
    assert joined.join(arben, NOW).id == joined.id
    assert skus(joined) == ["CASE-BLACK"]


@pytest.mark.rule("CRT-4")
def test_a_cart_that_a_profile_left_on_a_shared_browser_is_not_taken_by_the_next(world):
    arben, besa = profile(), profile("besa@example.com")
    left = cart_with(world, "CASE-BLACK", profile=arben)
    besas = left.join(besa, NOW)
    assert besas.id != left.id
    assert skus(besas) == []
    assert Cart.get(Cart.profile == arben).id == left.id
    assert skus(left) == ["CASE-BLACK"]


@pytest.mark.rule("CHK-7")
def test_what_a_guest_typed_comes_along_on_login(world):
    arben = profile()
    cart_with(world, "TAB-GREY-64", profile=arben)
    cart = cart_with(world, "CASE-BLACK")
    typed = checkout_of(cart)
    joined = cart.join(arben, NOW)
    kept = Checkout.of(joined, NOW)
    assert (kept.key, kept.street) == (typed.key, GUEST["street"])
    assert Checkout.select().count() == 1


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize("has_cart", [False, True])
@pytest.mark.parametrize(
    ("reached", "name", "street"),
    [(0, "", ""), (2, "", ""), (3, GUEST["first_name"], ""), (4, GUEST["first_name"], GUEST["street"])],
)
def test_of_a_guests_order_only_steps_that_were_sent_since_come_along(world, has_cart, reached, name, street):
    arben, (order, _) = profile(), ordered(world, "CASE-BLACK")
    if has_cart:
        cart_with(world, "TAB-GREY-64", profile=arben)
    Checkout.update(reached=reached).execute()
    kept = Checkout.of(order.cart.join(arben, NOW), NOW)
    assert (kept.first_name, kept.street) == (name, street)


@pytest.mark.rule("CHK-6")
def test_what_a_profile_typed_for_its_order_before_stays_with_its_own_cart(world):
    arben = profile()
    theirs = cart_with(world, "TAB-GREY-64", profile=arben)
    place(checkout_of(theirs, street="Rr. B 9"), profile=arben)
    order, _ = ordered(world, "CASE-BLACK")
    kept = Checkout.of(order.cart.join(arben, NOW), NOW)
    assert (kept.cart, kept.street) == (theirs, "Rr. B 9")
    assert Checkout.of(theirs.join(arben, NOW), NOW).street == "Rr. B 9"


@pytest.mark.rule("CHK-4")
def test_an_order_placed_before_login_is_still_known_to_its_checkout(world):
    order, _ = ordered(world, "CASE-BLACK")
    cart, arben = order.cart, profile()
    cart_with(world, "TAB-GREY-64", profile=arben)
    joined = cart.join(arben, NOW)
    assert Checkout.is_placed(joined, order.checkout_key)


class Carts(RuleBasedStateMachine):
    """Any sequence of add, remove, quantity and join, beside a plain dictionary that does the same."""

    SKUS = ("S25-BLACK-128", "S25-BLUE-256", "REDMI-GREEN-128", "CASE-BLACK", "SIM-PREPAID")

    @initialize()
    def begin(self):
        self.transaction = db.savepoint()
        self.transaction.__enter__()
        self.world = build()
        self.profile = Profile.create(email="arben@example.com", password_hash="none", created_at=NOW)
        self.cart = Cart.begin(NOW)
        self.held: dict[str, int] = {}
        self.profiles: dict[str, int] = {}
        self.logged_in = False

    @rule(sku=st.sampled_from(SKUS))
    def add(self, sku):
        self.cart.add(self.world[sku], NOW)
        self.held.setdefault(sku, 1)

    @rule(sku=st.sampled_from(SKUS))
    def remove(self, sku):
        line = CartLine.get_or_none(CartLine.cart == self.cart, CartLine.variant == self.world[sku])
        assert (line is not None) == (sku in self.held)
        if line is not None:
            assert self.cart.remove(line.id)
            del self.held[sku]

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, config.LINE_QUANTITY_MAX))
    def set_quantity(self, sku, quantity):
        line = CartLine.get_or_none(CartLine.cart == self.cart, CartLine.variant == self.world[sku])
        if line is not None:
            assert self.cart.set_quantity(line.id, quantity)
            self.held[sku] = quantity

    @rule()
    def log_in(self):
        self.cart = self.cart.join(Profile.get_by_id(self.profile.id), NOW)
        if not self.logged_in:
            for sku, quantity in self.profiles.items():
                self.held[sku] = max(quantity, self.held.get(sku, 0))
            self.profiles = {}
        self.logged_in = True

    @rule()
    def log_out(self):
        if self.logged_in:
            self.profiles, self.held, self.logged_in = self.held, {}, False
            self.cart = Cart.begin(NOW)

    @invariant()
    def totals_and_uniqueness_hold(self):
        if not hasattr(self, "cart"):
            return
        lines = self.cart.lines(NOW)
        assert {chosen.variant.sku: chosen.quantity for chosen in lines} == self.held
        assert len(lines) == len(self.held)
        assert sum(chosen.total for chosen in lines) == sum(
            {"REDMI-GREEN-128": 1_080_000}.get(sku, self.world[sku].price) * quantity
            for sku, quantity in self.held.items()
        )
        assert count_items(self.cart.token) == sum(self.held.values())

    def teardown(self):
        if hasattr(self, "transaction"):
            self.transaction.rollback()
            self.transaction.__exit__(None, None, None)


@pytest.mark.rule("CRT-3")
@pytest.mark.rule("CRT-4")
def test_any_sequence_of_changes_keeps_totals_and_uniqueness():
    run_state_machine_as_test(
        Carts,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        ),
    )
