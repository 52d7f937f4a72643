"""The worker: what is due is done, round after round.

Each round asks the tables what is due and calls the model that does it. The row is the truth: a round that was
killed is made up by the next one, by any worker, and two workers share the rows (MSG-1, PAY-7, PAY-8).
"""

import signal
import threading
import time

import structlog

import config
from models.allowance import Allowance
from models.attachment import Attachment
from models.base import Unfinished, db, utcnow
from models.bss_event import BssEvent
from models.bss_push import BssMessage
from models.cart import Cart
from models.cart_reminder import CartReminder
from models.club_ledger import lapse_all_due
from models.club_member import ClubMember
from models.club_month import block_all_due
from models.club_notice import ClubNotice
from models.club_service import ClubService
from models.contract import Contract
from models.delivery import return_all_due
from models.desk_joining import DeskJoining
from models.erasure import Erasure
from models.gift_handout import GiftHandout
from models.inbound_sms import InboundSms
from models.new_number import NewNumber
from models.number_claim import NumberClaim
from models.outbox import Mail
from models.payment import Payment, Refund, forget_strangers
from models.price_list_job import PriceListJob
from models.profile import Attempt
from models.profile_link import ProfileLink
from models.registration import Registration
from models.retention import retain_all_due
from models.second_factor import WorkSession
from models.security_code import SecurityCode
from models.shelf import relist_due
from models.sms import Sms
from models.watch import Watch
from models.wish import WishList

log = structlog.get_logger()

# (what, seconds between two runs)
DUE = (
    (Sms.send_all_due, config.WORKER_EVERY),
    (Mail.send_all_due, config.WORKER_EVERY),
    (Payment.settle_all_due, config.WORKER_EVERY),
    (Payment.lapse_all_due, config.WORKER_EVERY),
    (Refund.carry_out_all_due, config.WORKER_EVERY),
    (relist_due, config.WORKER_EVERY),
    (Watch.tell_all_due, config.WORKER_EVERY),
    (NewNumber.release_all_due, config.WORKER_EVERY),
    (BssEvent.send_all_due, config.WORKER_EVERY),
    (Contract.end_all_due, 3600),
    (PriceListJob.forget_old, 3600),
    (Cart.forget_old, 3600),
    (WishList.forget_old, 3600),
    (Attempt.forget_old, 3600),
    (Registration.forget_old, 3600),
    (ProfileLink.forget_old, 3600),
    (Watch.forget_old, 3600),
    (NumberClaim.forget_old, 3600),
    (GiftHandout.forget_old, 3600),
    (DeskJoining.forget_old, 3600),
    (SecurityCode.forget_old, 3600),
    (Allowance.forget_old, 3600),
    (WorkSession.forget_old, 3600),
    (BssMessage.forget_old, 3600),
    (InboundSms.forget_old, 3600),
    (ClubMember.follow_all_services, 60),
    (ClubService.end_all_due, 60),
    (lapse_all_due, 600),
    (ClubNotice.tell_all_due, 600),
    (CartReminder.write_all_due, 600),
    (block_all_due, 3600),
    (forget_strangers, 3600),
    (Attachment.sweep, 3600),
    (return_all_due, 60),
    (Erasure.carry_out_all_due, 60),
    (retain_all_due, 3600),
)
# What may take a minute: done beside the others, who must not wait for it (a code by SMS, a payment's answer).
SLOW = ((PriceListJob.work_all_due, config.WORKER_EVERY),)


def run_round(now=None, only=None, stop: threading.Event | None = None) -> list:
    """Do all that is due at `now`, or the tasks `only`; trouble with one kind does not hold up the others.

    Returns the tasks that stopped because their time was over, with more to do. Once `stop` is set, the tasks that
    were not begun are left to the next start.
    """
    unfinished = []
    for task, _ in DUE if only is None else only:
        if stop is not None and stop.is_set():
            break
        try:
            with db.connection_context():
                if isinstance(task(now or utcnow()), Unfinished):
                    unfinished.append(task)
        except Exception:
            log.exception("worker.failed", task=name_of(task))
    return unfinished


def name_of(task) -> str:
    """What the log calls a task: Cart.forget_old, return_all_due."""
    owner = getattr(task, "__self__", None)
    name = getattr(task, "__name__", str(task))
    return f"{owner.__name__}.{name}" if isinstance(owner, type) else name


def work(due=DUE, slow=SLOW) -> None:
    """Run rounds until SIGTERM or SIGINT; what is being done then is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    beside = threading.Thread(target=_work, args=(slow, stop), name="slow")
    log.info("worker.started")
    beside.start()
    _work(due, stop)
    beside.join()
    log.info("worker.stopped")


def _work(due, stop: threading.Event) -> None:
    next_run = dict.fromkeys(range(len(due)), 0.0)
    while not stop.is_set():
        moment = time.monotonic()
        ready = [number for number in next_run if next_run[number] <= moment]
        for number in ready:
            next_run[number] = moment + due[number][1]
        unfinished = run_round(only=[due[number] for number in ready], stop=stop)
        for number in ready:
            if due[number][0] in unfinished:
                # Others have their turn, then it goes on, however seldom it begins.
                next_run[number] = moment
        stop.wait(config.WORKER_EVERY)
