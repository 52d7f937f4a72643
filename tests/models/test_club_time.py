"""Members walked through three years, day by day, by a clock of the tests' own (CLB-1, CLB-3…CLB-7, CLB-12)."""

from datetime import UTC, date, datetime, timedelta

import pytest

import jobs
from models.base import IS_SQLITE, Unfinished, db
from models.calendar import ZONE
from models.club_ledger import (
    BATCH,
    Blocked,
    ClubEntry,
    ClubLot,
    Credit,
    NotEnough,
    audit,
    credit_all,
    debit,
    give_back,
    lapse_all_due,
)
from models.club_member import ClubMember, FixedService
from models.club_month import ClubTopup, MonthlyCredit, block_all_due, months_before
from models.club_notice import ClubNotice
from models.club_rate import Rate
from models.club_reach import Reach, reach
from models.club_service import ClubService
from models.number import Number, ProfileNumber
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from tests.club import give, joined, joined_fixed
from tests.query_count import assert_query_count
from tests.world import own_number, profile

EURO = 6150
JOBS = (
    ClubMember.follow_all_services,
    ClubService.end_all_due,
    lapse_all_due,
    ClubNotice.tell_all_due,
    block_all_due,
)
BEGIN = date(2025, 11, 20)
DAYS = 3 * 365 + 1
# Months in which the number spends nothing, and in which the fixed service is not topped up.
SILENT = {"2026-09", "2026-10", "2027-03", "2027-04", "2027-05"}
DRY = {"2026-07", "2026-08", "2026-09", "2027-11", "2027-12"}


def at(day: date, hour: int = 12) -> datetime:
    """That hour in the shop's zone."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)


class Walk:
    """One number and one fixed service, from the day on which they join."""

    def __init__(self):
        now = at(BEGIN)
        Rate.change("topup", "net-100", 15, date(2020, 1, 1), BEGIN)
        Rate.change("welcome", "net-100", 40, date(2020, 1, 1), BEGIN)
        number = own_number(profile(now=now), now=now)
        self.number = joined(number, now=now)
        self.fixed = joined_fixed(number.subscriber, now=now)
        # What was refused: (day, member, why).
        self.refused = []

    def live(self, day: date) -> None:
        """What happens on that day, whether a job runs or not."""
        now, month = at(day, 10), f"{day:%Y-%m}"
        if day.day == 3:
            told = months_before(day, 1)[0]
            run = MonthlyCredit(told, now)
            run.credit([(2, self.number.msisdn, 0 if told in SILENT else (20 + int(told[-2:])) * EURO + 77)])
            run.credit_nothing()
        if day.day == 10 and month not in DRY:
            ClubTopup.take(f"T-{day}", self.fixed.fixed, now, now)
        if day.day == 20 and day.month % 2 == 0:
            for member in (self.number, self.fixed):
                self.spend(member, 35, now, f"{member.id}:{day}")
        if day == date(2027, 7, 5):
            with db.atomic():
                entry = ClubEntry.get(ClubEntry.key == f"{self.number.id}:2027-04-20")
                give_back(entry, ClubMember.hold(self.number.id, now), now, about={})

    def spend(self, member, points, now, key) -> None:
        try:
            with db.atomic():
                debit(ClubMember.hold(member.id, now), points, "voucher", now, key=key, about={})
        except (Blocked, NotEnough) as error:
            self.refused.append((now.date(), member.id == self.fixed.id, type(error).__name__))

    def history(self, member) -> list:
        entries = ClubEntry.select().where(ClubEntry.member == member).order_by(ClubEntry.id)
        return [(entry.kind, entry.points, entry.balance, entry.about) for entry in entries]

    def told(self) -> list:
        rows = ClubNotice.select().order_by(ClubNotice.id)
        return [(row.at.date(), row.member_id == self.fixed.id, row.step, row.usable_until) for row in rows]


def walk(runs) -> Walk:
    """`runs`: on a day, how often the jobs run after what happens."""
    with db.atomic() as transaction:
        made = Walk()
        for number in range(DAYS):
            day = BEGIN + timedelta(days=number)
            made.live(day)
            for _ in range(runs(day)):
                for job in JOBS:
                    job(at(day))
        # All that is due by the end.
        for job in JOBS:
            job(at(BEGIN + timedelta(days=DAYS)))
        made.entries = made.history(made.number), made.history(made.fixed)
        made.notices = made.told()
        made.differences = list(audit())
        made.messages = Sms.select().count(), Mail.select().count()
        transaction.rollback()
    return made


@pytest.mark.rule("CLB-5", "CLB-6", "CLB-7", "CLB-16")
def test_three_years_day_by_day_and_the_same_with_days_off_and_with_jobs_that_run_twice():
    daily = walk(lambda day: 1)
    assert daily.differences == []
    number, fixed = daily.entries

    # What is over lapses each year after 30 June, and nothing else.
    ends = [about["until"] for kind, _, _, about in number if kind == "lapsed"]
    assert ends[:2] == ["2027-06-30", "2027-08-04"]
    assert {"2028-06-30"} == set(ends[2:])
    # December's points of the first year were spent before: 32 of December, and 35 were wanted in February.
    assert sum(points for kind, points, _, _ in number) == number[-1][2]

    # Two silent months block, the next spending unblocks; a third silent one changes nothing.
    marks = [(kind, about.get("months")) for kind, points, _, about in number if points == 0]
    assert marks == [
        ("blocked", ["2026-09", "2026-10"]),
        ("unblocked", None),
        ("blocked", ["2027-03", "2027-04"]),
        ("unblocked", None),
    ]
    marks = [(kind, about.get("months")) for kind, points, _, about in fixed if points == 0]
    assert marks == [
        ("blocked", ["2026-07", "2026-08"]),
        ("unblocked", None),
        ("blocked", ["2027-11", "2027-12"]),
        ("unblocked", None),
    ]
    assert [(day, of_fixed) for day, of_fixed, why in daily.refused if why == "Blocked"] == [
        (date(2027, 6, 20), False)
    ]

    # Told 30 and 7 days ahead, once each.
    assert len(daily.notices) == len(set(daily.notices))
    for day, _, step, until in daily.notices:
        ahead = (until - day).days
        assert ahead == {"first": 30, "last": 7}[step] or until.month != 6
    assert {until for _, _, _, until in daily.notices} >= {date(2027, 6, 30), date(2028, 6, 30)}
    # The number by SMS and mail; the fixed service joined at the desk, and a number of its code is told by SMS.
    told = sum(not of_fixed for _, of_fixed, _, _ in daily.notices)
    assert daily.messages == (len(daily.notices), told)

    # A worker that is off for three weeks of each month and for the whole of June and July 2027, and does all twice.
    rarely = walk(lambda day: 2 * (day.day > 22 and (day.year, day.month) not in ((2027, 6), (2027, 7))))
    assert rarely.entries == daily.entries
    assert rarely.refused == daily.refused
    assert rarely.differences == []
    # Of two notices that were due meanwhile the later one is told, and of a day that is over none.
    assert set(rarely.notices) != set(daily.notices)
    assert len({(of_fixed, step, until) for _, of_fixed, step, until in rarely.notices}) == len(rarely.notices)
    assert all(day <= until for day, _, _, until in rarely.notices)

    never = walk(lambda day: 0)
    assert never.entries == daily.entries
    assert never.refused == daily.refused


# One at a time


@pytest.fixture
def member():
    return joined(now=at(date(2026, 1, 10)))


def notices():
    return [(row.step, row.usable_until, row.points) for row in ClubNotice.select().order_by(ClubNotice.id)]


JUNE = date(2026, 6, 30)


def due(member, points, until=JUNE, now=None):
    give(member, points, until=until, now=now or at(date(2026, 2, 1)))


@pytest.mark.rule("CLB-6")
@pytest.mark.parametrize(
    ("day", "told"),
    [
        (date(2026, 5, 30), []),
        (date(2026, 5, 31), [("first", JUNE, 50)]),
        (date(2026, 6, 22), [("first", JUNE, 50)]),
        # After days off: the later one alone.
        (date(2026, 6, 23), [("last", JUNE, 50)]),
        (date(2026, 6, 30), [("last", JUNE, 50)]),
        (date(2026, 7, 1), []),
    ],
)
def test_what_is_told_on_a_day_after_any_days_off(member, day, told):
    due(member, 50)
    for _ in range(2):
        ClubNotice.tell_all_due(at(day))
    assert notices() == told
    assert Sms.select().count() == Mail.select().count() == len(told)


@pytest.mark.rule("CLB-6")
def test_both_are_told_in_their_time_with_the_points_that_are_left_then(member):
    due(member, 50)
    ClubNotice.tell_all_due(at(date(2026, 6, 1)))
    now = at(date(2026, 6, 10))
    with db.atomic():
        debit(ClubMember.hold(member.id, now), 20, "voucher", now, key="v", about={})
    ClubNotice.tell_all_due(at(date(2026, 6, 25)))
    assert notices() == [("first", JUNE, 50), ("last", JUNE, 30)]
    assert [(sms.kind, sms.recipient, sms.data["points"]) for sms in Sms.select().order_by(Sms.id)] == [
        ("points_lapse", member.msisdn, 50),
        ("points_lapse", member.msisdn, 30),
    ]


@pytest.mark.rule("CLB-6")
def test_a_notice_is_not_sent_once_the_points_last_day_is_over(member):
    due(member, 50)
    ClubNotice.tell_all_due(at(date(2026, 6, 25)))
    sms, mail = Sms.get(), Mail.get()
    over = at(date(2026, 7, 1), 0)
    assert sms.until == over
    for message in (sms, mail):
        assert not message.is_too_late(over - timedelta(seconds=1))
        assert message.is_too_late(over)


def told():
    """Who is told by SMS, and by mail."""
    ClubNotice.tell_all_due(at(date(2026, 6, 1)))
    return [sms.recipient for sms in Sms.select()], [mail.recipient for mail in Mail.select()]


@pytest.mark.rule("CLB-6", "PRV-1")
def test_a_mail_goes_to_no_profile_that_has_the_number_no_more(member):
    due(member, 50)
    ProfileNumber.delete().execute()
    assert told() == ([member.msisdn], [])


@pytest.mark.rule("CLB-6", "CLB-14", "PRV-1")
def test_a_new_holder_hears_nothing_of_the_points_of_the_former(member):
    due(member, 50)
    other = Subscriber.create(holder=Holder.create(id_number="9", segment="private"), code="S-9", since=BEGIN)
    Number.update(subscriber=other).where(Number.id == member.number_id).execute()
    assert told() == ([], [])
    assert notices() == []


@pytest.mark.rule("CLB-6")
def test_of_a_fixed_service_a_number_of_the_same_code_is_told(member):
    own_number(Profile.get(), "38970100009")
    fixed = joined_fixed(member.number.subscriber, now=at(date(2026, 1, 10)))
    due(fixed, 50)
    assert told() == ([member.msisdn], [])


@pytest.mark.rule("CLB-6", "PRV-1")
def test_of_a_fixed_service_the_profile_that_joined_is_told_while_it_has_a_number_of_the_code(member):
    # The code's second number is the one that this profile has.
    besa = profile("besa@example.com")
    second = own_number(besa, "38970100008", holder_of=member.number, now=at(date(2026, 1, 10)))
    fixed = joined_fixed(second.subscriber, now=at(date(2026, 1, 10)))
    ClubMember.update(profile=besa).where(ClubMember.id == fixed.id).execute()
    due(fixed, 50)
    assert told() == (["38970100008"], ["besa@example.com"])
    ProfileNumber.delete().where(ProfileNumber.profile == besa).execute()
    ways = reach([ClubMember.get_by_id(fixed.id)])
    assert ways == {fixed.id: Reach(None, member.msisdn)}


@pytest.mark.rule("CLB-6")
def test_who_is_told_of_many_is_found_in_as_many_queries_as_of_one(member):
    due(member, 50)
    for last in range(5):
        one = own_number(profile(f"p{last}@example.com"), f"3897010002{last}", now=at(date(2026, 1, 10)))
        due(joined(one, now=at(date(2026, 1, 10))), 50)
        due(joined_fixed(one.subscriber, now=at(date(2026, 1, 10))), 50)
    members = list(ClubMember.with_service_and_profile())
    assert len(members) == 11
    with assert_query_count(1):
        ways = reach(members)
    assert all(way.msisdn for way in ways.values())


@pytest.mark.rule("CLB-6")
def test_who_spent_all_hears_nothing(member):
    due(member, 50)
    now = at(date(2026, 5, 10))
    with db.atomic():
        debit(ClubMember.hold(member.id, now), 50, "voucher", now, key="v", about={})
    assert ClubNotice.tell_all_due(at(date(2026, 6, 1))) == 0


@pytest.mark.rule("CLB-6")
def test_nobody_is_woken_at_night(member):
    due(member, 50)
    for hour in (0, 8, 20, 23):
        assert ClubNotice.tell_all_due(at(date(2026, 6, 1), hour)) == 0
    assert ClubNotice.tell_all_due(at(date(2026, 6, 2), 9)) == 1


@pytest.mark.rule("CLB-6", "CLB-17")
def test_how_long_before_is_a_rate_and_none_is_told_with_zero(member):
    due(member, 50)
    Rate.change("notice", "first", 60, date(2026, 3, 1), date(2026, 2, 1))
    Rate.change("notice", "last", 0, date(2026, 3, 1), date(2026, 2, 1))
    assert ClubNotice.tell_all_due(at(date(2026, 4, 30))) == 0
    assert ClubNotice.tell_all_due(at(date(2026, 5, 1))) == 1
    assert ClubNotice.tell_all_due(at(date(2026, 6, 29))) == 0


@pytest.mark.rule("CLB-6", "MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_the_notice_is_one_sms_and_a_mail_in_the_members_language(member, language):
    from gateways.sms import segments
    from mails import compose as mail_text
    from models.sms_text import compose

    ClubMember.update(language=language).execute()
    due(member, 1_234_567)
    ClubNotice.tell_all_due(at(date(2026, 6, 1)))
    text = compose(Sms.get())
    assert segments(text) == 1
    assert "30.06.2026" in text
    mail = mail_text(Mail.get())
    body = mail.get_body(("plain",)).get_content()
    assert "30.06.2026" in mail["Subject"]
    assert "30.06.2026" in body
    assert "/klubi" in body
    blocked = {"sq": "bllokuar", "mk": "блокирани", "en": "blocked"}[language]
    assert blocked not in body
    ClubMember.update(blocked_at=at(date(2026, 5, 1))).execute()
    assert blocked in mail_text(Mail.get()).get_body(("plain",)).get_content()


@pytest.mark.rule("CLB-12", "MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_what_the_network_said_is_one_sms(member, language):
    from gateways.sms import segments
    from models.sms_text import compose

    ClubMember.update(language=language).execute()
    now = at(date(2026, 2, 2))
    due(member, 30_000, now=now)
    ClubService.convert(member.id, "MB", 20_000, now, channel="web", key="a").confirm(now)
    ClubService.convert(member.id, "super", 90, now, channel="web", key="b").refuse(now)
    active, refused = (compose(sms) for sms in Sms.select().order_by(Sms.id))
    assert "MB" in active
    assert "04.03.2026" in active
    assert "Super Rrethi" in refused
    assert "90" in refused
    assert {segments(active), segments(refused)} == {1}


@pytest.mark.rule("CLB-12")
def test_units_end_after_thirty_days_and_bundles_on_the_same_day_of_the_next_month(member):
    now = at(date(2026, 1, 31))
    due(member, 200, now=now)
    units = ClubService.convert(member.id, "MB", 10, now, channel="web", key="a")
    bundle = ClubService.convert(member.id, "super", 90, now, channel="web", key="b")
    for service in (units, bundle):
        service.confirm(now)
    ends = {service.what: service.ends_at.astimezone(ZONE).date() for service in ClubService.select()}
    # January has no 31 February after it.
    assert ends == {"MB": date(2026, 3, 2), "super": date(2026, 2, 28)}
    assert ClubService.end_all_due(at(date(2026, 2, 28), 11)) == 0
    assert ClubService.end_all_due(at(date(2026, 2, 28), 12)) == 1
    assert ClubService.end_all_due(at(date(2026, 4, 1))) == 1
    assert ClubService.end_all_due(at(date(2026, 4, 1))) == 0


@pytest.mark.rule("CLB-5", "CLB-6", "CLB-7")
def test_jobs_whose_time_is_over_leave_the_rest_to_their_next_turn():
    code = own_number(profile()).subscriber
    service = {"subscriber": code, "kind": "internet", "package": "net"}
    FixedService.insert_many([{"code": f"FX-{count}", **service} for count in range(BATCH + 1)]).execute()
    common = {"holder": code.holder, "segment": "private", "kind": "fixed", "language": "sq"}
    joined = {"joined_at": at(date(2025, 12, 1)), "earns_from": date(2026, 1, 1)}
    ClubMember.insert_many([{"fixed": fixed, **common, **joined} for fixed in FixedService.select()]).execute()
    credits = [Credit(member, 10, f"test:{member.id}", {}) for member in ClubMember.select()]
    credit_all(credits, "month", at(date(2026, 1, 1)), year=2025, until=JUNE)
    june, july = at(date(2026, 6, 1)), at(date(2026, 7, 1))
    for task, now in ((ClubNotice.tell_all_due, june), (block_all_due, june), (lapse_all_due, july)):
        done = [task(now, within=0) for _ in range(3)]
        assert (done, [type(count) for count in done]) == ([BATCH, 1, 0], [Unfinished, Unfinished, int])
    assert list(audit()) == []


@pytest.mark.rule("CLB-5")
def test_the_lapse_of_many_is_that_of_each_alone(member):
    due(member, 50, until=date(2026, 6, 30))
    due(member, 30, until=date(2026, 6, 30))
    due(member, 20, until=date(2026, 3, 31))
    due(member, 10, until=date(2027, 6, 30))
    now = at(date(2026, 7, 1))

    def written():
        rows = ClubEntry.select().where(ClubEntry.kind == "lapsed").order_by(ClubEntry.id)
        lots = [(lot.id, lot.left) for lot in ClubLot.select().order_by(ClubLot.id)]
        return [(e.key, e.points, e.balance, e.about, len(e.movements)) for e in rows], lots

    with db.atomic() as transaction:
        ClubMember.hold(member.id, now)
        alone = written()
        transaction.rollback()
    assert lapse_all_due(now) == 1
    assert written() == alone
    assert [points for _, points, *_ in alone[0]] == [-20, -80]
    assert lapse_all_due(now) == 0
    assert list(audit()) == []


@pytest.mark.rule("CLB-5", "CLB-6")
def test_with_nothing_due_each_job_asks_a_few_cheap_queries(member):
    due(member, 50)
    now = at(date(2026, 4, 1))
    of_the_club = [task for task, _ in jobs.DUE if task in JOBS]
    assert len(of_the_club) == len(JOBS)
    for task in of_the_club:
        with assert_query_count(2):
            task(now)


@pytest.mark.skipif(not IS_SQLITE, reason="PostgreSQL chooses by what is in the table")
@pytest.mark.parametrize("task", [lapse_all_due, ClubNotice.tell_all_due])
def test_what_is_due_is_found_among_the_open_lots_alone(task, member):
    """The history grows for years: no job reads all of it."""
    due(member, 50)
    asked = []
    db.query_hooks.append(lambda event: asked.append((event.sql, event.params)))
    try:
        task(at(date(2026, 6, 1)))
    finally:
        db.query_hooks.clear()
    of_lots = [(sql, params) for sql, params in asked if sql.startswith("SELECT") and 'FROM "club_lot"' in sql]
    assert of_lots
    for sql, params in of_lots:
        plan = str(list(db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params)))
        # Or among those of some hundred members who are held.
        found = ("USING COVERING INDEX club_lot_open", "USING INDEX club_lot_", "(member_id=? AND usable_until")
        assert any(by in plan for by in found), (sql, plan)
        assert "SCAN t" not in plan, (sql, plan)
