"""The worker's rounds (MSG-1, PAY-7, PAY-8)."""

import os
import signal
import threading

import pytest

import config
import jobs
from models.base import Unfinished
from models.cart import Cart
from models.catalogue import Listing, Promotion
from models.order import Order
from models.outbox import Mail
from models.payment import Payment, Refund
from models.profile import Attempt
from tests.processes import Process, free_port, json_lines, until
from tests.world import NOW, build, later, ordered


def test_trouble_with_one_task_does_not_hold_up_the_others():
    done = []

    def broken(now):
        done.append("broken")
        raise RuntimeError("as if the database were away")

    def whole(now):
        done.append(now)

    jobs.run_round(NOW, only=[(broken, 1), (whole, 1)])
    assert done == ["broken", NOW]


def test_a_round_of_nothing_does_nothing():
    """`only` with no task in it is not `all tasks`."""
    Attempt.create(key="login:x", at=NOW)
    jobs.run_round(later(days=2), only=[])
    assert Attempt.select().count() == 1


def test_a_round_that_is_told_to_stop_begins_no_other_task():
    stop, done = threading.Event(), []
    first = (lambda now: (done.append("first"), stop.set()), 1)
    second = (lambda now: done.append("second"), 1)
    jobs.run_round(NOW, only=[first, second], stop=stop)
    assert done == ["first"]


def test_a_round_names_what_stopped_because_its_time_was_over():
    tasks = [(lambda now: Unfinished(500), 3600), (lambda now: 500, 3600), (lambda now: None, 1)]
    assert jobs.run_round(NOW, only=tasks) == [tasks[0][0]]


def test_the_worker_goes_on_in_its_next_round_with_what_was_not_done(monkeypatch):
    rounds = []

    def much(now):
        rounds.append(now)
        if len(rounds) < 3:
            return Unfinished(500)
        os.kill(os.getpid(), signal.SIGTERM)
        return 1

    monkeypatch.setattr(config, "WORKER_EVERY", 0.01)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        jobs.work(((much, 3600),), ())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(rounds) == 3


def test_what_takes_long_holds_up_nobody(monkeypatch):
    """The slow task goes on until the quick one has had three rounds."""
    rounds, done = threading.Semaphore(0), []

    def slow(now):
        for _ in range(3):
            assert rounds.acquire(timeout=30)
        done.append(now)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(config, "WORKER_EVERY", 0.01)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        jobs.work(((lambda now: rounds.release(), 0),), ((slow, 3600),))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert len(done) == 1


@pytest.mark.rule("MSG-1")
@pytest.mark.rule("PAY-8")
@pytest.mark.rule("PAY-9")
@pytest.mark.rule("CRT-4")
def test_a_round_does_all_that_is_due(monkeypatch):
    """No bank and no mail server are there: what needs them is tried and waits."""
    closed = free_port()
    monkeypatch.setattr(config, "SMTP_PORT", closed)
    monkeypatch.setattr(config, "BANK_API_URL", f"http://127.0.0.1:{closed}/fim/api")
    world = build()
    waiting, payment = ordered(world, "CASE-BLACK")
    Order.update(payable_until=later(days=90)).where(Order.id == waiting.id).execute()
    Mail.write("payment_failed", waiting, NOW, key="k")
    lapsing, declined = ordered(world, "TAB-GREY-64")
    Payment.update(state="declined", ask_at=None).where(Payment.id == declined.id).execute()
    refund = Refund.begin(declined, NOW)
    old = Cart.begin(NOW)
    Attempt.create(key="login:x", at=NOW)
    Promotion.update(ends_at=later(days=1)).execute()
    Listing.update(due_at=later(days=1)).where(Listing.device == world.devices["redmi-14"]).execute()

    jobs.run_round(later(days=config.CART_DAYS + 1))

    assert Mail.get(Mail.key == "k").tries == 1
    assert Payment.get_by_id(payment.id).asked == 1
    assert Refund.get_by_id(refund.id).tries == 1
    assert Order.get_by_id(lapsing.id).state == "lapsed"
    assert Cart.get_or_none(Cart.id == old.id) is None
    assert Attempt.select().count() == 0
    redmi = Listing.get(Listing.device == world.devices["redmi-14"])
    assert (redmi.discounted, redmi.due_at) == (False, None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_stops_cleanly_when_it_is_told_to(fresh_database, tmp_path, number):
    worker = Process(
        tmp_path, "worker", "flask", "--app", "app", "worker", DATABASE_URL=fresh_database, DYQANI_WORKER_EVERY="600"
    )

    def said(event):
        return any(line.get("event") == event for line in json_lines(worker.log))

    until(lambda: said("worker.started"), 30)
    worker.process.send_signal(number)
    # Far less than the ten minutes it would have slept.
    assert worker.process.wait(10) == 0
    assert worker.end() == 0
    assert said("worker.stopped")
    assert not said("worker.failed")
