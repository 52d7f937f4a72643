"""The pool of free numbers, from which a shopper of a new contract picks one (OFF-6)."""

import re
from datetime import timedelta

import phonenumbers
from peewee import CharField, Check, ForeignKeyField

import config
from models.base import BaseModel, MomentField, db, locked
from models.cart import Cart, CartLine
from models.order import Order

# The trunk zero of a number as people dial it stands for this.
CALLING_CODE = str(phonenumbers.country_code_for_region(config.COUNTRY))


class NumberTaken(Exception):
    """Somebody else holds the number, or it is sold, or the hold's time is up (OFF-6)."""


class NewNumber(BaseModel):
    """A number of the pool: free, held for a cart until `held_until`, or sold.

    A hold whose time is up, or whose cart and line are gone, counts as free from that moment on, whether
    `release_all_due` came by or not.
    """

    # E.164 without the plus: 38970123456.
    msisdn = CharField(unique=True, max_length=15, constraints=[Check("LENGTH(msisdn) >= 8")])
    state = CharField(max_length=4, default="free", constraints=[Check("state IN ('free', 'held', 'sold')")])
    held_until = MomentField(null=True, index=True)
    # A number just picked is held for the cart; one that was put into the cart, for its line, and goes with it.
    cart = ForeignKeyField(Cart, null=True, on_delete="SET NULL")
    line = ForeignKeyField(CartLine, null=True, unique=True, on_delete="SET NULL")
    # The order that took it.
    order = ForeignKeyField(Order, null=True, on_delete="SET NULL")

    class Meta:
        constraints = [
            Check("(state = 'held') = (held_until IS NOT NULL)"),
            Check("state = 'held' OR (cart_id IS NULL AND line_id IS NULL)"),
        ]

    @classmethod
    def search(
        cls, digits: str, now, cart: Cart | None = None, limit: int = 20, after: str = ""
    ) -> list["NewNumber"]:
        """Numbers with `digits` in a row that can be had now, and those that `cart` holds, by number.

        `digits` are taken as people type them: "070 12" begins with the trunk zero, spaces do not matter, and
        without any digit every number fits. `after`: the last number of the page before.
        """
        wanted = re.sub(r"[^0-9]", "", digits, flags=re.ASCII)
        query = cls.select().where(cls._to_be_had(now, cart), cls.msisdn > after)
        if wanted.startswith("0"):
            query = query.where(cls.msisdn.startswith(CALLING_CODE + wanted[1:]))
        elif wanted:
            query = query.where(cls.msisdn.contains(wanted))
        return list(query.order_by(cls.msisdn).limit(limit))

    @classmethod
    def held_by(cls, cart: Cart, now) -> list["NewNumber"]:
        """What `cart` and its lines hold, and for how long yet: `held_until`."""
        return list(
            cls.select().where(cls.state == "held", cls.held_until > now, cls._of(cart)).order_by(cls.held_until)
        )

    def is_free(self, now) -> bool:
        orphan = self.cart_id is None and self.line_id is None
        return self.state == "free" or (self.state == "held" and (self.held_until <= now or orphan))

    def hold(self, cart: Cart, now) -> None:
        """Hold it for `cart` for NUMBER_HOLD_MINUTES; raises NumberTaken, or Cart.DoesNotExist (OFF-6).

        What the cart holds already it goes on holding, for no longer than before. Another number that the cart
        had picked, but not put into a line, is given back: a visitor cannot empty the pool by looking.
        """
        until = now + timedelta(minutes=config.NUMBER_HOLD_MINUTES)
        with db.atomic():
            # Two tabs of one cart take turns, as do a tab that picks and one that places the order.
            locked(Cart.select().where(Cart.id == cart.id)).get()
            # One guarded statement: of two processes the second finds nothing to change.
            taken = (
                NewNumber.update(state="held", held_until=until, cart=cart, line=None, order=None)
                .where(NewNumber.id == self.id, self._to_be_had(now))
                .execute()
            )
            if taken:
                (
                    NewNumber.update(state="free", held_until=None, cart=None)
                    .where(
                        NewNumber.cart == cart,
                        NewNumber.line.is_null(),
                        NewNumber.id != self.id,
                        # Not those whose time is up: somebody may be taking one, and wait for ours.
                        NewNumber.held_until > now,
                    )
                    .execute()
                )
            elif not self._is_held_by(cart, now):
                raise NumberTaken(self.msisdn)
        self._reread()

    def attach(self, line: CartLine, now) -> None:
        """From now on it is held for `line`, and given back when that goes (OFF-6).

        The time that is left does not change. Another number of the line is given back. Raises NumberTaken, or
        CartLine.DoesNotExist when the line was ordered or taken out meanwhile.
        """
        with db.atomic():
            # The cart first, as an order that is placed of it does: two tabs take turns, and never wait in a ring.
            locked(Cart.select().where(Cart.id == line.cart_id)).first()
            locked(CartLine.select().where(CartLine.id == line.id, CartLine.cart == line.cart_id)).get()
            held = self._is_held_by(line.cart, now)
            if held:
                (
                    NewNumber.update(state="free", held_until=None, cart=None, line=None)
                    .where(NewNumber.line == line, NewNumber.id != self.id)
                    .execute()
                )
                held = (
                    NewNumber.update(line=line, cart=None)
                    .where(NewNumber.id == self.id, NewNumber.state == "held", NewNumber.held_until > now)
                    .where(NewNumber._of(line.cart))
                    .execute()
                )
            if not held:
                raise NumberTaken(self.msisdn)
        self._reread()

    def release(self, cart: Cart) -> bool:
        """Give it back to the pool; false when `cart` does not hold it (any more) (OFF-6)."""
        released = (
            NewNumber.update(state="free", held_until=None, cart=None, line=None)
            .where(NewNumber.id == self.id, NewNumber.state == "held", self._of(cart))
            .execute()
        )
        self._reread()
        return bool(released)

    def sell(self, cart: Cart, order: Order, now) -> None:
        """It belongs to `order` now; raises NumberTaken when `cart` does not hold it (any more).

        Call it in the transaction that places the order, before the cart's lines are deleted.
        """
        sold = (
            NewNumber.update(state="sold", held_until=None, cart=None, line=None, order=order)
            .where(NewNumber.id == self.id, NewNumber.state == "held", NewNumber.held_until > now, self._of(cart))
            .execute()
        )
        if not sold:
            raise NumberTaken(self.msisdn)
        self._reread()

    @classmethod
    def take_again(cls, msisdn: str, order: Order, now) -> None:
        """A lapsed order comes back to life with its number; raises NumberTaken when that is somebody else's."""
        taken = (
            cls.update(state="sold", held_until=None, cart=None, line=None, order=order)
            .where(cls.msisdn == msisdn, cls._to_be_had(now))
            .execute()
        )
        if not taken:
            raise NumberTaken(msisdn)

    @classmethod
    def give_back(cls, order: Order) -> int:
        """Free the numbers of an order that lapsed or was cancelled; returns how many (PAY-8).

        Call it in the transaction that ends the order.
        """
        return cls.update(state="free", order=None).where(cls.order == order, cls.state == "sold").execute()

    @classmethod
    def release_all_due(cls, now) -> int:
        """Give back what was held for too long, or by a line or cart that is gone; returns how many (OFF-6)."""
        return (
            cls.update(state="free", held_until=None, cart=None, line=None)
            .where(cls.state == "held", (cls.held_until <= now) | (cls.cart.is_null() & cls.line.is_null()))
            .execute()
        )

    @classmethod
    def _to_be_had(cls, now, cart: Cart | None = None):
        """As `is_free`, or held by `cart`; in SQL."""
        nobody = cls.cart.is_null() & cls.line.is_null()
        due = (cls.held_until <= now) | nobody
        if cart is not None:
            due |= cls._of(cart)
        return (cls.state == "free") | ((cls.state == "held") & due)

    @classmethod
    def _of(cls, cart: Cart):
        return (cls.cart == cart) | cls.line.in_(CartLine.select(CartLine.id).where(CartLine.cart == cart))

    def _is_held_by(self, cart: Cart, now) -> bool:
        return (
            NewNumber.select()
            .where(NewNumber.id == self.id, NewNumber.state == "held", NewNumber.held_until > now, self._of(cart))
            .exists()
        )

    def _reread(self) -> None:
        fresh = NewNumber.get_by_id(self.id)
        for name in ("state", "held_until", "cart", "line", "order"):
            self.__data__[name] = fresh.__data__[name]
            self.__rel__.pop(name, None)
        self._dirty.clear()
