"""Wish lists: devices that somebody keeps for later, as a guest or in a profile.

A guest's list belongs to a token of its own in a cookie, not to the cart's: a wish begins no cart, and a cart that is
ordered takes no wish along. On login it joins the profile's list, which no cookie opens: it is for who is logged in.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField

import config
from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.cart import Cart
from models.catalogue import Brand, Device, Promotion, Variant
from models.pricing import Price, device_only_price
from models.profile import Profile

# Letters of a token; a cookie that holds something else is none of ours.
TOKEN_LENGTH = 32


class WishesFull(Exception):
    """The list holds WISHES_MAX devices already."""


class NotInStock(Exception):
    """The wished device, in this colour and storage, cannot be put into the cart now."""


def new_token() -> str:
    return secrets.token_urlsafe(24)


class WishList(ShortLived, BaseModel):
    """The wishes of a profile, or of the browser that holds the token; a guest's list is kept WISH_DAYS."""

    token = CharField(null=True, unique=True, max_length=43)
    profile = ForeignKeyField(Profile, null=True, unique=True, on_delete="CASCADE")
    # Whoever has it may read the list; None while it is not shared.
    share_token = CharField(null=True, unique=True, max_length=43)
    created_at = MomentField()
    seen_at = MomentField(index=True)

    class Meta:
        constraints = [Check("(token IS NULL) <> (profile_id IS NULL)")]

    @classmethod
    def of_guest(cls, token: str | None) -> "WishList | None":
        return cls.get_or_none(cls.token == token) if token else None

    @classmethod
    def of_profile(cls, profile: Profile) -> "WishList | None":
        return cls.get_or_none(cls.profile == profile)

    @classmethod
    def of_share(cls, share_token: str) -> "WishList | None":
        return cls.get_or_none(cls.share_token == share_token)

    @classmethod
    def held(cls, owner: Profile | str, now) -> "WishList":
        """The list of a profile, or of the guest with this token, begun when there is none, its row locked.

        Call it inside a transaction.
        """
        whose = {"token": owner} if isinstance(owner, str) else {"profile": owner}
        [(name, value)] = whose.items()
        # A list that is deleted between the two statements is begun anew.
        for _ in range(3):
            cls.insert(**whose, created_at=now, seen_at=now).on_conflict_ignore().execute()
            found = locked(cls.select().where(getattr(cls, name) == value)).first()
            if found is not None:
                return found
        raise RuntimeError("The wish list is deleted as often as it is begun.")

    @classmethod
    def add(cls, owner: Profile | str, device: Device, variant: Variant | None, price: int, now) -> "WishLine":
        """Keep `device` on the list of `owner`; a second time it is there already, and only its variant follows.

        `variant` is the colour and storage that are wished, None where any will do; `price` is what was shown, minor
        units. Raises WishesFull.
        """
        with db.atomic():
            wishes = cls.held(owner, now)
            line = WishLine.get_or_none(WishLine.wish_list == wishes, WishLine.device == device)
            if line is None:
                if wishes.count() >= config.WISHES_MAX:
                    raise WishesFull
                line = WishLine.create(
                    wish_list=wishes, device=device, variant=variant, price_seen=price, added_at=now
                )
            elif variant is not None and line.variant_id != variant.id:
                line.variant, line.price_seen = variant, price
                line.save()
            wishes.touch(now)
        return line

    def count(self) -> int:
        return WishLine.select().where(WishLine.wish_list == self).count()

    @classmethod
    def slugs_of(cls, owner: Profile | str) -> list[str]:
        """Of the devices that a profile, or the guest with this token, wishes for; one query."""
        whose = cls.token == owner if isinstance(owner, str) else cls.profile == owner
        rows = (
            Device.select(Device.slug)
            .join_from(Device, WishLine, on=(WishLine.device == Device.id))
            .join_from(WishLine, WishList)
            .where(whose)
            .tuples()
        )
        return [slug for (slug,) in rows]

    def remove(self, line_id: int) -> bool:
        """Take a wish off the list; false when it was gone already."""
        return bool(WishLine.delete().where(WishLine.wish_list == self, WishLine.id == line_id).execute())

    def remove_device(self, device: Device) -> bool:
        """As `remove`, by the device."""
        return bool(WishLine.delete().where(WishLine.wish_list == self, WishLine.device == device).execute())

    def move_to_cart(self, line_id: int, fill: Callable[[], Cart], now, segment: str | None = None) -> bool:
        """Put a wished device, alone, into the cart that `fill` gives, and take it off the list: both, or neither.

        False when the wish was gone already: then it was moved, or removed, before. Raises NotInStock.
        """
        with db.atomic():
            # Of two at once the second finds the wish gone.
            locked(WishList.select(WishList.id).where(WishList.id == self.id)).first()
            wished = next((one for one in self.lines(now, segment) if one.id == line_id), None)
            if wished is None:
                return False
            if wished.buyable is None:
                raise NotInStock(wished.device.slug)
            fill().add(wished.buyable, now, segment)
            self.remove(line_id)
        return True

    def touch(self, now) -> None:
        WishList.update(seen_at=now).where(WishList.id == self.id).execute()
        self.seen_at = now

    def share(self) -> str:
        """The token that lets others read the list; the same one until `stop_sharing`."""
        WishList.update(share_token=new_token()).where(
            WishList.id == self.id, WishList.share_token.is_null()
        ).execute()
        self.share_token = WishList.select(WishList.share_token).where(WishList.id == self.id).scalar()
        return self.share_token

    def stop_sharing(self) -> None:
        """The link that was given away opens nothing any more; sharing again makes another one."""
        WishList.update(share_token=None).where(WishList.id == self.id).execute()
        self.share_token = None

    @classmethod
    def join(cls, token: str, profile: Profile, now) -> "WishList | None":
        """The guest's wishes join the list of `profile`: what happens on login. None where the guest had no list.

        Of a device that both hold, the profile's wish stays. What is more than WISHES_MAX, the oldest of the guest's,
        is left out. A link that the guest gave away leads to the profile's list from now on, if that held nothing
        before: what the profile wished for was not shown to anybody.
        """
        with db.atomic():
            if not cls.select().where(cls.token == token).exists():
                return None
            # Two logins at once take turns, each with the profile's list before a guest's.
            theirs = cls.held(profile, now)
            guests = locked(cls.select().where(cls.token == token)).first()
            if guests is None:
                return theirs
            there = {line.device_id for line in WishLine.select().where(WishLine.wish_list == theirs)}
            new = [
                line.id
                for line in WishLine.select()
                .where(WishLine.wish_list == guests)
                .order_by(WishLine.added_at.desc(), WishLine.id.desc())
                if line.device_id not in there
            ]
            room = max(0, config.WISHES_MAX - len(there))
            WishLine.update(wish_list=theirs).where(WishLine.id.in_(new[:room])).execute()
            guests.delete_instance()
            if guests.share_token is not None and theirs.share_token is None and not there:
                WishList.update(share_token=guests.share_token).where(WishList.id == theirs.id).execute()
                theirs.share_token = guests.share_token
            theirs.touch(now)
        return theirs

    def lines(self, now, segment: str | Callable[[], str | None] | None = None) -> list["Wished"]:
        """The wishes as they stand now, the newest first; three queries, however many they are."""
        rows = list(
            WishLine.select(WishLine, Device, Brand)
            .join_from(WishLine, Device)
            .join_from(Device, Brand)
            .where(WishLine.wish_list == self)
            .order_by(WishLine.added_at.desc(), WishLine.id.desc())
        )
        if not rows:
            return []
        ids = [row.device_id for row in rows]
        variants: dict[int, list[Variant]] = {}
        for variant in (
            Variant.select().where(Variant.device.in_(ids), Variant.listed).order_by(Variant.position, Variant.id)
        ):
            variants.setdefault(variant.device_id, []).append(variant)
        promotions: dict[int, list[Promotion]] = {}
        for promotion in Promotion.select().join(Variant).where(Variant.device.in_(ids)):
            promotions.setdefault(promotion.variant_id, []).append(promotion)
        if callable(segment):
            # Whose promotions apply may cost a query: known only where one of them is not for all.
            some = any(promotion.segment != "all" for those in promotions.values() for promotion in those)
            segment = segment() if some else None
        found = []
        for row in rows:
            for variant in variants.get(row.device_id, []):
                variant.device = row.device
            offers = [
                (variant, device_only_price(variant, promotions.get(variant.id, []), now, segment))
                for variant in (variants.get(row.device_id, []) if row.device.listed else [])
            ]
            found.append(Wished.of(row, offers))
        return found

    @classmethod
    def past(cls, now):
        """Guests' lists that nobody looked at for WISH_DAYS."""
        return cls.token.is_null(False) & (cls.seen_at < now - timedelta(days=config.WISH_DAYS))


class WishLine(BaseModel):
    wish_list = ForeignKeyField(WishList, backref="held_lines", on_delete="CASCADE")
    device = ForeignKeyField(Device, on_delete="CASCADE")
    # The colour and storage that were chosen; None where any will do.
    variant = ForeignKeyField(Variant, null=True, on_delete="SET NULL")
    # What the device alone cost when it was wished, minor units.
    price_seen = IntegerField(constraints=[Check("price_seen >= 0")])
    added_at = MomentField()

    class Meta:
        indexes = ((("wish_list", "device"), True),)


@dataclass(frozen=True, slots=True)
class Wished:
    """A wish with what there is of it now."""

    line: WishLine
    # The variant that is shown, and its price now; None of a device that is not sold any more.
    variant: Variant | None = None
    price: Price | None = None
    # Whether the device can be had in any colour and storage.
    in_stock: bool = False

    @classmethod
    def of(cls, line: WishLine, offers: list[tuple[Variant, Price]]) -> "Wished":
        if not offers:
            return cls(line)
        wanted = [offer for offer in offers if offer[0].id == line.variant_id]
        # As a list's card: the cheapest that is in stock.
        variant, price = wanted[0] if wanted else min(offers, key=lambda offer: (offer[0].stock < 1, offer[1].now))
        return cls(line, variant, price, any(one.stock > 0 for one, _ in offers))

    @property
    def id(self) -> int:
        return self.line.id

    @property
    def device(self) -> Device:
        return self.line.device

    @property
    def is_sold(self) -> bool:
        """Whether the shop still has the device in its price list."""
        return self.variant is not None

    @property
    def buyable(self) -> Variant | None:
        """What goes into the cart; None where the wished colour and storage are out of stock."""
        return self.variant if self.variant is not None and self.variant.stock > 0 else None

    @property
    def saved(self) -> int:
        """How much less it costs than when it was wished, minor units; negative where it costs more."""
        return self.line.price_seen - self.price.now if self.price is not None else 0
