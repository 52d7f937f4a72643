"""The clerk's pages: gifts for points and joining, each after the customer's SMS code (CLB-1, CLB-13, DSK-3)."""

import pytest

import config
from models.base import db
from models.club_ledger import ClubEntry, debit
from models.club_member import ClubMember
from models.club_offer import ClubGift
from models.desk_joining import DeskJoining
from models.gift_handout import GiftHandout
from models.number import Number
from models.profile import Profile
from models.security_code import SecurityCode
from models.sms import Sms
from tests import world as named
from tests.club import gift, give, joined, joined_fixed
from tests.query_count import assert_query_count
from tests.staff import digits, other, works
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, check

pytestmark = pytest.mark.rule("CLB-13", "DSK-3")
GIFTS, JOIN = "/desk/dhurata", "/desk/anetaresimi"
NUMBER = "070 100 001"


@pytest.fixture
def member(world):
    return joined(points=1000)


@pytest.fixture
def cable(world):
    return gift()


@pytest.fixture
def desk(app, world) -> Browser:
    """A browser that is logged in as a clerk."""
    works("clerk")
    return desk_of(app, "clerk@example.com")


def desk_of(app, email: str) -> Browser:
    browser = Browser(app)
    assert browser.log_in(email).status == 303
    return browser


def choose(desk, cable, number=NUMBER, prefix="", **more):
    return desk.post(prefix + GIFTS, {"numri": number, "dhurata": cable.id, "zgjidh": "1", **more})


def begun(desk, cable) -> str:
    """The address of the page where the member's code is typed."""
    page = choose(desk, cable)
    assert page.status == 303, page.words
    return page.location


def everything():
    return (
        ClubGift.get().stock,
        ClubMember.select().order_by(ClubMember.id).get().balance,
        ClubEntry.select().where(ClubEntry.kind == "gift").count(),
    )


def test_a_member_is_found_with_points_and_the_gifts_for_them_and_nothing_else(desk, member, cable):
    gift("televizor", 9000).save()
    gift("mbaruar", 10, stock=0)
    page = desk.post(GIFTS, {"numri": "+389 70 100-001"}, piece=True)
    assert page.status == 200
    assert "1.000 pikë" in page.words
    assert "Me më shumë pikë:" in page.words
    assert [field.get("value") for field in page.all("input", name="dhurata")] == [str(cable.id)]
    for secret in ("Arben", "Osmani", "arben@example.com", "linja", "0101990400001", "2026-06-30"):
        assert secret not in page.html
    assert Sms.select().count() == 0


def test_the_whole_way_from_number_to_receipt(desk, member, cable):
    path = begun(desk, cable)
    page = desk.get(path)
    assert "700 pikë zbriten kur anëtari të thotë kodin." in page.words
    assert "070 •••" in page.words
    assert NUMBER not in page.words
    assert everything() == (3, 1000, 0)
    done = desk.post(path, {"code": digits()})
    assert (done.status, done.location) == (303, path)
    receipt = desk.follow(done)
    for said in (
        "Dhurata u dorëzua",
        "Kabllo USB-C",
        "700 pikë",
        "300 pikë",
        "10.03.2026, ora 12:00",
        "Arben Osmani",
    ):
        assert said in receipt.words
    assert everything() == (2, 300, 1)
    today = desk.get(GIFTS)
    assert GiftHandout.get().label in today.words
    assert path in [a.get("href") for a in today.all("a")]


def test_reload_and_double_click_hand_out_once(desk, member, cable):
    path, second = begun(desk, cable), begun(desk, cable)
    assert path == second
    assert Sms.select().count() == 1
    code = digits()
    tab = desk.copy()
    for browser in (desk, desk, tab):
        page = browser.post(path, {"code": code})
        assert (page.status, page.location) == (303, path)
    assert everything() == (2, 300, 1)


def test_a_wrong_code_says_how_many_tries_are_left_and_then_leads_to_another(desk, member, cable, clock):
    path = begun(desk, cable)
    code = digits()
    for left in (4, 3, 2):
        page = desk.post(path, {"code": other(code)})
        assert (page.status, page.text_of("code-error")) == (422, f"Kodi nuk është i saktë; mbeten {left} përpjekje.")
        assert page.by_id("code").get("value") in (None, "")
    assert "mbetet 1 përpjekje" in desk.post(path, {"code": other(code)}).words
    assert "nuk vlen më. Dërgoni një tjetër." in desk.post(path, {"code": other(code)}).words
    assert "Ky kod nuk vlen më." in desk.post(path, {"code": code}).words
    assert everything() == (3, 1000, 0)
    clock.shift(config.CODE_PAUSE)
    assert desk.post(f"{path}/kodi").location == path
    assert desk.post(path, {"code": digits()}).status == 303
    assert everything() == (2, 300, 1)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "१२३४५६"])
def test_what_is_no_code_costs_no_try(desk, member, cable, typed):
    path = begun(desk, cable)
    page = desk.post(path, {"code": typed})
    assert (page.status, page.by_id("code").get("aria-invalid")) == (422, "true")
    assert SecurityCode.get().tries == 0


def test_a_code_is_over_after_its_minutes(desk, member, cable, clock):
    path = begun(desk, cable)
    code = digits()
    clock.shift(60 * config.CODE_MINUTES)
    page = desk.post(path, {"code": code})
    assert (page.status, "Ky kod nuk vlen më. Dërgoni një tjetër." in page.words) == (422, True)
    assert everything() == (3, 1000, 0)


def test_a_gift_that_is_gone_meanwhile_is_told_and_nothing_is_half_done(desk, member, cable):
    path = begun(desk, cable)
    ClubGift.update(stock=0).execute()
    page = desk.post(path, {"code": digits()})
    assert (page.status, "Dhurata sapo u mbarua. Pikët nuk u prekën" in page.words) == (422, True)
    assert everything() == (0, 1000, 0)


def test_points_that_are_spent_meanwhile_are_told_and_nothing_is_half_done(desk, member, cable):
    path = begun(desk, cable)
    with db.atomic():
        debit(ClubMember.hold(member.id, named.NOW), 600, "units", named.NOW, key="u", about={})
    page = desk.post(path, {"code": digits()})
    assert (page.status, "Anëtari ka vetëm 400 pikë të përdorshme. Asgjë nuk u zbrit." in page.words) == (422, True)
    assert everything() == (3, 400, 0)


def test_too_many_codes_are_told_with_the_time_of_the_next(desk, member, cable, clock):
    path = begun(desk, cable)
    for _ in range(config.CODE_SENDS - 1):
        clock.shift(config.CODE_PAUSE)
        assert desk.post(f"{path}/kodi").status == 303
    clock.shift(config.CODE_PAUSE)
    page = desk.post(f"{path}/kodi")
    assert (page.status, "Keni kërkuar shumë kode. Provoni përsëri në orën 13:00." in page.words) == (429, True)
    clock.shift(60 * config.CODE_MINUTES)
    page = choose(desk, cable)
    assert (page.status, "Keni kërkuar shumë kode." in page.words) == (429, True)
    assert Sms.select().where(Sms.code.is_null(False)).count() == config.CODE_SENDS


def test_another_code_too_soon_is_the_same_page(desk, member, cable):
    path = begun(desk, cable)
    assert desk.post(f"{path}/kodi").location == path
    assert Sms.select().count() == 1
    assert desk.get(path, piece=True).html.strip().startswith('<div class="stack g2" id="tjeter"')


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Shkruani numrin që thotë klienti."),
        ("12", "Shkruani një numër që fillon me 07"),
        ("02 3123 456 78", "Shkruani një numër që fillon me 07"),
        ("+44 7400 123456", "Shkruani një numër që fillon me 07"),
        ("'; DROP TABLE club_member", "Shkruani një numër që fillon me 07"),
        ("070 100 099", "Ky numër ose shërbim nuk është në Klubin Im."),
        ("FX-NONE", "Ky numër ose shërbim nuk është në Klubin Im."),
    ],
)
def test_who_is_no_member_is_told_so(desk, member, typed, said):
    page = desk.post(GIFTS, {"numri": typed})
    assert page.status == 422
    assert said in page.words
    assert page.by_id("numri").get("value") == typed


def test_an_unknown_number_is_told_as_one_that_is_not_in_the_club(desk, member):
    named.own_number(named.profile("besa@example.com"), "38970100009")
    known, unknown = (desk.post(GIFTS, {"numri": number}) for number in ("070 100 009", "070 100 008"))
    assert known.html.replace("100 009", "") == unknown.html.replace("100 008", "")


@pytest.mark.parametrize("chosen", ["", "0", "x", "999999"])
def test_a_gift_that_is_none_is_refused(desk, member, cable, chosen):
    page = desk.post(GIFTS, {"numri": NUMBER, "zgjidh": "1", "dhurata": chosen})
    assert page.status == 422
    assert "Zgjidhni" in page.words
    assert GiftHandout.select().count() == 0


def test_a_gift_that_costs_more_than_there_is_is_refused_however_it_is_asked_for(desk, member):
    page = choose(desk, gift("shtrenjt", 1001))
    assert (page.status, "Anëtari ka vetëm 1.000 pikë" in page.words) == (422, True)
    assert Sms.select().count() == 0


def test_blocked_points_are_told_and_offer_no_gift(desk, member, cable):
    ClubMember.update(blocked_at=named.NOW).execute()
    page = desk.post(GIFTS, {"numri": NUMBER})
    assert "Pikët janë të bllokuara" in page.words
    assert page.all("input", name="dhurata") == []
    assert choose(desk, cable).status == 422


def test_a_fixed_service_is_found_by_its_code_and_asks_on_which_phone(desk, cable):
    arben = named.profile()
    number = named.own_number(arben)
    second = named.own_number(arben, "38970100002", holder_of=number)
    fixed = joined_fixed(number.subscriber, points=900)
    page = desk.post(GIFTS, {"numri": fixed.fixed.code.lower()})
    assert "900 pikë" in page.words
    assert "070 100 001" not in page.words.replace("\u00a0", " ")
    assert choose(desk, cable, fixed.fixed.code).status == 422
    assert choose(desk, cable, fixed.fixed.code, telefoni=second.id).status == 303
    assert Sms.get().recipient == second.msisdn
    assert choose(desk, cable, fixed.fixed.code, telefoni="999").status == 422


def test_another_clerk_neither_sees_nor_ends_a_handout(app, desk, member, cable):
    path = begun(desk, cable)
    works("clerk", "other@example.com")
    second = desk_of(app, "other@example.com")
    before = everything()
    assert second.get(path).status == 404
    assert second.post(path, {"code": digits()}).status == 404
    assert second.post(f"{path}/kodi").status == 404
    assert everything() == before
    desk.post(path, {"code": digits()})
    assert second.get(path).status == 404
    assert "Kabllo" not in second.get(GIFTS).words
    assert desk.get(path).status == 200


def test_a_clerk_does_not_go_through_the_numbers(desk, member):
    for _ in range(config.DESK_LOOK_UPS):
        desk.post(GIFTS, {"numri": "070 100 099"})
    for path in (GIFTS, JOIN):
        page = desk.post(path, {"numri": NUMBER})
        assert (page.status, "Keni kërkuar shumë numra. Provoni përsëri në orën 13:00." in page.words) == (429, True)
    assert "1.000" not in page.words


def test_what_waits_for_a_code_is_found_again(desk, member, cable, clock):
    path = begun(desk, cable)
    assert path in [a.get("href") for a in desk.get(GIFTS).all("a")]
    clock.shift(60 * config.CODE_MINUTES)
    assert path not in [a.get("href") for a in desk.get(GIFTS).all("a")]


def test_no_address_carries_a_number(desk, member, cable):
    path = begun(desk, cable)
    for page in (desk.get(path), desk.post(GIFTS, {"numri": NUMBER})):
        addresses = [e.get(name) or "" for e in page.tree.iter() for name in ("href", "action", "hx-get", "hx-post")]
        assert [address for address in addresses if "70100001" in address or "100 001" in address] == []


def test_with_htmx_the_piece_alone_comes_and_leads_on(desk, member, cable):
    found = check(desk.post(GIFTS, {"numri": NUMBER}, piece=True), None)
    assert found.html.strip().startswith('<div class="stack g5" id="dhurata">')
    to_code = desk.post(GIFTS, {"numri": NUMBER, "dhurata": cable.id}, piece=True)
    assert to_code.status == 204
    path = to_code.headers["HX-Redirect"]
    wrong = check(desk.post(path, {"code": other(digits())}, piece=True), None, 422)
    assert "mbeten 4" in wrong.words
    assert desk.post(path, {"code": digits()}, piece=True).headers["HX-Redirect"] == path


def test_the_pages_take_few_queries_however_much_was_handed_out(desk, member, cable):
    clerk = Profile.of_email("clerk@example.com")
    give(member, 9000)
    ClubGift.update(stock=50).execute()
    for index in range(8):
        moment = named.later(-index - 1)
        handout = GiftHandout.ask(clerk, member, cable, member.msisdn, moment) if index < 3 else None
        if handout:
            handout.hand_out(digits(), moment)
    with assert_query_count(5):
        desk.get(GIFTS)


# Joining


@pytest.fixture
def besa(world):
    return named.own_number(named.profile("besa@example.com"), "38970100009")


@pytest.mark.rule("CLB-1", "CLB-2")
def test_a_customer_joins_with_the_code_and_sees_points_and_the_first_day(desk, besa):
    shown = desk.post(JOIN, {"numri": "070 100 009"})
    assert "Fiton pikë nga 01.04.2026" in shown.words
    assert ClubMember.select().count() == 0
    asked = desk.post(JOIN, {"numri": "070 100 009", "dergo": "1", "gjuha": "mk"})
    assert asked.status == 303
    done = desk.post(asked.location, {"code": digits()})
    page = desk.follow(done)
    assert "U anëtarësua në Klubin Im" in page.words
    assert "01.04.2026" in page.words
    assert ClubMember.get().language == "mk"
    # A reload, a second click.
    assert desk.post(asked.location, {"code": digits()}).location == asked.location
    assert ClubMember.select().count() == 1


@pytest.mark.rule("CLB-1")
def test_who_cannot_join_is_told_why(desk, member, besa):
    assert "Është anëtar i Klubit Im tashmë." in desk.post(JOIN, {"numri": NUMBER}).words
    assert "nuk është aktiv te ne" in desk.post(JOIN, {"numri": "070 100 099"}).words
    asked = desk.post(JOIN, {"numri": "070 100 009", "dergo": "1"})
    ClubMember.join_number(besa, named.NOW, language="sq")
    page = desk.post(asked.location, {"code": digits()})
    assert (page.status, "Është anëtar i Klubit Im tashmë." in page.words) == (422, True)
    again = desk.post(JOIN, {"numri": "070 100 009", "dergo": "1"})
    assert again.status == 422


@pytest.mark.rule("CLB-1")
def test_joining_tells_wrong_codes_gone_numbers_and_too_many_codes(desk, besa, clock):
    path = desk.post(JOIN, {"numri": "070 100 009", "dergo": "1"}).location
    assert "mbeten 4 përpjekje" in desk.post(path, {"code": other(digits())}).words
    for _ in range(config.CODE_SENDS - 1):
        clock.shift(config.CODE_PAUSE)
        assert desk.post(f"{path}/kodi").location == path
    clock.shift(config.CODE_PAUSE)
    assert desk.post(f"{path}/kodi").status == 429
    Number.update(active=False).execute()
    page = desk.post(path, {"code": digits()})
    assert (page.status, "nuk është aktiv te ne" in page.words) == (422, True)
    assert ClubMember.select().count() == 0


@pytest.mark.rule("CLB-1")
def test_another_clerk_does_not_end_a_joining(app, desk, besa):
    path = desk.post(JOIN, {"numri": "070 100 009", "dergo": "1"}).location
    works("clerk", "other@example.com")
    second = desk_of(app, "other@example.com")
    assert [second.get(path).status, second.post(path, {"code": digits()}).status] == [404, 404]
    assert second.post(f"{path}/kodi").status == 404
    assert DeskJoining.get().joined_at is None


@pytest.mark.rule("CLB-1")
@pytest.mark.parametrize("language", ["", "xx", "sq_MK"])
def test_a_language_that_is_none_is_the_pages(desk, besa, language):
    desk.post(f"/en{JOIN}", {"numri": "070 100 009", "dergo": "1", "gjuha": language})
    assert DeskJoining.get().language == "en"


# Words and markup


@LANGUAGES
def test_the_clerks_pages_in_three_languages(desk, member, besa, cable, clock, language, prefix):
    pages = []

    def look(page, status=200):
        pages.append(check(page, language, status))
        return page

    gifts, join = prefix + GIFTS, prefix + JOIN
    look(desk.get(gifts))
    gift("televizor", 9000)
    look(desk.post(gifts, {"numri": NUMBER}))
    look(desk.post(gifts, {"numri": NUMBER, "zgjidh": "1"}), 422)
    look(desk.post(gifts, {"numri": ""}), 422)
    look(desk.post(gifts, {"numri": "070 100 009"}), 422)
    path = choose(desk, cable, prefix=prefix).location
    look(desk.get(path))
    look(desk.get(gifts))
    look(desk.post(path, {"code": ""}), 422)
    look(desk.post(path, {"code": other(digits())}), 422)
    ClubGift.update(stock=0).execute()
    look(desk.post(path, {"code": digits()}), 422)
    ClubGift.update(stock=1).execute()
    look(desk.follow(desk.post(path, {"code": digits()})))
    look(desk.get(gifts))
    look(desk.get(join))
    look(desk.post(join, {"numri": NUMBER}), 422)
    look(desk.post(join, {"numri": "070 100 009"}))
    path = desk.post(join, {"numri": "070 100 009", "dergo": "1"}).location
    look(desk.get(path))
    clock.shift(60 * config.CODE_MINUTES)
    look(desk.get(path))
    look(desk.post(path, {"code": "123456"}), 422)
    desk.post(f"{path}/kodi")
    look(desk.follow(desk.post(path, {"code": digits()})))
    ClubMember.update(blocked_at=named.NOW).execute()
    look(desk.post(gifts, {"numri": NUMBER}))
    if language != "sq":
        albanian = Albanian(language)
        names = {"Arben Osmani"}
        said = [text for page in pages for text in Said(page, language).texts if albanian.is_in(text)]
        assert [text for text in said if text not in names] == []
