"""Klubi Im on the web: joining, the balance, what points become, the history (CLB-1, 2, 8, 11, 12, 15)."""

from datetime import UTC, date, timedelta

import pytest

from models.base import db
from models.bss_event import BssEvent
from models.club_ledger import ClubEntry, audit, block, credit, debit, lose, usable_points
from models.club_member import ClubMember, FixedService
from models.club_rate import Rate
from models.club_service import ClubService
from models.consent import Consent, stop_token
from models.number import Number
from models.outbox import Mail
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from models.voucher import Voucher
from tests import world as named
from tests.club import gift, give, joined, joined_fixed, offer
from tests.query_count import assert_query_count
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser, rows
from tests.views.test_html import LANGUAGES, check
from tests.world import NOW

JUNE_26, JUNE_27 = date(2026, 6, 30), date(2027, 6, 30)
SPACE = "\u00a0"


@pytest.fixture
def number(profile):
    return named.own_number(profile)


@pytest.fixture
def arben(shopper, profile) -> Browser:
    assert shopper.log_in(profile.email).status == 303
    return shopper


@pytest.fixture
def member(arben, number):
    return joined(number, points=500)


@pytest.fixture
def besa(app, world):
    """Somebody else's arben, with a number and a membership of its own."""
    other = named.profile("besa@example.com")
    joined(named.own_number(other, "38970100002"), points=500)
    arben = Browser(app)
    arben.log_in(other.email)
    return arben


def service_path(member, service="mb"):
    return f"/klubi/{member.id}/sherbimi/{service}"


def offer_path(member, of):
    return f"/klubi/{member.id}/oferta/{of.id}"


def confirm(arben, path, **query):
    """Ask for it, and send the confirmation as it is shown."""
    asked = arben.get(path, query_string=query)
    assert asked.status == 200, asked.words
    return arben.post(path, asked.form(path))


def plain(page):
    return page.words.replace(SPACE, " ")


def change_rate(name, key, value):
    Rate.create(name=name, key=key, value=value, since=date(2026, 1, 1))


def blocked(member, *months):
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, list(months or ("2026-01", "2026-02")))


# Who is not in the club


@pytest.mark.rule("CLB-1", "CLB-15")
def test_a_guest_reads_what_the_club_is_and_comes_back_after_logging_in(shopper, profile):
    page = shopper.get("/klubi")
    said = plain(page)
    for words in ("1 pikë për çdo euro", "61,50 den", "01.04.2026", "30.06.2027", "100 pikë vlejnë 50 den"):
        assert words in said, words
    [link] = [link for link in page.all("a") if "Hyr dhe anëtarësohu" in "".join(link.itertext())]
    assert link.get("href") == "/hyr?next=/klubi"
    assert shopper.log_in(profile.email, next="/klubi").location == "/klubi"


def test_a_profile_without_a_number_is_led_to_adding_one_and_back(arben):
    page = arben.get("/klubi")
    assert "/profili/numrat/shto?tjetra=/klubi" in [link.get("href") for link in page.all("a")]


@pytest.mark.rule("CLB-1", "CLB-2", "MSG-3")
def test_a_number_joins_with_its_welcome_points_and_is_told_so_once(arben, profile, number):
    change_rate("welcome", "linja-m", 100)
    profile.change_details(first_name="A", last_name="B", phone="", language="mk")
    page = arben.get("/klubi")
    assert "100 pikë mirëseardhjeje" in plain(page)
    assert "01.04.2026" in plain(page)
    for _ in range(2):
        page = arben.post("/klubi/anetaresimi", {"numri": number.id})
        assert page.status == 303
    member = ClubMember.get()
    assert (member.balance, member.earns_from, member.language) == (100, date(2026, 4, 1), "mk")
    assert page.location == f"/klubi?sherbimi={member.id}"
    assert "100 pikë" in plain(arben.follow(page))
    assert [(row.kind, row.recipient, row.language) for row in Sms.select()] == [("club_joined", number.msisdn, "mk")]
    assert [(row.kind, row.recipient) for row in Mail.select()] == [("club_joined", profile.email)]


@pytest.mark.rule("CLB-1", "CLB-2")
def test_a_fixed_service_of_the_same_subscriber_code_joins_too(arben, number):
    change_rate("welcome", "net-100", 60)
    fixed = FixedService.create(code="FX-1", subscriber=number.subscriber, kind="internet", package="net-100")
    assert "FX-1" in arben.get("/klubi").words
    page = arben.follow(arben.post("/klubi/anetaresimi", {"fiks": fixed.id}))
    assert "60 pikë" in plain(page)
    # Units are for numbers: there is none here to give them to.
    assert page.by_id("pike-MB") is None
    assert arben.get(service_path(ClubMember.get(), "mb") + "?pike=10").status == 404


@pytest.mark.rule("CLB-1")
@pytest.mark.parametrize("sent", [{"numri": "2"}, {"fiks": "1"}, {"numri": "x"}, {"numri": "²"}, {}])
def test_what_is_not_the_profiles_does_not_join(arben, number, world, sent):
    other = named.own_number(named.profile("besa@example.com"), "38970100002")
    FixedService.create(code="FX-1", subscriber=other.subscriber, kind="tv", package="tv")
    assert arben.post("/klubi/anetaresimi", sent).status == 404
    assert ClubMember.select().count() == 0


# The balance


@pytest.mark.rule("CLB-15")
def test_the_page_tells_how_many_points_there_are_what_they_are_worth_and_when_they_lapse(arben, number):
    member = joined(number)
    give(member, 300, until=JUNE_26)
    give(member, 3_180, until=JUNE_27)
    page = arben.get("/klubi")
    assert page.text_of("pike") == "3.480"
    said = plain(page)
    assert "pikë, që vlejnë 1.740 den kur paguani me kartelë" in said
    assert "30.06.2026 300 pikë 30.06.2027 3.180 pikë" in said


@pytest.mark.rule("CLB-5", "CLB-15")
def test_points_whose_day_is_over_are_not_shown_before_the_job_has_lapsed_them(arben, number, clock):
    member = joined(number)
    give(member, 300, until=date(2026, 3, 10))
    give(member, 40, until=JUNE_27)
    assert arben.get("/klubi").text_of("pike") == "340"
    clock.shift(timedelta(days=1))
    page = arben.get("/klubi")
    assert page.text_of("pike") == "40"
    assert "10.03.2026 300" not in plain(page)
    assert ClubEntry.select().where(ClubEntry.kind == "lapsed").count() == 0


@pytest.mark.rule("CLB-15")
def test_of_several_memberships_the_address_says_which_one_is_shown(arben, profile, member):
    second = joined(named.own_number(profile, "38970100003"), points=70)
    third = joined_fixed(member.number.subscriber, points=9)
    shown = [(path, arben.get(path).text_of("pike")) for path in ("/klubi", f"/klubi?sherbimi={second.id}")]
    assert [points for _, points in shown] == ["500", "70"]
    page = arben.get(f"/klubi?sherbimi={third.id}")
    assert page.text_of("pike") == "9"
    [nav] = page.all("nav", aria_label="Shërbimi")
    assert [link.get("href") for link in nav.iter("a") if link.get("aria-current")] == [f"/klubi?sherbimi={third.id}"]
    for asked in ("0", "999", "x", "²", "-1"):
        assert arben.get(f"/klubi?sherbimi={asked}").status == 404
        assert arben.get(f"/klubi/historia?sherbimi={asked}").status == 404


@pytest.mark.rule("CLB-7", "CLB-15")
def test_blocked_points_are_shown_with_the_reason_and_cannot_be_used(arben, member):
    of = offer(points=50)
    blocked(member, "2026-01", "2026-02")
    page = arben.get("/klubi")
    said = plain(page)
    assert "070 100 001 nuk fitoi pikë në janar dhe shkurt 2026." in said
    assert "mjafton të shpenzoni 61,50 den në një muaj" in said
    assert page.text_of("pike") == "500"
    assert "Edhe gjatë bllokimit pikët skadojnë." in said
    buttons = [
        button for button in page.all("button") if "".join(button.itertext()).strip() in ("Merr", "Merr kodin")
    ]
    assert len(buttons) == 7
    assert all(button.get("disabled") is not None for button in buttons)
    before = rows(ClubEntry, ClubService, Voucher)
    for path, sent in ((service_path(member), {"pike": "50"}), (offer_path(member, of), {})):
        for page in (arben.get(path, query_string=sent), arben.post(path, {**sent, "token": "a" * 32})):
            assert page.status == 422
            assert "Pikët janë bllokuar" in page.words
    assert rows(ClubEntry, ClubService, Voucher) == before


@pytest.mark.rule("CLB-14")
def test_a_number_that_has_another_holder_now_shows_nothing_of_the_one_before(arben, member):
    other = Holder.create(id_number="0202990450007", segment="private", first_name="X", last_name="Y")
    code = Subscriber.create(holder=other, code="S-9", since=date(2026, 1, 1), has_history=False)
    Number.update(subscriber=code).where(Number.id == member.number_id).execute()
    page = arben.get("/klubi")
    assert page.status == 200
    assert "500" not in page.text_of("permbajtja")
    assert arben.get(f"/klubi?sherbimi={member.id}").status == 404
    assert ClubMember.get_by_id(member.id).ended_at is not None


# Services


@pytest.mark.rule("CLB-11", "CLB-12")
def test_units_are_confirmed_ordered_and_active_once_the_network_says_so(arben, member):
    path = service_path(member)
    asked = arben.get(path, query_string={"pike": "50"})
    said = plain(asked)
    for words in ("Ta marrim 250 MB?", "50 pikë", "070 100 001", "30 ditë", "450 pikë"):
        assert words in said, words
    assert ClubService.select().count() == 0
    page = arben.post(path, asked.form(path))
    assert page.status == 303
    made = ClubService.get()
    assert (made.what, made.amount, made.channel, made.state) == ("MB", 250, "web", "ordered")
    shown = arben.follow(page)
    assert "Po aktivizohet: 250 MB" in plain(shown)
    assert shown.by_id("rezultati").get("hx-trigger") == "load delay:3s"
    assert "Po aktivizohet" in arben.get("/klubi").words
    made.confirm(NOW)
    shown = arben.get(page.location, piece=True)
    assert "deri më 09.04.2026" in plain(shown)
    assert "hx-get" not in shown.html
    assert "Aktive" in arben.get("/klubi").words
    assert usable_points(ClubMember.get(), NOW) == 450


@pytest.mark.rule("CLB-12")
def test_what_the_network_refuses_gives_the_points_back(arben, member):
    page = confirm(arben, service_path(member, "sms"), pike="50")
    ClubService.get().refuse(NOW)
    shown = arben.follow(page)
    assert "50 SMS nuk u aktivizua" in plain(shown)
    assert "Pikët ju janë kthyer" in shown.words
    assert arben.get("/klubi").text_of("pike") == "500"
    assert "Kthim: SMS nuk u aktivizua" in plain(arben.get("/klubi/historia"))


@pytest.mark.rule("CLB-11", "CLB-12", "CLB-16")
@pytest.mark.parametrize(
    ("service", "points", "what"), [("hej", 90, "hej!"), ("fillo", 90, "Fillo 10"), ("super", 90, "Super Rrethi")]
)
def test_a_bundle_lives_for_a_month(arben, member, service, points, what):
    asked = arben.get(service_path(member, service), query_string={"pike": str(points)})
    assert f"Ta marrim {what}?" in plain(asked)
    assert "1 muaj" in plain(asked)
    arben.post(service_path(member, service), asked.form(service_path(member, service)))
    assert (ClubService.get().what, ClubService.get().days) == (service, 0)
    assert f"{what} 22" not in plain(arben.get("/klubi/historia"))


@pytest.mark.rule("CLB-16")
def test_a_confirmation_that_is_sent_twice_takes_the_points_once(arben, member):
    of = offer(points=100)
    for path, query in ((service_path(member), {"pike": "100"}), (offer_path(member, of), {})):
        asked = arben.get(path, query_string=query)
        sent = asked.form(path)
        locations = {arben.post(path, sent).location for _ in range(3)}
        locations.add(arben.post(path, sent, piece=True).location)
        assert len(locations) == 1
    assert usable_points(ClubMember.get(), NOW) == 300
    assert (ClubService.select().count(), Voucher.select().count()) == (1, 1)
    assert BssEvent.select().where(BssEvent.kind == "club_service_ordered").count() == 1
    assert list(audit()) == []


@pytest.mark.rule("CLB-16")
def test_a_confirmation_without_its_token_is_asked_for_anew(arben, member):
    of = offer(points=100)
    for path, query in ((service_path(member), {"pike": "100"}), (offer_path(member, of), {})):
        for token in ("", "x", "A" * 32, "a" * 33, "²" * 32):
            page = arben.post(path, {**query, "token": token})
            assert page.status == 422
            assert len(page.form(path)["token"]) == 32
    assert usable_points(ClubMember.get(), NOW) == 500


@pytest.mark.rule("CLB-11", "CLB-12")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("9", "Konvertohen së paku 10 pikë."),
        ("0", "Konvertohen së paku 10 pikë."),
        ("501", "Duhen 501 pikë; keni 500 pikë."),
        ("", "Shkruani pikët me shifra"),
        ("dhjetë", "Shkruani pikët me shifra"),
        ("-50", "Shkruani pikët me shifra"),
        ("1e9", "Shkruani pikët me shifra"),
        ("²²", "Shkruani pikët me shifra"),
        ("9" * 30, "Shkruani pikët me shifra"),
    ],
)
def test_points_that_cannot_be_converted_are_told_beside_the_field_and_kept(arben, member, typed, said):
    before = rows(ClubEntry, ClubService, BssEvent)
    path = service_path(member)
    for page in (
        arben.get(path, query_string={"pike": typed}),
        arben.post(path, {"pike": typed, "sasia": "2505", "token": "a" * 32}),
    ):
        check(page, "sq", 422)
        assert said in page.text_of("pike-MB-error").replace(SPACE, " ")
        field = page.by_id("pike-MB")
        assert (field.get("value"), field.get("aria-invalid")) == (typed[:20], "true")
        assert page.by_id("pike-SMS").get("aria-invalid") is None
    check(arben.get(path, query_string={"pike": typed}, piece=True), None, 422)
    assert rows(ClubEntry, ClubService, BssEvent) == before


@pytest.mark.parametrize("typed", ["1.000", "1 000", " 1000 ", "1\u00a0000"])
def test_points_are_read_as_people_write_them(arben, number, typed):
    member = joined(number, points=2_000)
    assert "Ta marrim 5.000 MB?" in plain(arben.get(service_path(member), query_string={"pike": typed}))


@pytest.mark.rule("CLB-17")
def test_what_the_operator_no_longer_gives_is_not_shown_and_not_given(arben, member):
    asked = arben.get(service_path(member, "hej"), query_string={"pike": "90"})
    sent = asked.form(service_path(member, "hej"))
    change_rate("bundle", "hej", 0)
    change_rate("bundle", "fillo", 120)
    change_rate("unit", "MMS", 0)
    page = arben.get("/klubi")
    assert "hej!" not in page.words
    assert page.by_id("pike-MMS") is None
    assert "120 pikë" in plain(page)
    for path, fields in (
        (service_path(member, "hej"), sent),
        (service_path(member, "fillo"), {"pike": "90", "token": "b" * 32}),
        (service_path(member, "mms"), {"pike": "90", "token": "c" * 32}),
    ):
        assert arben.post(path, fields).status == 422
        assert arben.get(path, query_string={"pike": "90"}).status == 422
    assert usable_points(ClubMember.get(), NOW) == 500


@pytest.mark.rule("CLB-12", "CLB-17")
def test_what_was_confirmed_is_what_is_taken_and_given_or_nothing(arben, member):
    of, path = offer(points=100), service_path(member)
    asked = [
        (path, arben.get(path, query_string={"pike": "50"}).form(path)),
        (offer_path(member, of), arben.get(offer_path(member, of)).form(offer_path(member, of))),
    ]
    change_rate("unit", "MB", 4)
    type(of).update(points=110).execute()
    before = rows(ClubEntry, ClubService, Voucher, BssEvent)
    for address, sent in asked:
        page = arben.post(address, sent)
        check(page, "sq", 422)
        assert "Ndërkohë ndryshoi." in page.words
    assert rows(ClubEntry, ClubService, Voucher, BssEvent) == before
    # Asked anew it is as it is shown now.
    assert confirm(arben, path, pike="50").status == 303
    assert confirm(arben, offer_path(member, of)).status == 303
    assert (ClubService.get().amount, Voucher.get().entry.points) == (200, -110)


@pytest.mark.rule("CLB-16")
@pytest.mark.parametrize("told", ["", "0", "1", "249", "-250", "2,50", "²", "9" * 30, "x", None])
def test_a_confirmation_that_says_something_else_than_was_shown_is_refused(arben, member, told):
    of, path = offer(points=100), service_path(member)
    asked = [
        (path, arben.get(path, query_string={"pike": "50"}).form(path), "sasia"),
        (offer_path(member, of), arben.get(offer_path(member, of)).form(offer_path(member, of)), "pike"),
    ]
    for address, sent, name in asked:
        sent = {field: value for field, value in sent.items() if field != name}
        assert arben.post(address, sent if told is None else {**sent, name: told}).status == 422
    assert usable_points(ClubMember.get(), NOW) == 500
    assert (ClubService.select().count(), Voucher.select().count()) == (0, 0)


@pytest.mark.parametrize(("typed", "said"), [("50", "250 MB"), ("", "0 MB"), ("x", "0 MB"), ("1.000", "5.000 MB")])
def test_what_the_typed_points_give_is_told_while_they_are_typed(shopper, typed, said):
    page = shopper.get("/klubi/sasia", query_string={"cka": "mb", "pike": typed}, piece=True)
    assert plain(page).strip() == said


@pytest.mark.parametrize("what", ["", "hej", "x", "MB"])
def test_of_other_things_nothing_is_told(shopper, what):
    assert shopper.get("/klubi/sasia", query_string={"cka": what, "pike": "50"}).status == 404


# Partners and gifts


@pytest.mark.rule("CLB-8")
def test_a_partners_offer_becomes_a_code_on_the_page_by_sms_and_by_mail(arben, member, profile):
    of = offer(points=200)
    asked = arben.get(offer_path(member, of))
    for words in ("Ta marrim kodin te Kinema Qendra?", "200 pikë", "300 pikë", "070 100 001"):
        assert words in plain(asked), words
    page = arben.post(offer_path(member, of), asked.form(offer_path(member, of)))
    voucher = Voucher.get()
    assert page.location == f"/klubi/kodi/{voucher.id}"
    shown = arben.follow(page)
    assert shown.text_of("kodi") == voucher.label.replace(SPACE, " ")
    assert "09.04.2026" in shown.words
    assert [(row.kind, row.recipient) for row in Sms.select()] == [("voucher", "38970100001")]
    assert [(row.kind, row.recipient) for row in Mail.select()] == [("voucher", profile.email)]
    assert voucher.label in arben.get("/klubi").html.replace("&nbsp;", SPACE)


@pytest.mark.rule("CLB-8")
def test_used_and_lapsed_codes_are_marked_as_such(arben, member, profile, clock):
    of = offer(points=50)
    for _ in range(3):
        confirm(arben, offer_path(member, of))
    used, over, _ = Voucher.select().order_by(Voucher.id)
    Voucher.update(used_at=NOW).where(Voucher.id == used.id).execute()
    Voucher.update(until=date(2026, 3, 9)).where(Voucher.id == over.id).execute()
    said = plain(arben.get("/klubi"))
    assert "E përdorur, 10.03.2026" in said
    assert "Skadoi, 09.03.2026" in said
    assert said.count("Hape kodin") == 1
    for voucher, words in ((used, "Ky kod u përdor"), (over, "Ky kod vlente deri më 09.03.2026")):
        page = arben.get(f"/klubi/kodi/{voucher.id}")
        assert words in page.words
        assert page.by_id("kodi") is None


@pytest.mark.rule("CLB-8", "CLB-17")
def test_an_offer_that_is_over_or_too_dear_is_refused_in_words(arben, member):
    dear, over = offer("DEAR", 501), offer("OVER", 50, partner="Kafe Sheshi")
    asked = arben.get(offer_path(member, over))
    sent = asked.form(offer_path(member, over))
    type(over).update(until=date(2026, 3, 9)).where(type(over).id == over.id).execute()
    before = rows(ClubEntry, Voucher, Mail, Sms)
    page = arben.get("/klubi")
    assert "Ju mungojnë edhe 1 pikë." in plain(page)
    assert "Kafe Sheshi" not in page.words
    sent_dear = {"pike": "501", "token": "a" * 32}
    for page in (arben.get(offer_path(member, dear)), arben.post(offer_path(member, dear), sent_dear)):
        check(page, "sq", 422)
        assert "Duhen 501 pikë; keni 500 pikë." in plain(page)
    for page in (arben.post(offer_path(member, over), sent), arben.get(offer_path(member, over))):
        assert page.status == 422
        assert "Kjo ofertë nuk jepet më." in page.words
    assert arben.get(f"/klubi/{member.id}/oferta/999").status == 404
    assert rows(ClubEntry, Voucher, Mail, Sms) == before


@pytest.mark.rule("CLB-13")
def test_gifts_say_what_is_missing_and_that_a_shop_hands_them_out(arben, member):
    gift(points=700)
    gift("lamp", 300, stock=0)
    said = plain(arben.get("/klubi"))
    assert "Ju mungojnë edhe 200 pikë. 700 pikë" in said
    assert "Tani nuk ka më në dyqane" in said
    assert "Merren në dyqanet tona" in said


# The history


def history_of(member):
    """An entry of each kind."""
    with db.atomic():
        held = ClubMember.hold(member.id, NOW)

        def earn(points, kind, about, at=NOW):
            key = f"{kind}:{at.isoformat()}"
            credit(held, points, kind, at, key=key, year=2026, until=JUNE_27, about=about)

        earn(10, "welcome", {"tariff": "linja-m"}, NOW - timedelta(days=400))
        earn(20, "topup", {"package": "net-100"})
        debit(held, 5, "order", NOW, key="o", about={"order": "DY-7K3M-9QPX-7"})
        names = {"sq": "Kabllo", "mk": "Кабел", "en": "Cable"}
        debit(held, 5, "gift", NOW, key="g", about={"gift": 1, "names": names, "channel": "shop"})
        debit(held, 10, "units", NOW, key="u", about={"what": "MB", "amount": 50, "channel": "sms"})
        debit(held, 90, "bundle", NOW, key="b", about={"what": "fillo", "amount": 1, "channel": "ussd"})
        block(held, NOW, ["2026-01", "2026-02"])
        lose(held, NOW, "business")


@pytest.mark.rule("CLB-15")
def test_the_history_tells_each_kind_in_words_with_the_balance_after_it(arben, member):
    history_of(member)
    said = plain(arben.get("/klubi/historia"))
    for words in (
        "Pikë mirëseardhjeje +10",
        "Rimbushje: net-100 +20",
        "Shpenzimet e muajit shkurt 2026 +500 500",
        "Porosia DY-7K3M-9QPX-7 −5",
        "Dhuratë: Kabllo −5",
        "50 MB · me SMS −10",
        "Fillo 10 · *777# −90",
        "Pikët u bllokuan: nuk fituat në janar dhe shkurt 2026",
        "Pikë të humbura: numri kaloi në tarifë biznesi −420 0",
    ):
        assert words in said, words


@pytest.mark.rule("CLB-15")
def test_the_history_is_filtered_by_kind_and_year_in_the_address(arben, member):
    history_of(member)
    count = {
        query: len(list(arben.get(f"/klubi/historia{query}").by_id("lista").iter("tr"))) - 1
        for query in ("", "?lloji=earned", "?lloji=spent", "?lloji=gone", "?viti=2025", "?viti=2026&lloji=earned")
    }
    assert list(count.values()) == [9, 3, 4, 1, 1, 2]
    page = arben.get("/klubi/historia?lloji=gone&viti=2025")
    check(page, "sq")
    assert "Asgjë e tillë" in page.words
    for odd in ("?lloji=x", "?viti=x", "?viti=1", "?viti=99999999", "?faqja=x", "?faqja=0", "?faqja=99999999999999"):
        assert arben.get(f"/klubi/historia{odd}").status == 200
    check(arben.get("/klubi/historia?lloji=spent", piece=True), None)


@pytest.mark.rule("CLB-15")
def test_a_long_history_comes_in_pages_with_the_same_number_of_queries(arben, member):
    def grow(count):
        for _ in range(count):
            give(member, 3, until=JUNE_27)

    grow(5)
    for path in ("/klubi", "/klubi/historia"):
        arben.get(path)
    with assert_query_count(30) as few:
        arben.get("/klubi")
    with assert_query_count(12) as few_of_history:
        arben.get("/klubi/historia")
    grow(200)
    for place in range(100):
        offer(f"O{place}", 50, partner=f"Partner {place % 7}")
        gift(f"gift-{place}")
    with assert_query_count(len(few)):
        page = arben.get("/klubi")
    assert "O99" not in page.words
    with assert_query_count(len(few_of_history)):
        page = arben.get("/klubi/historia")
    assert len(list(page.by_id("lista").iter("tr"))) == 21
    last = arben.get("/klubi/historia?faqja=11")
    assert len(list(last.by_id("lista").iter("tr"))) == 7


def test_who_is_not_in_the_club_reads_what_it_is_in_place_of_a_history(arben):
    assert "Si i fitoni pikët" in arben.get("/klubi/historia").words


# Strangers and what no honest arben sends


@pytest.mark.rule("PRV-1", "CLB-8", "CLB-11")
def test_a_stranger_sees_and_spends_nothing_of_a_member(arben, member, besa):
    of = offer(points=50)
    confirm(arben, offer_path(member, of))
    confirm(arben, service_path(member), pike="50")
    paths = [
        f"/klubi?sherbimi={member.id}",
        f"/klubi/historia?sherbimi={member.id}",
        f"{service_path(member)}?pike=50",
        offer_path(member, of),
        f"/klubi/kodi/{Voucher.get().id}",
        f"/klubi/sherbimi/{ClubService.get().uuid}",
        "/klubi/sherbimi/x",
        "/klubi/kodi/999",
    ]
    before = rows(ClubEntry, ClubService, Voucher)
    for path in paths:
        for piece in (False, True):
            assert besa.get(path, piece=piece).status == 404, path
    for path in (service_path(member), offer_path(member, of)):
        assert besa.post(path, {"pike": "50", "token": "a" * 32}).status == 404
    assert besa.post("/klubi/anetaresimi", {"numri": member.number_id}).status == 404
    assert rows(ClubEntry, ClubService, Voucher) == before


@pytest.mark.rule("PRV-1")
def test_a_guest_is_led_to_the_login_and_back_and_a_page_of_points_is_kept_nowhere(app, arben, member):
    guest = Browser(app)
    assert guest.get("/klubi/historia").location == "/hyr?next=/klubi/historia"
    assert guest.get(f"{service_path(member)}?pike=50").location.startswith("/hyr?next=")
    assert guest.post(service_path(member), {"pike": "50", "token": "a" * 32}).location == "/hyr"
    assert arben.get("/klubi").headers["Cache-Control"] == "private, no-store"


def test_without_the_forms_token_nothing_is_done(arben, member):
    of = offer(points=50)
    before = rows(ClubEntry, ClubService, Voucher, ClubMember)
    for path in (service_path(member), offer_path(member, of), "/klubi/anetaresimi", "/profili/lajmet"):
        assert arben.post(path, {"pike": "50", "token": "a" * 32, "numri": "1"}, token=False).status == 400
    assert rows(ClubEntry, ClubService, Voucher, ClubMember) == before
    assert Consent.select().count() == 0


# Markup and languages


@LANGUAGES
def test_every_state_of_the_club_is_valid_markup_in_its_language(arben, profile, number, language, prefix):
    check(arben.get(f"{prefix}/klubi"), language)
    FixedService.create(code="FX-1", subscriber=number.subscriber, kind="bundle", package="net-100")
    member = joined(number)
    pages = [arben.get(f"{prefix}/klubi")]
    give(member, 2_000)
    of = offer(points=100)
    gift()
    pages.append(arben.get(f"{prefix}{service_path(member)}?pike=50"))
    pages.append(arben.get(prefix + offer_path(member, of)))
    for path, query in ((prefix + service_path(member), {"pike": "50"}), (prefix + offer_path(member, of), {})):
        page = confirm(arben, path, **query)
        assert page.location.startswith(f"{prefix}/klubi/")
        pages.append(arben.follow(page))
    for state in ("active", "refused"):
        page = confirm(arben, prefix + service_path(member), pike="50")
        made = ClubService.get(ClubService.state == "ordered", ClubService.id > 1)
        made.confirm(NOW) if state == "active" else made.refuse(NOW)
        pages.append(arben.follow(page))
    pages += [arben.get(f"{prefix}/klubi"), arben.get(f"{prefix}/klubi/historia")]
    history_of(member)
    pages += [arben.get(f"{prefix}/klubi"), arben.get(f"{prefix}/klubi/historia")]
    pages += [arben.get(f"{prefix}/klubi/lajmet/ndal/{stop_token(profile)}"), arben.get(f"{prefix}/profili")]
    for page in pages:
        check(page, language)
    if language != "sq":
        albanian = Albanian(language)
        assert [text for page in pages for text in Said(page, language).texts if albanian.is_in(text)] == []


# News


@pytest.mark.rule("PRV-2")
def test_the_boxes_are_empty_until_somebody_checks_them_and_each_word_is_kept(arben, profile):
    page = arben.get("/profili")
    assert "club_email" not in page.form("/profili/lajmet")
    assert "club_sms" not in page.form("/profili/lajmet")
    assert arben.post("/profili/lajmet", {"club_email": "y"}).status == 303
    assert arben.get("/profili").form("/profili/lajmet")["club_email"] == "y"
    assert Consent.of(profile) == {"club_email": True, "club_sms": False, "cart_email": False}
    # One click on the box, with JavaScript.
    check(arben.post("/en/profili/lajmet", {}, piece=True), None)
    kept = [(row.kind, row.given, row.wording, row.at.astimezone(UTC)) for row in Consent.select()]
    assert kept == [
        ("club_email", True, "Dua lajme të klubit me e-postë: oferta të partnerëve dhe dhurata", NOW),
        ("club_email", False, "I want club news by e-mail: partners’ offers and gifts", NOW),
    ]


@pytest.mark.rule("PRV-2")
def test_the_link_in_a_mail_stops_the_mails_without_a_login_a_session_or_a_question(app, profile):
    Consent.say(profile, "club_email", True, NOW, wording="x", channel="web")
    Consent.say(profile, "club_sms", True, NOW, wording="x", channel="web")
    path = f"/klubi/lajmet/ndal/{stop_token(profile)}"
    arben = Browser(app)
    # Looking at the link stops nothing: programs look into mails.
    check(arben.get(path), "sq")
    assert Consent.of(profile)["club_email"]
    page = Browser(app).post(path, {"List-Unsubscribe": "One-Click"}, token=False)
    check(page, "sq")
    assert page.status == 200
    assert Consent.of(profile) == {"club_email": False, "club_sms": True, "cart_email": False}
    assert "Nuk ju dërgojmë më lajme" in arben.get(path).words
    assert Browser(app).post(path, token=False).status == 200
    assert Consent.select().where(Consent.kind == "club_email").count() == 2


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("token", ["x", "MQ.x", "²", "a" * 3000])
def test_a_link_that_this_shop_did_not_sign_stops_nothing(app, profile, token):
    Consent.say(profile, "club_email", True, NOW, wording="x", channel="web")
    for page in (Browser(app).get(f"/klubi/lajmet/ndal/{token}"), Browser(app).post(f"/klubi/lajmet/ndal/{token}")):
        assert page.status == 410
    assert Consent.of(profile)["club_email"]
