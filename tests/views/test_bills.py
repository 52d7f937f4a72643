"""Paguaj onlajn: invoices chosen, sent to the bank and told (PRO-7, ELG-1)."""

import pytest

import config
from gateways.bank import Verdict, ver3_hash
from models import bill_payment
from models.bill_payment import BillPayment
from models.invoice import Invoice
from models.payment import Payment, Refund
from models.profile import Profile
from tests import world as named
from tests.bills import OWED, invoice, number, owing
from tests.query_count import assert_query_count
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser
from tests.views.test_html import check
from tests.views.test_pay import CALLBACK, RETURN, result, send

BILLS = "/paguaj"


@pytest.fixture
def member(app, profile) -> Browser:
    """The profile's browser, logged in."""
    browser = Browser(app)
    assert browser.log_in(profile.email).status == 303
    return browser


@pytest.fixture
def bank(app, world) -> Browser:
    return Browser(app)


def boxes(page) -> dict[str, bool]:
    """Which invoices can be chosen, and which are."""
    return {
        box.get("value"): box.get("checked") is not None for box in page.all("input", type="checkbox", name="faturat")
    }


def begin(member, *numbers, prefix="", **more):
    return member.post(prefix + BILLS, {"faturat": list(numbers)}, **more)


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_a_guest_logs_in_first_and_comes_back(shopper, profile, prefix):
    owing(profile, "F-1")
    asked = shopper.get(f"{prefix}{BILLS}?faturat=F-1")
    assert asked.status == 303
    assert asked.location == f"{prefix}/hyr?next={prefix}/paguaj?faturat%3DF-1"
    shown = shopper.follow(asked)
    form = shown.form(f"{prefix}/hyr")
    back = shopper.post(f"{prefix}/hyr", {**form, "email": profile.email, "password": named.PASSWORD})
    assert back.location == f"{prefix}/paguaj?faturat=F-1"
    assert boxes(shopper.follow(back)) == {"F-1": True}


@pytest.mark.rule("PRO-7")
@pytest.mark.rule("ELG-1")
def test_overdue_invoices_are_marked_and_chosen_and_the_others_can_be(member, profile):
    subscriber = owing(profile, "F-1", "F-2")
    invoice(subscriber, "F-3", due=5)
    invoice(subscriber, "F-4", paid_at=named.NOW, paid_through="shop")
    page = member.get(BILLS)
    assert boxes(page) == {"F-1": True, "F-2": True, "F-3": False}
    assert page.text_of("shuma") == "Fatura të zgjedhura 2 Sot paguani 3.798 den"
    assert page.words.count("Ka kaluar afati") == 2
    assert "Kodi abonues S-1" in page.words
    assert "070 100 101" in page.words
    assert page.headers["Cache-Control"] == "private, no-store"


@pytest.mark.rule("PRO-7")
def test_the_address_says_what_is_chosen_and_the_sum_follows(member, profile):
    subscriber = owing(profile, "F-1")
    invoice(subscriber, "F-3", due=5, amount=50_000)
    chosen = member.get(f"{BILLS}?faturat=F-3&faturat=F-99")
    assert boxes(chosen) == {"F-1": False, "F-3": True}
    assert "500 den" in chosen.text_of("shuma")
    # As the form asks for it, where none may be chosen.
    for query, total in (("", "0 den"), ("&faturat=F-1&faturat=F-3", "2.399 den")):
        piece = member.get(f"{BILLS}?zgjedhja=1{query}", piece=True)
        assert "<html" not in piece.html
        assert total in piece.text_of("shuma")
        assert piece.by_id("shuma").get("role") == "status"
    # Without JavaScript the same address shows the page.
    assert boxes(member.get(f"{BILLS}?zgjedhja=1")) == {"F-1": False, "F-3": False}


@pytest.mark.rule("PRO-7")
def test_without_javascript_a_button_works_the_sum_out(member, profile):
    owing(profile, "F-1", "F-2")
    asked = member.post(BILLS, {"faturat": ["F-2"], "zgjedhja": "1", "llogarit": "1"})
    assert (asked.status, asked.location) == (303, f"{BILLS}?zgjedhja=1&faturat=F-2")
    assert boxes(member.follow(asked)) == {"F-1": False, "F-2": True}
    assert BillPayment.select().count() == 0


@pytest.mark.rule("PRO-7")
def test_the_form_never_puts_its_token_into_an_address(member, profile):
    owing(profile, "F-1")
    form = next(form for form in member.get(BILLS).all("form") if form.get("hx-get"))
    assert form.get("hx-params") == "faturat,zgjedhja"


@pytest.mark.rule("PRO-7")
def test_who_has_no_number_or_owes_nothing_reads_so(member, profile):
    empty = member.get(BILLS)
    assert "Nuk keni shtuar ende numër" in empty.words
    owing(profile)
    assert "Nuk keni fatura të papaguara" in member.get(BILLS).words


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_chosen_invoices_go_to_the_bank_in_one_signed_form(member, profile, prefix):
    owing(profile, "F-1", "F-2")
    sent = member.post(prefix + BILLS, {"faturat": ["F-1", "F-2"]})
    bills = BillPayment.get()
    assert (sent.status, sent.location) == (303, f"{prefix}/paguaj/{bills.number}/banka")
    page = member.follow(sent)
    form = next(form for form in page.all("form") if form.get("data-send") is not None)
    assert form.get("action") == config.BANK_GATE_URL
    fields = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert fields["hash"] == ver3_hash(fields, config.BANK_STORE_KEY)
    assert (fields["amount"], fields["lang"]) == ("3798.00", prefix[1:] or "sq")
    assert "csrf_token" not in fields
    assert bills.language == (prefix[1:] or "sq")
    # The same again, from the back button, is the same payment.
    assert member.post(prefix + BILLS, {"faturat": ["F-2", "F-1"]}).location == sent.location
    assert BillPayment.select().count() == Payment.select().count() == 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([], "Zgjidhni së paku një faturë."),
        (["F-1", "F-2"], "Ndonjë faturë është paguar"),
        (["F-1", "F-9"], "Ndonjë faturë është paguar"),
        (["x" * 500, "' OR 1=1 --"], "Ndonjë faturë është paguar"),
    ],
)
def test_a_choice_that_cannot_be_paid_is_told_and_nothing_is_begun(member, profile, numbers, words):
    owing(profile, "F-1", "F-2")
    owing(named.profile("besa@example.com"), "F-9", who="2")
    Invoice.get(Invoice.number == "F-2").pay(named.NOW, "shop")
    page = begin(member, *numbers)
    assert page.status == 422
    assert words in page.text_of("faturat-error")
    assert boxes(page) == {"F-1": "F-1" in numbers}
    assert "F-9" not in page.text_of("permbajtja")
    assert BillPayment.select().count() == 0


def test_payments_without_end_are_refused(member, profile, monkeypatch):
    monkeypatch.setattr(bill_payment, "MOST_OPEN", 1)
    owing(profile, "F-1", "F-2")
    begin(member, "F-1")
    page = begin(member, "F-2")
    assert page.status == 429
    assert "Keni nisur shumë pagesa" in page.text_of("faturat-error")


@pytest.mark.rule("PRO-7")
@pytest.mark.parametrize("channel", [RETURN, CALLBACK])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_banks_yes_pays_them_and_the_page_says_so(member, bank, profile, channel, prefix):
    owing(profile, "F-1")
    member.post(prefix + BILLS, {"faturat": ["F-1"]})
    bills, payment = BillPayment.get(), Payment.get()
    path = f"{prefix}/paguaj/{bills.number}"
    waiting = member.get(path).by_id("rezultati")
    assert (waiting.get("hx-get"), waiting.get("role")) == (path, "status")
    answer = send(bank, channel, result(payment))
    if channel == RETURN:
        assert (answer.status, answer.location) == (303, path)
        # Whoever else opens that address reads nothing.
        assert bank.follow(answer).location.startswith(f"{prefix}/hyr?next=")
    else:
        assert (answer.status, answer.html) == (200, config.BANK_CALLBACK_REPLY)
    assert Invoice.get().paid_through == "online"
    for page in (member.get(path), member.get(path, piece=True)):
        assert page.by_id("rezultati").get("hx-get") is None
    if not prefix:
        assert "Faleminderit, pagesa u regjistrua." in page.words
        assert "Fatura F-1 Paguar 1.899 den" in page.words
    assert bills.number in member.get(prefix + BILLS).words


@pytest.mark.rule("PAY-8")
def test_a_decline_can_be_tried_again_with_the_same_invoices(member, bank, profile):
    owing(profile, "F-1")
    begin(member, "F-1")
    bills, first = BillPayment.get(), Payment.get()
    send(bank, RETURN, result(first, "declined"))
    page = member.get(f"/paguaj/{bills.number}")
    assert "Banka nuk e pranoi kartelën" in page.words
    path = f"/paguaj/{bills.number}/banka"
    again = member.post(path, page.form(path))
    assert again.location == path
    assert Payment.latest_of(bills) != first
    send(bank, RETURN, result(Payment.latest_of(bills)))
    assert Invoice.get().is_paid
    # Afterwards there is nothing to try.
    for answer in (member.get(path), member.post(path)):
        assert answer.location == f"/paguaj/{bills.number}"
    assert Payment.select().count() == 2


@pytest.mark.rule("PRO-7")
def test_what_was_paid_meanwhile_is_not_sent_to_the_bank(member, profile):
    owing(profile, "F-1", "F-2")
    begin(member, "F-1", "F-2")
    bills = BillPayment.get()
    Invoice.get(Invoice.number == "F-2").pay(named.NOW, "shop")
    for answer in (member.get(f"/paguaj/{bills.number}/banka"), member.post(f"/paguaj/{bills.number}/banka")):
        assert answer.location == f"/paguaj/{bills.number}"
    Payment.get().settle(Verdict.DECLINED, named.NOW)
    page = member.get(f"/paguaj/{bills.number}")
    assert "Ndonjë faturë është paguar" in page.words
    assert BILLS in [link.get("href") for link in page.by_id("permbajtja").iter("a")]


@pytest.mark.rule("PAY-9")
def test_what_goes_back_is_told(member, bank, profile):
    owing(profile, "F-1", "F-2")
    begin(member, "F-1", "F-2")
    bills = BillPayment.get()
    Invoice.get(Invoice.number == "F-2").pay(named.NOW, "shop")
    send(bank, RETURN, result(Payment.get()))
    words = member.get(f"/paguaj/{bills.number}").words
    for part in (
        "Fatura F-1 Paguar",
        "Fatura F-2 Ju kthehet",
        "U paguan 1.899 den",
        "Ju kthehen në kartelë 1.899 den",
    ):
        assert part in words
    assert Refund.get().amount == OWED
    assert f"{bills.number} 10.03.2026, ora 12:00 Paguar 1.899 den" in member.get(BILLS).words


@pytest.mark.rule("PAY-9")
def test_money_that_was_not_needed_at_all_is_told(member, bank, profile):
    owing(profile, "F-1")
    begin(member, "F-1")
    Invoice.get().pay(named.NOW, "shop")
    send(bank, RETURN, result(Payment.get()))
    assert "E gjithë shuma ju kthehet në kartelë" in member.get(f"/paguaj/{BillPayment.get().number}").words


@pytest.mark.rule("PAY-8")
def test_after_its_time_a_payment_says_so(member, profile, clock):
    owing(profile, "F-1")
    begin(member, "F-1")
    bills = BillPayment.get()
    Payment.get().settle(Verdict.DECLINED, named.NOW)
    clock.shift(31 * 60)
    bills.lapse()
    assert "Koha për pagesë mbaroi" in member.get(f"/paguaj/{bills.number}").words


@pytest.mark.rule("PRO-7")
def test_a_strangers_payment_does_not_exist(member, app, profile):
    owing(profile, "F-1")
    begin(member, "F-1")
    bills = BillPayment.get()
    other = Browser(app)
    other.log_in(named.profile("besa@example.com").email)
    for path in (f"/paguaj/{bills.number}", f"/paguaj/{bills.number}/banka", "/paguaj/FA-0000-0000-0", "/paguaj/ë"):
        page = other.get(path)
        assert page.status == 404
        assert "F-1" not in page.html
    assert other.post(f"/paguaj/{bills.number}/banka").status == 404
    assert Payment.select().count() == 1


def test_the_pages_ask_few_queries_however_much_is_owed(member, profile):
    subscriber = owing(profile, "F-1")
    asked = []
    for more in range(2):
        with assert_query_count(4) as queries:
            member.get(BILLS)
        asked.append(len(queries))
        with assert_query_count(2):
            member.get(f"{BILLS}?zgjedhja=1", piece=True)
        if not more:
            number(subscriber, "38970100999", profile)
            for one in range(30):
                invoice(subscriber, f"G-{one}")
            owing(profile, *(f"H-{one}" for one in range(5)), who="3")
    assert asked[0] == asked[1]
    begin(member, "F-1", *(f"G-{one}" for one in range(30)))
    bills = BillPayment.get()
    for path in ("", "/banka"):
        with assert_query_count(6):
            assert member.get(f"/paguaj/{bills.number}{path}").status == 200


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", ["mk", "en"])
def test_no_page_of_invoices_or_of_my_orders_says_anything_in_albanian(member, world, profile, code):
    prefix, albanian, said = f"/{code}", Albanian(code), []

    def look(page):
        said.extend((page.status, text) for text in Said(page, code).texts if albanian.is_in(text))

    Profile.update(verified_at=named.NOW).execute()
    look(member.get(prefix + BILLS))
    look(member.get(f"{prefix}/porosite"))
    subscriber = owing(profile, "F-1", "F-2", "F-3")
    invoice(subscriber, "F-4", due=5)
    look(member.get(prefix + BILLS))
    for numbers in ([], ["F-9"]):
        look(begin(member, *numbers, prefix=prefix))
    for outcome in (None, Verdict.UNKNOWN, Verdict.DECLINED, Verdict.PAID):
        begin(member, "F-1", prefix=prefix)
        bills = BillPayment.select().order_by(BillPayment.id.desc()).get()
        payment = Payment.latest_of(bills)
        if outcome is not None:
            payment.settle(outcome, named.NOW)
        for path in ("", "/banka"):
            page = member.get(f"{prefix}/paguaj/{bills.number}{path}")
            look(page if page.status == 200 else member.follow(page))
    # Partly and wholly paid elsewhere, and dropped.
    for numbers, meanwhile in ((["F-2", "F-3"], "F-2"), (["F-4"], "F-4")):
        begin(member, *numbers, prefix=prefix)
        bills = BillPayment.select().order_by(BillPayment.id.desc()).get()
        Invoice.get(Invoice.number == meanwhile).pay(named.NOW, "shop")
        look(member.get(f"{prefix}/paguaj/{bills.number}"))
        Payment.latest_of(bills).settle(Verdict.PAID, named.NOW)
        look(member.get(f"{prefix}/paguaj/{bills.number}"))
    bills.lapse()
    look(member.get(f"{prefix}/paguaj/{bills.number}"))
    look(member.get(prefix + BILLS))
    order, _ = named.place(named.checkout_of(named.cart_with(world, "S25-BLACK-128"), email=profile.email))
    look(member.get(f"{prefix}/porosite"))
    look(member.follow(member.post(f"{prefix}/porosite/te-mysafirit")))
    look(member.get(f"{prefix}/porosite?q=zzzz"))
    look(member.get(f"{prefix}/porosia/{order.number}"))
    assert said == []


@pytest.mark.parametrize("prefix", ["", "/mk", "/en"])
def test_the_markup_of_invoices_and_my_orders_is_whole(member, world, profile, prefix):
    owing(profile, "F-1")
    begin(member, "F-1", prefix=prefix)
    number = BillPayment.get().number
    order, _ = named.place(named.checkout_of(named.cart_with(world, "S25-BLACK-128")), profile=profile)
    for path in (BILLS, f"{BILLS}/{number}", f"{BILLS}/{number}/banka", "/porosite", f"/porosia/{order.number}"):
        check(member.get(prefix + path), prefix[1:] or "sq")
