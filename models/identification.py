"""Who calls is who the order belongs to: a step that is written down, and what it opens (AFT-2, DSK-1).

The caller says the order's number and what only its people know. Of a Besnik 24 device, and of an order paid with
points, that is the holder's ID number or the last digits of the SIM; of any other, the order's e-mail and phone. The
agent types what is said, and learns whether it fits, never what it should have been.
"""

import hmac
import re
from datetime import timedelta

from peewee import BooleanField, CharField, Check, ForeignKeyField

import crash
from models.actor import Actor
from models.allowance import Allowance
from models.base import BaseModel, MomentField, db
from models.club_member import ClubMember, FixedService
from models.number import Number
from models.order import Order, OrderLine
from models.order_number import MistypedNumber, read_number
from models.order_points import OrderPoints
from models.security_code import HOUR
from models.signers import signers_of
from models.trail import record

WAYS = ("id_number", "sim", "contact")
VALID = timedelta(minutes=30)
# In an hour: for one order, whoever asks, and for one agent, whatever the order.
MOST_OF_ORDER, MOST_OF_AGENT = 6, 60


class NotIdentified(Exception):
    """Nobody was identified for this order by this agent within the last half hour."""


class TooManyTries(Exception):
    """No more tries now; again from `until` on."""

    def __init__(self, until):
        super().__init__("too many tries")
        self.until = until


class Identification(BaseModel):
    """One try: who asked, when, of which order, what was compared, whether it fitted. What was said is not kept."""

    order = ForeignKeyField(Order, backref="identifications", on_delete="RESTRICT")
    at = MomentField()
    role = CharField(max_length=10)
    who = CharField(max_length=254)
    compared = CharField(max_length=10, constraints=[Check(f"compared IN {WAYS!r}")])
    matched = BooleanField()
    # The call is over before its half hour is.
    ended_at = MomentField(null=True)

    class Meta:
        indexes = ((("order", "who", "at"), False),)

    @property
    def until(self):
        return self.at + VALID

    @classmethod
    def live(cls, order: Order, by: Actor, now) -> "Identification | None":
        """The caller that `by` has identified for this order within VALID; one query."""
        return (
            cls.select()
            .where(
                cls.order == order,
                cls.who == by.name,
                cls.at > now - VALID,
                cls.at <= now,
                cls.matched,
                cls.ended_at.is_null(),
            )
            .order_by(cls.id.desc())
            .first()
        )

    @classmethod
    def require(cls, order: Order, by: Actor, now) -> "Identification":
        """Raises NotIdentified."""
        found = cls.live(order, by, now)
        if found is None:
            raise NotIdentified(order.number)
        return found

    @classmethod
    def end(cls, order: Order, by: Actor, now) -> bool:
        """The call is over: whoever calls next is asked anew. False when nobody was identified."""
        with db.atomic():
            ended = (
                cls.update(ended_at=now)
                .where(
                    cls.order == order, cls.who == by.name, cls.matched, cls.ended_at.is_null(), cls.at > now - VALID
                )
                .execute()
            )
            if ended:
                record(by, "call_ended", now, order=order)
        return bool(ended)

    @classmethod
    def check(
        cls,
        order: Order,
        number: str,
        *,
        by: Actor,
        now,
        id_number: str = "",
        sim_end: str = "",
        email: str = "",
        phone: str = "",
    ) -> bool:
        """Whether what the caller said fits; written down either way, with its entry in the trail.

        `number` is the order's as it was said, `phone` E.164 digits. Once it fitted, the same form sent again changes
        nothing. Each try counts before it is compared; raises TooManyTries.
        """
        if cls.live(order, by, now) is not None:
            return True
        with db.atomic():
            for key, most in ((f"identify:{order.id}", MOST_OF_ORDER), (f"identifies:{by.name}", MOST_OF_AGENT)):
                if not Allowance.take(key[:120], most=most, within=HOUR, now=now):
                    raise TooManyTries(Allowance.free_at(key[:120], most=most, within=HOUR, now=now))
            if (holders := holders_of(order)) is None:
                compared, said = "contact", [(email.strip().lower(), order.email), (phone, order.phone)]
                fits = all(map(_same, said))
            elif id_number:
                compared, said = "id_number", [(_plain(id_number), _plain(known)) for known, _ in holders]
                fits = any(map(_same, said))
            else:
                compared, said = "sim", [(_plain(sim_end), sim) for _, sim in holders]
                fits = any(map(_same, said))
            fits = fits and _is_number_of(order, number)
            cls.create(order=order, at=now, role=by.role, who=by.name, compared=compared, matched=fits)
            crash.at("identification: written")
            what = "identified" if fits else "not_identified"
            record(by, what, now, order=order, after={"compared": compared})
        return fits


def holders_of(order: Order) -> list[tuple[str, str]] | None:
    """ID number and SIM end of each holder whom the order binds; None where it is anybody's who knows its contact.

    Who has a number by now without having signed for it speaks for nobody, and of a number that ended nobody does.
    """
    numbers = Number._with_holder().where(Number.active)
    own = OrderLine.select(OrderLine.msisdn).where(OrderLine.order == order, OrderLine.contract_type == "besnik24")
    found = list(numbers.where(Number.msisdn.in_(own)))
    if not found and order.points:
        member = ClubMember.select().join(OrderPoints).where(OrderPoints.order == order).get()
        if member.number_id:
            found = list(numbers.where(Number.id == member.number_id))
        else:
            codes = FixedService.select(FixedService.subscriber).where(FixedService.id == member.fixed_id)
            found = list(numbers.where(Number.subscriber.in_(codes)))
    signers = signers_of(order) if found else []
    return [(one.holder.id_number, one.sim_end) for one in found if one.holder.name in signers] or None


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _same(pair: tuple[str, str]) -> bool:
    said, known = pair
    return bool(said) and hmac.compare_digest(said.encode(), known.encode())


def _is_number_of(order: Order, said: str) -> bool:
    try:
        return read_number(said) == order.number
    except MistypedNumber:
        return False
