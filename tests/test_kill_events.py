"""Events and pushed changes with real processes: killed, doubled and crossing, on a database of their own.

An event reaches the billing system at least once and under one id, whatever dies; a message is taken once, whoever
brings it at the same moment.
"""

import re
import subprocess
import sys
import threading

import pytest
import requests

import config
from gateways.sandbox.bss import Endpoint
from models.base import IS_SQLITE
from tests.crowd import Crowd
from tests.databases import own_database
from tests.models.test_bss_import import FILES
from tests.processes import Process, free_port, until

SECRET = "the webhook's secret"
NUMBER = "38970100101"


class Shop:
    """A database, its workers, and the operator's endpoint."""

    def __init__(self, url, folder, endpoint):
        self.url, self.folder, self.endpoint = url, folder, endpoint
        self.settings = {
            "DATABASE_URL": url,
            "BSS_WEBHOOK_URL": endpoint.url,
            "BSS_WEBHOOK_SECRET": SECRET,
            "BSS_TIMEOUT": "1",
            "DYQANI_WORKER_EVERY": "1",
            # Longer than a delivery may take.
            "DYQANI_MAIL_LEASE": "3",
            # Nobody listens there.
            "SMTP_PORT": str(free_port()),
            "BANK_API_URL": f"http://127.0.0.1:{free_port()}/fim/api",
        }
        self.crowd = Crowd(url, folder, **self.settings)
        self.workers: list[Process] = []

    def orders(self, count, states=("confirmed",)):
        """So many paid orders; their numbers."""
        checkouts = self.crowd.alone("checkouts", [["CASE-BLACK"]] * count)
        made = []
        for checkout in checkouts:
            number, oid = self.crowd.alone("place", *checkout)
            self.crowd.alone("settle", oid, "PAID")
            made.append(number)
        return made

    def worker(self, crash_at=""):
        name = f"worker-{len(self.workers)}"
        more = {"DYQANI_CRASH_AT": crash_at}
        self.workers.append(Process(self.folder, name, "flask", "--app", "app", "worker", **self.settings, **more))
        return self.workers[-1]

    def all_sent(self):
        return all(state == "sent" for _, _, state in self.crowd.alone("events"))

    def end(self):
        for worker in self.workers:
            worker.kill()
        self.crowd.end()


@pytest.fixture
def shop(tmp_path):
    with own_database(tmp_path) as url, Endpoint(0, SECRET) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        shop = Shop(url, tmp_path, endpoint)
        shop.crowd.alone("begin_anew")
        yield shop
        shop.end()
        endpoint.shutdown()
        thread.join(5)


# Killed


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize(("point", "brought"), [("event: claimed", 0), ("event: accepted", 1)])
def test_a_worker_that_dies_around_sending_loses_no_event_and_doubles_none_for_who_knows_its_id(shop, point, brought):
    [number] = shop.orders(1)
    worker = shop.worker(crash_at=point)
    worker.process.wait(30)
    assert len(shop.endpoint.deliveries) == brought
    assert [row[2] for row in shop.crowd.alone("events")] == ["due"]
    shop.worker()
    until(shop.all_sent, 20, 0.1)
    assert [event["data"]["order"] for event in shop.endpoint.taken] == [number]
    assert len(shop.endpoint.deliveries) == brought + 1
    assert len({event["id"] for event in shop.endpoint.deliveries}) == 1


@pytest.mark.rule("MSG-1")
def test_an_endpoint_that_dies_after_taking_an_event_gets_it_again(shop):
    shop.orders(1)
    shop.endpoint.answers = [0]
    shop.worker()
    until(shop.all_sent, 20, 0.1)
    assert len(shop.endpoint.deliveries) == 2
    assert len(shop.endpoint.taken) == 1


@pytest.mark.rule("PAY-6")
def test_a_payment_that_was_cut_off_leaves_neither_a_paid_order_nor_an_event(shop):
    [checkout] = shop.crowd.alone("checkouts", [["CASE-BLACK"]])
    number, oid = shop.crowd.alone("place", *checkout)
    dying = Crowd(shop.url, shop.folder, DYQANI_CRASH_AT="settle: written")
    assert dying.at_once([("settle", oid, "PAID")])[0]["error"] == "Died"
    dying.end()
    assert shop.crowd.alone("events") == []
    shop.crowd.alone("settle", oid, "PAID")
    assert [subject for _, subject, _ in shop.crowd.alone("events")] == [number]


# At once


@pytest.mark.rule("MSG-1")
def test_two_workers_share_the_events_and_keep_the_order_of_each_order(shop):
    numbers = shop.orders(12)
    for number in numbers:
        shop.crowd.alone("cancel", number)
    for _ in range(2):
        shop.worker()
    until(shop.all_sent, 30, 0.2)
    brought = [(event["data"]["order"], event["kind"]) for event in shop.endpoint.deliveries]
    assert len(brought) == len(set(brought)) == 24
    for number in numbers:
        kinds = [kind for order, kind in brought if order == number]
        assert kinds == ["order_confirmed", "order_cancelled"]


def test_numbers_are_given_once_while_orders_are_confirmed_and_many_ask(shop):
    checkouts = shop.crowd.alone("checkouts", [["CASE-BLACK"]] * 8)
    placed = [shop.crowd.alone("place", *checkout) for checkout in checkouts]
    tasks = []
    for _, oid in placed:
        tasks += [("settle", oid, "PAID"), ("number_events",)]
    assert all("is" in result for result in shop.crowd.at_once(tasks))
    shop.crowd.alone("number_events")
    assert sorted(row[0] for row in shop.crowd.alone("events")) == list(range(1, 9))


def test_one_message_that_comes_many_times_at_once_is_taken_once(shop):
    shop.crowd.alone("bss_copy")
    data = {"number": "F-9", "subscriber": "S-1", "issued_on": "2026-03-01", "due_on": "2026-03-15", "amount": 899}
    results = shop.crowd.at_once([("push", "invoice", data, "message-1")] * 12)
    assert [result.get("is") for result in results] == ["added"] * 12, results
    assert shop.crowd.alone("invoice_of", "F-9") == [89_900, ""]


def test_two_messages_that_make_the_same_row_at_once_make_one(shop):
    shop.crowd.alone("bss_copy")
    data = {"number": "F-9", "subscriber": "S-1", "issued_on": "2026-03-01", "due_on": "2026-03-15", "amount": 899}
    tasks = [("push", "invoice", data, f"message-{index}") for index in range(10)]
    results = [result.get("is") for result in shop.crowd.at_once(tasks)]
    assert sorted(results) == ["added"] + ["unchanged"] * 9
    holder = {"holder_id": "0909990450006", "segment": "private", "first_name": "Ana", "last_name": "M"}
    tasks = [
        ("push", "subscriber", {"code": f"S-9{index}", "since": "2026-03-01", **holder}, f"holder-{index}")
        for index in range(6)
    ]
    assert [result.get("is") for result in shop.crowd.at_once(tasks)] == ["added"] * 6


def test_of_changes_of_one_row_that_cross_the_latest_holds(shop):
    shop.crowd.alone("bss_copy")
    tasks = [
        ("push", "number", {"msisdn": NUMBER, "tariff": f"tariff-{minutes}"}, f"message-{minutes}", minutes)
        for minutes in (3, 7, 1, 9, 5, 2, 8, 4, 6, 0)
    ]
    results = [result.get("is") for result in shop.crowd.at_once(tasks)]
    assert set(results) <= {"changed", "older"}, results
    assert shop.crowd.alone("number_of", NUMBER) == ["tariff-9", True]


def test_a_message_that_meets_an_import_waits_a_moment_or_is_to_come_again(shop):
    """On SQLite for as long as a writer waits there; on PostgreSQL, where an import may take minutes, not at all."""
    shop.crowd.alone("bss_copy")
    message = ("invoice", {"number": "F-2", "paid_at": "2026-03-10T09:00", "paid_through": "shop"}, "message-1")
    results = shop.crowd.at_once([("import_for", 4), ("push_after", 1.5, *message)])
    assert "is" in results[0], results
    assert results[1].get("is", results[1].get("error")) == ("changed" if IS_SQLITE else "Busy")
    assert shop.crowd.alone("push", *message) == "changed"
    assert shop.crowd.alone("invoice_of", "F-2") == [89_900, "shop"]


# As the documentation says


def test_the_documentations_curl_pushes_a_payment(shop, tmp_path):
    text = (config.ROOT / "docs" / "bss.md").read_text(encoding="utf-8")
    script = re.search(r"```sh\n(shop=.*?)```\n\n```\n(.*?)```", text, re.S)
    folder = tmp_path / "extract"
    folder.mkdir()
    for name, table in re.findall(r"^(\w+\.csv)\n\n```\n(.*?)```", text.partition("## An example")[2], re.M | re.S):
        (folder / name).write_text(table)
    assert folder.joinpath("invoices.csv").exists()
    assert set(FILES) == {path.name for path in folder.iterdir()}
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    environment = {"PATH": "/usr/bin:/bin", "DYQANI_ENV": "test", "DYQANI_INSTANCE": str(tmp_path), **shop.settings}
    subprocess.run(
        [*flask, "bss", "import", folder], cwd=config.ROOT, env=environment, check=True, capture_output=True
    )
    port = free_port()
    web = Process(
        tmp_path,
        "web",
        "gunicorn",
        "--config",
        "gunicorn.conf.py",
        **{"PORT": str(port), "WEB_CONCURRENCY": "1", "BSS_PUSH_SECRET": SECRET, **shop.settings},
    )
    shop.workers.append(web)
    until(lambda: _answers(port), 30, what=web.log)
    told = script[1].replace("https://shop.example", f"http://127.0.0.1:{port}")
    for _ in range(2):
        answer = subprocess.run(
            ["bash", "-c", told], env={"PATH": "/usr/bin:/bin", "BSS_PUSH_SECRET": SECRET}, capture_output=True
        )
        assert (answer.stdout.decode(), answer.stderr) == (script[2], b"")
    assert shop.crowd.alone("invoice_of", "F-88202") == [1_200_000, "shop"]


def _answers(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
