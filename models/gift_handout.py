"""A gift that is handed out in a shop: the member confirms with an SMS code, then the points go (CLB-13)."""

import secrets
from datetime import UTC, datetime, timedelta

from peewee import JOIN, CharField, Check, ForeignKeyField, IntegerField

import crash
from models.base import BaseModel, MomentField, ShortLived, db
from models.calendar import ZONE, local_day
from models.club_ledger import Blocked, ClubEntry, NotEnough, debit, usable_points
from models.club_member import ClubMember
from models.club_offer import ClubGift
from models.counter import AwaitsCode, phones_of, send_code
from models.profile import Profile
from models.security_code import SecurityCode
from models.voucher import OfferGone


class GiftGone(Exception):
    """There is none left in the shop (CLB-13)."""


class NotTheirs(Exception):
    """The code would go to a number that does not speak for the member (CLB-13)."""


class GiftHandout(AwaitsCode, ShortLived, BaseModel):
    """One gift for one member, from the clerk's request to the counter. It is for the clerk alone who began it."""

    OUTCOME = ("entry", "handed_at")

    token = CharField(unique=True, max_length=32)
    member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
    gift = ForeignKeyField(ClubGift, on_delete="RESTRICT")
    # What the SMS said, and the member agreed to.
    points = IntegerField(constraints=[Check("points > 0")])
    clerk = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
    # Where the code went.
    msisdn = CharField(max_length=15)
    code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    asked_at = MomentField()
    handed_at = MomentField(null=True)

    class Meta:
        constraints = [Check("(entry_id IS NULL) = (handed_at IS NULL)")]

    @classmethod
    def ask(cls, clerk: Profile, member: ClubMember, gift: ClubGift, msisdn: str, now) -> "GiftHandout":
        """Send the member a code. Raises OfferGone, GiftGone, Blocked, NotEnough, NotMember, NotTheirs, TooManyCodes.

        `msisdn` is the member's own number; for a fixed service one of the same subscriber code (CLB-13). The same
        twice within the pause, as by a double click, is one request with one code.
        """
        with db.atomic():
            member = ClubMember.hold(member.id, now)
            if msisdn not in {phone.msisdn for phone in phones_of(member.service)}:
                raise NotTheirs(msisdn)
            same = (
                cls._with_all()
                .where(cls.clerk == clerk, cls.member == member, cls.gift == gift, cls.handed_at.is_null())
                .order_by(cls.id.desc())
                .first()
            )
            if same is not None and same.msisdn == msisdn and same.is_live(now) and now < same.again_at:
                return same
            may_have(gift, gift.points, member, now)
            return cls.create(
                token=secrets.token_hex(16),
                member=member,
                gift=gift,
                points=gift.points,
                clerk=clerk,
                msisdn=msisdn,
                code=cls._send(clerk, msisdn, member, gift, gift.points, now),
                asked_at=now,
            )

    @classmethod
    def _send(cls, clerk, msisdn, member, gift, points, now) -> SecurityCode:
        told = {"names": gift.names, "points": points}
        return send_code(clerk, msisdn, now, kind="gift_code", language=member.language, data=told)

    def send_again(self, now) -> None:
        """Another code for the same gift. Raises TooSoon within the pause, CodeOver once it is handed out, and what
        `ask` raises."""
        with db.atomic():
            member = ClubMember.hold(self.member_id, now)
            fresh = self._ready_for_another(now)
            gift = ClubGift.get_by_id(self.gift_id)
            may_have(gift, self.points, member, now)
            self.code = self._send(fresh.clerk, self.msisdn, member, gift, self.points, now)
            self.save()

    def hand_out(self, typed: str, now) -> None:
        """Take the points and the piece when `typed` is the member's code; a second time it is done.

        Raises WrongCode, CodeOver, GiftGone, OfferGone, Blocked, NotEnough, NotMember; then nothing has changed but
        the count of tries.
        """
        self._take(typed, now)

    @property
    def is_done(self) -> bool:
        return self.handed_at is not None

    def _finish(self, now) -> None:
        member = ClubMember.hold(self.member_id, now)
        self.code.spend(now)
        gift = ClubGift.get_by_id(self.gift_id)
        may_have(gift, self.points, member, now)
        taken = ClubGift.update(stock=ClubGift.stock - 1).where(ClubGift.id == gift.id, ClubGift.stock > 0)
        if not taken.execute():
            raise GiftGone
        about = {"gift": gift.id, "names": gift.names, "channel": "shop"}
        entry = debit(member, self.points, "gift", now, key=f"gift:{self.id}", about=about)
        crash.at("club: gift debited")
        GiftHandout.update(entry=entry, handed_at=now).where(GiftHandout.id == self.id).execute()
        self.entry, self.handed_at = entry, now

    @property
    def label(self) -> str:
        """The receipt's number, as people read it: 1F3A-90BC."""
        return f"{self.token[:4]}-{self.token[4:8]}".upper()

    # What a clerk sees again

    @classmethod
    def of_clerk(cls, clerk: Profile, token: str) -> "GiftHandout | None":
        """The handout if `clerk` began it, with gift, member, code and entry; one query."""
        return cls._with_all().where(cls.token == token, cls.clerk == clerk).first()

    @classmethod
    def today_of(cls, clerk: Profile, now) -> list["GiftHandout"]:
        """What the clerk handed out on the local day of `now`, the last first; one query."""
        begin = datetime.combine(local_day(now), datetime.min.time(), ZONE).astimezone(UTC)
        handed = cls._with_all().where(cls.clerk == clerk, cls.handed_at >= begin, cls.handed_at <= now)
        return list(handed.order_by(cls.handed_at.desc(), cls.id.desc()))

    @classmethod
    def waiting_of(cls, clerk: Profile, now) -> list["GiftHandout"]:
        """Those of the clerk that wait for the member's code; one query."""
        asked = cls._with_all().where(cls.clerk == clerk, cls.handed_at.is_null(), SecurityCode.expires_at > now)
        return [handout for handout in asked.order_by(cls.id.desc()) if handout.is_live(now)]

    @classmethod
    def _with_all(cls):
        return (
            cls.select(cls, ClubGift, ClubMember, SecurityCode, ClubEntry)
            .join(ClubGift)
            .join_from(cls, ClubMember)
            .join_from(cls, SecurityCode, JOIN.LEFT_OUTER)
            .join_from(cls, ClubEntry, JOIN.LEFT_OUTER, on=(cls.entry == ClubEntry.id))
        )

    @classmethod
    def past(cls, now):
        """Those that came to nothing, a day after they were begun."""
        return cls.handed_at.is_null() & (cls.asked_at < now - timedelta(days=1))


def may_have(gift: ClubGift, points: int, member: ClubMember, now) -> None:
    """Raises OfferGone, also where its price is not `points` any more, GiftGone, Blocked or NotEnough (CLB-13)."""
    if gift.points != points or gift not in ClubGift.on(local_day(now)):
        raise OfferGone
    if gift.stock < 1:
        raise GiftGone
    if member.is_blocked:
        raise Blocked
    if (usable := usable_points(member, now)) < points:
        raise NotEnough(usable)
