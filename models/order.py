"""Orders: their lines, their states and the way from one to the next (ORD-1…5)."""

from contextlib import suppress

from peewee import (
    CharField,
    Check,
    DateField,
    ForeignKeyField,
    IntegerField,
    IntegrityError,
    JSONField,
    TextField,
)

import config
from models.actor import Actor
from models.base import BaseModel, MomentField, db, locked
from models.bss_event import BssEvent
from models.calendar import WISHES
from models.cart import Cart
from models.catalogue import Device, Gift, Variant
from models.number import Number
from models.order_number import read_number
from models.order_steps import MAY, may
from models.payment_ways import CARD
from models.places import place_of
from models.profile import Profile
from models.quote import Quote, quote
from models.shelf import stock_changed

STATES = (
    "awaiting_payment",
    "confirmed",
    "packed",
    "with_courier",
    "delivered",
    "lapsed",
    "cancelled",
    "delivery_failed",
    "returned",
)
# State → the states that may come next (ORD-4).
TRANSITIONS = {state: {after for before, after in MAY if before == state} for state in STATES}
# In these an order holds its number no more (ELG-5): nothing came of it, or its contract speaks for itself.
ENDED = frozenset({"lapsed", "cancelled", "delivered", "returned"})


class NotAllowed(Exception):
    """The order's state does not allow the step (ORD-4)."""


class OutOfStock(Exception):
    """Some pieces are gone; `names` says which, `skus` for whom counts (ORD-5)."""

    def __init__(self, names, skus=()):
        super().__init__(", ".join(names))
        self.names, self.skus = list(names), list(skus)


class GiftGone(OutOfStock):
    """The device is there, its gift went to somebody else: it may be ordered without (CAT-5)."""


class PointsGone(Exception):
    """The points that the order was paid with are not there any more (PAY-4)."""


class Order(BaseModel):
    number = CharField(unique=True, max_length=20)
    # The checkout it came from: placing the same checkout again finds this order (CHK-4).
    checkout_key = CharField(unique=True, max_length=43)
    cart = ForeignKeyField(Cart, null=True, on_delete="SET NULL")
    profile = ForeignKeyField(Profile, null=True, backref="orders", on_delete="SET NULL")
    state = CharField(
        max_length=20,
        index=True,
        constraints=[Check(f"state IN ({', '.join(repr(state) for state in STATES)})")],
    )
    language = CharField(max_length=2)
    first_name = CharField(max_length=60)
    last_name = CharField(max_length=60)
    email = CharField(max_length=254, index=True)
    phone = CharField(max_length=20, index=True)
    street = CharField(max_length=120)
    place = CharField(max_length=80)
    municipality = CharField(max_length=80)
    postal_code = CharField(max_length=10)
    note = CharField(max_length=200, default="")
    # Who may receive it when it is somebody else than the shopper (DLV-3).
    recipient = CharField(max_length=120, default="")
    # What stands on the card of a gift; empty where it is none.
    gift_note = CharField(max_length=200, default="")
    # The hours of the day that the shopper wishes for; the courier calls all the same (DLV-5).
    wish = CharField(max_length=5, default="", constraints=[Check(f"wish IN {('', *WISHES)!r}")])
    # Of all devices, and what of it the card is charged now; minor units. With nothing due now there is no Payment.
    total = IntegerField(constraints=[Check("total >= 0")])
    due_now = IntegerField(constraints=[Check("due_now >= 0")])
    # Points of the club, and what they took off the card payment; `due_now` is what was left (PAY-4).
    points = IntegerField(default=0, constraints=[Check("points >= 0")])
    points_worth = IntegerField(default=0, constraints=[Check("(points_worth > 0) = (points > 0)")])
    # Who signs the contract of a Besnik 24 device: the number's holder, who alone may receive it (DLV-3).
    signer = TextField(default="")
    currency = CharField(max_length=3)
    placed_at = MomentField(index=True)
    payable_until = MomentField(index=True)
    promised_on = DateField()
    # Which terms were accepted at placing.
    terms_edition = CharField(max_length=20)

    @classmethod
    def of_number(cls, number: str) -> "Order | None":
        return cls.get_or_none(cls.number == number)

    @classmethod
    def found_by(cls, number: str, email: str) -> "Order | None":
        """A guest's order by what the guest knows of it (ORD-2); raises MistypedNumber."""
        return cls.get_or_none(cls.number == read_number(number), cls.email == email.strip().lower())

    @classmethod
    def awaiting_payment(cls):
        return cls.select().where(cls.state == "awaiting_payment")

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def receiver(self) -> str:
        """The person who may receive it, against a valid ID document (DLV-3)."""
        return self.signer or self.recipient or self.full_name

    def place_in(self, language: str) -> str:
        """The place as `language` calls it; as it was written where the list knows it no more."""
        with suppress(KeyError):
            known = place_of(self.postal_code)
            if known.name("sq") == self.place:
                return known.name(language)
        return self.place

    def address_in(self, language: str) -> str:
        return f"{self.street}, {self.postal_code} {self.place_in(language)}"

    @property
    def is_paid(self) -> bool:
        return self.state not in ("awaiting_payment", "lapsed") and not (
            self.state == "cancelled" and not self.was("confirmed")
        )

    def is_payable(self, now) -> bool:
        return self.state == "awaiting_payment" and now < self.payable_until

    def was(self, state: str) -> bool:
        return any(event.state == state for event in self.events)

    def history(self) -> list["OrderEvent"]:
        return list(OrderEvent.select().where(OrderEvent.order == self).order_by(OrderEvent.id))

    def lines(self) -> list["OrderLine"]:
        return list(OrderLine.select().where(OrderLine.order == self).order_by(OrderLine.position))

    def relock(self) -> "Order":
        """This order as it is now, held until the transaction ends."""
        return locked(Order.select().where(Order.id == self.id)).get()

    def move(self, state: str, *, by: "str | Actor", now, why: str = "") -> None:
        """Go to `state`, with its event; raises NotAllowed, also for a role that may not take this step, and when
        another process moved the order meanwhile.

        Call it inside a transaction (ORD-4), and give pieces back before: numbers, money and points go back here, the
        points last, whose member other orders wait for while they hold pieces. `by` is a role, or somebody in it.
        """
        from models.order_points import OrderPoints

        actor = by if isinstance(by, Actor) else Actor(by)
        if not may(actor.role, self.state, state):
            raise NotAllowed(f"{self.state} → {state} by {actor.role}")
        moved = Order.update(state=state).where(Order.id == self.id, Order.state == self.state).execute()
        if not moved:
            raise NotAllowed(f"{self.number} changed meanwhile")
        before = self.state
        if (before, state) != ("packed", "confirmed"):
            BssEvent.of_order(self, state, now)
        self.state = state
        OrderEvent.create(order=self, at=now, state=state, author=actor.role, who=actor.name, why=why)
        if state in ENDED:
            OrderLine.update(taken=None).where(OrderLine.order == self, OrderLine.taken.is_null(False)).execute()
        if state in ("lapsed", "cancelled") or (before, state) == ("delivery_failed", "returned"):
            # Nobody ever had them; a number that was handed over stays the operator's.
            from models.new_number import NewNumber

            NewNumber.give_back(self)
        if state in ("cancelled", "returned"):
            from models.payment import Refund

            Refund.of_order(self, now)
        if state in ("lapsed", "cancelled", "returned"):
            OrderPoints.give_back(self, now)
        elif state == "confirmed":
            OrderPoints.take(self)
        if state in ("confirmed", "packed"):
            from models.document import Document

            Document.issue_all(self, now)

    def lapse(self, now) -> None:
        """Nobody paid in time: stock, gifts and numbers go back (PAY-8). Raises NotAllowed."""
        with db.atomic():
            order = self.relock()
            # Stock before the member whose points return, as placing an order takes them.
            order.give_back_stock()
            order.move("lapsed", by="system", now=now)
        self.state = order.state

    def take_stock(self) -> None:
        """Take every piece and gift, or none: raises OutOfStock or GiftGone (ORD-5). Call it in a transaction."""
        short, sold_out = [], set()
        # By variant id: two orders that want the same pieces wait for each other in one order, never in a ring.
        for line in sorted(self.lines(), key=lambda line: line.variant_id):
            taken = (
                Variant.update(stock=Variant.stock - line.quantity)
                .where(Variant.id == line.variant_id, Variant.stock >= line.quantity, Variant.listed)
                .execute()
            )
            if not taken:
                short.append(line)
        if short:
            raise OutOfStock([line.title(self.language) for line in short], [line.sku for line in short])
        wanted = [line.variant_id for line in self.lines()]
        for variant in Variant.select(Variant.device, Variant.stock).where(Variant.id.in_(wanted)):
            if variant.stock == 0:
                sold_out.add(variant.device_id)
        # By gift id, for the same reason.
        for line in sorted((line for line in self.lines() if line.gift), key=lambda line: line.gift["id"]):
            taken = (
                Gift.update(stock=Gift.stock - line.quantity)
                .where(Gift.id == line.gift["id"], Gift.stock >= line.quantity)
                .execute()
            )
            if not taken:
                raise GiftGone([line.gift[self.language]], [line.sku])
            left = Gift.get_by_id(line.gift["id"])
            if left.stock == 0:
                sold_out.add(left.device_id)
        stock_changed(sold_out)

    def take_again(self, now) -> None:
        """Take what a lapsed order gave back: pieces, gifts, numbers and points, or none; raises OutOfStock, and
        PointsGone where the points are not there any more.

        Call it in a transaction of its own, which the error undoes.
        """
        from models.club_ledger import Blocked, NotEnough
        from models.club_member import NotMember
        from models.new_number import NewNumber, NumberTaken
        from models.order_points import OrderPoints

        lines = self.lines()
        own = [line.msisdn for line in lines if line.contract_type == "besnik24"]
        if own:
            # Numbers before pieces, as placing an order does: the two never wait for each other in a ring.
            list(locked(Number.select().where(Number.msisdn.in_(own)).order_by(Number.id)))
        for line in lines:
            try:
                if line.contract_type == "new_number":
                    NewNumber.take_again(line.msisdn, self, now)
                elif line.contract_type == "besnik24":
                    OrderLine.update(taken=line.msisdn).where(OrderLine.id == line.id).execute()
            except (NumberTaken, IntegrityError):
                raise OutOfStock([line.title(self.language)], [line.sku]) from None
        self.take_stock()
        if self.points:
            try:
                OrderPoints.take_again(self, now)
            except (Blocked, NotEnough, NotMember):
                raise PointsGone from None

    def give_back_stock(self, only=None) -> None:
        """Put every piece and gift back, or those of the lines with the ids `only`; call it inside the transaction
        that ends the order.

        Rows are taken in the order of `take_stock`, and by UPDATE alone: FOR UPDATE would also wait for an order
        that has only named the variant in its lines, which may be waiting for us.
        """
        back, lines = set(), [line for line in self.lines() if only is None or line.id in only]
        pieces = [(line.variant_id, line.quantity) for line in lines]
        gifts = [(line.gift["id"], line.quantity) for line in lines if line.gift]
        for table, given in ((Variant, pieces), (Gift, gifts)):
            for number, quantity in sorted(given):
                table.update(stock=table.stock + quantity).where(table.id == number).execute()
                row = table.select(table.device, table.stock).where(table.id == number).first()
                if row is not None and row.stock == quantity:
                    back.add(row.device_id)
        stock_changed(back)


class OrderLine(BaseModel):
    """A line as it was ordered: names, colours and prices stay what they were."""

    order = ForeignKeyField(Order, backref="ordered", on_delete="CASCADE")
    variant = ForeignKeyField(Variant, on_delete="RESTRICT")
    device = ForeignKeyField(Device, on_delete="RESTRICT")
    position = IntegerField()
    sku = CharField(max_length=60)
    contract_type = CharField(
        max_length=12, constraints=[Check("contract_type IN ('device_only', 'new_number', 'besnik24')")]
    )
    # By language.
    names = JSONField()
    colours = JSONField()
    storage_gb = IntegerField(null=True)
    quantity = IntegerField(constraints=[Check("quantity > 0")])
    # Minor units, one piece; `before` where a promotion lowered it.
    price = IntegerField(constraints=[Check("price >= 0")])
    before = IntegerField(null=True)
    picture = CharField(max_length=200)
    # {"id": …, "sq": …, "mk": …, "en": …}
    gift = JSONField(null=True)
    # Of a contract: {"code": …, "name": …, "monthly_price": minor units}, and the number it is for.
    tariff = JSONField(null=True)
    msisdn = CharField(max_length=15, default="")
    # How the device is paid, and in how many instalments (PAY-1, PAY-3).
    payment = CharField(
        max_length=12, default=CARD, constraints=[Check("payment IN ('card', 'first_bill', 'instalments')")]
    )
    parts = IntegerField(null=True, constraints=[Check("parts IS NULL OR parts IN (1, 6, 12, 24)")])
    # The number of a Besnik 24 device while its order is open: a number has one at a time (ELG-5).
    taken = CharField(max_length=15, null=True, unique=True)

    @property
    def total(self) -> int:
        return self.price * self.quantity

    @property
    def is_contract(self) -> bool:
        return self.contract_type != "device_only"

    @property
    def quote(self) -> Quote:
        """What was agreed to be paid when: now, on the first bill, each month (PAY-3)."""
        monthly = self.tariff["monthly_price"] if self.tariff else None
        return quote(self.price, self.payment, self.parts, monthly, self.quantity)

    def title(self, language: str) -> str:
        name = self.names.get(language) or self.names["sq"]
        return f"{name}, {storage_label(self.storage_gb)}" if self.storage_gb else name

    def colour(self, language: str) -> str:
        return self.colours.get(language) or self.colours.get("sq", "")


class OrderEvent(BaseModel):
    """What happened to an order, when and by whom: its timeline (ORD-4)."""

    order = ForeignKeyField(Order, backref="events", on_delete="CASCADE")
    at = MomentField()
    state = CharField(max_length=20)
    # shopper, bank, system, or the role of who works here, and who that was.
    author = CharField(max_length=60)
    who = CharField(max_length=254, default="")
    why = TextField(default="")

    class Meta:
        indexes = ((("state", "at"), False),)


def storage_label(size_gb: int) -> str:
    """256 → "256 GB", 1024 → "1 TB", with a space that does not break."""
    return f"{size_gb // 1024}\u00a0TB" if size_gb >= 1024 and size_gb % 1024 == 0 else f"{size_gb}\u00a0GB"


def terms_edition() -> str:
    """The edition of the sales terms that an order of today accepts."""
    return config.FACE.terms_edition
