"""Points asked for by many at the same moment, over web, SMS and USSD, in real processes (CLB-16).

On whichever database DATABASE_URL names: the forms, messages and callbacks of tens of callers reach a running
web server of several processes together.
"""

import json
import random
import uuid

import pytest
import requests

from tests.crowd import Crowd
from tests.databases import own_database
from tests.processes import Browser, Page, Process, free_port, until
from tests.world import PASSWORD

SMS_SECRET, USSD_SECRET = "the SMS gateway's secret", "the USSD gateway's secret"
DONE = "Aktivizimin ua konfirmojmë me SMS."


class Shop:
    """A web server of several processes on a database of its own."""

    def __init__(self, url, folder):
        self.folder, self.port, self.members = folder, free_port(), 0
        self.base = f"http://127.0.0.1:{self.port}"
        settings = {
            "DATABASE_URL": url,
            "PORT": str(self.port),
            "DYQANI_BASE_URL": self.base,
            "SMS_SECRET": SMS_SECRET,
            "USSD_SECRET": USSD_SECRET,
            "WEB_CONCURRENCY": "4",
        }
        self.crowd = Crowd(url, folder, **settings)
        self.web = Process(folder, "web", "gunicorn", "--config", "gunicorn.conf.py", **settings)
        until(self.answers, 40, what=self.web.log)

    def answers(self):
        try:
            return requests.get(f"{self.base}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def member(self, points):
        """A new member: id, number, and the e-mail of the profile."""
        self.members += 1
        msisdn = str(38970100000 + self.members)
        id, email = self.crowd.alone("club_member", msisdn, points)
        return id, msisdn, email

    def facts(self, id):
        return self.crowd.alone("club_facts", id)

    def confirmations(self, id, email, count, points=10):
        """So many confirmation pages of a member's browser, each opened anew: what its button would send."""
        browser = Browser(self.base)
        browser.get("/hyr").send("/hyr", email=email, password=PASSWORD)
        tasks = []
        for _ in range(count):
            page = browser.get(f"/klubi/{id}/sherbimi/mb?pike={points}")
            [form] = [form for form in page.forms("/sherbimi/mb") if form.get("method") == "post"]
            fields = Page._filled(form)
            assert fields["token"]
            tasks.append(("posts", page.url.partition("?")[0], browser.session.cookies.get_dict(), fields))
        return tasks

    def sms(self, msisdn, text="10 MB", message=None):
        return ("club_sms", self.base, SMS_SECRET, message or str(uuid.uuid4()), msisdn, text)

    def dials(self, msisdn, text="3*10*1", session=None):
        return ("club_dials", self.base, USSD_SECRET, session or str(uuid.uuid4()), msisdn, text)

    def at_once(self, tasks):
        results = self.crowd.at_once(tasks)
        assert all("is" in result for result in results), results
        return [result["is"] for result in results]

    def end(self):
        self.web.kill()
        self.crowd.end()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("at-once")
    with own_database(folder) as url:
        shop = Shop(url, folder)
        yield shop
        shop.end()


def went_through(task, answer):
    status, said = answer
    if task[0] == "posts":
        assert status in (303, 422), answer
        return status == 303
    assert status == 200, answer
    assert DONE in said or said.removeprefix("END ").startswith("Duhen 10 pikë"), answer
    return DONE in said


@pytest.mark.rule("CLB-16", "CLB-9", "CLB-10", "CLB-11")
def test_of_fifty_conversions_at_once_over_web_sms_and_ussd_ten_succeed(shop):
    id, msisdn, email = shop.member(100)
    tasks = [
        *shop.confirmations(id, email, 18),
        *(shop.sms(msisdn) for _ in range(16)),
        *(shop.dials(msisdn) for _ in range(16)),
    ]
    # No channel is first.
    random.Random(50).shuffle(tasks)
    assert len(tasks) == 50
    through = [went_through(task, answer) for task, answer in zip(tasks, shop.at_once(tasks), strict=True)]
    facts = shop.facts(id)
    assert sum(through) == 10
    assert facts["spent"] == [-10] * 10
    assert (facts["points"], facts["balance"], len(facts["services"]), len(facts["events"])) == (0, 0, 10, 10)
    assert facts["audit"] == []


@pytest.mark.rule("CLB-16", "CLB-8")
def test_vouchers_and_units_that_are_asked_for_at_once_never_spend_a_point_twice(shop):
    id, msisdn, _ = shop.member(100)
    shop.crowd.alone("club_offer", "KINEMA", 30)
    tasks = [shop.sms(msisdn, "KINEMA") for _ in range(8)] + [shop.dials(msisdn, "2*20*1") for _ in range(8)]
    shop.at_once(tasks)
    facts = shop.facts(id)
    vouchers, services = len(facts["vouchers"]), len(facts["services"])
    assert facts["points"] == 100 - 30 * vouchers - 20 * services
    # Whoever came last found less than the other of the two costs.
    assert 0 <= facts["points"] < 20
    assert [kind for kind, _ in facts["sms"]].count("voucher") == len(facts["mails"]) == vouchers
    assert len({code for _, code, _ in facts["vouchers"]}) == vouchers
    assert facts["audit"] == []


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize("text", ["20 MB", "KINEMA30"])
def test_one_sms_that_is_brought_three_times_at_once_converts_once_and_is_answered_alike(shop, text):
    id, msisdn, _ = shop.member(100)
    if text != "20 MB":
        shop.crowd.alone("club_offer", text, 30)
    before = shop.facts(id)["inbound"]
    answers = shop.at_once([shop.sms(msisdn, text, message=str(uuid.uuid4()).upper())] * 3)
    assert len({json.dumps(answer) for answer in answers}) == 1
    assert "pikë" in answers[0][1]
    facts = shop.facts(id)
    assert (len(facts["spent"]), facts["inbound"] - before, facts["audit"]) == (1, 1, [])
    assert len(facts["services"]) + len(facts["vouchers"]) == 1


@pytest.mark.rule("CLB-10")
def test_one_session_whose_yes_is_brought_many_times_at_once_converts_once(shop):
    id, msisdn, _ = shop.member(100)
    answers = shop.at_once([shop.dials(msisdn, "3*20*1", session="one")] * 8)
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert DONE in answers[0][1]
    facts = shop.facts(id)
    assert (facts["spent"], len(facts["events"]), facts["audit"]) == ([-20], 1, [])


@pytest.mark.rule("CLB-11")
def test_one_confirmation_that_is_sent_many_times_at_once_converts_once(shop):
    id, _, email = shop.member(100)
    [confirmation] = shop.confirmations(id, email, 1, points=20)
    answers = shop.at_once([confirmation] * 8)
    assert {status for status, _ in answers} == {303}
    assert len({address for _, address in answers}) == 1
    assert shop.facts(id)["spent"] == [-20]
