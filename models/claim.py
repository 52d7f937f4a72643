"""What a shopper asks for after ordering: a complaint, or to withdraw from the purchase (AFT-3, AFT-4)."""

from datetime import date, timedelta

from peewee import CharField, Check, DateField, ForeignKeyField, JSONField, TextField

import config
import crash
from models.actor import Actor
from models.base import BaseModel, MomentField, db, locked
from models.calendar import local_day
from models.order import NotAllowed, Order, OrderEvent, OrderLine
from models.outbox import Mail
from models.payment import Payment, Refund
from models.payment_ways import CARD
from models.stock_return import StockReturn
from models.trail import record, refuse_changed

KINDS = ("complaint", "withdrawal")
# What a complaint is about.
ABOUT = ("not_received", "late", "other")
# Why somebody withdraws; the law asks for no reason, so one of them is to give none.
GROUNDS = ("changed_mind", "not_as_described", "wrong_item", "no_reason")
# open → answered (complaint); open → accepted → returned, or refused (withdrawal).
STATES = ("open", "answered", "accepted", "refused", "returned")
# Of one order, waiting at the same time: nobody fills the desk's list, or the disk, by pressing again.
OPEN_MOST = 3
TEXT_MAX = 2000


class AlreadyAsked(NotAllowed):
    """There is a withdrawal of this order, or too many of its claims wait for an answer."""


class AlreadyAnswered(NotAllowed):
    """Somebody answered the claim before; `claim` is how it stands."""

    def __init__(self, claim: "Claim"):
        super().__init__(f"claim {claim.id} is {claim.state}")
        self.claim = claim


def _among(name: str, values) -> str:
    return f"{name} IN ({', '.join(map(repr, values))})"


_FITS = f"(kind = 'complaint' AND {_among('state', STATES[:2])}) OR (kind = 'withdrawal' AND state <> 'answered')"


class Claim(BaseModel):
    """One complaint or one request to withdraw, and what was answered."""

    order = ForeignKeyField(Order, backref="claims", on_delete="RESTRICT")
    # Of the form that it came from: sending it twice is one claim.
    key = CharField(unique=True, max_length=80)
    kind = CharField(max_length=10, constraints=[Check(_among("kind", KINDS))])
    about = CharField(max_length=20, constraints=[Check(_among("about", ABOUT + GROUNDS))])
    text = TextField(default="")
    # Of a withdrawal: the ids of the lines that go back; null is the whole order.
    lines = JSONField(null=True)
    state = CharField(max_length=10, default="open", constraints=[Check(_among("state", STATES))])
    opened_at = MomentField()
    # The shopper, or the role of who wrote it down at the desk.
    role = CharField(max_length=10)
    # The last day on which it may be answered.
    due_on = DateField(index=True)
    answered_at = MomentField(null=True)
    reply = TextField(default="")
    # The e-mail of who answered; never for shoppers.
    answered_by = CharField(max_length=254, default="")
    returned_at = MomentField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012
            Check("(state = 'open') = (answered_at IS NULL)"),
            Check(_FITS),
            Check("(state = 'returned') = (returned_at IS NOT NULL)"),
        ]

    # Reading

    @classmethod
    def of(cls, order: Order) -> list["Claim"]:
        """All of the order's, the oldest first."""
        return list(cls.select().where(cls.order == order).order_by(cls.id))

    @classmethod
    def of_id(cls, number: int) -> "Claim | None":
        """With its order; one query."""
        return cls.select(cls, Order).join(Order).where(cls.id == number).first()

    @classmethod
    def waiting(cls):
        """Those that nobody answered yet, with their orders; what runs out first comes first (AFT-4)."""
        return cls.select(cls, Order).join(Order).where(cls.state == "open").order_by(cls.due_on, cls.id)

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    def days_left(self, now) -> int:
        """Days until the last one to answer; negative when it is over."""
        return (self.due_on - local_day(now)).days

    def lines_of(self) -> list[OrderLine]:
        """The lines that go back."""
        return [line for line in self.order.lines() if self.lines is None or line.id in self.lines]

    # Opening

    @classmethod
    def open(
        cls, order: Order, kind: str, about: str, *, key: str, by: Actor, now, text: str = "", lines=None, papers=()
    ) -> "Claim":
        """Write the claim down with its files and a mail that says so, in one transaction; returns it.

        `key` is the form's: a second press gets the first one's claim, and `papers` that it brought are dropped.
        `lines` are ids of lines that are withdrawn; None, or all of them, is the whole order. Raises NotAllowed
        where the order's state or the 14 days do not allow it, AlreadyAsked, ValueError for what is no kind.
        """
        from models.attachment import Attachment, drop

        if kind not in KINDS or about not in (ABOUT if kind == "complaint" else GROUNDS):
            raise ValueError(f"There is no {kind} about {about!r}.")
        key = f"{order.id}:{key}"
        try:
            with db.atomic():
                order = order.relock()
                known = cls.get_or_none(cls.key == key)
                if known is not None:
                    drop(papers)
                    return known
                lines = cls._check(order, kind, lines, now)
                claim = cls.create(
                    order=order,
                    key=key,
                    kind=kind,
                    about=about,
                    text=text[:TEXT_MAX],
                    lines=lines,
                    opened_at=now,
                    role=by.role,
                    due_on=local_day(now) + timedelta(days=config.CLAIM_DAYS),
                )
                Attachment.add(claim, papers, now)
                # What it says stays in the claim: the trail is never changed, and this is personal.
                record(by, "claim_opened", now, order=order, after={"claim": kind, "about": about})
                claim._tell("claim_received", now)
                crash.at("claim: written")
        except NotAllowed:
            # Any other error may have come after the rows were written: the sweeper decides then.
            drop(papers)
            raise
        crash.at("claim: opened")
        return claim

    @classmethod
    def _check(cls, order: Order, kind: str, lines, now) -> list[int] | None:
        waiting = cls.select().where(cls.order == order, cls.state == "open").count()
        if waiting >= OPEN_MOST:
            raise AlreadyAsked(f"{order.number} has {waiting} open claims")
        if kind == "complaint":
            return None
        if last_day_to_withdraw(order, now) is None:
            raise NotAllowed(f"{order.number} cannot be withdrawn from")
        if withdrawal_of(order) is not None:
            raise AlreadyAsked(f"{order.number} has a withdrawal")
        return _chosen(order, lines)

    # Answering

    def answer(self, text: str, *, by: Actor, now, mark: str | None = None) -> "Claim":
        """Answer a complaint, once, with a mail; returns the claim as it is now.

        Raises AlreadyAnswered, NotAllowed for a withdrawal, ChangedMeanwhile when the order's trail went on after
        `mark`.
        """
        return self._end("complaint", "answered", text, by, now, mark)

    def decide(self, accept: bool, *, by: Actor, now, why: str = "", mark: str | None = None) -> "Claim":
        """Accept a withdrawal, whose pieces are awaited then, or refuse it and say why; once, with a mail.

        Raises as `answer`, and ValueError for a refusal without a reason.
        """
        if not accept and not why.strip():
            raise ValueError("A refusal says why.")
        return self._end("withdrawal", "accepted" if accept else "refused", why, by, now, mark)

    def _end(self, kind: str, state: str, text: str, by: Actor, now, mark) -> "Claim":
        with db.atomic():
            order = self.order.relock()
            claim = locked(Claim.select().where(Claim.id == self.id)).get()
            if claim.kind != kind:
                raise NotAllowed(f"claim {claim.id} is a {claim.kind}")
            if claim.state != "open":
                raise AlreadyAnswered(claim)
            if mark is not None:
                refuse_changed(order, mark)
            if state == "accepted":
                if order.state != "delivered":
                    raise NotAllowed(f"{order.number} is {order.state}")
                StockReturn.expect(order, now)
            claim.state, claim.answered_at, claim.reply = state, now, text.strip()[:TEXT_MAX]
            claim.answered_by = by.name
            claim.save()
            record(by, "claim_answered", now, order=order, after={"claim": kind, "answer": state})
            claim._tell("claim_answered", now)
        return claim

    # What comes back

    @classmethod
    def awaited_of(cls, order: Order) -> "Claim | None":
        """The withdrawal whose pieces are on their way back."""
        return cls.get_or_none(cls.order == order, cls.kind == "withdrawal", cls.state == "accepted")

    @classmethod
    def returned_of(cls, order: Order) -> "Claim | None":
        """The withdrawal whose pieces have come back."""
        return cls.get_or_none(cls.order == order, cls.kind == "withdrawal", cls.state == "returned")

    def came_back(self, order: Order, *, by: Actor, now) -> None:
        """The pieces are there: the order goes back, or the card gets what the lines cost; once (AFT-3, PAY-9).

        For `StockReturn.arrive`, in its transaction and with the order's row held.
        """
        if self.lines is None:
            order.move("returned", by=by, now=now, why="withdrawal")
        else:
            paid = Payment.select().where(Payment.order == order, Payment.state == "paid").first()
            if paid is not None and not Refund.select().where(Refund.payment == paid).exists():
                Refund.begin(paid, now, amount=min(paid.amount, sum(line.total for line in self.lines_of())))
        Claim.update(state="returned", returned_at=now).where(Claim.id == self.id).execute()

    def _tell(self, kind: str, now) -> None:
        order = self.order
        Mail.write_to(
            order.email,
            kind,
            now,
            key=f"{kind}:{self.id}",
            language=order.language,
            order=order,
            data={"claim": self.id},
        )


def withdrawal_of(order: Order) -> Claim | None:
    """The order's withdrawal; one that was refused may be asked for anew, and is none."""
    return Claim.get_or_none(Claim.order == order, Claim.kind == "withdrawal", Claim.state != "refused")


def last_day_to_withdraw(order: Order, now) -> date | None:
    """The last day of WITHDRAWAL_DAYS after the delivery; None before it, and when they are over (AFT-3)."""
    if order.state != "delivered":
        return None
    delivered = (
        OrderEvent.select(OrderEvent.at)
        .where(OrderEvent.order == order, OrderEvent.state == "delivered")
        .order_by(OrderEvent.id.desc())
        .first()
    )
    if delivered is None:
        return None
    last = local_day(delivered.at) + timedelta(days=config.WITHDRAWAL_DAYS)
    return last if local_day(now) <= last else None


def withdrawable(order: Order, line: OrderLine) -> bool:
    """Whether the line may go back without the others: paid by card alone, without a contract or points.

    What a contract or points belong to is undone with the whole order.
    """
    return not line.is_contract and line.payment == CARD and not order.points


def _chosen(order: Order, lines) -> list[int] | None:
    """The ids of the lines that go back alone; None for the whole order. Raises NotAllowed."""
    if lines is None:
        return None
    own = {line.id: line for line in order.lines()}
    wanted = sorted(set(lines))
    if not wanted or not set(wanted) <= set(own):
        raise NotAllowed("no such line")
    if len(wanted) == len(own):
        return None
    if not all(withdrawable(order, own[number]) for number in wanted):
        raise NotAllowed("this line goes back with the whole order")
    return wanted


Claim.add_index(
    Claim.index(
        Claim.order,
        unique=True,
        where=(Claim.kind == "withdrawal") & (Claim.state != "refused"),
        name="claim_withdrawal_once",
    )
)
