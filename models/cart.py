"""The cart: what a shopper has chosen and not yet ordered (CRT-1…5)."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField, IntegrityError, fn

import config
from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.catalogue import Brand, Device, Gift, Promotion, Tariff, TariffPrice, Variant
from models.choice import CONTRACTS, payments
from models.instalments import PARTS
from models.number import Number
from models.payment_ways import CARD, INSTALMENTS
from models.pricing import Price, device_only_price
from models.profile import Profile
from models.quote import Quote, quote

# How often a visit to the cart is written down: its days (CRT-4) and hours count from there.
TOUCHED_EVERY = timedelta(hours=1)


class NotForSale(Exception):
    """The variant left the catalogue, is sold out, or cannot be had in this way."""


class InCartAlready(Exception):
    """The number has a Besnik 24 device in this cart (ELG-5)."""


class Cart(ShortLived, BaseModel):
    """A cart lives CART_DAYS on the browser that holds its token (CRT-4)."""

    token = CharField(unique=True, max_length=43)
    profile = ForeignKeyField(Profile, null=True, unique=True, on_delete="SET NULL")
    created_at = MomentField()
    seen_at = MomentField(index=True)

    @classmethod
    def begin(cls, now) -> "Cart":
        return cls.create(token=secrets.token_urlsafe(24), created_at=now, seen_at=now)

    @classmethod
    def of_token(cls, token: str | None) -> "Cart | None":
        return cls.get_or_none(cls.token == token) if token else None

    def add(
        self,
        variant: Variant,
        now,
        segment: str | None = None,
        *,
        contract_type: str = "device_only",
        tariff: Tariff | None = None,
        payment: str = CARD,
        parts: int | None = None,
    ) -> "CartLine":
        """Put a choice into the cart; a second time it is already there, and only its way of payment follows.

        A contract is for one number, which is picked in the checkout: once its line has one, the same choice again is
        a line of its own. Raises NotForSale. (OFF-2, OFF-3, OFF-5, CRT-1)
        """
        if not variant.listed or not variant.device.listed or variant.stock < 1:
            raise NotForSale(variant.sku)
        choice = contract_type
        if contract_type == "device_only":
            if tariff is not None or payment != CARD or parts is not None:
                raise NotForSale(variant.sku)
            promotions = list(Promotion.select().where(Promotion.variant == variant))
            price = device_only_price(variant, promotions, now, segment).now
        else:
            price = self._contract_price(variant, contract_type, tariff, payment, parts)
            choice = f"{contract_type}:{tariff.code}"
        (
            CartLine.insert(
                cart=self,
                variant=variant,
                choice=choice,
                contract_type=contract_type,
                tariff=tariff,
                payment=payment,
                parts=parts,
                quantity=1,
                price_seen=price,
                added_at=now,
            )
            .on_conflict(
                conflict_target=[CartLine.cart, CartLine.variant, CartLine.choice],
                preserve=[CartLine.price_seen, CartLine.payment, CartLine.parts],
            )
            .execute()
        )
        self.touch(now)
        return CartLine.get(CartLine.cart == self, CartLine.variant == variant, CartLine.choice == choice)

    @staticmethod
    def _contract_price(variant, contract_type, tariff, payment, parts):
        if contract_type not in CONTRACTS or tariff is None or not tariff.listed:
            raise NotForSale(variant.sku)
        # PAY-1, PAY-3: who may pay so is known in the checkout; what nobody may is refused here.
        if payment not in payments(contract_type) or (parts in PARTS) != (payment == INSTALMENTS):
            raise NotForSale(variant.sku)
        price = (
            TariffPrice.select(TariffPrice.price)
            .where(
                TariffPrice.variant == variant,
                TariffPrice.tariff == tariff,
                TariffPrice.contract_type == contract_type,
            )
            .scalar()
        )
        if price is None:
            raise NotForSale(variant.sku)
        return price

    def remove(self, line_id: int) -> bool:
        """Take a line out; false when it was gone already (CRT-3)."""
        return bool(CartLine.delete().where(CartLine.cart == self, CartLine.id == line_id).execute())

    def set_quantity(self, line_id: int, quantity: int) -> bool:
        """How many pieces of a line are wanted, 1 to LINE_QUANTITY_MAX; false when the line is gone.

        A contract is for one device (OFF-5): its line stays at one piece, and false is the answer.
        """
        if not 1 <= quantity <= config.LINE_QUANTITY_MAX:
            raise ValueError(f"A line holds 1 to {config.LINE_QUANTITY_MAX} pieces.")
        return bool(
            CartLine.update(quantity=quantity)
            .where(CartLine.cart == self, CartLine.id == line_id, CartLine.contract_type == "device_only")
            .execute()
        )

    def choose_number(self, line_id: int, number: Number) -> None:
        """The Besnik 24 device of a line is for `number`; raises InCartAlready where another line's is (ELG-5)."""
        if CartLine.select().where(CartLine.cart == self, CartLine.number == number, CartLine.id != line_id).exists():
            raise InCartAlready(number.msisdn)
        try:
            with db.atomic():
                (
                    CartLine.update(number=number, choice=f"besnik24:{number.msisdn}")
                    .where(CartLine.cart == self, CartLine.id == line_id, CartLine.contract_type == "besnik24")
                    .execute()
                )
        except IntegrityError:
            raise InCartAlready(number.msisdn) from None

    def choose_payment(self, line_id: int, payment: str, parts: int | None) -> None:
        """How the device of a contract's line is paid; `parts` with instalments only (PAY-1, PAY-3)."""
        (
            CartLine.update(payment=payment, parts=parts)
            .where(CartLine.cart == self, CartLine.id == line_id, CartLine.contract_type != "device_only")
            .execute()
        )

    def touch(self, now) -> None:
        Cart.update(seen_at=now).where(Cart.id == self.id).execute()

    def join(self, profile: Profile, now) -> "Cart":
        """The cart of `profile` with this one's lines in it: what happens on login (CRT-4).

        Of a line that both hold, the larger quantity stays. What a guest typed for an order that is under way comes
        along (CHK-6, CHK-7), what is left of one that was placed does not (PRV-1). Orders come along: placing one
        again finds it (CHK-4). A cart that is another profile's is left to that one.
        """
        from models.checkout import NO_POINTS, Checkout
        from models.order import Order

        with db.atomic():
            # Two logins at once take turns: a profile has one cart.
            locked(Profile.select().where(Profile.id == profile.id)).get()
            # An order that another tab places of either cart is written before, or finds the cart gone.
            both = Cart.select().where((Cart.id == self.id) | (Cart.profile == profile)).order_by(Cart.id)
            held = {cart.id: cart for cart in locked(both)}
            ours = held.get(self.id)
            theirs = next((cart for cart in held.values() if cart.profile_id == profile.id), None)
            if ours is None or ours.profile_id not in (None, profile.id):
                return theirs or Cart.create(
                    token=secrets.token_urlsafe(24), profile=profile, created_at=now, seen_at=now
                )
            if ours.profile_id is None:
                Checkout.forget_ordered(ours)
            if theirs is None or theirs.id == ours.id:
                if ours.profile_id is None:
                    # Points that were chosen here before are nobody's who is in now (PAY-4).
                    Checkout.update(**NO_POINTS).where(Checkout.cart == ours, Checkout.points > 0).execute()
                ours.profile, ours.seen_at = profile, now
                ours.save()
                return ours
            lines = CartLine.select().where(CartLine.cart == theirs)
            there = {(line.variant_id, line.choice): line for line in lines}
            numbers = {line.number_id for line in lines if line.number_id}
            for line in CartLine.select().where(CartLine.cart == ours):
                same = there.get((line.variant_id, line.choice))
                if line.number_id in numbers:
                    # ELG-5: what the profile chose for this number stands.
                    continue
                if same is None:
                    line.cart = theirs
                    line.save()
                elif line.quantity > same.quantity:
                    CartLine.update(quantity=line.quantity).where(CartLine.id == same.id).execute()
            typed = Checkout.get_or_none(Checkout.cart == ours)
            if typed is not None and typed.has_data:
                Checkout.delete().where(Checkout.cart == theirs).execute()
                Checkout.update(cart=theirs, **NO_POINTS).where(Checkout.id == typed.id).execute()
            Order.update(cart=theirs).where(Order.cart == ours).execute()
            ours.delete_instance()
            theirs.touch(now)
            return theirs

    def lines(self, now, segment: str | Callable[[], str | None] | None = None) -> list["Chosen"]:
        """The lines as they stand now, in the order they were added; two queries."""
        from models.new_number import NewNumber

        rows = list(
            CartLine.select(CartLine, Variant, Device, Brand, Gift, Tariff, TariffPrice, Number, NewNumber)
            .join_from(CartLine, Variant)
            .join_from(Variant, Device)
            .join_from(Device, Brand)
            .join_from(Device, Gift, "LEFT JOIN", on=(Gift.device == Device.id), attr="gift")
            .join_from(CartLine, Tariff, "LEFT JOIN")
            .join_from(
                CartLine,
                TariffPrice,
                "LEFT JOIN",
                on=(TariffPrice.variant == CartLine.variant)
                & (TariffPrice.tariff == CartLine.tariff)
                & (TariffPrice.contract_type == CartLine.contract_type),
                attr="tariff_price",
            )
            .join_from(CartLine, Number, "LEFT JOIN")
            .join_from(CartLine, NewNumber, "LEFT JOIN", on=(NewNumber.line == CartLine.id), attr="held")
            .where(CartLine.cart == self)
            .order_by(CartLine.id)
        )
        if not rows:
            return []
        promotions = {}
        bought = [row.variant_id for row in rows if not row.is_contract]
        if bought:
            for promotion in Promotion.select().where(Promotion.variant.in_(bought)):
                promotions.setdefault(promotion.variant_id, []).append(promotion)
        if callable(segment):
            # Whose promotions apply may cost a query: known only where one of them is not for all.
            some = any(promotion.segment != "all" for those in promotions.values() for promotion in those)
            segment = segment() if some else None
        chosen, gifts_left = [], {}
        for row in rows:
            if row.is_contract:
                # What can be had no longer keeps the price it had, beside the word that it is gone.
                price = Price(row.offered_price if row.offered_price is not None else row.price_seen)
            else:
                price = device_only_price(row.variant, promotions.get(row.variant_id, []), now, segment)
            one = Chosen(row, price, now=now)
            gift = getattr(row.variant.device, "gift", None)
            if gift is not None and gift.id and one.is_available:
                # Two variants of a device share its gifts: a later line gets what an earlier one leaves.
                left = gifts_left.setdefault(gift.id, gift.stock)
                if left >= row.quantity:
                    gifts_left[gift.id] = left - row.quantity
                    one = Chosen(row, price, gift, now)
            chosen.append(one)
        return chosen

    @classmethod
    def past(cls, now):
        """Carts nobody looked at for CART_DAYS (CRT-4, PRV-3)."""
        return cls.seen_at < now - timedelta(days=config.CART_DAYS)


class CartLine(BaseModel):
    cart = ForeignKeyField(Cart, backref="held", on_delete="CASCADE")
    variant = ForeignKeyField(Variant, on_delete="CASCADE")
    # What tells two lines of one variant apart: the contract type with its tariff, then the number it is for.
    choice = CharField(max_length=60)
    contract_type = CharField(
        max_length=12, constraints=[Check("contract_type IN ('device_only', 'new_number', 'besnik24')")]
    )
    tariff = ForeignKeyField(Tariff, null=True, on_delete="SET NULL")
    # How the device is paid, and in how many instalments on the bill (PAY-1, PAY-3).
    payment = CharField(
        max_length=12, default=CARD, constraints=[Check("payment IN ('card', 'first_bill', 'instalments')")]
    )
    parts = IntegerField(null=True, constraints=[Check("parts IS NULL OR parts IN (1, 6, 12, 24)")])
    # The own number that a Besnik 24 device is for; a new number is held for its line (models/new_number.py).
    number = ForeignKeyField(Number, null=True, on_delete="SET NULL")
    quantity = IntegerField(default=1, constraints=[Check("quantity > 0")])
    # The price that the shopper was shown last, minor units, one piece.
    price_seen = IntegerField()
    added_at = MomentField()

    class Meta:
        indexes = ((("cart", "variant", "choice"), True),)

    @property
    def is_contract(self) -> bool:
        return self.contract_type != "device_only"

    @property
    def offered_price(self) -> int | None:
        """Of a contract's device in its tariff now, minor units; None where it is not offered. From Cart.lines."""
        found = getattr(self, "tariff_price", None)
        return found.price if found is not None and found.id and self.tariff.listed else None


# ELG-5: a number has one Besnik 24 device in a cart.
CartLine.add_index(
    CartLine.index(
        CartLine.cart,
        CartLine.number,
        unique=True,
        where=CartLine.number.is_null(False),
        name="cart_line_number_once",
    )
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line of the cart with what it costs now."""

    line: CartLine
    price: Price
    # The gift that comes with it, while it lasts for all its pieces (CAT-5).
    gift: Gift | None = None
    now: datetime | None = None

    @property
    def id(self) -> int:
        return self.line.id

    @property
    def variant(self) -> Variant:
        return self.line.variant

    @property
    def device(self) -> Device:
        return self.line.variant.device

    @property
    def quantity(self) -> int:
        return self.line.quantity

    @property
    def total(self) -> int:
        return self.price.now * self.quantity

    @property
    def price_changed(self) -> bool:
        return self.line.price_seen != self.price.now

    @property
    def is_available(self) -> bool:
        offered = not self.line.is_contract or self.line.offered_price is not None
        return offered and self.variant.listed and self.device.listed and self.variant.stock >= self.quantity

    @property
    def is_contract(self) -> bool:
        return self.line.is_contract

    @property
    def contract_type(self) -> str:
        return self.line.contract_type

    @property
    def tariff(self) -> Tariff | None:
        return self.line.tariff

    @property
    def new_number(self):
        """The number of the pool that is held for this line now (OFF-6), or None."""
        held = getattr(self.line, "held", None)
        if held is None or not held.id or held.held_until is None or held.held_until <= self.now:
            return None
        return held

    @property
    def msisdn(self) -> str:
        """The number that the contract is for, as far as it was picked; else empty."""
        if self.line.contract_type == "besnik24":
            return self.line.number.msisdn if self.line.number_id else ""
        return self.new_number.msisdn if self.new_number else ""

    @property
    def quote(self) -> Quote:
        """What is paid when: now, on the first bill, each month (PAY-3)."""
        monthly = self.tariff.monthly_price if self.is_contract and self.tariff else None
        return quote(self.price.now, self.line.payment, self.line.parts, monthly, self.quantity)


def count_items(token: str | None) -> int:
    """How many pieces the cart of `token` holds: the badge (CRT-1)."""
    if not token:
        return 0
    return CartLine.select(fn.COALESCE(fn.SUM(CartLine.quantity), 0)).join(Cart).where(Cart.token == token).scalar()
