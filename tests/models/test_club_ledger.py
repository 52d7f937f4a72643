"""The club's ledger: lots, the oldest first, what lapses, what comes back, what is refused (CLB-5, CLB-7, CLB-16)."""

from datetime import date, timedelta

import pytest
from peewee import DatabaseError, IntegrityError

from models.base import IS_SQLITE, db
from models.club_ledger import (
    Blocked,
    ClubEntry,
    ClubLot,
    ClubMovement,
    NotEnough,
    audit,
    block,
    debit,
    give_back,
    lapsing,
    unblock,
    usable_points,
)
from models.club_member import ClubMember
from tests.club import give, joined
from tests.crowd import Crowd
from tests.world import NOW, later

JUNE_26, JUNE_27 = date(2026, 6, 30), date(2027, 6, 30)


@pytest.fixture
def member():
    return joined()


def spend(member, points, now=NOW, key="spend"):
    with db.atomic():
        return debit(ClubMember.hold(member.id, now), points, "units", now, key=key, about={})


def lots(member):
    return [
        (lot.usable_until, lot.left) for lot in ClubLot.select().where(ClubLot.member == member).order_by(ClubLot.id)
    ]


@pytest.mark.rule("CLB-5", "CLB-16")
def test_the_oldest_points_are_spent_first_whatever_the_order_in_which_they_came(member):
    give(member, 50, until=JUNE_27)
    give(member, 30, until=JUNE_26)
    give(member, 20, until=JUNE_26)
    entry = spend(member, 60)
    assert lots(member) == [(JUNE_27, 40), (JUNE_26, 0), (JUNE_26, 0)]
    assert (entry.points, entry.balance) == (-60, 40)
    assert sorted(movement.points for movement in entry.movements) == [-30, -20, -10]
    assert list(audit()) == []


@pytest.mark.rule("CLB-16")
def test_more_points_than_there_are_cannot_be_spent_and_nothing_changes(member):
    give(member, 50)
    with pytest.raises(NotEnough) as error:
        spend(member, 51)
    assert error.value.usable == 50
    assert usable_points(member, NOW) == 50
    assert ClubEntry.select().where(ClubEntry.points < 0).count() == 0


@pytest.mark.rule("CLB-16")
def test_the_same_key_spends_once(member):
    give(member, 100)
    assert spend(member, 60, key="sms:1") == spend(member, 60, key="sms:1")
    assert usable_points(member, NOW) == 40


@pytest.mark.rule("CLB-5")
def test_points_are_good_on_their_last_day_and_lapse_after_it(member):
    give(member, 50, until=JUNE_26)
    # 23:30 in Skopje on 30 June, and half an hour into the next day.
    last, after = (NOW.replace(month=6, day=30, hour=hour, minute=30) for hour in (21, 22))
    assert usable_points(member, last) == 50
    assert lapsing(member, last) == [(JUNE_26, 50)]
    assert usable_points(member, after) == 0
    with pytest.raises(NotEnough):
        spend(member, 10, now=after)
    with db.atomic():
        held = ClubMember.hold(member.id, after)
    assert held.balance == 0
    entry = ClubEntry.select().order_by(ClubEntry.id.desc()).first()
    assert (entry.kind, entry.points, entry.balance, entry.about) == ("lapsed", -50, 0, {"until": "2026-06-30"})
    assert list(audit()) == []


@pytest.mark.rule("CLB-7")
def test_blocked_points_are_kept_lapse_and_cannot_be_used(member):
    give(member, 50, until=JUNE_26)
    give(member, 40, until=JUNE_27)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    assert usable_points(ClubMember.get_by_id(member.id), NOW) == 0
    with pytest.raises(Blocked):
        spend(member, 10)
    after = NOW.replace(month=7, day=2)
    with db.atomic():
        held = ClubMember.hold(member.id, after)
        unblock(held, after)
    assert usable_points(held, after) == held.balance == 40
    assert [entry.kind for entry in member.entries.order_by(ClubEntry.id)][-3:] == ["blocked", "lapsed", "unblocked"]
    assert list(audit()) == []


@pytest.mark.rule("PAY-9")
def test_points_that_come_back_return_to_their_lots_and_only_once(member):
    give(member, 50, until=JUNE_26)
    give(member, 50, until=JUNE_27)
    entry = spend(member, 70)
    for _ in range(2):
        with db.atomic():
            give_back(entry, ClubMember.hold(member.id, NOW), NOW, about={})
    assert lots(member) == [(JUNE_26, 50), (JUNE_27, 50)]
    assert list(audit()) == []


@pytest.mark.rule("PAY-9")
def test_points_whose_last_day_is_over_come_back_for_thirty_days(member):
    give(member, 50, until=JUNE_26)
    give(member, 50, until=JUNE_27)
    entry = spend(member, 70)
    after = NOW.replace(month=7, day=10)
    with db.atomic():
        give_back(entry, ClubMember.hold(member.id, after), after, about={})
    assert lapsing(member, after) == [(date(2026, 8, 9), 50), (JUNE_27, 50)]
    assert usable_points(member, after + timedelta(days=30)) == 100
    assert usable_points(member, after + timedelta(days=31)) == 50
    assert list(audit()) == []


@pytest.mark.rule("CLB-16")
@pytest.mark.parametrize("table", [ClubEntry, ClubMovement])
def test_the_database_refuses_to_change_or_delete_what_was_written(member, table):
    give(member, 50)
    for query in (table.update(points=7), table.delete()):
        with pytest.raises(DatabaseError, match="append-only"), db.atomic():
            query.execute()


@pytest.mark.rule("CLB-16")
def test_the_database_refuses_to_delete_a_lot_and_to_change_more_of_it_than_what_is_left(member):
    give(member, 50)
    for changed in ({"points": 60}, {"year": 2020}, {"usable_until": JUNE_27}, {"left": 40, "points": 60}):
        with pytest.raises(DatabaseError, match="append-only"), db.atomic():
            ClubLot.update(**changed).execute()
    # No movement names it: nothing else would keep it.
    ClubLot.insert(ClubLot.get().__data__ | {"id": 10**6}).execute()
    with pytest.raises(DatabaseError, match="append-only"), db.atomic():
        ClubLot.delete().where(ClubLot.id == 10**6).execute()
    ClubLot.update(left=40, points=50).execute()
    assert {lot.left for lot in ClubLot.select()} == {40}


@pytest.mark.rule("CLB-16")
@pytest.mark.skipif(IS_SQLITE, reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("table", ["club_entry", "club_lot", "club_movement", "consent"])
def test_the_database_refuses_to_empty_a_table_at_one_stroke(member, table):
    with pytest.raises(DatabaseError, match="append-only"), db.atomic():
        db.execute_sql(f"TRUNCATE {table} CASCADE")


@pytest.mark.rule("CLB-16")
def test_the_database_refuses_to_take_more_from_a_lot_than_it_has_and_to_fill_it_above_what_it_had(member):
    give(member, 50)
    for left in (-1, 51):
        with pytest.raises(IntegrityError), db.atomic():
            ClubLot.update(left=left).execute()
    with pytest.raises(IntegrityError), db.atomic():
        ClubMember.update(balance=-1).execute()


@pytest.mark.rule("CLB-16")
def test_an_audit_names_each_difference(member):
    give(member, 50)
    assert list(audit()) == []
    ClubLot.update(left=49).execute()
    ClubMember.update(balance=60).execute()
    found = "\n".join(audit())
    assert "49 left, its movements say 50" in found
    assert "balance 60, the lots say 49" in found
    assert "balance 60, the entries say 50" in found


@pytest.mark.rule("CLB-16")
def test_an_audit_of_an_open_shop_sees_each_change_whole_or_not_at_all(fresh_database, tmp_path):
    crowd = Crowd(fresh_database, tmp_path)
    try:
        crowd.alone("club_member", "38970100001", 300)
        results = crowd.at_once([("converts", 200), ("audits", 100)])
        assert results == [{"is": None}, {"is": []}]
    finally:
        crowd.end()


@pytest.mark.rule("CLB-16")
def test_a_later_moment_changes_no_entry_that_was_written(member):
    give(member, 50, until=JUNE_26)
    before = list(ClubEntry.select().tuples())
    with db.atomic():
        ClubMember.hold(member.id, later(days=400))
    assert list(ClubEntry.select().order_by(ClubEntry.id).tuples())[: len(before)] == before
