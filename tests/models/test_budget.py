"""What fits so much a month with Besnik 24, and that it is the truth of the device's page (OFF-2, PAY-3, CAT-6)."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.base import IS_SQLITE, db
from models.budget import _CHEAPEST, BudgetIndex, BudgetQuery, Priced
from models.catalogue import Device, Tariff, TariffPrice, Variant
from models.instalments import split
from models.quote import quote
from models.shelf import relist
from tests.query_count import assert_query_count
from tests.world import NOW, build

BLACK, BLUE, PINK = "S25-BLACK-128", "S25-BLUE-256", "IP16-PINK-128"


@pytest.fixture
def world():
    """Three tariffs: the Galaxy in all of them, its blue one cheaper in the dearest; the iPhone in one.

    Per month: Galaxy 2.169 (S), 1.979 (M), 2.199 (L, the blue one); iPhone 3.065 den (M).
    """
    built = build()
    small = Tariff.create(code="linja-s", name="Linja S", monthly_price=59_900, position=1)
    large = Tariff.create(code="linja-l", name="Linja L", monthly_price=119_900, position=3)
    medium = Tariff.get(Tariff.code == "linja-m")
    with db.atomic():
        for sku, tariff, price in (
            (BLACK, small, 3_768_000),
            (BLACK, large, 2_880_000),
            (BLUE, large, 2_400_000),
            (PINK, medium, 5_198_400),
        ):
            TariffPrice.create(variant=built[sku], tariff=tariff, contract_type="besnik24", price=price)
        relist([device.id for device in built.devices.values()], NOW)
    return built


def found(**asked):
    return BudgetIndex().fresh().search(BudgetQuery(**asked))


def told(result) -> list[tuple]:
    """(SKU, tariff, payment, its largest month) of each device that fits."""
    skus = dict(Variant.select(Variant.id, Variant.sku).tuples())
    return [(skus[fit.variant], fit.tariff.code, fit.payment, fit.quote.bills[0]) for fit in result.fits]


@pytest.mark.rule("OFF-2")
def test_each_device_is_shown_once_in_the_tariff_that_costs_least_altogether(world):
    assert told(found()) == [
        (BLACK, "linja-m", "instalments", 197_900),
        (PINK, "linja-m", "instalments", 306_500),
    ]


def test_a_budget_leaves_what_fits_into_the_month(world):
    assert told(found(most=197_900)) == [(BLACK, "linja-m", "instalments", 197_900)]
    assert found(most=197_899).total == 0
    assert found(most=197_899).least == 197_900


def test_a_tariff_may_be_asked_for_and_its_cheapest_variant_is_found(world):
    assert told(found(tariff="linja-l")) == [(BLUE, "linja-l", "instalments", 219_900)]
    assert found(tariff="linja-x").fits == []
    assert found(kind="tablet").fits == []
    assert [fit.variant for fit in found(kind="phone", sort="total").fits] == [world[BLACK].id, world[PINK].id]


@pytest.mark.rule("OFF-2")
def test_what_is_paid_today_leaves_the_tariff_alone_for_the_months(world):
    fits = found(most=130_000, today=2_600_000)
    assert told(fits) == [(BLACK, "linja-m", "card", 89_900)]
    [fit] = fits.fits
    assert (fit.quote.today, fit.quote.contract_total, fit.parts) == (2_592_000, 2_592_000 + 24 * 89_900, None)
    # With less today the dearer tariff, whose device is cheaper, is what fits.
    assert told(found(most=130_000, today=2_500_000)) == [(BLUE, "linja-l", "card", 119_900)]
    assert found(most=89_899, today=9_000_000).total == 1
    assert found(most=59_899, today=9_000_000).total == 0


def test_what_is_sold_out_off_the_shelf_or_no_longer_offered_is_not_found(world):
    index = BudgetIndex()
    assert index.fresh().search(BudgetQuery()).total == 2
    world.set_stock(PINK, 0)
    assert index.fresh().search(BudgetQuery()).total == 1
    world.set_stock(PINK, 1)
    assert index.fresh().search(BudgetQuery()).total == 2
    with db.atomic():
        Device.update(listed=False).where(Device.slug == "galaxy-s25").execute()
        relist([world.devices["galaxy-s25"].id], NOW)
    assert told(index.fresh().search(BudgetQuery())) == [(PINK, "linja-m", "instalments", 306_500)]
    with db.atomic():
        Tariff.update(listed=False).where(Tariff.code == "linja-m").execute()
        relist([device.id for device in world.devices.values()], NOW)
    assert index.fresh().search(BudgetQuery()).total == 0
    assert [tariff.code for tariff in index.tariffs] == ["linja-s", "linja-l"]


@pytest.mark.rule("PAY-3")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=st.integers(0, 20_000_000), monthly=st.integers(0, 300_000))
def test_the_month_that_is_compared_is_the_first_of_the_quote(price, monthly):
    index = BudgetIndex()
    index.tariffs, index._slots = [Priced(1, "linja", "Linja", monthly)], {1: 0}
    index._price = np.array([[price]])
    assert index._months()[0, 0] == quote(price, "instalments", 24, monthly).first_month
    assert split(price, 24)[0] == max(split(price, 24))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    most=st.one_of(st.none(), st.integers(50_000, 400_000)),
    today=st.one_of(st.just(0), st.integers(1, 6_000_000)),
    tariff=st.sampled_from([None, "linja-s", "linja-m", "linja-l"]),
    sort=st.sampled_from(["popular", "month", "total"]),
)
def test_it_finds_what_going_through_everything_would(world, most, today, tariff, sort):
    limit = most if most is not None else 10**12
    best = {}
    for row in (
        TariffPrice.select(TariffPrice, Tariff, Variant)
        .join_from(TariffPrice, Tariff)
        .join_from(TariffPrice, Variant)
    ):
        if row.contract_type != "besnik24" or row.variant.stock < 1 or tariff not in (None, row.tariff.code):
            continue
        for payment, parts in (("instalments", 24), ("card", None)):
            costs = quote(row.price, payment, parts, row.tariff.monthly_price)
            if costs.today <= today and costs.bills[0] <= limit:
                best.setdefault(row.variant.device_id, []).append((costs.contract_total, payment != "instalments"))
    result = found(most=most, today=today, tariff=tariff, sort=sort)
    assert {fit.device: (fit.quote.contract_total, fit.payment == "card") for fit in result.fits} == {
        device: min(costs) for device, costs in best.items()
    }
    assert all(fit.quote.today <= today and fit.quote.bills[0] <= limit for fit in result.fits)
    if sort != "popular":
        keys = [fit.quote.contract_total if sort == "total" else fit.quote.bills[0] for fit in result.fits]
        assert keys == sorted(keys)


def test_pages_and_steps(world):
    result = found(per_page=1, page=9)
    assert (result.page, result.pages, result.total, len(result.fits)) == (2, 2, 2, 1)
    steps = BudgetIndex().fresh().steps()
    assert steps == sorted(set(steps))
    assert all(step % 100 == 0 for step in steps)
    assert found(most=steps[-1]).total >= 1
    with pytest.raises(ValueError, match="sort"):
        BudgetQuery(sort="name")


def test_an_empty_shop_has_an_answer():
    result = BudgetIndex().fresh().search(BudgetQuery(most=100))
    assert (result.fits, result.total, result.least, result.pages) == ([], 0, None, 1)
    assert BudgetIndex().steps() == []


def test_without_a_tariff_on_offer_nothing_fits(world):
    Tariff.update(listed=False).execute()
    index = BudgetIndex().fresh()
    result = index.search(BudgetQuery(most=500_000))
    assert (len(index), result.fits, result.least, result.tariffs) == (5, [], None, [])
    assert index.steps() == []


@pytest.mark.parametrize("devices", [10, 60])
def test_taking_in_and_asking_cost_as_many_queries_however_many_devices_there_are(world, devices):
    medium = Tariff.get(Tariff.code == "linja-m")
    made = []
    with db.atomic():
        for number in range(devices):
            device = Device.create(
                slug=f"d{number}", kind="phone", brand=world.devices["galaxy-s25"].brand, name_sq="D", name_mk="D",
                name_en="D", released=202501,
            )  # fmt: skip
            variant = Variant.create(
                device=device, sku=f"D{number}", colour_hex="#000000", colour_family="black", price=100_000, stock=1
            )
            TariffPrice.create(variant=variant, tariff=medium, contract_type="besnik24", price=24_000 + number)
            made.append(device.id)
        relist(made, NOW)
    index = BudgetIndex()
    with assert_query_count(4):
        index.fresh()
    with assert_query_count(1):
        assert index.fresh().search(BudgetQuery()).total == devices + 2
    world.set_stock(PINK, 0)
    with assert_query_count(4):
        index.fresh()


@pytest.mark.skipif(not IS_SQLITE, reason="the plan is SQLite's")
def test_what_changed_is_taken_in_by_indexes_alone(world):
    plan = " / ".join(row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {_CHEAPEST}", (1,)).fetchall())
    assert "SCAN" not in plan, plan
    assert "listing_version" in plan
