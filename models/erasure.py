"""Erasing a profile: asked for with the password, confirmed by a mailed link, done after some days (PRV-4).

What becomes of each table's rows stands in `models/personal.py` alone. The profile's row stays as an empty number:
nothing of the person is in it, and no later profile gets the number of an earlier one, whose cookies and links would
open it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from peewee import CharField, Check, ForeignKeyField, fn

import config
import crash
from models import personal
from models.actor import SHOPPER, SYSTEM
from models.allowance import Allowance
from models.base import BaseModel, MomentField, db, locked
from models.bill_payment import BillPayment
from models.calendar import local_day
from models.cart import Cart
from models.checkout import Checkout
from models.claim import Claim
from models.club_member import ClubMember
from models.consent import Consent
from models.contract import Contract
from models.mark import mark_of
from models.my_orders import guest_orders
from models.number import Number
from models.order import ENDED, Order
from models.outbox import Mail
from models.parted_order import PartedOrder
from models.payment import OPEN, Payment, Refund
from models.profile import Attempt, Profile
from models.profile_link import LinkOver, count_mail, mailbox_of, new_code, read, sign
from models.registration import Registration
from models.staff import Staff
from models.stock_return import StockReturn
from models.trail import record
from models.voucher import Voucher
from models.watch import Watch

log = structlog.get_logger()

# The last mail: that it is done. It belongs to no profile any more, and goes a day after it was sent.
FAREWELL = "profile_erased"
# What stands in the way at the last moment is looked at again so much later.
AGAIN = timedelta(hours=1)


class StaffProfile(Exception):
    """Whoever works here has a profile that an admin takes the role from first."""


class NotYet(Exception):
    """Something is still under way; `reasons` says all of it."""

    def __init__(self, reasons):
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = list(reasons)


class AlreadyConfirmed(Exception):
    """The erasure is confirmed, and its days run."""


@dataclass(frozen=True)
class Reason:
    """Why a profile cannot be erased now: `code` is order, unpaid, claim, return, refund or bill; `numbers` of which
    orders or payments."""

    code: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class Outlook:
    """What an erasure would do, for its owner to read before asking: counts, and the memberships that go on."""

    orders: int
    guest_orders: int
    numbers: list
    members: list
    contracts: int
    vouchers: int


class Erasure(BaseModel):
    """One wish to be erased: asked, confirmed by the mailed link, and then withdrawn or done."""

    code = CharField(unique=True, max_length=24)
    profile = ForeignKeyField(Profile, backref="erasures", on_delete="CASCADE")
    language = CharField(max_length=2)
    asked_at = MomentField()
    # Of the link.
    expires_at = MomentField()
    confirmed_at = MomentField(null=True)
    # When it is done: some days after it was confirmed.
    due_at = MomentField(null=True, index=True)
    withdrawn_at = MomentField(null=True)
    done_at = MomentField(null=True)
    # A digest of the e-mail, once it is done: who asks later whether their profile was erased, or shows a consent
    # that it gave, can be answered; nobody reads the e-mail from it.
    mark = CharField(max_length=64, default="", index=True)

    class Meta:
        constraints = [  # noqa: RUF012
            Check("expires_at > asked_at"),
            Check("(confirmed_at IS NULL) = (due_at IS NULL)"),
            Check("done_at IS NULL OR (confirmed_at IS NOT NULL AND withdrawn_at IS NULL)"),
        ]

    # Asking

    @classmethod
    def ask(cls, profile: Profile, address: str, now) -> "Erasure":
        """Mail a link that confirms the wish; an earlier link opens nothing any more.

        Call it after the password was proved. Raises StaffProfile, NotYet, AlreadyConfirmed, LockedOut.
        """
        # What is refused counts as no mail.
        cls._refuse(profile, now)
        count_mail("erasure-mail", profile.email, address, now)
        with db.atomic():
            locked(Profile.select().where(Profile.id == profile.id)).get()
            cls._refuse(profile, now)
            waiting = cls.waiting_of(profile)
            if waiting is not None and waiting.confirmed_at is not None:
                raise AlreadyConfirmed
            if waiting is not None:
                cls.update(withdrawn_at=now).where(cls.id == waiting.id).execute()
            erasure = cls.create(
                code=new_code(),
                profile=profile,
                language=profile.language,
                asked_at=now,
                expires_at=now + timedelta(hours=config.CONFIRM_HOURS),
            )
            erasure._tell("erase_profile", now)
            record(SHOPPER, "erasure_asked", now, subject=f"profile:{profile.id}")
        return erasure

    @classmethod
    def waiting_of(cls, profile: Profile) -> "Erasure | None":
        """The profile's wish that is neither withdrawn nor done; one query."""
        return cls.get_or_none(cls.profile == profile, cls.withdrawn_at.is_null(), cls.done_at.is_null())

    @classmethod
    def _refuse(cls, profile: Profile, now) -> None:
        if Staff.of(profile) is not None:
            raise StaffProfile
        if reasons := what_is_open(profile, now):
            raise NotYet(reasons)

    @property
    def token(self) -> str:
        return sign("erasure", self.code)

    # Confirming and withdrawing

    @classmethod
    def of_token(cls, token: str, now) -> "Erasure":
        """What the mailed link opens, while it does; raises LinkOver. Looking uses nothing up."""
        erasure = cls.get_or_none(cls.code == read("erasure", token))
        if erasure is None or erasure.withdrawn_at or erasure.done_at or erasure.confirmed_at:
            raise LinkOver
        if erasure.expires_at <= now:
            raise LinkOver
        return erasure

    def confirm(self, now) -> None:
        """From now on ERASURE_DAYS run, in which the profile is used as before, and its owner may withdraw; once.

        Raises LinkOver, also for the second of two at once; StaffProfile and NotYet, which leave the link usable.
        """
        with db.atomic():
            profile = locked(Profile.select().where(Profile.id == self.profile_id)).get()
            self._refuse(profile, now)
            due_at = now + timedelta(days=config.ERASURE_DAYS)
            mine = Erasure.update(confirmed_at=now, due_at=due_at).where(
                Erasure.id == self.id,
                Erasure.confirmed_at.is_null(),
                Erasure.withdrawn_at.is_null(),
                Erasure.expires_at > now,
            )
            if not mine.execute():
                raise LinkOver
            self.confirmed_at, self.due_at = now, due_at
            self._tell("erasure_confirmed", now)
            record(SHOPPER, "erasure_confirmed", now, subject=f"profile:{profile.id}")
        log.info("erasure.confirmed")

    @classmethod
    def withdraw(cls, profile: Profile, now) -> bool:
        """The owner wants to stay; false when there was nothing to withdraw, or it is too late."""
        with db.atomic():
            withdrawn = (
                cls.update(withdrawn_at=now)
                .where(cls.profile == profile, cls.withdrawn_at.is_null(), cls.done_at.is_null())
                .execute()
            )
            if withdrawn:
                record(SHOPPER, "erasure_withdrawn", now, subject=f"profile:{profile.id}")
        return bool(withdrawn)

    # Doing it

    @classmethod
    def carry_out_all_due(cls, now) -> int:
        """Erase the profiles whose days are over; returns how many. It may run twice, and be killed anywhere."""
        due = cls.select().where(cls.due_at <= now, cls.withdrawn_at.is_null(), cls.done_at.is_null())
        # What somebody was about to write at that very moment.
        for erasure in cls.select().where(cls.done_at > now - AGAIN):
            try:
                with db.atomic():
                    _part(erasure.profile)
            except Exception:
                # The next round tries it again.
                log.exception("erasure.failed", erasure=erasure.id)
        done = 0
        for erasure in due.order_by(cls.due_at, cls.id).limit(100):
            try:
                done += erasure.carry_out(now)
            except Exception:
                # One that stumbles keeps nobody else's from being done.
                log.exception("erasure.failed", erasure=erasure.id)
                cls.update(due_at=now + AGAIN).where(cls.id == erasure.id, cls.done_at.is_null()).execute()
        return done

    def carry_out(self, now) -> bool:
        """Erase the profile, in one transaction; false where it waits for what is open, or was withdrawn."""
        with db.atomic():
            # Carts first, as placing an order takes them: an order that is being placed is waited for, and seen; one
            # that comes later finds no cart.
            list(locked(Cart.select(Cart.id).where(Cart.profile == self.profile_id).order_by(Cart.id)).tuples())
            profile = locked(Profile.select().where(Profile.id == self.profile_id)).get()
            erasure = locked(Erasure.select().where(Erasure.id == self.id)).get()
            if erasure.withdrawn_at is not None or erasure.done_at is not None:
                return False
            if Staff.of(profile) is not None or what_is_open(profile, now):
                Erasure.update(due_at=now + AGAIN).where(Erasure.id == self.id).execute()
                return False
            email = profile.email
            _erase(profile, now)
            Erasure.update(done_at=now, mark=mark_of(email)).where(Erasure.id == self.id).execute()
            Mail.write_to(email, FAREWELL, now, key=f"{FAREWELL}:{self.id}", language=self.language)
            record(SYSTEM, "erased", now, subject=f"profile:{profile.id}")
            crash.at("erasure: written")
        log.info("erasure.done")
        return True

    def _tell(self, kind: str, now) -> None:
        Mail.write_to(
            self.profile.email,
            kind,
            now,
            key=f"{kind}:{self.id}",
            language=self.language,
            profile=self.profile,
            data={"erasure": self.id},
        )


Erasure.add_index(
    Erasure.index(
        Erasure.profile,
        unique=True,
        where=Erasure.withdrawn_at.is_null() & Erasure.done_at.is_null(),
        name="erasure_once",
    )
)


# What is open


def what_is_open(profile: Profile, now) -> list[Reason]:
    """All that stands in the way of an erasure; six queries at most.

    A Besnik 24 contract does not: it is the number holder's with the operator, and goes on without the profile.
    """
    mine = Order.profile == profile
    unpaid = _numbers(Order.select(Order.number).where(mine, Order.state == "awaiting_payment"))
    under_way = _numbers(Order.select(Order.number).where(mine, Order.state.not_in((*ENDED, "awaiting_payment"))))
    claims = _numbers(Order.select(Order.number).join(Claim).where(mine, Claim.state == "open"))
    returns = _numbers(Order.select(Order.number).join(StockReturn).where(mine, StockReturn.arrived_at.is_null()))
    refunds = _numbers(Order.select(Order.number).join(Payment).join(Refund).where(mine, Refund.state != "done"))
    bills = _numbers(
        BillPayment.select(BillPayment.number)
        .join(Payment)
        .join(Refund, "LEFT JOIN")
        .where(
            BillPayment.profile == profile,
            (BillPayment.state == "awaiting_payment") | Payment.state.in_(OPEN) | (Refund.state != "done"),
        )
    )
    found = {
        "unpaid": unpaid,
        "order": under_way,
        "claim": claims,
        "return": returns,
        "refund": refunds,
        "bill": bills,
    }
    return [Reason(code, numbers) for code, numbers in found.items() if numbers]


def _numbers(query) -> tuple[str, ...]:
    return tuple(sorted({number for (number,) in query.tuples()}))


def outlook(profile: Profile, now) -> Outlook:
    """What an erasure would leave and take; a number of queries that does not grow."""
    members = ClubMember.of_profile(profile)
    numbers = Number.of_profile(profile)
    running = Contract.running(now).where(Contract.number.in_([number.id for number in numbers]))
    vouchers = Voucher.select().where(
        Voucher.member.in_([member.id for member in members]),
        Voucher.used_at.is_null(),
        Voucher.until >= local_day(now),
    )
    return Outlook(
        orders=Order.select().where(Order.profile == profile).count(),
        guest_orders=guest_orders(profile),
        numbers=numbers,
        members=members,
        contracts=running.count(),
        vouchers=vouchers.count(),
    )


# Erasing


def _erase(profile: Profile, now) -> None:
    """Do to each table what the register says; call it with the profile's row held."""
    email = profile.email
    Consent.remember(email, now)
    _take_in_consents(profile)
    for kind, given in Consent.of(profile).items():
        if given:
            # The last word counts: nobody writes to the one who left.
            Consent.say(profile, kind, False, now, wording="Llogaria u fshi.", channel="web")
    orders = [order for (order,) in Order.select(Order.id).where(Order.profile == profile).tuples()]
    if orders:
        PartedOrder.insert_many([{"order": order, "at": now} for order in orders]).on_conflict_ignore().execute()
    # In the order of their ids, as whoever holds several members does.
    list(
        locked(ClubMember.select(ClubMember.id).where(ClubMember.profile == profile).order_by(ClubMember.id)).tuples()
    )
    # Mails of orders stay with the order.
    Mail.update(profile=None).where(Mail.profile == profile, Mail.order.is_null(False)).execute()
    Mail.delete().where(Mail.order.is_null(), fn.LOWER(Mail.recipient) == email).execute()
    # What the same mailbox typed as a guest's and did not order; in another profile's cart it is what that one typed.
    nobodys = Cart.select(Cart.id).where(Cart.profile.is_null())
    Checkout.delete().where(fn.LOWER(Checkout.email) == email, Checkout.cart.in_(nobodys)).execute()
    Registration.delete().where(Registration.email == email).execute()
    Watch.delete().where(Watch.email == email).execute()
    for counted in {email, mailbox_of(email)}:
        Attempt.delete().where(Attempt.key.endswith(f":{counted}")).execute()
    Allowance.delete().where(
        (Allowance.key == f"code:{profile.id}") | Allowance.key.startswith(f"code:{profile.id}:")
    ).execute()
    _part(profile)
    Profile.update(
        email=f"erased-{profile.id}",
        password_hash="",
        first_name="",
        last_name="",
        phone="",
        verified_at=None,
        session_number=Profile.session_number + 1,
    ).where(Profile.id == profile.id).execute()


def _take_in_consents(profile: Profile) -> None:
    """What the profile's mailbox agreed to as a guest's becomes the profile's, so that no e-mail stays with it."""
    mailbox = Consent.email == profile.email
    if not profile.is_verified:
        # Anybody may have typed it.
        return
    for said in list(Consent.select().where(mailbox).order_by(Consent.id)):
        kept = {name: getattr(said, name) for name in ("kind", "given", "wording", "channel", "at")}
        Consent.create(profile=profile, **kept)
    Consent.delete().where(mailbox).execute()


def _part(profile: Profile) -> None:
    """Delete or cut the rows that name the profile, table by table, as the register says; twice is once."""
    from models import MODELS

    for model in reversed(MODELS):
        declared = personal.TABLES.get(model._meta.table_name)
        if declared is None or model is Profile:
            continue
        for field in _to_profile(model):
            if declared.erased == "delete":
                model.delete().where(field == profile).execute()
            elif declared.erased == "cut":
                model.update({field: None} | _loose(model, declared)).where(field == profile).execute()


def _to_profile(model) -> Iterable[ForeignKeyField]:
    """The columns that say whose a row is; not who worked on it."""
    return [
        field
        for field in model._meta.sorted_fields
        if isinstance(field, ForeignKeyField)
        and field.rel_model is Profile
        and (model._meta.table_name, field.name) not in personal.WORKERS
    ]


def _loose(model, declared) -> dict:
    """What of a row that stays is emptied at once: the courier's note, and where receipts of bills went."""
    return {getattr(model, name): "" for name in declared.loose}
