"""A gift that is handed out in a shop: the member confirms with an SMS code, then the points go (CLB-13)."""

import secrets

from peewee import CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField, db
from models.calendar import local_day
from models.club_ledger import Blocked, ClubEntry, NotEnough, debit, usable_points
from models.club_member import ClubMember
from models.club_offer import ClubGift
from models.profile import Profile
from models.security_code import CodeOver, SecurityCode
from models.voucher import OfferGone


class GiftGone(Exception):
    """There is none left in the shop (CLB-13)."""


class GiftHandout(BaseModel):
    """One gift for one member, from the clerk's request to the counter."""

    token = CharField(unique=True, max_length=32)
    member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
    gift = ForeignKeyField(ClubGift, on_delete="RESTRICT")
    clerk = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
    msisdn = CharField(max_length=15)
    code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    asked_at = MomentField()
    handed_at = MomentField(null=True)

    class Meta:
        constraints = [Check("(entry_id IS NULL) = (handed_at IS NULL)")]

    @classmethod
    def ask(cls, clerk: Profile, member: ClubMember, gift: ClubGift, msisdn: str, now) -> "GiftHandout":
        """Send the member a code; raises OfferGone, GiftGone, Blocked, NotEnough, TooManyCodes (CLB-13).

        `msisdn` is the member's own number; for a fixed service one of the same subscriber code.
        """
        if gift not in ClubGift.on(local_day(now)):
            raise OfferGone
        if gift.stock < 1:
            raise GiftGone
        if member.is_blocked:
            raise Blocked
        if (usable := usable_points(member, now)) < gift.points:
            raise NotEnough(usable)
        with db.atomic():
            code = SecurityCode.send(
                clerk,
                msisdn,
                now,
                genuine=True,
                kind="gift_code",
                language=member.language,
                data={"gift": gift.id, "points": gift.points},
            )
            return cls.create(
                token=secrets.token_hex(16),
                member=member,
                gift=gift,
                clerk=clerk,
                msisdn=msisdn,
                code=code,
                asked_at=now,
            )

    def hand_out(self, typed: str, now) -> None:
        """Take the points and the piece when `typed` is the member's code; a second time it is done.

        Raises WrongCode, CodeOver, GiftGone, OfferGone, Blocked, NotEnough, NotMember; then nothing has changed but
        the count of tries.
        """
        if self.handed_at is not None:
            return
        if self.code is None:
            raise CodeOver
        self.code.check(typed, now)
        with db.atomic():
            member = ClubMember.hold(self.member_id, now)
            self.code.spend(now)
            gift = ClubGift.get_by_id(self.gift_id)
            if gift not in ClubGift.on(local_day(now)):
                raise OfferGone
            taken = ClubGift.update(stock=ClubGift.stock - 1).where(ClubGift.id == gift.id, ClubGift.stock > 0)
            if not taken.execute():
                raise GiftGone
            about = {"gift": gift.id, "names": gift.names, "channel": "shop"}
            self.entry = debit(member, gift.points, "gift", now, key=f"gift:{self.id}", about=about)
            self.handed_at = now
            self.save()
