"""The demo world: full, the same every time, and loaded once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

import demo_world
from models import drawing
from models.base import db
from models.catalogue import CatalogueVersion, Device, Listing, Tariff, TariffPrice, Variant
from models.club_ledger import ClubEntry, debit
from models.club_member import ClubMember, FixedService
from models.club_offer import ClubGift, PartnerOffer
from models.club_rate import Rates
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.shelf import shelf
from models.voucher import Voucher

WHO = """
    eligible debt justpaid paidonline instalments almostpaid newcomer business nonumber blocked
    agent warehouse clerk partner editor admin
"""
NOW = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def loaded(migrated):
    """What the load said; loaded once, in a transaction around those of the tests."""
    db.connect(reuse_if_open=True)
    with db.atomic() as transaction:
        yield demo_world.load(NOW)
        transaction.rollback()
    shelf.__init__()
    db.close()


@pytest.fixture(autouse=True)
def rolled_back(loaded):
    """Each test finds the world as it was loaded."""
    with db.atomic() as savepoint:
        shelf.__init__()
        yield
        savepoint.rollback()


@pytest.mark.rule("CAT-1")
@pytest.mark.rule("CAT-2")
def test_the_shelf_is_full(loaded):
    count = Counter(listing.kind for listing in Listing.select().where(Listing.shown))
    assert count["phone"] >= 90
    assert count["tablet"] >= 20
    assert count["accessory"] >= 40
    assert count["prepaid_sim"] >= 1
    makers = {row.brand for row in Listing.select(Listing.brand).where(Listing.kind == "phone").distinct()}
    assert len(makers) >= 8
    assert {"Apple", "Samsung", "Xiaomi", "Google", "Motorola", "Honor"} <= makers
    for mark in (Listing.discounted, Listing.gift, Listing.five_g, ~Listing.in_stock):
        assert Listing.select().where(mark).exists()
    assert f"{Device.select().count()} devices" in loaded


@pytest.mark.rule("CAT-5")
def test_phones_and_tablets_have_a_price_with_each_tariff_and_contract_type(loaded):
    sold = Variant.select().join(Device).where(Device.kind.in_(("phone", "tablet"))).count()
    assert Tariff.select().count() >= 3
    assert TariffPrice.select().count() == sold * Tariff.select().count() * 2


@pytest.mark.rule("CAT-4")
def test_every_variant_has_a_picture_that_can_be_drawn(loaded):
    for variant in Variant.select(Variant, Device).join(Device):
        for angle in drawing.angles(variant.device.drawing):
            name = drawing.picture_path(variant.device, variant, angle).rpartition("/")[2].removesuffix(".svg")
            assert drawing.read_name(name), (variant.sku, name)


def test_the_profiles_are_those_of_the_demo_world_and_have_one_password(loaded):
    profiles = list(Profile.select())
    assert {profile.email for profile in profiles} == {f"{name}@example.com" for name in WHO.split()}
    assert len({profile.password_hash for profile in profiles}) == 1
    assert Profile.log_in("eligible@example.com", "dyqani-demo", "127.0.0.1", NOW)
    assert Profile.log_in("eligible@example.com", "dyqani-demi", "127.0.0.1", NOW) is None


def test_a_second_load_changes_nothing_and_says_so(loaded):
    Variant.update(stock=1).where(Variant.stock > 1).execute()
    Profile.update(first_name="Besa").where(Profile.email == "debt@example.com").execute()
    version = CatalogueVersion.current()
    assert demo_world.load(NOW) == "The demo world is there already."
    assert CatalogueVersion.current() == version
    assert not Variant.select().where(Variant.stock > 1).exists()
    assert Profile.get(Profile.email == "debt@example.com").first_name == "Besa"
    assert Profile.select().count() == 16


def test_what_is_missing_is_loaded_again(loaded):
    Profile.delete().where(Profile.email == "admin@example.com").execute()
    assert "0 devices in 0 variants, 0 tariffs, 1 profiles" in demo_world.load(NOW)


def numbers_of(name):
    return Number.of_profile(Profile.get(Profile.email == f"{name}@example.com"))


def test_each_profile_has_its_numbers(loaded):
    assert {name: [number.msisdn[-3:] for number in numbers_of(name)] for name in WHO.split()} == {
        **dict.fromkeys(WHO.split(), []),
        "eligible": ["001", "011"],
        "debt": ["002"],
        "justpaid": ["003"],
        "paidonline": ["004"],
        "instalments": ["005", "006"],
        "almostpaid": ["007", "008"],
        "newcomer": ["009"],
        "business": ["010"],
        "blocked": ["012"],
    }
    assert {number.msisdn[:-3] for number in Number.select()} == {"38970100"}


@pytest.mark.rule("ELG-1")
@pytest.mark.rule("ELG-2")
def test_debts_are_as_the_table_says(loaded):
    holders = {name: numbers_of(name)[0].holder for name in WHO.split() if numbers_of(name)}
    assert {name: [debt.amount for debt in holder.debts(NOW)] for name, holder in holders.items()} == {
        **dict.fromkeys(holders, []),
        "debt": [189_900],
    }
    paid = {name: holder.last_debt_paid() for name, holder in holders.items()}
    assert {name: (one.paid_at, one.paid_online) for name, one in paid.items() if one} == {
        "justpaid": (NOW - timedelta(hours=2), False),
        "paidonline": (NOW - timedelta(hours=5), True),
    }


@pytest.mark.rule("ELG-3")
def test_contracts_run_on_the_second_number_and_are_paid_as_the_table_says(loaded):
    for name, share in (("instalments", Fraction(1, 2)), ("almostpaid", Fraction(4, 5))):
        first, second = numbers_of(name)
        assert first.active_contract(NOW) is None
        contract = second.active_contract(NOW)
        assert (contract.instalments, contract.share_paid) == (24, share)
        assert first.holder.active_contracts(NOW) == [contract]
    assert numbers_of("eligible")[0].holder.active_contracts(NOW) == []


@pytest.mark.rule("ELG-4")
@pytest.mark.rule("ELG-6")
def test_who_has_been_a_subscriber_for_how_long_and_of_which_segment(loaded):
    said = {}
    for name in ("eligible", "newcomer", "business"):
        subscriber = numbers_of(name)[0].subscriber
        said[name] = (subscriber.months(NOW), subscriber.has_history, subscriber.holder.segment)
    assert said == {
        "eligible": (60, True, "private"),
        "newcomer": (3, False, "private"),
        "business": (36, True, "business"),
    }


@pytest.mark.rule("PRO-3")
def test_a_number_that_is_in_no_profile_can_be_added_by_holder_or_sim(loaded):
    number = Number.of_msisdn("38970100020")
    assert (number.holder.id_number, number.sim_end) == ("0101990450006", "445566")
    assert not ProfileNumber.select().where(ProfileNumber.number == number).exists()


@pytest.mark.rule("OFF-6")
def test_there_are_new_numbers_to_choose_from(loaded):
    pool = [number.msisdn for number in NewNumber.select()]
    assert len(pool) == len(set(pool)) == 240
    assert {len(msisdn) for msisdn in pool} == {11}
    assert NewNumber.search("77", NOW)


def test_loaded_later_the_bills_are_as_of_then_and_what_visitors_did_stays(loaded):
    debt = numbers_of("debt")[0].holder.debts(NOW)[0]
    debt.pay(NOW)
    ProfileNumber.delete().where(ProfileNumber.number == numbers_of("eligible")[1]).execute()
    before = {table: table.select().count() for table in (Number, Invoice, NewNumber, Profile)}
    for days in (1, 11, 40, 400):
        then = NOW + timedelta(days=days, minutes=7)
        assert demo_world.load(then) == "The demo world is there already; its bills are as of now."
        assert demo_world.load(then) == "The demo world is there already."
        assert numbers_of("justpaid")[0].holder.last_debt_paid().paid_at == then - timedelta(hours=2)
        assert numbers_of("newcomer")[0].subscriber.months(then) == 3
        assert numbers_of("instalments")[1].active_contract(then).share_paid == Fraction(1, 2)
    assert {table: table.select().count() for table in before} == before
    assert Invoice.get_by_id(debt.id).is_paid
    assert len(numbers_of("eligible")) == 1


# The club


def member_of(msisdn):
    return ClubMember.of_msisdn(msisdn)


@pytest.mark.rule("CLB-16")
def test_a_second_load_leaves_the_ledger_and_what_was_handed_out_as_they_are(loaded):
    before = list(ClubEntry.select().order_by(ClubEntry.id).tuples())
    ClubGift.update(stock=1).execute()
    with db.atomic():
        held = ClubMember.hold(member_of("38970100001").id, NOW)
        debit(held, 10, "units", NOW, key="ten", about={})
    assert demo_world.load(NOW) == "The demo world is there already."
    assert list(ClubEntry.select().order_by(ClubEntry.id).tuples())[: len(before)] == before
    assert ClubEntry.select().count() == len(before) + 1
    assert not ClubGift.select().where(ClubGift.stock != 1).exists()


def test_partners_offers_gifts_and_a_fixed_service_are_there_in_three_languages(loaded):
    today = NOW.date()
    offers, gifts = PartnerOffer.on(today), ClubGift.on(today)
    assert len(offers) >= 6
    assert len({offer.partner_id for offer in offers}) >= 5
    for one in [*offers, *gifts]:
        assert set(one.names) == {"sq", "mk", "en"}
    assert not {gift.sku for gift in gifts} - {sku for (sku,) in Variant.select(Variant.sku).tuples()}
    rates = Rates(today)
    assert all(rates.welcome(tariff.code) for tariff in Tariff.select())
    [fixed] = FixedService.of_profile(Profile.get(Profile.email == "eligible@example.com"))
    assert rates.welcome(fixed.package)
    assert rates.topup(fixed.package)
    # Neither it nor the second number is a member: both can be taken into the club.
    assert ClubMember.select().count() == 2


@pytest.mark.rule("CLB-8")
def test_a_code_of_each_sort_is_there_for_the_partners(loaded):
    codes = {voucher.code: voucher for voucher in Voucher.select()}
    assert codes["K7F49Q2M"].is_good(NOW)
    assert codes["H7M2X4QN"].used_at
    assert codes["P3DW8K6T"].is_over(NOW)
    assert not codes["P3DW8K6T"].used_at
