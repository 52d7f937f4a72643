"""The cart: what a shopper has chosen and not yet ordered (CRT-1…5)."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField, fn

import config
from models.base import BaseModel, MomentField, db, locked
from models.catalogue import Brand, Device, Gift, Promotion, Tariff, Variant
from models.pricing import Price, device_only_price
from models.profile import Profile


class NotForSale(Exception):
    """The variant left the catalogue, is sold out, or cannot be had in this way."""


class Cart(BaseModel):
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

    def add(self, variant: Variant, now, segment: str | None = None) -> "CartLine":
        """Put a device-only choice into the cart; a second time it is already there, and nothing changes.

        Raises NotForSale. (OFF-3, CRT-1)
        """
        if not variant.listed or not variant.device.listed or variant.stock < 1:
            raise NotForSale(variant.sku)
        promotions = list(Promotion.select().where(Promotion.variant == variant))
        price = device_only_price(variant, promotions, now, segment)
        (
            CartLine.insert(
                cart=self,
                variant=variant,
                choice="device_only",
                contract_type="device_only",
                quantity=1,
                price_seen=price.now,
                added_at=now,
            )
            .on_conflict(
                conflict_target=[CartLine.cart, CartLine.variant, CartLine.choice],
                preserve=[CartLine.price_seen],
            )
            .execute()
        )
        self.touch(now)
        return CartLine.get(CartLine.cart == self, CartLine.variant == variant, CartLine.choice == "device_only")

    def remove(self, line_id: int) -> bool:
        """Take a line out; false when it was gone already (CRT-3)."""
        return bool(CartLine.delete().where(CartLine.cart == self, CartLine.id == line_id).execute())

    def set_quantity(self, line_id: int, quantity: int) -> bool:
        """How many pieces of a line are wanted, 1 to LINE_QUANTITY_MAX; false when the line is gone."""
        if not 1 <= quantity <= config.LINE_QUANTITY_MAX:
            raise ValueError(f"A line holds 1 to {config.LINE_QUANTITY_MAX} pieces.")
        return bool(CartLine.update(quantity=quantity).where(CartLine.cart == self, CartLine.id == line_id).execute())

    def touch(self, now) -> None:
        Cart.update(seen_at=now).where(Cart.id == self.id).execute()

    def join(self, profile: Profile, now) -> "Cart":
        """The cart of `profile` with this one's lines in it: what happens on login (CRT-4).

        Of a line that both hold, the larger quantity stays. What was typed at this cart's checkout comes along
        (CHK-6, CHK-7), as do its orders. A cart that is another profile's is left to that one.
        """
        from models.checkout import Checkout
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
            if theirs is None or theirs.id == ours.id:
                ours.profile, ours.seen_at = profile, now
                ours.save()
                return ours
            lines = CartLine.select().where(CartLine.cart == theirs)
            there = {(line.variant_id, line.choice): line for line in lines}
            for line in CartLine.select().where(CartLine.cart == ours):
                same = there.get((line.variant_id, line.choice))
                if same is None:
                    line.cart = theirs
                    line.save()
                elif line.quantity > same.quantity:
                    CartLine.update(quantity=line.quantity).where(CartLine.id == same.id).execute()
            typed = Checkout.get_or_none(Checkout.cart == ours)
            if typed is not None and typed.has_data:
                Checkout.delete().where(Checkout.cart == theirs).execute()
                Checkout.update(cart=theirs).where(Checkout.id == typed.id).execute()
            Order.update(cart=theirs).where(Order.cart == ours).execute()
            ours.delete_instance()
            theirs.touch(now)
            return theirs

    def lines(self, now, segment: str | None = None) -> list["Chosen"]:
        """The lines as they stand now, in the order they were added; two queries."""
        rows = list(
            CartLine.select(CartLine, Variant, Device, Brand, Gift, Tariff)
            .join_from(CartLine, Variant)
            .join_from(Variant, Device)
            .join_from(Device, Brand)
            .join_from(Device, Gift, "LEFT JOIN", on=(Gift.device == Device.id), attr="gift")
            .join_from(CartLine, Tariff, "LEFT JOIN")
            .where(CartLine.cart == self)
            .order_by(CartLine.id)
        )
        if not rows:
            return []
        promotions = {}
        for promotion in Promotion.select().where(Promotion.variant.in_([row.variant_id for row in rows])):
            promotions.setdefault(promotion.variant_id, []).append(promotion)
        chosen, gifts_left = [], {}
        for row in rows:
            price = device_only_price(row.variant, promotions.get(row.variant_id, []), now, segment)
            one = Chosen(row, price)
            gift = getattr(row.variant.device, "gift", None)
            if gift is not None and gift.id and one.is_available:
                # Two variants of a device share its gifts: a later line gets what an earlier one leaves.
                left = gifts_left.setdefault(gift.id, gift.stock)
                if left >= row.quantity:
                    gifts_left[gift.id] = left - row.quantity
                    one = Chosen(row, price, gift)
            chosen.append(one)
        return chosen

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete carts nobody looked at for CART_DAYS (CRT-4, PRV-3); returns how many."""
        return cls.delete().where(cls.seen_at < now - timedelta(days=config.CART_DAYS)).execute()


class CartLine(BaseModel):
    cart = ForeignKeyField(Cart, backref="held", on_delete="CASCADE")
    variant = ForeignKeyField(Variant, on_delete="CASCADE")
    # What tells two lines of one variant apart: the contract type, and later the number it is for.
    choice = CharField(max_length=60)
    contract_type = CharField(
        max_length=12, constraints=[Check("contract_type IN ('device_only', 'new_number', 'besnik24')")]
    )
    tariff = ForeignKeyField(Tariff, null=True, on_delete="SET NULL")
    quantity = IntegerField(default=1, constraints=[Check("quantity > 0")])
    # The price that the shopper was shown last, minor units, one piece.
    price_seen = IntegerField()
    added_at = MomentField()

    class Meta:
        indexes = ((("cart", "variant", "choice"), True),)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A line of the cart with what it costs now."""

    line: CartLine
    price: Price
    # The gift that comes with it, while it lasts for all its pieces (CAT-5).
    gift: Gift | None = None

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
        return self.variant.listed and self.device.listed and self.variant.stock >= self.quantity


def count_items(token: str | None) -> int:
    """How many pieces the cart of `token` holds: the badge (CRT-1)."""
    if not token:
        return 0
    return CartLine.select(fn.COALESCE(fn.SUM(CartLine.quantity), 0)).join(Cart).where(Cart.token == token).scalar()
