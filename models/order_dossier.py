"""All that the desk knows of one order, gathered for its page in a bounded number of queries (DSK-1)."""

from dataclasses import dataclass, replace
from datetime import date

from models.actor import Actor
from models.calendar import local_day
from models.catalogue import Variant
from models.claim import Claim
from models.club_member import ClubMember
from models.contract import Contract
from models.delivery import ArrangedTime, DeliveryAttempt, Slot, arranged, times
from models.desk_order import is_resendable
from models.identification import Identification, holders_of
from models.number import Number
from models.order import ENDED, Order, OrderLine
from models.order_change import CHANGEABLE, colours_of
from models.order_note import OrderNote
from models.order_points import OrderPoints
from models.outbox import Mail
from models.payment import Payment
from models.signers import signers_of
from models.sms import Sms
from models.standing import standings
from models.trail import Step, mark_of, trail_of

# Of a profile with many numbers so many are shown.
MOST_NUMBERS = 6
# In the trail, and nobody's before the caller is identified.
PERSONAL = frozenset({"street", "postal_code", "municipality", "phone", "note", "recipient", "gift_note"})
HIDDEN = "•••"


@dataclass(frozen=True)
class Customer:
    """A number that the order is for, or else one of the profile's, and what its holder owes, in minor units."""

    number: Number
    contract: Contract | None
    # What is overdue on all the holder's invoices (ELG-1).
    debt: int
    # Points that are not spent; None where the number is in no club.
    points: int | None


@dataclass(frozen=True)
class Message:
    """A mail or an SMS of the order, and whether it may be sent again."""

    row: Mail | Sms
    resendable: bool

    @property
    def what(self) -> str:
        return type(self.row).what


class Dossier:
    """What the page shows; what is beyond the minimum is there once `identified` is (PRV-1)."""

    def __init__(self, order: Order, by: Actor, now):
        self.order, self.now = order, now
        # Before everything else: what is shown is at least as new as what the mark says.
        self.mark = mark_of(order)
        self.lines: list[OrderLine] = order.lines()
        self.identified: Identification | None = Identification.live(order, by, now)
        self.asked_for = "contact" if holders_of(order) is None else "holder"
        self.payments = list(Payment.select().where(Payment.order == order).order_by(Payment.id))
        self.points: OrderPoints | None = OrderPoints.of(order) if order.points else None
        self.attempts: list[DeliveryAttempt] = DeliveryAttempt.of(order)
        self.arranged: ArrangedTime | None = arranged(order)
        self.times: list[Slot] = times(order, now, by)
        self.claims: list[Claim] = Claim.of(order)
        self.notes: list[OrderNote] = OrderNote.of(order)
        self.messages = self._messages()
        self.trail: list[Step] = [self._shown(step) for step in trail_of(order)]
        self.customers: list[Customer] = self._customers() if self.identified else []

    @property
    def is_changeable(self) -> bool:
        return self.order.state in CHANGEABLE

    @property
    def paid(self) -> Payment | None:
        """The attempt whose money the shop has, or had."""
        return next((payment for payment in self.payments if payment.state == "paid"), None)

    @property
    def changed_hands(self) -> bool:
        """Whether a number of the order became somebody else's, who may not receive what goes to its signers."""
        if self.order.state in ENDED or not any(line.contract_type == "besnik24" for line in self.lines):
            return False
        signers = signers_of(self.order)
        return any(customer.number.holder.name not in signers for customer in self.customers)

    def colours(self) -> dict[int, list[Variant]]:
        """Line id → what it may become, for the lines that have a choice."""
        found = {line.id: colours_of(line) for line in self.lines}
        return {line: variants for line, variants in found.items() if len(variants) > 1}

    def _messages(self) -> list[Message]:
        keys = [f"attempt_failed:{attempt.id}" for attempt in self.attempts if attempt.outcome == "failed"]
        rows: list[Mail | Sms] = list(Mail.select().where(Mail.order == self.order))
        if keys:
            own = Sms.key.in_(keys)
            for key in keys:
                own |= (Sms.key >= f"{key}:") & (Sms.key < f"{key};")
            rows += list(Sms.select().where(own))
        rows.sort(key=lambda row: row.written_at, reverse=True)
        return [Message(row, is_resendable(row, self.order, self.now)) for row in rows]

    def _shown(self, step: Step) -> Step:
        if self.identified:
            return step
        hidden = [
            {name: HIDDEN if name in PERSONAL else value for name, value in side.items()} for side in _sides(step)
        ]
        return replace(step, before=hidden[0], after=hidden[1])

    def _customers(self) -> list[Customer]:
        own = [line.msisdn for line in self.lines if line.contract_type == "besnik24"]
        if own:
            numbers = list(Number._with_holder().where(Number.msisdn.in_(own), Number.active).order_by(Number.id))
        elif self.order.profile_id is not None:
            numbers = Number.of_profile(self.order.profile)[:MOST_NUMBERS]
        else:
            numbers = []
        if not numbers:
            return []
        known = standings([number.holder.id for number in numbers], self.now)
        ids = [number.id for number in numbers]
        running = Contract.running(self.now).where(Contract.number.in_(ids))
        contracts = {contract.number_id: contract for contract in running}
        members = ClubMember.select().where(ClubMember.number.in_(ids), ClubMember.ended_at.is_null())
        points = {member.number_id: member.balance for member in members}
        today: date = local_day(self.now)
        return [
            Customer(
                number,
                contracts.get(number.id),
                sum(invoice.amount for invoice in known[number.holder.id].unpaid if invoice.due_on < today),
                points.get(number.id),
            )
            for number in numbers
        ]


def _sides(step: Step) -> tuple[dict, dict]:
    return step.before, step.after
