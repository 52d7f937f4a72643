"""Kill -9 of web server, worker or bank at each point of an order, and what is there after the restart.

Real processes on loopback, a shopper without JavaScript. After each: the order is paid once or not at all, its mail
goes out once, stock and gifts are right, and the bank's own books say the same.
"""

import signal
import sqlite3
import threading
import time
from collections import Counter
from typing import ClassVar

import pytest
import requests

from tests.crowd import Crowd
from tests.databases import own_database
from tests.processes import Bank, Browser, MailSink, Page, Process, free_port, json_lines, pay_at_bank, until
from tests.world import GUEST, PASSWORD

SKU = "S25-BLACK-128"
PRICE = 5_280_000
PHONE = "070 123 456"


class Shop:
    """All processes of a shop, each of which can be killed and started again where it was."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.ports = {name: free_port() for name in ("web", "bank", "mail")}
        self.base = f"http://127.0.0.1:{self.ports['web']}"
        self.settings = {
            "DATABASE_URL": url,
            "PORT": str(self.ports["web"]),
            "DYQANI_BASE_URL": self.base,
            "SECRET_KEY": "the same secret after each restart",
            "BANK_GATE_URL": f"http://127.0.0.1:{self.ports['bank']}/fim/est3Dgate",
            "BANK_API_URL": f"http://127.0.0.1:{self.ports['bank']}/fim/api",
            "BANK_TIMEOUT": "1",
            "BANK_QUERY_AFTER": "1",
            "BANK_QUERY_EVERY": "1",
            "SMTP_PORT": str(self.ports["mail"]),
            "SMTP_TIMEOUT": "3",
            "DYQANI_WORKER_EVERY": "1",
            "DYQANI_MAIL_LEASE": "2",
            "WEB_CONCURRENCY": "1",
        }
        self.running: dict[str, Process] = {}
        # (number, mails, money at the bank, facts) of each order that is over.
        self.over: list[tuple] = []
        self.crowd = Crowd(url, folder, **self.settings)

    def start(self, *names, crash_at=""):
        """Start what is not running; `crash_at` is for what is started now."""
        for name in names:
            if name in self.running and self.running[name].is_running:
                continue
            self.running[name] = self._start(name, {"DYQANI_CRASH_AT": crash_at})
        for name in names:
            if name == "web":
                until(self._web_answers, 30, what=lambda: self.running["web"].log.read_text()[-2000:])
            elif name == "worker":
                until(lambda: self._said("worker.started", self.started), 30)

    def _start(self, name, more):
        settings = {**self.settings, **more}
        if name == "bank":
            return Bank(self.folder, self.ports["bank"])
        if name == "mail":
            return MailSink(self.folder, self.ports["mail"])
        if name == "web":
            return Process(self.folder, "web", "gunicorn", "--config", "gunicorn.conf.py", **settings)
        log = self.folder / "worker.log"
        self.started = len(json_lines(log))
        return Process(self.folder, "worker", "flask", "--app", "app", "worker", **settings)

    def _said(self, event, since):
        return any(line.get("event") == event for line in json_lines(self.folder / "worker.log")[since:])

    def _web_answers(self):
        try:
            return requests.get(f"{self.base}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def kill(self, *names):
        """kill -9, with all children."""
        for name in names:
            self.running.pop(name).kill()

    def fell(self, name):
        """Wait until a process died at its crash point, and clear away what is left of it."""
        process = self.running.pop(name)
        assert process.process.wait(30) in (-signal.SIGKILL, 128 + signal.SIGKILL)
        process.kill()

    def end(self):
        for process in self.running.values():
            process.signal(signal.SIGCONT)
            process.kill()
        self.crowd.end()

    # What is there

    def facts(self):
        return self.crowd.alone("facts")

    def order(self, number):
        return next(order for order in self.facts()["orders"] if order["number"] == number)

    def numbers(self):
        return {order["number"] for order in self.facts()["orders"]}

    def at_the_bank(self, number):
        """The payments that the bank's own books hold as taken for an order, and what of them went back."""
        with sqlite3.connect(self.folder / "bank.sqlite3", timeout=10) as books:
            return books.execute(
                "SELECT amount, refunded FROM payment WHERE approved = 1 AND oid LIKE ?", (f"{number}-%",)
            ).fetchall()

    def mails(self, number):
        """Subjects of the mails that arrived about an order."""
        return [mail["subject"] for mail in self.running["mail"].mails() if number in mail["text"]]


class Case:
    """One order, and what must be true of it when all is up again."""

    device = "/pajisja/galaxy-s25"
    # What the bank's books hold of it in the end, and its states.
    money = ((PRICE, 0),)
    events = ("awaiting_payment", "confirmed")

    def __init__(self, shop):
        self.shop = shop
        before = shop.facts()
        self.stock, self.gifts = before["stock"][SKU], before["gifts"]
        self.known = {order["number"] for order in before["orders"]}
        self.browser = Browser(shop.base)
        self.number = None

    def overview(self):
        """The shopper chooses a phone and fills in every step; the page with the last button."""
        page = self.browser.get(self.device).send("/shporta")
        assert page.url.endswith("/shporta"), page.text[:300]
        page = self.with_number(self.browser.get("/porosia"))
        typed = {name: GUEST[name] for name in ("first_name", "last_name", "email")}
        page = page.send("te-dhenat", **typed, phone=PHONE)
        page = page.send("dergesa", **{name: GUEST[name] for name in ("street", "municipality", "place")})
        page = page.send("pagesa", **self.payment)
        assert page.url.endswith("/pasqyra"), f"{page.status} {page.text[:500]}"
        return page

    payment: ClassVar = {"payment_way": "card"}

    def with_number(self, page):
        """Without a contract there is no such step."""
        return page

    def place(self, page):
        """The order; the page with the signed form for the bank."""
        page = page.send("pasqyra", terms="y")
        [self.number] = self.shop.numbers() - self.known
        assert self.number in page.url, page.url
        return page

    def pay_page(self):
        return self.place(self.overview())

    def settled(self, state="confirmed", within=25):
        until(lambda: self.shop.order(self.number)["state"] == state, within, 0.2, f"{self.number} is {state}")

    def mailed(self, count=1, within=25):
        until(lambda: len(self.shop.mails(self.number)) >= count, within, 0.1, f"{count} mails of {self.number}")

    def check_paid_once(self, mail_states=("sent",)):
        """Paid once, told once, and taken once."""
        self.settled()
        self.mailed()
        if mail_states == ("sent",):
            until(self.mail_is_sent, 10)
        facts = self.shop.facts()
        order = self.shop.order(self.number)
        assert order["events"] == list(self.events)
        paid = [state for oid, state in facts["payments"].items() if oid.startswith(self.number)]
        assert Counter(paid)["paid"] == len(self.money)
        assert "surplus" not in paid
        self.over(list(self.money), mails=1)
        rows = [(kind, state) for number, kind, state in facts["mails_of"] if number == self.number]
        assert [kind for kind, _ in rows] == ["order_confirmed"]
        assert rows[0][1] in mail_states
        assert (facts["stock"][SKU], facts["gifts"]) == (self.stock - 1, self.gifts - 1)
        assert self.shop.numbers() - self.known == {self.number}

    def mail_is_sent(self):
        return [self.number, "order_confirmed", "sent"] in self.shop.facts()["mails_of"]

    def over(self, money, mails):
        """So many mails and such books, now and at the end of all tests."""
        assert self.shop.at_the_bank(self.number) == money
        assert len(self.shop.mails(self.number)) == mails
        self.shop.over.append((self.number, mails, money, self.shop.order(self.number)))

    def check_nothing_happened(self):
        facts = self.shop.facts()
        assert self.shop.numbers() == self.known
        assert (facts["stock"][SKU], facts["gifts"]) == (self.stock, self.gifts)


class Besnik(Case):
    """A device in instalments for a number of one's own: nothing is due now, and the bank has no part in it."""

    device = "/pajisja/galaxy-s25?lloji=besnik24&tarifa=linja-m&pagesa=keste&keste=24"
    money, events, payment = (), ("confirmed",), {}

    def __init__(self, shop):
        super().__init__(shop)
        email, self.msisdn = shop.crowd.alone("subscriber")
        self.browser.get("/hyr").send("/hyr", email=email, password=PASSWORD)

    def with_number(self, page):
        return page.send("/porosia/numri")

    def pay(self, page):
        return page

    def check_paid_once(self, **more):
        super().check_paid_once(**more)
        assert self.shop.order(self.number)["numbers"] == [[self.msisdn, self.msisdn]]

    def check_nothing_happened(self):
        super().check_nothing_happened()
        assert all([self.msisdn, self.msisdn] not in order["numbers"] for order in self.shop.facts()["orders"])


class NewNumber(Case):
    """A guest's device with a number of the pool, paid by card."""

    device = "/pajisja/galaxy-s25?lloji=numer-i-ri&tarifa=linja-m&pagesa=kartele"
    money, payment = ((2_880_000, 0),), {}

    def __init__(self, shop):
        super().__init__(shop)
        self.msisdn = shop.crowd.alone("free_number")

    def with_number(self, page):
        [form] = [form for form in page.forms("/porosia/numri") if form.get("method") == "post"]
        return self.browser.post(page.url, {**Page._filled(form), "numri": self.msisdn})

    def pay(self, page):
        return self.browser.come_back(self.browser.pay(page, "approve"))

    def check_paid_once(self, **more):
        super().check_paid_once(**more)
        assert self.shop.crowd.alone("sold_numbers")[self.msisdn] == ["sold", self.number]

    def check_nothing_happened(self):
        super().check_nothing_happened()
        assert self.shop.crowd.alone("sold_numbers")[self.msisdn] == ["held", None]


CONTRACTS = pytest.mark.parametrize("contract", [Besnik, NewNumber], ids=["Besnik 24", "new number"])


def worker_rounds(shop):
    """Wait until the outbox has had the time for another two rounds."""
    assert shop.running["worker"].is_running
    time.sleep(2.2)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    with own_database(folder) as url:
        shop = Shop(url, folder)
        shop.crowd.alone("begin_anew")
        shop.crowd.alone("set_stock", SKU, 1000)
        shop.crowd.alone("set_gifts", 1000)
        yield shop
        shop.end()


@pytest.fixture
def shop(running):
    """Everything is up at the beginning, and again at the end, without a crash point."""
    running.start("bank", "mail", "web", "worker")
    yield running
    for process in running.running.values():
        process.signal(signal.SIGCONT)
    for name in list(running.running):
        if not running.running[name].is_running:
            running.running.pop(name).kill()


def restarted_with(shop, name, crash_at):
    shop.kill(name)
    shop.start(name, crash_at=crash_at)


def lost(action):
    """Do what will not be answered."""
    try:
        page = action()
    except requests.RequestException:
        return
    assert page.status >= 500, f"{page.status} {page.url}"


@pytest.mark.rule("CRT-4")
@pytest.mark.rule("CHK-6")
def test_web_killed_before_the_order_is_placed_loses_nothing_that_was_typed(shop):
    case = Case(shop)
    page = case.overview()
    shop.kill("web")
    lost(lambda: page.send("pasqyra", terms="y"))
    case.check_nothing_happened()
    shop.start("web")
    page = case.place(case.browser.get("/porosia/pasqyra"))
    case.browser.come_back(case.browser.pay(page, "approve"))
    case.check_paid_once()


@pytest.mark.rule("CHK-4")
@pytest.mark.rule("ORD-5")
def test_web_killed_in_the_middle_of_placing_leaves_nothing_and_the_same_form_works_again(shop):
    restarted_with(shop, "web", "place: stock taken")
    case = Case(shop)
    page = case.overview()
    lost(lambda: page.send("pasqyra", terms="y"))
    case.check_nothing_happened()
    shop.kill("web")
    shop.start("web")
    page = case.place(page)
    case.browser.come_back(case.browser.pay(page, "approve"))
    case.check_paid_once()


@pytest.mark.rule("CHK-4")
@pytest.mark.parametrize("delay", [0.0, 0.03, None], ids=["at once", "soon after", "when the order is there"])
def test_web_killed_right_after_the_post_that_places_makes_one_order(shop, delay):
    case = Case(shop)
    page = case.overview()
    sent = threading.Thread(target=lambda: swallow(lambda: page.send("pasqyra", terms="y")))
    sent.start()
    if delay is None:
        until(lambda: shop.numbers() - case.known, 10, 0.005)
    else:
        time.sleep(delay)
    shop.kill("web")
    sent.join(20)
    assert len(shop.numbers() - case.known) <= 1
    shop.start("web")
    # The shopper reloads: the browser sends the same form again.
    page = case.place(page)
    case.browser.come_back(case.browser.pay(page, "approve"))
    case.check_paid_once()


@pytest.mark.rule("CHK-4")
@pytest.mark.rule("ELG-5")
@pytest.mark.rule("OFF-6")
@CONTRACTS
@pytest.mark.parametrize("point", ["place: stock taken", "place: written"])
def test_web_killed_in_the_middle_of_placing_a_contract_sells_its_number_to_nobody_and_then_once(
    shop, contract, point
):
    restarted_with(shop, "web", point)
    case = contract(shop)
    page = case.overview()
    lost(lambda: page.send("pasqyra", terms="y"))
    case.check_nothing_happened()
    shop.kill("web")
    shop.start("web")
    case.pay(case.place(page))
    case.check_paid_once()


@pytest.mark.rule("CHK-4")
@CONTRACTS
def test_web_killed_when_the_order_of_a_contract_is_there_makes_one(shop, contract):
    case = contract(shop)
    page = case.overview()
    sent = threading.Thread(target=lambda: swallow(lambda: page.send("pasqyra", terms="y")))
    sent.start()
    until(lambda: shop.numbers() - case.known, 10, 0.005)
    shop.kill("web")
    sent.join(20)
    shop.start("web")
    case.pay(case.place(page))
    case.check_paid_once()


@pytest.mark.rule("PAY-7")
@pytest.mark.rule("OFF-6")
def test_web_killed_in_the_middle_of_the_return_leaves_the_new_number_to_its_order(shop):
    case = NewNumber(shop)
    page = case.pay_page()
    shop.kill("worker")
    restarted_with(shop, "web", "settle: written")
    result = case.browser.pay(page, "approve")
    lost(lambda: case.browser.come_back(result))
    assert shop.crowd.alone("sold_numbers")[case.msisdn] == ["sold", case.number]
    shop.kill("web")
    shop.start("web", "worker")
    case.browser.come_back(result)
    case.check_paid_once()


@pytest.mark.rule("MSG-1")
@pytest.mark.rule("PAY-3")
def test_worker_killed_before_it_tells_of_an_order_without_a_bank_tells_of_it_once(shop):
    restarted_with(shop, "worker", "mail: before hand-over")
    case = Besnik(shop)
    case.place(case.overview())
    shop.fell("worker")
    assert shop.mails(case.number) == []
    shop.start("worker")
    case.check_paid_once()


def swallow(action):
    try:
        action()
    except requests.RequestException:
        return


@pytest.mark.rule("PAY-7")
def test_web_dead_from_before_the_banks_page_until_after_the_payment(shop):
    case = Case(shop)
    page = case.pay_page()
    shop.kill("web")
    result = case.browser.pay(page, "approve")
    lost(lambda: case.browser.come_back(result))
    # Neither message reached anybody: the worker asks the bank.
    case.settled()
    shop.start("web")
    assert case.number in case.browser.come_back(result).url
    case.check_paid_once()


@pytest.mark.rule("PAY-7")
def test_web_and_worker_dead_during_the_payment_the_banks_second_callback_settles(shop):
    case = Case(shop)
    page = case.pay_page()
    shop.kill("web", "worker")
    case.browser.pay(page, "lost_return")
    shop.start("web")
    # The bank comes back with its callback, a second or two later.
    case.settled()
    shop.start("worker")
    case.check_paid_once()


@pytest.mark.rule("PAY-5")
def test_bank_killed_while_the_card_is_typed_goes_on_where_it_was(shop):
    case = Case(shop)
    card_page = case.browser.pay(case.pay_page(), "approve", stop_before="card")
    shop.kill("bank")
    lost(lambda: case.browser.get(card_page.url))
    shop.start("bank")
    code_page = case.browser.get(f"{card_page.url}?card=approve").send("/pay/", press=("action", "pay"))
    case.browser.come_back(case.browser.give_code(code_page))
    case.check_paid_once()


@pytest.mark.rule("PAY-7")
@pytest.mark.parametrize("card", ["slow", "twice", "forged"])
def test_bank_killed_after_the_card_is_confirmed_and_before_the_return(shop, card):
    case = Case(shop)
    shop.kill("worker")
    case.browser.pay(case.pay_page(), card)
    shop.kill("bank")
    shop.start("bank")
    shop.start("worker")
    case.check_paid_once()


@pytest.mark.rule("PAY-6")
@pytest.mark.rule("PAY-7")
def test_web_killed_in_the_middle_of_the_return(shop):
    case = Case(shop)
    page = case.pay_page()
    shop.kill("worker")
    restarted_with(shop, "web", "settle: written")
    result = case.browser.pay(page, "approve")
    lost(lambda: case.browser.come_back(result))
    assert shop.order(case.number)["state"] == "awaiting_payment"
    shop.kill("web")
    shop.start("web", "worker")
    case.browser.come_back(result)
    case.check_paid_once()


@pytest.mark.rule("MSG-1")
def test_web_killed_after_the_callback_was_taken_in(shop):
    case = Case(shop)
    shop.kill("worker")
    case.browser.pay(case.pay_page(), "lost_return")
    case.settled()
    shop.kill("web")
    assert shop.mails(case.number) == []
    shop.start("worker", "web")
    case.check_paid_once()


@pytest.mark.rule("PAY-7")
def test_all_three_killed_after_the_card_is_confirmed(shop):
    case = Case(shop)
    page = case.pay_page()
    shop.kill("worker")
    case.browser.pay(page, "lost_both")
    shop.kill("web", "bank")
    shop.start("bank", "worker", "web")
    case.check_paid_once()


@pytest.mark.rule("PAY-6")
@pytest.mark.rule("PAY-7")
def test_worker_killed_while_it_takes_in_what_the_bank_answered(shop):
    case = Case(shop)
    page = case.pay_page()
    restarted_with(shop, "worker", "settle: written")
    case.browser.pay(page, "lost_both")
    shop.fell("worker")
    assert shop.order(case.number)["state"] == "awaiting_payment"
    shop.start("worker")
    case.check_paid_once()


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("point", ["mail: claimed", "mail: before hand-over"])
def test_worker_killed_before_the_mail_is_handed_over_sends_it_after_the_restart(shop, point):
    case = Case(shop)
    page = case.pay_page()
    restarted_with(shop, "worker", point)
    case.browser.come_back(case.browser.pay(page, "approve"))
    shop.fell("worker")
    assert shop.mails(case.number) == []
    shop.start("worker")
    case.check_paid_once()


@pytest.mark.rule("MSG-1")
def test_worker_killed_while_the_mail_server_is_silent_sends_it_after_the_restart(shop):
    case = Case(shop)
    page = case.pay_page()
    shop.running["mail"].signal(signal.SIGSTOP)
    case.browser.come_back(case.browser.pay(page, "approve"))
    case.settled()
    # The worker has called the mail server and waits for its greeting.
    until(lambda: shop.crowd.alone("tries_of", case.number), 15, 0.05)
    shop.kill("worker")
    shop.running["mail"].signal(signal.SIGCONT)
    shop.start("worker")
    case.check_paid_once()


@pytest.mark.rule("MSG-1")
def test_worker_killed_after_the_server_took_the_mail_does_not_send_it_again(shop):
    case = Case(shop)
    page = case.pay_page()
    restarted_with(shop, "worker", "mail: accepted")
    case.browser.come_back(case.browser.pay(page, "approve"))
    shop.fell("worker")
    assert len(shop.mails(case.number)) == 1
    shop.start("worker")
    case.check_paid_once(mail_states=("handed",))


@pytest.mark.rule("MSG-1")
def test_worker_killed_between_hand_over_and_acceptance_leaves_the_mail_to_a_person(shop):
    """Nobody can know whether it arrived: it is not sent again by itself, and is listed as handed."""
    case = Case(shop)
    page = case.pay_page()
    restarted_with(shop, "worker", "mail: handed")
    case.browser.come_back(case.browser.pay(page, "approve"))
    shop.fell("worker")
    shop.start("worker")
    # Longer than the lease.
    time.sleep(3)
    worker_rounds(shop)
    facts = shop.facts()
    assert [row[1:] for row in facts["mails_of"] if row[0] == case.number] == [["order_confirmed", "handed"]]
    case.over([(PRICE, 0)], mails=0)
    assert shop.order(case.number)["state"] == "confirmed"
    assert (facts["stock"][SKU], facts["gifts"]) == (case.stock - 1, case.gifts - 1)


def overdue(shop):
    """An order whose time was over a minute ago, while no worker runs."""
    shop.kill("worker")
    case = Case(shop)
    [overview] = shop.crowd.alone("checkouts", [[SKU]])
    case.number, oid = shop.crowd.alone("place_overdue", *overview)
    assert shop.facts()["stock"][SKU] == case.stock - 1
    return case, oid


@pytest.mark.rule("PAY-8")
def test_worker_killed_in_the_middle_of_a_lapse_gives_everything_back_once(shop):
    case, _ = overdue(shop)
    shop.start("worker", crash_at="lapse: written")
    shop.fell("worker")
    facts = shop.facts()
    assert shop.order(case.number)["state"] == "awaiting_payment"
    assert (facts["stock"][SKU], facts["gifts"]) == (case.stock - 1, case.gifts - 1)
    shop.start("worker")
    case.settled("lapsed")
    case.mailed()
    facts = shop.facts()
    assert (facts["stock"][SKU], facts["gifts"]) == (case.stock, case.gifts)
    assert shop.order(case.number)["events"] == ["awaiting_payment", "lapsed"]
    case.over([], mails=1)


@pytest.mark.rule("PAY-8")
@pytest.mark.rule("OFF-6")
def test_worker_killed_in_the_middle_of_a_lapse_gives_the_new_number_back_once(shop):
    shop.kill("worker")
    case = NewNumber(shop)
    case.number = shop.crowd.alone("overdue_new_number", case.msisdn)
    shop.start("worker", crash_at="lapse: written")
    shop.fell("worker")
    assert shop.crowd.alone("sold_numbers")[case.msisdn] == ["sold", case.number]
    shop.start("worker")
    case.settled("lapsed")
    case.mailed()
    assert shop.crowd.alone("sold_numbers")[case.msisdn] == ["free", None]
    facts = shop.facts()
    assert (facts["stock"][SKU], facts["gifts"]) == (case.stock, case.gifts)
    case.over([], mails=1)


@pytest.mark.rule("PAY-9")
def test_worker_killed_after_the_bank_gave_money_back_does_not_give_it_back_again(shop):
    case, oid = overdue(shop)
    shop.start("worker", crash_at="refund: given")
    case.settled("lapsed")
    case.mailed()
    shop.crowd.alone("set_stock", SKU, 0)
    try:
        pay_at_bank(shop.running["bank"], shop.crowd.alone("form", oid), "lost_return")
        shop.fell("worker")
        assert shop.at_the_bank(case.number) == [(PRICE, PRICE)]
        assert "due" in shop.facts()["refunds"]
        # The next one finds it in the bank's books, and dies while it writes that down: nothing of it is there.
        shop.crowd.alone("refunds_are_free")
        shop.start("worker", crash_at="refund: written")
        shop.fell("worker")
        assert "due" in shop.facts()["refunds"]
        shop.crowd.alone("refunds_are_free")
        shop.start("worker")
        until(lambda: set(shop.facts()["refunds"]) == {"done"}, 40, 0.3)
        case.mailed(2)
        case.over([(PRICE, PRICE)], mails=2)
        assert shop.order(case.number)["state"] == "lapsed"
        assert shop.facts()["stock"][SKU] == 0
    finally:
        shop.crowd.alone("set_stock", SKU, case.stock)


@pytest.mark.rule("MSG-1")
@pytest.mark.rule("PAY-6")
def test_when_all_is_over_nothing_more_was_sent_paid_or_changed(shop):
    """The last test: of all orders above, after two more rounds of the worker."""
    worker_rounds(shop)
    arrived = shop.running["mail"].mails()
    for number, mails, money, order in shop.over:
        assert sum(number in mail["text"] for mail in arrived) == mails
        assert shop.at_the_bank(number) == money
        assert shop.order(number) == order
    assert {state for _, _, state in shop.facts()["mails_of"]} <= {"sent", "handed"}
