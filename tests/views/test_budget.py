"""The budget finder's page: what fits, with the address of exactly that choice (OFF-2, CAT-6, LOC-1)."""

import pytest

from models.base import db
from models.budget import budget
from models.catalogue import Tariff, TariffPrice, Variant
from models.shelf import relist
from tests.query_count import assert_query_count
from tests.views.test_html import LANGUAGES, check
from tests.world import NOW
from views import kept

PATH = "/buxheti"


@pytest.fixture(autouse=True)
def nothing_known(world):
    budget.__init__()
    yield
    budget.__init__()


def cards(page) -> list[str]:
    return [" ".join(" ".join(item.itertext()).split()) for item in page.all("li", class_="card")]


def address(page) -> str:
    [item] = page.all("li", class_="card")
    return next(item.iter("a")).get("href")


@LANGUAGES
def test_the_page_with_and_without_a_budget_and_with_one_that_nothing_fits(shopper, language, prefix):
    for query in ("", "?deri=2.000", "?deri=100", "?deri=1500&sot=30000&tarifa=linja-m&lloji=celulare&rendit=muaji"):
        check(shopper.get(prefix + PATH + query), language)
        check(shopper.get(prefix + PATH + query, piece=True), None)


def test_the_page_is_there_when_no_tariff_is_on_offer(shopper):
    Tariff.update(listed=False).execute()
    check(shopper.get(PATH), "sq")
    check(shopper.get(f"{PATH}?deri=2000&rendit=gjithsej", piece=True), None)


@LANGUAGES
@pytest.mark.parametrize("field", ["deri", "sot"])
def test_what_is_no_amount_is_told_beside_its_field_and_not_lost(shopper, language, prefix, field):
    other = "sot" if field == "deri" else "deri"
    page = check(shopper.get(f"{prefix}{PATH}?{field}=shumë&{other}=2000"), language, 422)
    assert (page.by_id(field).get("value"), page.by_id(field).get("aria-invalid")) == ("shumë", "true")
    assert f"{field}-error" in page.by_id(field).get("aria-describedby").split()
    assert page.text_of(f"{field}-error")
    assert page.by_id(other).get("aria-invalid") is None
    assert page.by_id(other).get("value") == ("2,000" if language == "en" else "2.000")
    assert not page.text_of(f"{other}-error")
    piece = shopper.get(f"{prefix}{PATH}?{field}=shumë", piece=True, headers={"HX-Trigger": "buxheti"})
    assert (piece.status, "HX-Push-Url" in piece.headers) == (422, False)
    assert piece.text_of(f"{field}-error") == page.text_of(f"{field}-error")
    # A right one takes the line away again.
    mended = shopper.get(f"{prefix}{PATH}?deri=2000", piece=True, headers={"HX-Trigger": "buxheti"})
    assert mended.by_id(f"{field}-error").get("hidden") is not None


@pytest.mark.rule("OFF-2")
def test_a_device_leads_to_exactly_the_choice_that_was_counted(shopper):
    page = shopper.get(f"{PATH}?deri=2000")
    [card] = cards(page)
    assert "1.979 den/muaj" in card
    assert "Sot: 0 den" in card
    assert "Gjithsej në 24 muaj: 47.496 den" in card
    chosen = shopper.get(address(page))
    assert "1.979 den/muaj" in chosen.text_of("sum")
    assert "47.496 den" in chosen.text_of("permbledhja")
    assert chosen.by_id("tarifa-linja-m").get("checked") is not None


@pytest.mark.rule("OFF-2")
def test_paying_at_once_leads_to_paying_by_card(shopper):
    page = shopper.get(f"{PATH}?deri=1000&sot=30000")
    [card] = cards(page)
    assert "899 den/muaj" in card
    assert "Sot: 25.920 den" in card
    chosen = shopper.get(address(page))
    assert "25.920 den" in chosen.text_of("sum")


def test_what_does_not_fit_is_answered_with_the_smallest_budget_that_does(shopper):
    page = shopper.get(f"{PATH}?deri=1000")
    assert cards(page) == []
    link = next(link.get("href") for link in page.all("a") if "1.979" in "".join(link.itertext()))
    assert len(cards(shopper.get(link))) == 1


@pytest.mark.parametrize(
    "query",
    ["deri=-5", "deri=99999999999999999999", "tarifa=linja-x", "lloji=car", "rendit=z", "faqe=0",
     "faqe=99999", "faqe=%C2%B2", "deri=&sot=&tarifa=&lloji=&rendit=", "deri=1.500,50"],
)  # fmt: skip
def test_an_address_may_say_anything(shopper, query):
    assert shopper.get(f"{PATH}?{query}").status == 200


@pytest.mark.rule("CAT-6")
def test_a_piece_is_the_pages_own_and_pushes_its_address(shopper):
    page, piece = (shopper.get(f"{PATH}?deri=2000&rendit=", piece=piece) for piece in (False, True))
    assert piece.headers["HX-Push-Url"] == f"{PATH}?deri=2000"
    assert cards(page) == cards(piece)
    typing = shopper.get(f"{PATH}?deri=2000", piece=True, headers={"HX-Trigger": "buxheti"})
    assert typing.by_id("fusha-deri") is None
    assert piece.by_id("fusha-deri") is not None


@pytest.mark.rule("CAT-6")
def test_many_devices_ask_no_more_queries_than_few(shopper, world):
    medium = Tariff.get(Tariff.code == "linja-m")

    def asked():
        kept.forget()
        shopper.get(PATH)
        kept.forget()
        with assert_query_count(2) as queries:
            assert shopper.get(PATH).status == 200
        return len(queries)

    few = asked()
    with db.atomic():
        for variant in Variant.select().where(Variant.stock > 0, Variant.sku != "S25-BLACK-128"):
            TariffPrice.create(variant=variant, tariff=medium, contract_type="besnik24", price=2_400_000)
        relist([device.id for device in world.devices.values()], NOW)
    assert asked() == few
    with assert_query_count(1):
        shopper.get(PATH)
