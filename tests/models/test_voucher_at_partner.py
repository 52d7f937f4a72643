"""A partner checks a member's code and marks it used, once (CLB-8)."""

import secrets
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from models.allowance import Allowance
from models.calendar import local_day
from models.order_number import ALPHABET
from models.voucher import LENGTH, NoVoucher, TooManyUnknown, Voucher, VoucherOver, VoucherUsed, plain_code
from models.voucher_history import PER_PAGE, VoucherHistory
from tests.club import joined, offer
from tests.query_count import assert_query_count
from tests.staff import voucher, works
from tests.world import NOW, later

pytestmark = pytest.mark.rule("CLB-8")
KEY, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def ticket():
    """A code at Kinema Qendra, good for 30 days."""
    return voucher(joined(points=5000), offer())


@pytest.fixture
def cinema(ticket):
    return ticket.offer.partner


@pytest.fixture
def login(cinema):
    return works("partner", partner=cinema)


def test_a_good_code_says_what_it_is_for(ticket, cinema):
    found = Voucher.check(cinema, ticket.code, NOW)
    assert (found.id, found.offer.name("en"), found.offer.points) == (ticket.id, "One 2D ticket", 600)


@given(st.data())
def test_a_code_is_read_however_it_is_typed(data):
    code = "".join(data.draw(st.lists(st.sampled_from(ALPHABET), min_size=LENGTH, max_size=LENGTH)))
    typed = ""
    for letter in code:
        spelled = {"1": "1Il", "0": "0Oo", "V": "VvUu"}.get(letter, letter + letter.lower())
        typed += data.draw(st.sampled_from(["", "", " ", "-", "\u00a0", "."])) + data.draw(st.sampled_from(spelled))
    assert plain_code(typed) == code


def test_another_partners_code_is_as_unknown_as_one_that_nobody_has(ticket):
    bakery = offer("MJALTA", partner="Pastiçeria Mjalta").partner
    said = []
    for typed in (ticket.code, "00000000", "", "K7F4", ticket.code * 2, "ĀĀĀĀĀĀĀĀ", "'; --"):
        with pytest.raises(NoVoucher) as refused:
            Voucher.check(bakery, typed, NOW)
        said.append(refused.value.args)
    assert set(said) == {()}


def test_a_code_is_good_to_the_end_of_its_last_day(ticket, cinema):
    last = later(days=30)
    assert local_day(last) == ticket.until
    assert Voucher.check(cinema, ticket.code, last).is_good(last)
    # 22:59 UTC is 23:59 in Skopje in winter time, and in April an hour less.
    end = last.replace(hour=21, minute=59)
    assert Voucher.check(cinema, ticket.code, end)
    with pytest.raises(VoucherOver) as refused:
        Voucher.check(cinema, ticket.code, end + timedelta(minutes=1))
    assert refused.value.voucher.until == ticket.until


def test_a_code_is_used_once_and_says_when(ticket, cinema, login):
    Voucher.redeem(cinema, ticket.label, login, NOW, KEY)
    kept = Voucher.get()
    assert (kept.used_at, kept.used_by) == (NOW, login)
    for try_again in (
        lambda: Voucher.check(cinema, ticket.code, later(5)),
        lambda: Voucher.redeem(cinema, ticket.code, login, later(5), OTHER),
    ):
        with pytest.raises(VoucherUsed) as refused:
            try_again()
        assert refused.value.voucher.used_at == NOW
    assert Voucher.get().used_at == NOW


def test_the_same_page_sent_twice_is_one_use(ticket, cinema, login):
    first = Voucher.redeem(cinema, ticket.code, login, NOW, KEY)
    again = Voucher.redeem(cinema, ticket.code, login, later(1), KEY)
    assert first.used_key == again.used_key
    assert (Voucher.get().used_at, again.used_at) == (NOW, NOW)
    # The next day, when the code would be over, the page that is sent again still tells the truth.
    assert Voucher.redeem(cinema, ticket.code, login, later(days=40), KEY).used_at == NOW


def test_two_pages_that_saw_the_same_good_code_use_it_once(ticket, cinema, login):
    one, two = (Voucher.check(cinema, ticket.code, NOW) for _ in range(2))
    one.use(login, NOW, KEY)
    with pytest.raises(VoucherUsed):
        two.use(login, later(1), OTHER)
    assert Voucher.get().used_at == NOW


def test_one_page_key_with_two_codes_marks_both_for_themselves(cinema, login, ticket):
    second = voucher(ticket.member, ticket.offer, key="v:2")
    keys = {Voucher.redeem(cinema, one.code, login, NOW, KEY).used_key for one in (ticket, second)}
    assert len(keys) == 2


def test_a_code_that_is_over_is_not_used(ticket, cinema, login):
    checked = Voucher.check(cinema, ticket.code, NOW)
    with pytest.raises(VoucherOver):
        checked.use(login, later(days=31), KEY)
    assert Voucher.get().used_at is None


def test_a_used_code_that_is_over_as_well_says_that_it_was_used(ticket, cinema, login):
    Voucher.redeem(cinema, ticket.code, login, NOW, KEY)
    with pytest.raises(VoucherUsed):
        Voucher.check(cinema, ticket.code, later(days=99))


def test_what_was_just_used_is_found_by_its_page_at_that_partner_alone(ticket, cinema, login):
    key = Voucher.redeem(cinema, ticket.code, login, NOW, KEY).used_key
    assert Voucher.of_key(cinema, key) == ticket
    assert Voucher.of_key(offer("MJALTA", partner="Pastiçeria Mjalta").partner, key) is None
    assert Voucher.of_key(cinema, KEY) is None


def test_codes_cannot_be_guessed(ticket, cinema):
    for _ in range(config.PARTNER_TRIES):
        with pytest.raises(NoVoucher):
            Voucher.check(cinema, secrets.token_hex(4), NOW)
    for typed in ("00000000", ticket.code):
        with pytest.raises(TooManyUnknown) as refused:
            Voucher.check(cinema, typed, later(1))
        assert refused.value.until == later(60)
    # Other partners go on, and this one does after the hour.
    with pytest.raises(NoVoucher):
        Voucher.check(offer("MJALTA", partner="Pastiçeria Mjalta").partner, "00000000", later(1))
    assert Voucher.check(cinema, ticket.code, later(60)) == ticket


def test_codes_that_a_partner_has_do_not_count(ticket, cinema, login):
    Voucher.redeem(cinema, ticket.code, login, NOW, KEY)
    for _ in range(config.PARTNER_TRIES + 5):
        with pytest.raises(VoucherUsed):
            Voucher.check(cinema, ticket.code, NOW)
    assert Allowance.select().count() == 0


# The history


@pytest.fixture
def many(ticket, cinema, login):
    """A code used every other hour over two days, of two offers; and another partner's."""
    popcorn = offer("KOKO", 50)
    popcorn.names = {"sq": "Kokoshka të vogla", "mk": "Мали пуканки", "en": "Small popcorn"}
    popcorn.save()
    member, used = ticket.member, []
    for hour in range(0, 48, 2):
        one = voucher(member, popcorn if hour % 4 else ticket.offer, NOW, key=f"m:{hour}") if hour < 20 else None
        if one:
            # Of letters that no search below is made of: its words stand in no code by chance.
            one.code = "".join(secrets.choice("CFHMRTVWX") for _ in one.code)
            one.save()
            one.use(login, later(hour * 60), secrets.token_hex(16))
            used.append(one)
    elsewhere = voucher(member, offer("MJALTA", 50, partner="Pastiçeria Mjalta"), key="e:1")
    elsewhere.use(login, NOW, KEY)
    return used


def test_the_history_has_the_partners_own_the_last_first(many, cinema):
    found = VoucherHistory(cinema)
    assert [one.id for one in found.vouchers()] == [one.id for one in reversed(many)]
    assert (found.total, found.pages, found.has_any) == (10, 1, True)


@pytest.mark.parametrize(
    ("typed", "count"),
    [("kokoshka", 5), ("PUKANKI", 5), ("пуканки", 5), ("bilete 2d", 5), ("një", 5), ("asgjë", 0), ("%", 0), ("_", 0)],
)
def test_the_history_is_searched_by_the_offers_name_in_any_language(many, cinema, typed, count):
    assert VoucherHistory(cinema, typed).total == count


def test_the_history_is_searched_by_part_of_a_code(many, cinema):
    assert VoucherHistory(cinema, many[3].label).vouchers() == [many[3]]
    assert many[3] in VoucherHistory(cinema, many[3].code[2:6].lower()).vouchers()


def test_the_history_is_narrowed_by_local_days_with_both_ends(many, cinema):
    first, second = local_day(NOW), local_day(later(days=1))
    days = [local_day(one.used_at) for one in many]
    assert VoucherHistory(cinema, since=second).total == days.count(second)
    assert VoucherHistory(cinema, until=first).total == days.count(first)
    assert VoucherHistory(cinema, since=first, until=second).total == 10
    assert VoucherHistory(cinema, since=second, until=first).total == 0


def test_a_page_beyond_the_last_one_is_the_last_one(many, cinema, login):
    for index in range(PER_PAGE):
        one = voucher(many[0].member, popcorn_of(cinema), key=f"p:{index}")
        one.use(login, later(days=3), secrets.token_hex(16))
    found = VoucherHistory(cinema, page=99)
    assert (found.page, found.pages, len(found.vouchers())) == (2, 2, 10)
    assert len(list(found.all())) == found.total == PER_PAGE + 10


def popcorn_of(cinema):
    from models.club_offer import PartnerOffer

    return PartnerOffer.get(PartnerOffer.code == "KOKO", PartnerOffer.partner == cinema)


def test_a_page_of_the_history_takes_few_queries(many, cinema):
    with assert_query_count(3):
        VoucherHistory(cinema, "kokoshka").vouchers()
