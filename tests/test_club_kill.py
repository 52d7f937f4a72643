"""Kill -9 of web server and worker while points are converted: what is there after the restart (CLB-8…11, MSG-1).

Real processes on loopback, brought messages and callbacks as the gateways bring them. A conversion is there once and
whole, or not at all; no code, SMS, mail or event for the network is lost or doubled.
"""

import signal
import threading
import time
import uuid

import pytest
import requests

from gateways.sandbox.bss import Endpoint
from tests.crowd import Crowd
from tests.databases import own_database
from tests.kannel import SHORT, Kannel, needed
from tests.processes import Browser, MailSink, Page, Process, SmsSink, free_port, until
from tests.world import PASSWORD

SMS_SECRET, USSD_SECRET, BSS_SECRET = "CHANGE-SHOP", "the USSD gateway's secret", "the webhook's secret"
OFFER = "KINEMA"


class Shop:
    """All processes of a shop with a club; web server and worker can be killed and started again."""

    def __init__(self, url, folder, endpoint):
        self.folder, self.endpoint, self.members = folder, endpoint, 0
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.mail, self.sms = MailSink(folder), SmsSink(folder)
        self.settings = {
            "DATABASE_URL": url,
            "PORT": str(self.port),
            "DYQANI_BASE_URL": self.base,
            "SECRET_KEY": "the same secret after each restart",
            "SMS_SECRET": SMS_SECRET,
            "SMS_URL": self.sms.url,
            # A killed worker's SMS stays as it was left: no report comes to tell of it.
            "SMS_REPORT_URL": "none",
            "USSD_SECRET": USSD_SECRET,
            "SMTP_PORT": str(self.mail.port),
            "BSS_WEBHOOK_URL": endpoint.url,
            "BSS_WEBHOOK_SECRET": BSS_SECRET,
            "BSS_TIMEOUT": "2",
            "BANK_API_URL": f"http://127.0.0.1:{free_port()}/fim/api",
            "DYQANI_WORKER_EVERY": "1",
            "DYQANI_MAIL_LEASE": "3",
            "WEB_CONCURRENCY": "1",
        }
        self.running: dict[str, Process] = {}
        # Whether the web server runs, and without a point to die at.
        self.is_whole = False
        self.crowd = Crowd(url, folder, **self.settings)
        self.offer = self.crowd.alone("club_offer", OFFER, 60)

    # Processes

    def start(self, name, crash_at=""):
        commands = {
            "web": ("gunicorn", "--config", "gunicorn.conf.py"),
            "worker": ("flask", "--app", "app", "worker"),
        }
        settings = {**self.settings, "DYQANI_CRASH_AT": crash_at}
        self.running[name] = Process(self.folder, name, *commands[name], **settings)
        if name == "web":
            self.is_whole = not crash_at
            until(self.answers, 30, what=self.running["web"].log)

    def kill(self, name):
        if name in self.running:
            self.running.pop(name).kill()

    def restart(self, name, crash_at=""):
        self.kill(name)
        self.start(name, crash_at)

    def fell(self, name):
        process = self.running.pop(name)
        assert process.process.wait(30) in (-signal.SIGKILL, 128 + signal.SIGKILL)
        process.kill()

    def answers(self):
        try:
            return requests.get(f"{self.base}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def becomes(self, found, wanted, within=60):
        """Wait until the worker has made it so."""
        end = time.monotonic() + within
        while (now := found()) != wanted and time.monotonic() < end:
            time.sleep(0.2)
        assert now == wanted, (self.folder / "worker.log").read_text(errors="replace")[-4000:]

    def end(self):
        for process in (*self.running.values(), self.mail, self.sms):
            process.kill()
        self.crowd.end()

    # What is done, and what came of it

    def member(self, points=100):
        self.members += 1
        msisdn = str(38970100000 + self.members)
        id, email = self.crowd.alone("club_member", msisdn, points)
        return Member(self, id, msisdn, email)

    def told(self, member):
        """What the network was told of the member's services: the ids of events as they were brought, and taken."""
        brought = [event["id"] for event in self.endpoint.deliveries if event["data"].get("msisdn") == member.msisdn]
        taken = [event["id"] for event in self.endpoint.taken if event["data"].get("msisdn") == member.msisdn]
        return brought, taken


class Member:
    """Somebody who converts once, and asks again when no answer comes."""

    def __init__(self, shop, id, msisdn, email):
        self.shop, self.id, self.msisdn, self.email = shop, id, msisdn, email
        self.message = str(uuid.uuid4())
        self.form = None

    def prepare(self, what):
        """On the web the confirmation is opened first."""
        browser = Browser(self.shop.base)
        browser.get("/hyr").send("/hyr", email=self.email, password=PASSWORD)
        path = f"oferta/{self.shop.offer}" if what == OFFER else "sherbimi/mb?pike=20"
        page = browser.get(f"/klubi/{self.id}/{path}")
        [form] = [form for form in page.forms(f"/klubi/{self.id}/") if "token" in Page._filled(form)]
        self.form = (form.get("action") or page.url, browser.session.cookies.get_dict(), Page._filled(form))

    def convert(self, what, channel):
        """The same request each time; True when it was answered."""
        crowd, base = self.shop.crowd, self.shop.base
        if channel == "sms":
            text = OFFER if what == OFFER else "20 MB"
            task = ("club_sms", base, SMS_SECRET, self.message, self.msisdn, text)
        elif channel == "ussd":
            task = ("club_dials", base, USSD_SECRET, self.message, self.msisdn, "3*20*1")
        else:
            address, cookies, fields = self.form
            task = ("posts", requests.compat.urljoin(base, address), cookies, fields)
        [result] = crowd.at_once([task])
        if "error" in result:
            assert result["error"] in ("ConnectionError", "ChunkedEncodingError"), result
            return False
        status, _ = result["is"]
        assert status == (303 if channel == "web" else 200), result
        return True

    @property
    def facts(self):
        return self.shop.crowd.alone("club_facts", self.id)

    def check_nothing_happened(self):
        facts = self.facts
        assert (facts["points"], facts["spent"], facts["audit"]) == (100, [], [])
        assert facts["services"] == facts["vouchers"] == facts["events"] == facts["sms"] == facts["mails"] == []

    def check_once(self, what):
        """Converted once, with all that belongs to it written once."""
        facts = self.facts
        assert facts["audit"] == []
        if what == OFFER:
            assert (facts["points"], facts["spent"], facts["services"]) == (40, [-60], [])
            assert [offer for offer, _, _ in facts["vouchers"]] == [OFFER]
            assert [kind for kind, _ in facts["sms"]] == ["voucher"]
            assert len(facts["mails"]) == 1
        else:
            assert (facts["points"], facts["spent"], facts["vouchers"]) == (80, [-20], [])
            assert [what for what, *_ in facts["services"]] == ["MB"]
            assert len(facts["events"]) == 1
        return facts


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("club-killed")
    with own_database(folder) as url, Endpoint(0, BSS_SECRET) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        shop = Shop(url, folder, endpoint)
        yield shop
        shop.end()
        endpoint.shutdown()
        thread.join(5)


@pytest.fixture
def shop(running):
    if not running.is_whole:
        running.restart("web")
    running.kill("worker")
    return running


# The web server


@pytest.mark.rule("CLB-16", "CLB-8", "CLB-9", "CLB-10", "CLB-11")
@pytest.mark.parametrize(
    ("what", "channel", "point"),
    [
        ("20 MB", "sms", "club: entered"),
        *(("20 MB", channel, "club: service written") for channel in ("sms", "ussd", "web")),
        *((OFFER, channel, "club: voucher drawn") for channel in ("sms", "web")),
    ],
)
def test_web_killed_in_the_middle_of_a_conversion_leaves_nothing_and_then_converts_once(shop, what, channel, point):
    member = shop.member()
    if channel == "web":
        member.prepare(what)
    shop.restart("web", crash_at=point)
    assert not member.convert(what, channel)
    member.check_nothing_happened()
    shop.restart("web")
    for _ in range(2):
        assert member.convert(what, channel)
    member.check_once(what)


@pytest.mark.rule("CLB-9", "CLB-16")
@pytest.mark.parametrize("what", ["20 MB", OFFER])
def test_web_killed_when_an_sms_is_converted_and_not_yet_answered_answers_it_when_it_comes_again(shop, what):
    member = shop.member()
    shop.restart("web", crash_at="club: answered")
    assert not member.convert(what, "sms")
    member.check_once(what)
    shop.restart("web")
    assert member.convert(what, "sms")
    member.check_once(what)


@needed
@pytest.mark.rule("CLB-9", "MSG-2")
@pytest.mark.parametrize("point", ["club: service written", "club: answered"])
def test_kannel_brings_a_message_again_that_a_dying_shop_did_not_answer(shop, tmp_path, point):
    member = shop.member()
    kannel = Kannel(tmp_path, shop.port)
    try:
        shop.restart("web", crash_at=point)
        with kannel.handset(f"{member.msisdn} {SHORT} text 20 MB", member.msisdn) as handset:
            until(lambda: "Worker" in shop.running["web"].log.read_text()[-3000:] or member.facts["spent"], 15)
            shop.restart("web")
            assert handset.gets() == (SHORT, "20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS.")
        member.check_once("20 MB")
        assert handset.sms.empty()
    finally:
        kannel.close()


# The worker


@pytest.fixture
def idle(shop):
    """Nothing is left of other tests that a worker could die of instead."""
    if shop.crowd.alone("club_waiting"):
        shop.start("worker")
        shop.becomes(lambda: shop.crowd.alone("club_waiting"), 0)
        shop.running.pop("worker").end()
    return shop


def sent(shop, member):
    return [message["text"] for message in shop.sms.messages() if message["to"].lstrip("+") == member.msisdn]


def states_of(member):
    facts = member.facts
    return (*(state for _, state in facts["sms"]), *facts["mails"])


def mailed(shop, member):
    return [mail for mail in shop.mail.mails() if mail["to"] == member.email]


@pytest.mark.rule("MSG-1", "CLB-8")
@pytest.mark.parametrize(
    ("point", "states"),
    [
        ("sms: claimed", ("sent", "sent")),
        ("sms: before hand-over", ("sent", "sent")),
        ("sms: accepted", ("handed", "sent")),
        ("mail: claimed", ("sent", "sent")),
        ("mail: before hand-over", ("sent", "sent")),
        ("mail: accepted", ("sent", "handed")),
    ],
)
def test_worker_killed_while_it_sends_a_code_sends_it_once_by_sms_and_once_by_mail(idle, point, states):
    shop = idle
    member = shop.member()
    assert member.convert(OFFER, "sms")
    shop.start("worker", crash_at=point)
    shop.fell("worker")
    shop.start("worker")
    shop.becomes(lambda: states_of(member), states)
    [[_, code, _]] = member.check_once(OFFER)["vouchers"]
    [text] = sent(shop, member)
    [mail] = mailed(shop, member)
    for said in (text, mail["text"]):
        assert code in said.replace("\u00a0", "").replace(" ", "")


@pytest.mark.rule("MSG-1", "CLB-9", "CLB-11")
@pytest.mark.parametrize(("point", "times"), [("event: claimed", 1), ("event: accepted", 2)])
def test_worker_killed_while_it_tells_the_network_tells_it_again_under_the_same_id(idle, point, times):
    shop = idle
    member = shop.member()
    assert member.convert("20 MB", "ussd")
    shop.start("worker", crash_at=point)
    shop.fell("worker")
    shop.start("worker")
    shop.becomes(lambda: member.facts["events"], ["sent"])
    brought, taken = shop.told(member)
    assert (len(brought), len(set(brought)), len(taken)) == (times, 1, 1)
    member.check_once("20 MB")
