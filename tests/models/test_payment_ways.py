"""Who may pay how (PAY-1…4): each cell of the rule's table, written out."""

import pytest

from models.catalogue import CONTRACT_TYPES
from models.payment_ways import ACCESSORY, CARD, INSTALMENTS, ON_BILL, POINTS, PREPAID_SIM, ways

GUEST, WITHOUT_NUMBER, WITH_NUMBER = (False, False), (True, False), (True, True)
EVERYTHING = (*CONTRACT_TYPES, ACCESSORY, PREPAID_SIM)


@pytest.mark.rule("PAY-1")
@pytest.mark.parametrize(
    ("bought", "shopper", "expected"),
    [
        ("device_only", GUEST, "card"),
        ("device_only", WITHOUT_NUMBER, "card"),
        ("device_only", WITH_NUMBER, "card points"),
        ("accessory", GUEST, "card"),
        ("accessory", WITHOUT_NUMBER, "card"),
        ("accessory", WITH_NUMBER, "card points"),
        ("prepaid_sim", GUEST, "card"),
        ("prepaid_sim", WITHOUT_NUMBER, "card"),
        ("prepaid_sim", WITH_NUMBER, "card"),
        ("new_number", GUEST, "card"),
        ("new_number", WITHOUT_NUMBER, "card"),
        ("new_number", WITH_NUMBER, "card points first_bill"),
        ("besnik24", GUEST, ""),
        ("besnik24", WITHOUT_NUMBER, ""),
        ("besnik24", WITH_NUMBER, "card points first_bill instalments"),
    ],
)
def test_each_cell_of_the_table_offers_just_these_ways(bought, shopper, expected):
    assert " ".join(ways(bought, *shopper)) == expected


@pytest.mark.rule("PAY-2", "OFF-4")
@pytest.mark.parametrize("bought", EVERYTHING)
def test_a_guest_pays_by_card_or_cannot_buy_it(bought):
    assert ways(bought, logged_in=False, own_number=False) in ((CARD,), ())


@pytest.mark.rule("PAY-2")
@pytest.mark.parametrize("bought", EVERYTHING)
def test_a_number_counts_only_after_a_login(bought):
    assert ways(bought, logged_in=False, own_number=True) == ways(bought, logged_in=False, own_number=False)


@pytest.mark.rule("PAY-3", "PRO-5")
def test_only_besnik_24_with_an_own_number_has_instalments():
    offered = {
        (bought, shopper)
        for bought in EVERYTHING
        for shopper in (GUEST, WITHOUT_NUMBER, WITH_NUMBER)
        if INSTALMENTS in ways(bought, *shopper)
    }

    assert offered == {("besnik24", WITH_NUMBER)}


@pytest.mark.rule("PAY-4")
@pytest.mark.parametrize("bought", EVERYTHING)
@pytest.mark.parametrize("shopper", [GUEST, WITHOUT_NUMBER, WITH_NUMBER])
def test_points_are_offered_only_beside_a_card(bought, shopper):
    offered = ways(bought, *shopper)

    assert POINTS not in offered or CARD in offered


@pytest.mark.rule("PAY-1")
@pytest.mark.parametrize("bought", EVERYTHING)
def test_nothing_is_put_on_the_bill_of_somebody_without_a_number(bought):
    assert not ON_BILL & {*ways(bought, *GUEST), *ways(bought, *WITHOUT_NUMBER)}


def test_what_the_shop_does_not_sell_is_refused():
    with pytest.raises(KeyError):
        ways("besnik12", logged_in=True, own_number=True)
