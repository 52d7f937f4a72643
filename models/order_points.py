"""Points beside a card payment: held at placing, taken when paid, given back when nothing comes of it.

PAY-4 says how, PAY-9 what comes back.
"""

from contextlib import suppress

from peewee import CharField, Check, ForeignKeyField, IntegerField

from models.base import BaseModel, MomentField
from models.club_ledger import ClubEntry, debit, give_back
from models.club_member import ClubMember, NotMember
from models.order import Order

# held: of an order that is not paid. lost: a change of the member's service took what would have come back (CLB-14).
STATES = ("held", "taken", "returned", "lost")


class OrderPoints(BaseModel):
    """The points of one order; they left the member's balance when it was placed."""

    order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
    member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
    # Of the last debit: an order that is paid late takes its points again.
    entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
    points = IntegerField(constraints=[Check("points > 0")])
    # What they took off the card payment, in minor units.
    worth = IntegerField(constraints=[Check("worth > 0")])
    state = CharField(max_length=8, constraints=[Check(f"state IN {STATES!r}")])
    turns = IntegerField(default=0)
    # When they were held, or came back.
    at = MomentField()

    @classmethod
    def hold(cls, order: Order, member_id: int, points: int, worth: int, now) -> "OrderPoints":
        """Take `points` for an order that is being placed, in that transaction (PAY-4).

        Raises Blocked, NotEnough, NotMember.
        """
        member = ClubMember.hold(member_id, now)
        entry = debit(member, points, "order", now, key=f"order:{order.id}:0", about={"order": order.number})
        return cls.create(order=order, member=member, entry=entry, points=points, worth=worth, state="held", at=now)

    @classmethod
    def of(cls, order: Order) -> "OrderPoints | None":
        return cls.get_or_none(cls.order == order)

    @property
    def service_code(self) -> str:
        """The number, or the code of the fixed service, whose points these are."""
        member = self.member
        return member.number.msisdn if member.number_id else member.fixed.code

    @classmethod
    def take(cls, order: Order) -> None:
        """The order was paid: what was held is spent. In the transaction that says so."""
        if order.points:
            cls.update(state="taken").where(cls.order == order, cls.state == "held").execute()

    @classmethod
    def give_back(cls, order: Order, now) -> bool:
        """Nothing comes of the order, or of what it brought: its points return, once (PAY-9).

        Points whose last day is over live 30 days more after an order that was paid; an order that was only placed
        makes no points live longer.

        False where they were given back before, and where they went with the member's others meanwhile (CLB-14).
        Call it in a transaction, after stock and numbers.
        """
        if not order.points:
            return False
        row = cls.get(cls.order == order)
        back = None
        # An ended membership comes out of `hold` as an error: the number is somebody else's by now.
        with suppress(NotMember):
            member = ClubMember.hold(row.member_id, now)
            # The row as it is now that its member is held.
            row = cls.get_by_id(row.id)
            if row.state not in ("held", "taken"):
                return False
            about, paid = {"order": order.number}, row.state == "taken"
            back = give_back(row.entry, member, now, about=about, extend=paid)
        state = "returned" if back is not None else "lost"
        ended = cls.update(state=state, at=now).where(cls.id == row.id, cls.state.in_(("held", "taken")))
        return bool(ended.execute()) and back is not None

    @classmethod
    def take_again(cls, order: Order, now) -> None:
        """A lapsed order is paid late: hold its points anew; raises Blocked, NotEnough, NotMember."""
        row = cls.get(cls.order == order)
        member = ClubMember.hold(row.member_id, now)
        row = cls.get_by_id(row.id)
        if row.state in ("held", "taken"):
            return
        row.turns += 1
        key = f"order:{order.id}:{row.turns}"
        row.entry = debit(member, row.points, "order", now, key=key, about={"order": order.number})
        row.state, row.at = "held", now
        row.save()
