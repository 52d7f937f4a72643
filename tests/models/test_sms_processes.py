"""Kill -9 of the worker at each point of an SMS, and what arrives after its restart (MSG-1)."""

import signal
import time

import pytest

from tests.crowd import Crowd
from tests.databases import own_database
from tests.processes import Process, SmsSink, json_lines, until

pytestmark = pytest.mark.rule("MSG-1")

NUMBER = "38970100020"


class Shop:
    """A worker and an SMS gateway, and a process that writes codes."""

    def __init__(self, url, folder):
        self.folder, self.sink = folder, SmsSink(folder)
        self.settings = {
            "DATABASE_URL": url,
            "SECRET_KEY": "the same secret after each restart",
            "SMS_URL": self.sink.url,
            "SMS_REPORT_URL": "none",
            "SMS_TIMEOUT": "2",
            "DYQANI_WORKER_EVERY": "1",
            "DYQANI_MAIL_LEASE": "2",
        }
        self.crowd = Crowd(url, folder, **self.settings)
        self.crowd.alone("clear")
        self.crowd.alone("code_profiles", 1)

    def worker(self, crash_at=""):
        started = len(json_lines(self.folder / "worker.log"))
        command = ("flask", "--app", "app", "worker")
        worker = Process(self.folder, "worker", *command, DYQANI_CRASH_AT=crash_at, **self.settings)

        def says_so():
            lines = json_lines(self.folder / "worker.log")[started:]
            return any(line.get("event") == "worker.started" for line in lines)

        until(says_so, 30)
        return worker

    def fell(self, worker):
        assert worker.process.wait(30) in (-signal.SIGKILL, 128 + signal.SIGKILL)
        worker.kill()

    def states(self):
        return self.crowd.alone("sms_states")

    def end(self):
        self.crowd.end()
        self.sink.signal(signal.SIGCONT)
        self.sink.end()


@pytest.fixture
def shop(tmp_path):
    with own_database(tmp_path) as url:
        shop = Shop(url, tmp_path)
        yield shop
        shop.end()


def send(shop):
    """A code by the real clock, as the worker's is."""
    return shop.crowd.alone("send_code_now", 0, NUMBER)


@pytest.mark.parametrize("point", ["sms: claimed", "sms: before hand-over"])
def test_killed_before_the_hand_over_the_sms_is_sent_after_the_restart_once(shop, point):
    digits = send(shop)
    shop.fell(shop.worker(point))
    assert shop.sink.messages() == []
    worker = shop.worker()
    until(lambda: shop.states() == {"sent": 1}, 20)
    worker.end()
    [sms] = shop.sink.messages()
    assert sms["text"].startswith(digits)


@pytest.mark.parametrize(("point", "arrived"), [("sms: handed", 0), ("sms: accepted", 1)])
def test_killed_after_the_hand_over_it_is_never_sent_again_by_itself(shop, point, arrived):
    send(shop)
    shop.fell(shop.worker(point))
    assert len(shop.sink.messages()) == arrived
    worker = shop.worker()
    # Longer than the lease, and two rounds more.
    time.sleep(4.5)
    worker.end()
    assert len(shop.sink.messages()) == arrived
    assert shop.states() == {"handed": 1}


def test_a_dead_gateway_loses_nothing(shop):
    shop.sink.signal(signal.SIGSTOP)
    worker = shop.worker()
    send(shop)
    time.sleep(1)
    shop.sink.signal(signal.SIGCONT)
    until(lambda: shop.states() in ({"sent": 1}, {"handed": 1}), 20)
    worker.end()
    assert len(shop.sink.messages()) == 1


def test_two_workers_send_each_sms_once(shop):
    workers = [shop.worker(), shop.worker()]
    for number in range(6):
        shop.crowd.alone("send_code_now", 0, f"3897010003{number}")
    until(lambda: shop.states() == {"sent": 6}, 30)
    for worker in workers:
        worker.end()
    assert len({sms["to"] for sms in shop.sink.messages()}) == len(shop.sink.messages()) == 6
