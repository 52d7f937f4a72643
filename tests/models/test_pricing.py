"""What a variant costs (CAT-5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.catalogue import Promotion, Variant, promoted_price
from models.money import MINOR
from models.pricing import Price, device_only_price
from tests.world import NOW, later

pytestmark = pytest.mark.rule("CAT-5")

PHONE = Variant(sku="PHONE", price=5_280_000)
prices = st.integers(1, 300_000).map(lambda whole: whole * MINOR)


@st.composite
def promotions(draw):
    terms = draw(st.one_of(st.builds(dict, percent=st.integers(1, 90)), st.builds(dict, price=prices)))
    return Promotion(
        **terms,
        segment=draw(st.sampled_from(["all", "private"])),
        starts_at=draw(st.none() | st.integers(-100, 100).map(later)),
        ends_at=draw(st.none() | st.integers(-100, 100).map(later)),
    )


def test_without_a_promotion_the_price_is_the_device_only_price():
    assert device_only_price(PHONE, [], NOW) == Price(5_280_000)
    assert device_only_price(PHONE, [], NOW).percent_off == 0


def test_a_percentage_is_rounded_down_to_whole_ten_denars():
    promotion = Promotion(percent=15)
    assert device_only_price(Variant(price=999_900), [promotion], NOW) == Price(849_000, 999_900, "all")


def test_the_best_of_several_promotions_holds():
    offers = [Promotion(percent=10), Promotion(price=4_500_000), Promotion(percent=12)]
    assert device_only_price(PHONE, offers, NOW).now == 4_500_000


def test_a_promotion_that_would_raise_the_price_is_none():
    assert device_only_price(PHONE, [Promotion(price=6_000_000)], NOW) == Price(5_280_000)


@pytest.mark.parametrize(
    ("starts", "ends", "live"),
    [(None, None, True), (NOW, None, True), (later(1), None, False), (None, NOW, False), (None, later(1), True)],
)
def test_a_promotion_holds_from_its_start_until_just_before_its_end(starts, ends, live):
    assert Promotion(percent=10, starts_at=starts, ends_at=ends).is_live(NOW) == live


def test_a_promotion_for_private_subscribers_is_theirs_alone():
    offers = [Promotion(percent=20, segment="private")]
    assert device_only_price(PHONE, offers, NOW).before is None
    assert device_only_price(PHONE, offers, NOW, "business").before is None
    assert device_only_price(PHONE, offers, NOW, "private") == Price(4_224_000, 5_280_000, "private")


@given(prices, st.lists(promotions(), max_size=5), st.sampled_from([None, "private", "business"]))
def test_a_price_is_positive_whole_and_never_above_the_usual_one(price, offers, segment):
    cost = device_only_price(Variant(price=price), offers, NOW, segment)
    assert 0 < cost.now <= price
    assert cost.now % MINOR == 0
    assert (cost.before is None) == (cost.now == price)
    assert cost.before in (None, price)
    assert 0 <= cost.percent_off <= 100


@given(prices, st.lists(promotions(), max_size=4), promotions())
def test_one_more_promotion_never_makes_it_dearer(price, offers, more):
    variant = Variant(price=price)
    assert device_only_price(variant, [*offers, more], NOW).now <= device_only_price(variant, offers, NOW).now


@given(prices, st.integers(1, 90))
def test_a_percentage_never_takes_less_than_it_says(price, percent):
    cut = promoted_price(price, percent, None)
    assert cut * 100 <= price * (100 - percent) or cut == MINOR
