"""`flask club`: what the operator sees on the terminal, and the exit code (CLB-1, CLB-3, CLB-4, CLB-16, CLB-17)."""

from datetime import date, timedelta

import pytest

from models.base import utcnow
from models.calendar import local_day
from models.club_ledger import ClubEntry, ClubLot
from models.club_member import ClubMember
from models.club_month import ClubMonth, months_before
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.club_rate import Rate, Rates
from tests.club import give, joined, joined_fixed
from tests.world import own_number, profile

EARLIER = timedelta(days=100)


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(args=["club", *map(str, arguments)])


@pytest.fixture
def file(tmp_path):
    def write(*lines, name="list.csv"):
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def month():
    """The last one that is over, in which `members` earn."""
    return months_before(local_day(utcnow()), 1)[0]


def members(count):
    now = utcnow() - EARLIER
    who = profile(now=now)
    return [joined(own_number(who, f"3897012{index:04}", now=now), now=now) for index in range(1, count + 1)]


# Lists

RATES = "name,key,since,value"
OFFERS = (
    "partner,partner_name,place,code,points,days,since,until,name_sq,name_mk,name_en,detail_sq,detail_mk,detail_en"
)
GIFTS = "code,points,stock,sku,since,until,name_sq,name_mk,name_en,detail_sq,detail_mk,detail_en"


def today(days=0):
    return local_day(utcnow()) + timedelta(days=days)


@pytest.mark.rule("CLB-2", "CLB-4", "CLB-17")
def test_rates_are_taken_once_and_count_from_their_day_on(run, file):
    path = file(
        RATES, "welcome,linja-m,2020-01-01,100", "topup,net-100,2020-01-01,15", f"euro,,{today(3)},6500",
        f"validity,month,{today()},9",
    )  # fmt: skip
    assert run("rates", path).output == "4 rates new or changed.\n"
    assert run("rates", path).output == "The rates are up to date.\n"
    assert Rates(today(2))["euro", ""] == 6150
    assert Rates(today(3))["euro", ""] == 6500
    assert Rates(today()).welcome("linja-m") == 100
    # What lies ahead may still be changed.
    assert run("rates", file(RATES, f"euro,,{today(3)},6600")).exit_code == 0
    assert Rates(today(3))["euro", ""] == 6600


@pytest.mark.rule("CLB-17")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("euro,,2020-01-01,6000", "2: since: is over, or counts already"),
        ("welcome,linja-m,2020-02-01,90", "2: since: is over, or counts already"),
        ("colour,,2030-01-01,6000", "2: name: must be block, bundle,"),
        ("unit,GB,2030-01-01,6", "2: key: must be MB, MMS, SMS"),
        ("euro,linja-m,2030-01-01,6", "2: key: must be blank"),
        ("welcome,,2030-01-01,6", "2: key: is blank"),
        ("euro,,2030-01-01,0", "2: value: must be from 1"),
        ("euro,,2030-02-30,6000", "2: since: is no day of the calendar"),
        ("euro,,2030-01-01", "2: has 3 cells, the header has 4"),
    ],
)
def test_a_bad_rate_is_named_with_its_line_and_changes_nothing(run, file, line, said):
    run("rates", file(RATES, "welcome,linja-m,2020-01-01,100"))
    before = Rate.select().count()
    path = file(RATES, line, f"point,,{today()},40")
    result = run("rates", path)
    assert result.exit_code == 1
    assert f"{path}:{said}" in result.stderr
    assert "Nothing was changed." in result.stderr
    assert Rate.select().count() == before


def test_a_rate_that_stands_twice_is_named(run, file):
    result = run("rates", file(RATES, f"euro,,{today()},6000", f"euro,,{today()},6100"))
    assert ":3: name: is on line 2, too" in result.stderr


def offer(code="KINEMA", points=600, since="2020-01-01", until="", name="Një biletë"):
    return f"kinema,Kinema,Shkup,{code},{points},30,{since},{until},{name},Билет,A ticket,,,"


@pytest.mark.rule("CLB-8", "CLB-17")
def test_an_offer_is_replaced_by_a_line_of_a_later_day(run, file):
    assert run("offers", file(OFFERS, offer())).output == "1 offers new or changed.\n"
    both = file(OFFERS, offer(), offer(points=700, since=today(2)))
    assert run("offers", both).output == "1 offers new or changed.\n"
    assert run("offers", both).output == "The offers are up to date.\n"
    assert [one.points for one in PartnerOffer.on(today(1))] == [600]
    assert [one.points for one in PartnerOffer.on(today(2))] == [700]
    assert PartnerOffer.of_code("KINEMA", today(2)).points == 700


@pytest.mark.rule("CLB-17")
def test_a_line_that_counts_from_today_is_taken_and_stays_and_one_ahead_may_be_changed(run, file):
    assert run("offers", file(OFFERS, offer())).exit_code == 0
    replaced = file(OFFERS, offer(), offer(points=700, since=today()))
    assert run("offers", replaced).output == "1 offers new or changed.\n"
    assert run("offers", replaced).output == "The offers are up to date.\n"
    result = run("offers", file(OFFERS, offer(points=650, since=today())))
    assert ":2: since: is over, or counts already" in result.stderr
    assert PartnerOffer.of_code("KINEMA", today()).points == 700
    for points in (800, 900):
        assert run("offers", file(OFFERS, offer(points=points, since=today(1)))).exit_code == 0
        assert PartnerOffer.of_code("KINEMA", today(1)).points == points


@pytest.mark.rule("CLB-17")
def test_what_an_offer_costs_already_is_not_changed_but_a_slip_in_its_name_is(run, file):
    run("offers", file(OFFERS, offer()))
    result = run("offers", file(OFFERS, offer(points=500)))
    assert result.exit_code == 1
    assert ":2: since: is over" in result.stderr
    assert run("offers", file(OFFERS, offer(since="2020-02-01"))).exit_code == 1
    assert run("offers", file(OFFERS, offer(until="2020-03-01"))).exit_code == 1
    assert run("offers", file(OFFERS, offer(name="Një biletë 2D"))).exit_code == 0
    assert PartnerOffer.get().names["sq"] == "Një biletë 2D"
    assert run("offers", file(OFFERS, offer(name="Një biletë 2D", until=today()))).exit_code == 0
    assert PartnerOffer.on(today(1)) == []
    assert Partner.select().count() == 1


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize("code", ["MB", "STOP", "PIKE", "kinema", "90HEJ", "KI NEMA"])
def test_a_code_that_means_something_else_in_an_sms_is_refused(run, file, code):
    result = run("offers", file(OFFERS, offer(code)))
    assert result.exit_code == 1
    assert ":2: code: " in result.stderr


def gift(points=700, stock=40, since="2020-01-01", name="Kabllo"):
    return f"kabllo,{points},{stock},UGR-1,{since},,{name},Кабел,Cable,,,"


@pytest.mark.rule("CLB-13")
def test_a_gifts_stock_is_taken_when_it_is_new_or_was_counted(run, file):
    run("gifts", file(GIFTS, gift()))
    ClubGift.update(stock=12).execute()
    assert run("gifts", file(GIFTS, gift())).output == "The gifts are up to date.\n"
    # Also where something else of the line is corrected.
    assert run("gifts", file(GIFTS, gift(name="Kabllo USB-C"))).output == "1 gifts new or changed.\n"
    assert ClubGift.get().names["sq"] == "Kabllo USB-C"
    assert ClubGift.get().stock == 12
    assert run("gifts", "--count", file(GIFTS, gift(stock=50))).exit_code == 0
    assert ClubGift.get().stock == 50
    assert run("gifts", file(GIFTS, gift(points=600))).exit_code == 1


def test_a_file_that_is_not_there_is_told_without_a_traceback(run):
    result = run("gifts", "nowhere.csv")
    assert result.exit_code == 1
    assert "There is no file nowhere.csv." in result.stderr


# Members


@pytest.mark.rule("CLB-1", "CLB-2")
def test_a_number_joins_at_the_desk_with_its_welcome_points(run):
    own_number(profile(), "38970100001")
    Rate.change("welcome", "linja-m", 100, date(2020, 1, 1), today())
    result = run("join", "38970100001", "--language", "mk")
    assert result.exit_code == 0
    member = ClubMember.of_msisdn("38970100001")
    assert (member.balance, member.language, member.profile) == (100, "mk", None)
    assert f"Welcome points: 100. It earns points from {member.earns_from} on." in result.output
    assert "in the club already" in run("join", "38970100001").stderr
    assert "no such number" in run("join", "070100001").stderr


# Earning


@pytest.mark.rule("CLB-3")
def test_a_month_is_credited_with_progress_and_again_without_doing_anything(run, file, month):
    one, two, three = members(3)
    path = file("msisdn,amount", f"{one.msisdn},615.00", f"{two.msisdn},61.49", "38971999999,1000")
    result = run("credit", month, path)
    assert result.exit_code == 0, result.output
    assert "1 members have 10 points, 2 none, 0 were credited before; 0 are blocked now." in result.output
    assert "1 lines are of no member that earns." in result.output
    again = run("credit", month, path)
    assert "0 members have 0 points, 0 none, 2 were credited before" in again.output
    assert [ClubMember.get_by_id(member.id).balance for member in (one, two, three)] == [10, 0, 0]


@pytest.mark.rule("CLB-3")
def test_lines_of_which_something_else_was_credited_are_named_without_their_numbers(run, file, month):
    one, two = members(2)
    run("credit", month, file("msisdn,amount", f"{one.msisdn},615"))
    path = file("msisdn,amount", f"{two.msisdn},615", f"{one.msisdn},700.50")
    result = run("credit", month, path)
    assert result.exit_code == 1
    assert f"{path}:3: amount: 615.00 was credited before, and stays" in result.stderr
    assert f"{path}:2: amount: 0.00 was credited before, and stays" in result.stderr
    assert one.msisdn not in result.output
    assert ClubMember.get_by_id(one.id).balance == 10


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["msisdn,amount", "38970120001,a lot"], ":2: amount: must be an amount"),
        (["msisdn,amount", "070120001,10"], ":2: msisdn: must be a number"),
        (["msisdn,amount", "38970120001,10", "38970120001,20"], ":3: msisdn: is on line 2, too"),
        (["msisdn,amount", "38970120001,-1"], ":2: amount: must be an amount"),
        (["msisdn,price", "38970120001,1"], ":1: price: is no column of a month's data"),
        (["msisdn,amount"], ":1: the file has no lines"),
    ],
)
def test_with_a_bad_line_no_month_is_credited(run, file, month, lines, said):
    members(1)
    result = run("credit", month, file(*lines))
    assert result.exit_code == 1
    assert said in result.stderr
    assert "38970120001" not in result.output
    assert ClubMonth.select().count() == 0


@pytest.mark.rule("CLB-3")
def test_a_month_that_runs_is_refused(run, file):
    result = run("credit", f"{today():%Y-%m}", file("msisdn,amount", "38970120001,10"))
    assert result.exit_code == 1
    assert "is not over yet" in result.stderr
    assert run("credit", "2026-13", file("msisdn,amount", "38970120001,10")).exit_code == 2


@pytest.mark.rule("CLB-4")
def test_top_ups_are_credited_once_and_what_cannot_be_taken_is_named(run, file):
    Rate.change("topup", "net-100", 15, date(2020, 1, 1), today())
    now = utcnow() - EARLIER
    member = joined_fixed(own_number(profile(now=now), now=now).subscriber, now=now)
    code, day = member.fixed.code, today(-1)
    header = "reference,service,topped_up_at,package"
    path = file(
        header, f"T-1,{code},{day}T10:00,", f"T-2,{code},{day}T11:00,other", f"T-3,FX-9,{day}T10:00,",
        f"T-4,{code},{today(2)}T10:00,",
    )  # fmt: skip
    result = run("topups", path)
    assert result.exit_code == 1
    assert f"{path}:4: service: is no fixed service of the shop" in result.stderr
    assert f"{path}:5: topped_up_at: is in the future" in result.stderr
    assert "1 top-ups gave 15 points, 1 none, 0 were credited before." in result.output
    good = file("reference,service,topped_up_at", f"T-1,{code},{day}T10:00", name="good.csv")
    assert run("topups", good).output.endswith("0 top-ups gave 0 points, 0 none, 1 were credited before.\n")
    changed = run("topups", file("reference,service,topped_up_at", f"T-1,{code},{day}T10:01"))
    assert ":2: reference: was told otherwise before, and stays so" in changed.stderr
    assert ClubMember.get_by_id(member.id).balance == 15


# Time and the books


@pytest.mark.rule("CLB-5")
def test_what_is_over_lapses_and_the_books_add_up(run):
    [member] = members(1)
    give(member, 50, until=today(-1), now=utcnow() - EARLIER)
    assert "Points of 1 members lapsed." in run("lapse").output
    assert "Points of 0 members lapsed." in run("lapse").output
    assert run("audit").output == "The books add up.\n"
    assert run("block").exit_code == run("notices").exit_code == 0


@pytest.mark.rule("CLB-16")
def test_an_audit_with_differences_ends_with_an_error(run):
    [member] = members(1)
    give(member, 50, now=utcnow())
    ClubLot.update(left=40).execute()
    result = run("audit")
    assert result.exit_code == 1
    assert f"of member {member.id}: 40 left, its movements say 50." in result.stderr
    assert "2 differences." in result.stderr
    assert ClubEntry.select().count() == 1
