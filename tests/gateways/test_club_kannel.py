"""The club by SMS and USSD, from the handset to a running shop and back (CLB-9, CLB-10, MSG-2).

A real Kannel with the configuration of docs/sms.md brings the SMS; the shop and its worker are real processes on a
database of their own. USSD comes over the HTTP callback.
"""

import pytest
import requests

from tests.crowd import Crowd
from tests.databases import own_database
from tests.kannel import NUMBER, SHORT, Kannel, needed
from tests.processes import Process, free_port, until

SMS_SECRET, USSD_SECRET = "CHANGE-SHOP", "the other gateway's secret"


class Shop:
    """A web server and a worker, with Kannel between them and the handset."""

    def __init__(self, url, folder):
        self.folder, self.port = folder, free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "DATABASE_URL": url,
            "PORT": str(self.port),
            "SMS_SECRET": SMS_SECRET,
            "USSD_SECRET": USSD_SECRET,
            "WEB_CONCURRENCY": "2",
            "DYQANI_WORKER_EVERY": "1",
            # Nobody listens there.
            "SMTP_PORT": str(free_port()),
        }
        self.crowd = Crowd(url, folder, **self.settings)
        self.running = []

    def start_web(self):
        web = Process(self.folder, "web", "gunicorn", "--config", "gunicorn.conf.py", **self.settings)
        self.running.append(web)
        until(self.answers, 30, what=web.log)

    def start_worker(self, kannel):
        url = f"http://127.0.0.1:{kannel.sendsms}/cgi-bin/sendsms"
        to_kannel = {"SMS_URL": url, "SMS_USER": "shop", "SMS_PASSWORD": "CHANGE-SENDSMS", "SMS_SENDER": "Dyqani"}
        worker = Process(self.folder, "worker", "flask", "--app", "app", "worker", **self.settings, **to_kannel)
        self.running.append(worker)

    def answers(self):
        try:
            return requests.get(f"{self.base}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def end(self):
        for process in self.running:
            process.kill()
        self.crowd.end()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("club")
    with own_database(folder) as url:
        shop = Shop(url, folder)
        try:
            shop.id, _ = shop.crowd.alone("club_member", NUMBER, 5000)
            shop.crowd.alone("club_offer", "KINEMA", 60)
            shop.start_web()
            yield shop
        finally:
            shop.end()


@pytest.fixture(scope="module")
def kannel(shop, tmp_path_factory):
    kannel = Kannel(tmp_path_factory.mktemp("kannel"), shop.port)
    yield kannel
    kannel.close()


@needed
@pytest.mark.rule("CLB-9", "MSG-2")
@pytest.mark.parametrize(
    ("said", "answer", "made"),
    [
        ("90 hej", "90 pikë = hej, 1 muaj. Aktivizimin ua konfirmojmë me SMS.", ["hej", 1, "sms"]),
        ("20 MB", "20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS.", ["MB", 100, "sms"]),
        ("15 SMS", "15 pikë = 15 SMS, 30 ditë. Aktivizimin ua konfirmojmë me SMS.", ["SMS", 15, "sms"]),
        ("90 Msuper", "90 pikë = Super Rrethi, 1 muaj. Aktivizimin ua konfirmojmë me SMS.", ["super", 1, "sms"]),
        ("90 Mfillo", "90 pikë = Fillo 10, 1 muaj. Aktivizimin ua konfirmojmë me SMS.", ["fillo", 1, "sms"]),
        ("12 MMS", "12 pikë = 12 MMS, 30 ditë. Aktivizimin ua konfirmojmë me SMS.", ["MMS", 12, "sms"]),
        (" 90  HEJ!", "90 pikë = hej, 1 muaj. Aktivizimin ua konfirmojmë me SMS.", ["hej", 1, "sms"]),
    ],
)
def test_each_line_of_the_terms_reaches_the_shop_and_its_answer_the_handset(shop, kannel, said, answer, made):
    before = shop.crowd.alone("club_facts", shop.id)
    with kannel.handset(f"{NUMBER} {SHORT} text {said}") as handset:
        assert handset.gets() == (SHORT, answer)
    after = shop.crowd.alone("club_facts", shop.id)
    assert after["services"] == [*before["services"], made]
    assert len(after["events"]) == len(before["events"]) + 1
    assert (after["inbound"], after["audit"]) == (before["inbound"] + 1, [])


@needed
@pytest.mark.rule("CLB-9", "MSG-2")
@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("mirembrema", "Shkruani: 10 MB, 10 SMS, 10 MMS, 90 hej, 90 Msuper, 90 Mfillo ose kod oferte."),
        ("9 MB", "Konvertohen së paku 10 pikë, për shembull: 10 MB"),
        ("80 Mfillo", "Fillo 10 jepet për 90 pikë. Shkruani: 90 Mfillo"),
        ("STOP", "Nga ky numër nuk do të merrni më lajme të klubit me SMS."),
    ],
)
def test_what_converts_nothing_is_answered_on_the_handset_too(shop, kannel, said, answer):
    before = shop.crowd.alone("club_facts", shop.id)
    with kannel.handset(f"{NUMBER} {SHORT} text {said}") as handset:
        assert handset.gets() == (SHORT, answer)
    after = shop.crowd.alone("club_facts", shop.id)
    assert (after["spent"], after["services"]) == (before["spent"], before["services"])


@needed
@pytest.mark.rule("CLB-9", "MSG-3")
def test_a_macedonian_member_is_answered_in_cyrillic(shop, kannel):
    shop.crowd.alone("club_speaks", shop.id, "mk")
    try:
        with kannel.handset(f"{NUMBER} {SHORT} text 20 MB") as handset:
            assert handset.gets() == (SHORT, "20 поени = 100 MB, 30 дена. Ќе Ви јавиме кога ќе почнат.")
        with kannel.handset(f"{NUMBER} {SHORT} text поени") as handset:
            assert handset.gets()[1].startswith("Имате ")
    finally:
        shop.crowd.alone("club_speaks", shop.id, "sq")


@needed
@pytest.mark.rule("CLB-9", "CLB-8", "MSG-1")
def test_the_code_of_a_partners_offer_brings_the_voucher_to_the_handset(shop, kannel):
    """The answer comes from the shop at once, the code from the worker as an SMS of its own."""
    shop.start_worker(kannel)
    with kannel.handset(f"{NUMBER} {SHORT} text kinema") as handset:
        texts = dict(handset.gets() for _ in range(2))
    [[offer, code, channel]] = shop.crowd.alone("club_facts", shop.id)["vouchers"]
    assert (offer, channel) == ("KINEMA", "sms")
    assert texts[SHORT] == "60 pikë për ofertën KINEMA. Kodi për partnerin vjen me SMS."
    assert code in texts["Dyqani"].replace("\u00a0", "").replace(" ", "")


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    ("inputs", "made"),
    [
        ("2*15*1", ["SMS", 15, "ussd"]),
        ("3*20*1", ["MB", 100, "ussd"]),
        ("4*12*1", ["MMS", 12, "ussd"]),
        ("5*1", ["fillo", 1, "ussd"]),
        ("6*1", ["super", 1, "ussd"]),
    ],
)
def test_each_digit_of_777_1_goes_through_the_callback(shop, inputs, made):
    before = shop.crowd.alone("club_facts", shop.id)["services"]
    steps, said = inputs.split("*"), []
    for count in (*range(len(steps) + 1), len(steps)):
        typed = "*".join(steps[:count])
        said.append(shop.crowd.alone("club_dials", shop.base, USSD_SECRET, f"s-{inputs}", NUMBER, typed))
    assert [(status, text[:3]) for status, text in said] == [(200, "CON")] * len(steps) + [(200, "END")] * 2
    assert said[-1] == said[-2]
    assert shop.crowd.alone("club_facts", shop.id)["services"] == [*before, made]


@pytest.mark.rule("CLB-10")
def test_without_the_secret_the_running_shop_knows_no_such_address(shop):
    assert shop.crowd.alone("club_dials", shop.base, "wrong", "s-x", NUMBER, "5*1")[0] == 404
    message = "00000000-0000-4000-8000-000000000000"
    assert shop.crowd.alone("club_sms", shop.base, "wrong", message, NUMBER, "20 MB")[0] == 404
