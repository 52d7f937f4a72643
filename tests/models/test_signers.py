"""Who signs an order's contracts and receives it, whatever happened to names and numbers meanwhile (DLV-3)."""

import pytest

from models.actor import Actor
from models.delivery import NoAuthorisation, deliver, is_receiver, may_receive
from models.document import Document, Wanted
from models.identification import Identification
from models.number import Number
from models.order import Order
from models.order_dossier import Dossier
from models.subscriber import Holder, Subscriber
from tests.papers import brought_to, subscribed, text
from tests.query_count import assert_query_count
from tests.world import NOW, build, cart_with, checkout_of, contract_line, later, own_number, place, profile

AGENT, WAREHOUSE = Actor("agent", "agent@example.com"), Actor("warehouse", "warehouse@example.com")
COMPANY = "ABC, Tregti, DOO"


@pytest.fixture
def world():
    return build()


def of_company(world) -> Order:
    """Confirmed: a device of a company with commas in its name, and another of Arben Osmani's own number."""
    owner = profile()
    first, second = own_number(owner), own_number(owner, "38970100002")
    Holder.update(company=COMPANY).where(Holder.id == first.holder.id).execute()
    cart = cart_with(world, profile=owner)
    for number in (first, second):
        contract_line(cart, number=Number.get_by_id(number.id))
    order, _ = place(checkout_of(cart), profile=owner)
    assert order.signer == f"{COMPANY}, Arben Osmani"
    return order


def given_away(msisdn="38970100001") -> None:
    """The number becomes Zana's."""
    zana = Holder.create(id_number="0909990450001", segment="private", first_name="Zana", last_name="Krasniqi")
    code = Subscriber.create(holder=zana, code="S-ZANA", since=NOW.date(), has_history=True)
    Number.update(subscriber=code).where(Number.msisdn == msisdn).execute()


@pytest.mark.rule("DLV-3")
def test_a_comma_in_a_companys_name_lets_nobody_in_by_a_part_of_it(world):
    order = of_company(world)
    with assert_query_count(1):
        assert may_receive(order) == [COMPANY, "Arben Osmani"]
    assert all(is_receiver(order, name) for name in (COMPANY, "abc, tregti, doo", "Osmani Arben"))
    order = brought_to(order, "packed", "with_courier")
    for part in ("DOO", "ABC", "Tregti"):
        with pytest.raises(NoAuthorisation):
            deliver(order, 1, part, "id_card", by=WAREHOUSE, now=later(60))
    assert not deliver(order, 1, "Arben Osmani", "id_card", by=WAREHOUSE, now=later(61)).authorised


@pytest.mark.rule("DLV-3")
def test_a_name_that_nobody_has_any_more_stays_whole(world):
    order = of_company(world)
    given_away()
    assert may_receive(order) == [COMPANY, "Arben Osmani"]
    given_away_too = Number.get(Number.msisdn == "38970100001").subscriber
    Number.update(subscriber=given_away_too).execute()
    assert may_receive(order) == [f"{COMPANY}, Arben Osmani"]
    assert not is_receiver(order, "DOO")


@pytest.mark.rule("DLV-3", "DLV-4", "PRV-1")
def test_the_contract_of_a_number_that_became_somebody_elses_is_for_who_it_was_placed_with(world):
    order = subscribed(world)
    given_away()
    told = text(Document.find(order, Wanted("contract", 2), later(9)).draw())
    assert "Arben Osmani" in told
    for of_another in ("Zana", "Krasniqi", "S-ZANA", "S-38970100001"):
        assert of_another not in told, of_another


@pytest.mark.rule("DLV-3", "DSK-1")
def test_the_desk_learns_that_a_number_became_somebody_elses_while_the_order_is_on_its_way(world):
    order = subscribed(world)
    Identification.create(order=order, at=NOW, role="agent", who=AGENT.name, compared="sim", matched=True)
    assert not Dossier(order, AGENT, later(1)).changed_hands
    given_away()
    assert Dossier(order, AGENT, later(1)).changed_hands
    order = brought_to(order, "packed", "with_courier", "delivered")
    assert not Dossier(order, AGENT, later(1)).changed_hands
