"""The partner's page: a code is checked, marked used once, and found in the partner's own history (CLB-8, DSK-3)."""

import csv
import io
import secrets

import pytest

import config
from models.profile import Profile
from models.voucher import Voucher
from tests import world as named
from tests.club import joined, offer
from tests.query_count import assert_query_count
from tests.staff import voucher, works
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, check

pytestmark = pytest.mark.rule("CLB-8", "DSK-3")
PAGE, HISTORY, TABLE = "/partneri", "/partneri/historia", "/partneri/historia.csv"


@pytest.fixture
def ticket(world):
    return voucher(joined(points=9000), offer())


@pytest.fixture
def till(app, ticket) -> Browser:
    """A browser that is logged in as the partner of the ticket."""
    works("partner", partner=ticket.offer.partner)
    return till_of(app, "partner@example.com")


def till_of(app, email: str) -> Browser:
    browser = Browser(app)
    assert browser.log_in(email).status == 303
    return browser


@pytest.fixture
def bakery(app, ticket) -> Browser:
    """Another partner's."""
    works("partner", "bakery@example.com", offer("MJALTA", 320, partner="Pastiçeria Mjalta").partner)
    return till_of(app, "bakery@example.com")


def type_code(browser, code, **more):
    return browser.post(PAGE, {"kodi": code, **more})


def mark(browser, page, prefix=""):
    """Press „Shëno si të përdorur“ on a page that said that the code is good."""
    form = next(form for form in page.tree.iter("form") if any(f.get("name") == "perdor" for f in form.iter("input")))
    fields = {field.get("name"): field.get("value") for field in form.iter("input")}
    return browser.post(prefix + PAGE, fields)


def use(member_voucher, login, now=named.NOW):
    member_voucher.use(login, now, secrets.token_hex(16))


def test_a_good_code_is_told_with_its_offer_points_and_last_day(till, ticket):
    page = type_code(till, ticket.label.lower())
    assert page.status == 200
    for said in (
        "Kodi vlen",
        "Një biletë 2D",
        "Çdo ditë",
        "600 pikë",
        "vlen deri më 09.04.2026",
        "Shëno si të përdorur",
    ):
        assert said in page.words
    assert Voucher.get().used_at is None


def test_marked_used_it_says_so_and_a_reload_marks_nothing(till, ticket, clock):
    page = mark(till, type_code(till, ticket.code))
    assert page.status == 303
    done = till.follow(page)
    assert "Kodi u përdor" in done.words
    assert "10.03.2026, ora 12:00" in done.words
    clock.shift(600)
    assert till.follow(page).words == done.words
    assert Voucher.get().used_at == named.NOW
    assert Voucher.get().used_by.email == "partner@example.com"


def test_a_double_click_is_one_use_and_both_answers_say_that_it_worked(till, ticket):
    page = type_code(till, ticket.code)
    assert mark(till, page).location == mark(till, page).location


def test_of_two_tills_the_second_is_told_when_it_was_used(app, till, ticket, clock):
    works("partner", "second@example.com", ticket.offer.partner)
    # The same login at another till is another till as well.
    for other in (till_of(app, "second@example.com"), till.copy()):
        Voucher.update(used_at=None, used_by=None, used_key=None).execute()
        here, there = type_code(till, ticket.code), type_code(other, ticket.code)
        assert mark(till, here).status == 303
        at = Voucher.get().used_at
        clock.shift(60)
        late = mark(other, there)
        assert late.status == 422
        assert f"Ky kod është përdorur më 10.03.2026, ora {at.hour + 1}:{at.minute:02}." in late.words
        assert "Kodi vlen" not in late.words
        assert Voucher.get().used_at == at


def test_used_over_and_unknown_are_told_apart(till, ticket, clock):
    unknown = type_code(till, "ZZZZ ZZZZ")
    assert unknown.status == 422
    assert "Ky kod nuk njihet te Kinema Qendra" in unknown.words
    clock.shift(31 * 86_400)
    till.log_in("partner@example.com")
    over = type_code(till, ticket.code)
    assert (over.status, "Ky kod ka vlejtur deri më 09.04.2026." in over.words) == (422, True)
    late = mark(till, over) if "perdor" in over.html else type_code(till, ticket.code, perdor="a" * 32)
    assert (late.status, Voucher.get().used_at) == (422, None)


def test_another_partners_code_is_answered_as_an_unknown_one_byte_for_byte(bakery, ticket):
    other = type_code(bakery, ticket.code)
    nobodys = type_code(bakery, "ZZZZ ZZZZ")
    assert other.html.replace(ticket.code, "") == nobodys.html.replace("ZZZZ ZZZZ", "")
    used = type_code(bakery, ticket.code, perdor="a" * 32)
    assert used.status == 422
    assert Voucher.get().used_at is None


def test_what_one_partner_marked_is_not_anothers_page(till, bakery, ticket):
    path = mark(till, type_code(till, ticket.code)).location
    assert till.get(path).status == 200
    assert bakery.get(path).status == 404
    assert till.get(f"{PAGE}/perdorimi/{'0' * 32}").status == 404


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "x" * 41, "ѓ" * 9000, "\x1b"])
def test_what_is_no_code_is_refused_beside_its_field(till, typed):
    page = type_code(till, typed)
    assert page.status == 422
    assert page.by_id("kodi").get("aria-invalid") == "true"


@pytest.mark.parametrize("key", ["x", "A" * 32, "a" * 31, "'; --"])
def test_a_key_that_no_page_had_marks_nothing(till, ticket, key):
    assert type_code(till, ticket.code, perdor=key).status == 200
    assert Voucher.get().used_at is None


def test_guessing_ends_soon_and_says_until_when(till, ticket):
    for _ in range(config.PARTNER_TRIES):
        assert type_code(till, secrets.token_hex(4)).status == 422
    page = type_code(till, ticket.code)
    assert page.status == 429
    assert "Shumë kode të panjohura. Provoni përsëri në orën 13:00." in page.words
    assert till.post(PAGE, {"kodi": "00000000"}, piece=True).status == 422


def test_with_htmx_the_piece_alone_comes_and_leads_on(till, ticket):
    piece = till.post(PAGE, {"kodi": ticket.code}, piece=True)
    assert check(piece, None).html.startswith('<div class="stack g5" id="kontrolli">')
    form = {"kodi": ticket.code, "perdor": "c" * 32}
    done = till.post(PAGE, form, piece=True)
    assert (done.status, "/perdorimi/" in done.headers["HX-Redirect"]) == (204, True)


# The history


@pytest.fixture
def used(till, bakery, ticket):
    """Three codes of two days at the cinema, and one elsewhere."""
    login = Profile.of_email("partner@example.com")
    popcorn = offer("KOKO", 50)
    popcorn.names = {"sq": "=HYPERLINK(1)", "mk": "Пуканки", "en": "Popcorn"}
    popcorn.save()
    use(ticket, login, named.later(-2 * 24 * 60))
    for index in range(2):
        use(voucher(ticket.member, popcorn, key=f"k:{index}"), login, named.later(index))
    mjalta = offer("TORTE", 50, partner="Pastiçeria Mjalta")
    use(voucher(ticket.member, mjalta, key="m"), Profile.of_email("bakery@example.com"))


def test_the_history_is_the_partners_own(till, bakery, used):
    page = till.get(HISTORY)
    assert "3 kode" in page.words
    assert "Një biletë 2D" in page.words
    assert "Një biletë 2D" not in bakery.get(f"{HISTORY}?q=KOKO").words
    assert "1 kod" in bakery.get(HISTORY).words


def test_the_history_is_searched_and_narrowed_to_days(till, used):
    assert "2 kode" in till.get(f"{HISTORY}?q=пуканки").words
    assert "1 kod" in till.get(f"{HISTORY}?deri=2026-03-09").words
    assert "2 kode" in till.get(f"{HISTORY}?nga=2026-03-10&deri=2026-03-10").words
    nothing = till.get(f"{HISTORY}?q=asgjë", piece=True)
    assert "Asnjë kod i tillë" in check(nothing, None).words


@pytest.mark.parametrize(
    "query", ["nga=x", "nga=2026-13-01", "deri=9999-12-31", "nga=0001-01-01", "faqe=-4", "faqe=x", "q=%25", "q=%FF"]
)
def test_what_is_no_filter_is_none(till, used, query):
    assert "kode" in till.get(f"{HISTORY}?{query}").words or "Asnjë kod" in till.get(f"{HISTORY}?{query}").words


def test_the_table_has_what_the_filter_finds_and_no_formulas(till, bakery, used):
    answer = till.get(f"{TABLE}?nga=2026-03-10")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.html.removeprefix("\ufeff"))))
    assert rows[0][:2] == ["Kodi", "Oferta"]
    assert [row[1:5] for row in rows[1:]] == [
        ["'=HYPERLINK(1)", "50", "2026-03-10", "12:01"],
        ["'=HYPERLINK(1)", "50", "2026-03-10", "12:00"],
    ]
    assert len(list(csv.reader(io.StringIO(bakery.get(TABLE).html)))) == 2


def test_the_history_is_paged_and_turning_keeps_the_filter(till, ticket):
    login, coffee = Profile.of_email("partner@example.com"), offer("KAFE", 10)
    for index in range(25):
        use(voucher(ticket.member, coffee, key=f"p:{index}"), login, named.later(index))
    page = till.get(f"{HISTORY}?q=bilet")
    assert "25 kode" in page.words
    assert f"{HISTORY}?q=bilet&faqe=2" in [a.get("href") for a in page.all("a")]
    assert len(till.get(f"{HISTORY}?q=bilet&faqe=2").all("tr")) == 6


def test_the_pages_take_few_queries_however_many_codes_there_are(till, ticket):
    login, coffee = Profile.of_email("partner@example.com"), offer("KAFE", 10)
    for index in range(22):
        use(voucher(ticket.member, coffee, key=f"p:{index}"), login, named.later(index))
    with assert_query_count(4):
        till.get(PAGE)
    with assert_query_count(5):
        till.get(HISTORY)


# Words and markup


@LANGUAGES
def test_the_partners_pages_in_three_languages(till, ticket, language, prefix):
    pages = [check(till.get(prefix + PAGE), language), check(till.get(prefix + HISTORY), language)]
    good = check(till.post(prefix + PAGE, {"kodi": ticket.code}), language)
    pages += [good, check(till.post(prefix + PAGE, {"kodi": ""}), language, 422)]
    pages.append(check(till.post(prefix + PAGE, {"kodi": "00000000"}), language, 422))
    used_page = till.follow(mark(till, good, prefix))
    pages.append(check(used_page, language))
    pages.append(check(till.post(prefix + PAGE, {"kodi": ticket.code}), language, 422))
    pages += [check(till.get(f"{prefix}{HISTORY}{end}"), language) for end in ("", "?q=zzz", "?nga=2026-03-10")]
    if language != "sq":
        albanian = Albanian(language)
        assert [text for page in pages for text in Said(page, language).texts if albanian.is_in(text)] == []
