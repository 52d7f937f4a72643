"""One mail when a variant is back, or costs less: for whoever asked, once, and for nobody else (PRV-2, PRV-3)."""

from datetime import timedelta

import pytest
from playhouse.test_utils import count_queries

from models.actor import SHOPPER
from models.base import IS_SQLITE, Unfinished, db
from models.cancellation import cancel
from models.catalogue import CatalogueVersion, Device, Promotion, Variant
from models.outbox import Mail
from models.person_data import data_of, person_of
from models.profile import LockedOut, Profile
from models.profile_link import LinkOver
from models.shelf import relist
from models.stock_movement import StockMovement
from models.watch import BATCH, MAILS_A_DAY, MOST, NotWatchable, TooManyWatches, Watch, WatchMark
from tests.query_count import assert_query_count
from tests.world import NOW, build, in_state, later, ordered, profile

SOLD_OUT = "IP16-BLACK-256"
EMAIL = "ana@example.com"


@pytest.fixture
def world():
    built = build()
    # What the worker has seen by now.
    Watch.tell_all_due(NOW)
    return built


def asked(world, kind="stock", sku=SOLD_OUT, email=EMAIL, now=NOW) -> Watch:
    Watch.ask(email, world[sku], kind, language="sq", address="", now=now)
    return Watch.select().order_by(Watch.id.desc()).get()


def confirmed(world, kind="stock", sku=SOLD_OUT, email=EMAIL, now=NOW) -> Watch:
    watch = asked(world, kind, sku, email, now)
    watch.confirm(now)
    return again(watch)


def again(watch) -> Watch:
    return Watch.get_by_id(watch.id)


def told(kind=None) -> list[str]:
    """Who was mailed, other than to confirm."""
    rows = Mail.select().where(Mail.kind.startswith("watch_"), Mail.kind != "watch_confirm").order_by(Mail.id)
    return [mail.recipient for mail in rows if kind in (None, mail.kind)]


def reprice(world, sku, price, now=NOW):
    with db.atomic():
        Variant.update(price=price).where(Variant.sku == sku).execute()
        relist([world[sku].device_id], now)


# Asking


@pytest.mark.rule("PRV-2")
def test_a_guests_wish_counts_only_once_its_mailbox_confirmed_it(world):
    watch = asked(world)
    assert watch.state == "waiting"
    assert [(mail.kind, mail.recipient) for mail in Mail.select()] == [("watch_confirm", EMAIL)]
    world.set_stock(SOLD_OUT, 2)
    Watch.tell_all_due(NOW)
    assert told() == []
    watch.confirm(NOW)
    Watch.tell_all_due(NOW)
    # It had come back before the mailbox said yes: no second change is needed.
    assert told() == [EMAIL]


def test_confirming_twice_is_confirming_once(world):
    watch = asked(world)
    watch.confirm(NOW)
    watch.confirm(later(5))
    assert again(watch).state == "active"
    assert again(watch).expires_at == NOW + timedelta(days=365)


def test_a_link_that_is_too_old_stopped_or_forged_confirms_nothing(world):
    old, stopped = asked(world), asked(world)
    stopped.stop(NOW)
    with pytest.raises(LinkOver):
        old.confirm(later(days=2))
    with pytest.raises(LinkOver):
        stopped.confirm(NOW)
    for token in (old.stop_token, stopped.confirm_token, "x.y", ""):
        with pytest.raises(LinkOver):
            Watch.of_confirm_token(token, NOW)
    with pytest.raises(LinkOver):
        Watch.of_stop_token(old.confirm_token, NOW)


def test_a_later_wish_takes_the_place_of_the_earlier_one(world):
    first = confirmed(world, "price", "S25-BLACK-128")
    reprice(world, "S25-BLACK-128", 6_000_000)
    second = confirmed(world, "price", "S25-BLACK-128")
    assert (again(first).state, again(second).state) == ("stopped", "active")
    reprice(world, "S25-BLACK-128", 5_500_000)
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


def test_what_is_there_or_is_not_sold_is_not_waited_for(world):
    with pytest.raises(NotWatchable, match="in_stock"):
        asked(world, sku="S25-BLACK-128")
    Device.update(listed=False).where(Device.id == world[SOLD_OUT].device_id).execute()
    with pytest.raises(NotWatchable, match="not_sold"):
        asked(world)
    assert Watch.select().count() == Mail.select().count() == 0


@pytest.mark.rule("PRV-2")
def test_nobody_is_flooded_with_mails_to_confirm(world):
    for _ in range(3):
        asked(world)
    with pytest.raises(LockedOut):
        asked(world)
    # Other words for the same mailbox.
    for same in ("ANA@example.com", "ana+1@example.com", "ana+shop+2@example.com"):
        with pytest.raises(LockedOut):
            asked(world, email=same)
    for hour in range(2, 4):
        for _ in range(3):
            if Watch.select().count() < MAILS_A_DAY:
                asked(world, now=later(60 * hour))
    for same in (EMAIL, "ana+1@example.com"):
        with pytest.raises(LockedOut):
            asked(world, now=later(60 * 6), email=same)
    assert Mail.select().count() == MAILS_A_DAY


def test_one_network_causes_so_many_mails_an_hour(world):
    for number in range(20):
        Watch.ask(f"a{number}@example.com", world[SOLD_OUT], "stock", language="sq", address="192.0.2.1", now=NOW)
    with pytest.raises(LockedOut):
        Watch.ask("b@example.com", world[SOLD_OUT], "stock", language="sq", address="192.0.2.1", now=NOW)


@pytest.mark.rule("PRV-1")
def test_as_much_is_written_for_a_known_mailbox_as_for_an_unknown_one(world):
    profile(EMAIL)
    confirmed(world, now=later(days=-2))
    written = []
    for email in (EMAIL, "nobody@example.com"):
        before = Mail.select().count(), Watch.select().count()
        with count_queries() as counter:
            asked(world, email=email)
        written.append((counter.count, Mail.select().count() - before[0], Watch.select().count() - before[1]))
    assert written[0] == written[1]


# Profiles


def test_a_verified_profiles_wish_counts_at_once_and_twice_is_once(world):
    person = profile()
    first = Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW)
    assert Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW) == first
    assert Mail.select().count() == 0
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    assert told() == [person.email]
    Profile.update(verified_at=None).where(Profile.id == person.id).execute()
    with pytest.raises(ValueError, match="verified"):
        Watch.ask_for(Profile.get(), world["IP16-PINK-128"], "price", segment=None, now=NOW)


def test_a_mailbox_is_told_once_whether_it_asked_as_a_guest_or_as_a_profile(world):
    before = confirmed(world)
    person = profile(EMAIL)
    own = Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW)
    after = confirmed(world, email="Ana@Example.com")
    assert [again(watch).state for watch in (before, own, after)] == ["stopped", "stopped", "active"]
    assert again(after).profile == person
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


def test_a_profile_sees_its_own_and_what_its_mailbox_confirmed_before(world):
    confirmed(world, "price", "S25-BLACK-128")
    confirmed(world, email="other@example.com")
    person = profile(EMAIL)
    Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW)
    with assert_query_count(2):
        mine = Watch.of_profile(person, NOW)
    assert [(watch.kind, watch.cost.now) for watch in mine] == [("stock", 7_199_000), ("price", 5_280_000)]
    other = Watch.get(Watch.email == "other@example.com")
    assert Watch.of_profile_by_id(person, other.id) is None
    Profile.update(verified_at=None).where(Profile.id == person.id).execute()
    assert len(Watch.of_profile(Profile.get(), NOW)) == 1


def test_a_mailbox_waits_for_so_many_at_once(world):
    person = profile()
    variants = [
        Variant.create(device=world.devices["kellef-s25"], sku=f"M{number}", colour_hex="#000000",
                       colour_family="black", price=100)
        for number in range(MOST)
    ]  # fmt: skip
    for variant in variants:
        Watch.ask_for(person, variant, "stock", segment=None, now=NOW)
    with pytest.raises(TooManyWatches):
        Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW)
    guests = asked(world, email=person.email)
    with pytest.raises(TooManyWatches):
        guests.confirm(NOW)


# Telling


@pytest.mark.rule("MSG-1")
def test_what_is_back_is_told_once_to_all_who_wait_and_the_wish_ends(world):
    watches = [confirmed(world, email=f"a{number}@example.com") for number in range(3)]
    Watch.tell_all_due(NOW)
    assert told() == []
    world.set_stock(SOLD_OUT, 2)
    for _ in range(3):
        Watch.tell_all_due(NOW)
    assert told("watch_back") == ["a0@example.com", "a1@example.com", "a2@example.com"]
    assert {again(watch).state for watch in watches} == {"told"}
    world.set_stock(SOLD_OUT, 0)
    world.set_stock(SOLD_OUT, 5)
    Watch.tell_all_due(NOW)
    assert len(told()) == 3


@pytest.mark.rule("MSG-1")
def test_three_hundred_who_wait_for_two_pieces_are_all_told_a_few_at_a_time(world):
    Watch.insert_many(
        [
            {
                "code": f"c{number}", "kind": "stock", "variant": world[SOLD_OUT], "email": f"a{number}@example.com",
                "language": "sq", "state": "active", "created_at": NOW, "expires_at": later(days=365),
            }
            for number in range(300)
        ]
    ).execute()  # fmt: skip
    world.set_stock(SOLD_OUT, 2)
    rounds = []
    while len(rounds) < 10:
        rounds.append(Watch.tell_all_due(NOW))
        # Whatever else happens on the shelf meanwhile.
        world.set_stock("TAB-GREY-64", 5)
        if not isinstance(rounds[-1], Unfinished):
            break
    assert rounds[:3] == [BATCH] * 3
    assert sum(rounds) == len(told()) == len(set(told())) == 300


def test_a_price_is_told_once_it_is_below_what_it_was_with_promotions(world):
    watch = confirmed(world, "price", "S25-BLACK-128")
    other = confirmed(world, "price", "S25-BLUE-256")
    assert watch.price == 5_280_000
    reprice(world, "S25-BLACK-128", 5_290_000)
    Watch.tell_all_due(NOW)
    assert told() == []
    with db.atomic():
        Promotion.create(variant=world["S25-BLACK-128"], percent=10, starts_at=later(60))
        relist([world["S25-BLACK-128"].device_id], NOW)
    Watch.tell_all_due(NOW)
    assert told() == []
    with db.atomic():
        relist([world["S25-BLACK-128"].device_id], later(61))
    Watch.tell_all_due(later(61))
    assert told("watch_price") == [EMAIL]
    assert Mail.get(Mail.kind == "watch_price").data["cost"] == 4_761_000
    assert (again(watch).state, again(other).state) == ("told", "active")


def test_a_price_that_nobody_can_buy_at_is_told_when_it_can_be_bought(world):
    confirmed(world, "price", SOLD_OUT)
    reprice(world, SOLD_OUT, 100)
    Watch.tell_all_due(NOW)
    assert told() == []
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


@pytest.mark.rule("CAT-5")
def test_a_private_subscribers_price_is_compared_with_what_private_subscribers_paid(world):
    person = profile()
    Watch.ask_for(person, world["PIXEL-WHITE-128"], "price", segment="private", now=NOW)
    confirmed(world, "price", "PIXEL-WHITE-128")
    assert sorted(watch.price for watch in Watch.select()) == [3_840_000, 4_800_000]
    reprice(world, "PIXEL-WHITE-128", 4_790_000)
    with db.atomic():
        Promotion.delete().where(Promotion.variant == world["PIXEL-WHITE-128"]).execute()
        relist([world["PIXEL-WHITE-128"].device_id], NOW)
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("way", ["cancelled", "lapsed", "delivered to the shop"])
def test_a_piece_that_comes_back_by_an_order_or_to_the_warehouse_is_told_of(world, way):
    sku = "TAB-GREY-64"
    world.set_stock(sku, 1)
    order, _ = ordered(world, sku)
    confirmed(world, sku=sku)
    Watch.tell_all_due(NOW)
    assert told() == []
    if way == "cancelled":
        in_state(order, "confirmed")
        cancel(order, by=SHOPPER, now=NOW)
    elif way == "lapsed":
        order.lapse(NOW)
    else:
        StockMovement.move(Variant.get(Variant.sku == sku), 2, "delivery", by=SHOPPER, now=NOW, key="k")
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


def test_what_left_the_shop_is_not_told_of(world):
    confirmed(world)
    with db.atomic():
        Variant.update(listed=False, stock=4).where(Variant.sku == SOLD_OUT).execute()
        relist([world[SOLD_OUT].device_id], NOW)
    Watch.tell_all_due(NOW)
    assert told() == []


@pytest.mark.rule("MSG-1")
def test_a_worker_that_dies_in_the_middle_is_made_up_for_and_tells_nobody_twice(world):
    watches = [confirmed(world, email=f"a{number}@example.com") for number in range(3)]
    world.set_stock(SOLD_OUT, 1)
    Watch.update(fresh=False).execute()

    class Killed(Exception):
        pass

    def dies():
        with db.atomic():
            Watch.tell_all_due(NOW)
            assert len(told()) == 3
            raise Killed

    with pytest.raises(Killed):
        dies()
    assert told() == []
    assert {again(watch).state for watch in watches} == {"active"}
    Watch.tell_all_due(NOW)
    Watch.tell_all_due(NOW)
    assert len(told()) == 3


def test_a_database_that_was_restored_is_looked_at_from_the_beginning(world):
    confirmed(world)
    Watch.tell_all_due(NOW)
    WatchMark.update(version=10_000).execute()
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    assert told() == [EMAIL]


# Ending


@pytest.mark.rule("PRV-2")
def test_stopping_holds_back_even_a_mail_that_was_written(world):
    watch = confirmed(world)
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    mail = Mail.get(Mail.kind == "watch_back")
    assert not mail.is_too_late(NOW)
    watch.stop(NOW)
    watch.stop(NOW)
    assert mail.is_too_late(NOW)
    assert again(watch).state == "stopped"


@pytest.mark.rule("PRV-2")
def test_all_of_a_mailbox_are_stopped_by_one_link_and_no_other_mailboxes(world):
    one, two = confirmed(world), confirmed(world, "price", "S25-BLACK-128")
    other = confirmed(world, email="other@example.com")
    assert one.stop_all(NOW) == 2
    assert [again(watch).state for watch in (one, two, other)] == ["stopped", "stopped", "active"]


def test_a_profiles_mail_goes_where_its_e_mail_is_by_then(world):
    person = profile()
    Watch.ask_for(person, world[SOLD_OUT], "stock", segment=None, now=NOW)
    Profile.update(email="new@example.com").where(Profile.id == person.id).execute()
    world.set_stock(SOLD_OUT, 1)
    Watch.tell_all_due(NOW)
    assert told() == ["new@example.com"]


@pytest.mark.rule("PRV-3")
def test_what_is_over_goes_with_its_mails(world):
    waiting = asked(world)
    active, ended = confirmed(world, email="b@example.com"), confirmed(world, email="c@example.com")
    ended.stop(NOW)
    refused = asked(world, email="d@example.com")
    refused.stop(NOW)
    assert again(ended).expires_at == later(days=30)
    assert Watch.forget_old(later(days=1, minutes=1)) == 2
    assert Watch.get_or_none(Watch.id.in_([waiting.id, refused.id])) is None
    assert Mail.select().where(Mail.kind == "watch_confirm").count() == 0
    assert Watch.forget_old(later(days=31)) == 1
    assert Watch.forget_old(later(days=364)) == 0
    assert again(active).state == "active"
    assert Watch.forget_old(later(days=366)) == 1
    assert Watch.select().count() == 0


@pytest.mark.rule("PRV-5")
def test_a_guests_wishes_are_part_of_what_is_kept_about_a_person_without_their_keys(world):
    confirmed(world)
    tables = data_of(person_of(EMAIL))
    assert [row["email"] for row in tables["watch"]] == [EMAIL]
    assert "code" not in tables["watch"][0]


# What it costs


def crowd(world, devices, watches):
    """So many devices more, and watches of the first of them, all in stock already known."""
    rows = []
    for number in range(devices):
        device = Device.create(
            slug=f"d{number}", kind="phone", brand=world.devices["galaxy-s25"].brand, name_sq="D", name_mk="D",
            name_en="D", released=202501,
        )  # fmt: skip
        rows.append(
            Variant.create(device=device, sku=f"D{number}", colour_hex="#000000", colour_family="black", price=100)
        )
    with db.atomic():
        relist([row.device_id for row in rows], NOW)
    for number in range(watches):
        Watch.create(
            code=f"w{number}", kind="stock", variant=rows[number], email="w@example.com", language="sq",
            state="active", created_at=NOW, expires_at=later(days=365),
        )  # fmt: skip
    Watch.tell_all_due(NOW)
    return rows


@pytest.mark.parametrize("devices", [20, 120])
def test_a_round_asks_as_little_however_large_the_catalogue_is(world, devices):
    crowd(world, devices, 10)
    with assert_query_count(3):
        assert Watch.tell_all_due(NOW) == 0
    world.set_stock("TAB-GREY-64", 0)
    with assert_query_count(7):
        assert Watch.tell_all_due(NOW) == 0


@pytest.mark.skipif(not IS_SQLITE, reason="the plan is SQLite's")
def test_what_changed_is_found_by_indexes_alone(world):
    crowd(world, 20, 10)
    CatalogueVersion.next()
    mark = WatchMark.hold(CatalogueVersion.current())
    with count_queries() as counter:
        mark.next_ids(10)
    sql = counter.get_queries()[-1].msg[0]
    plan = " / ".join(row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", (1, 2, 0, 10)).fetchall())
    assert "SCAN" not in plan, plan
    assert "listing_version" in plan
