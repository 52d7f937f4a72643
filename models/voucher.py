"""The code that a member shows to a partner (CLB-8)."""

import hashlib
import re
import secrets
from datetime import timedelta

from peewee import CharField, Check, DateField, ForeignKeyField, IntegrityError

import config
import crash
from models.allowance import Allowance
from models.base import BaseModel, MomentField, db
from models.calendar import local_day
from models.club_ledger import ClubEntry, debit, entry_of
from models.club_member import ClubMember
from models.club_offer import Partner, PartnerOffer
from models.club_reach import reach
from models.order_number import ALPHABET, MISREAD
from models.outbox import Mail
from models.profile import Profile
from models.security_code import HOUR
from models.sms import Sms

CHANNELS = ("web", "sms", "ussd", "shop")
# Of 32 letters and digits: a million million codes, of which a partner may try a few.
LENGTH = 8


class OfferGone(Exception):
    """The offer is not given any more, or not for the points that were confirmed (CLB-17)."""


class NoVoucher(Exception):
    """There is no such code at this partner (CLB-8)."""


class VoucherUsed(Exception):
    """The code was used at `voucher.used_at` (CLB-8)."""

    def __init__(self, voucher):
        super().__init__("used")
        self.voucher = voucher


class TooManyUnknown(Exception):
    """A partner has typed too many codes that it has not; again from `until` on (CLB-8)."""

    def __init__(self, until):
        super().__init__("too many unknown codes")
        self.until = until


class _Known(Exception):
    """Gives the try of a known code back."""

    def __init__(self, voucher):
        super().__init__("known")
        self.voucher = voucher


class VoucherOver(Exception):
    """The code was good until `voucher.until` (CLB-8)."""

    def __init__(self, voucher):
        super().__init__("over")
        self.voucher = voucher


class Voucher(BaseModel):
    """Points turned into something at a partner; its code is used once."""

    entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
    member = ForeignKeyField(ClubMember, backref="vouchers", on_delete="RESTRICT")
    offer = ForeignKeyField(PartnerOffer, on_delete="RESTRICT")
    code = CharField(unique=True, max_length=10)
    channel = CharField(max_length=4, constraints=[Check(f"channel IN {CHANNELS!r}")])
    # The last day.
    until = DateField()
    used_at = MomentField(null=True)
    # The partner's login that took it.
    used_by = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
    # Of the page on which it was marked: that page sent twice is one use, the same login at another till is not.
    used_key = CharField(max_length=32, null=True, unique=True)

    class Meta:
        constraints = [Check("used_by_id IS NULL OR used_at IS NOT NULL")]

    @classmethod
    def convert(
        cls,
        member_id: int,
        offer: PartnerOffer,
        now,
        *,
        channel: str,
        key: str,
        profile: Profile | None = None,
        points: int | None = None,
    ) -> "Voucher":
        """Turn points into a code at `offer`; SMS and mail with it are written along (CLB-8).

        The mail goes to `profile`, which asks for it, or else to who joined. `points` is what was confirmed, None
        where nothing was shown. The same `key` again finds the same voucher. Raises OfferGone, also for an offer that
        costs something else than was confirmed, Blocked, NotEnough, NotMember.
        """
        with db.atomic():
            member = ClubMember.hold(member_id, now)
            known = entry_of(key)
            if known is not None:
                return cls.get(cls.entry == known)
            today = local_day(now)
            current = PartnerOffer.of_code(offer.code, today)
            if current is None or current.id != offer.id or points not in (None, current.points):
                raise OfferGone
            offer = current
            about = {"offer": offer.id, "partner": offer.partner.name, "names": offer.names, "channel": channel}
            entry = debit(member, offer.points, "voucher", now, key=key, about=about)
            voucher = cls._draw(entry, member, offer, channel, today + timedelta(days=offer.days))
            crash.at("club: voucher drawn")
            voucher.tell(member, now, profile)
        return voucher

    @classmethod
    def _draw(cls, entry, member, offer, channel, until) -> "Voucher":
        for _ in range(5):
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            try:
                with db.atomic():
                    return cls.create(
                        entry=entry, member=member, offer=offer, code=code, channel=channel, until=until
                    )
            except IntegrityError:
                if not cls.select().where(cls.code == code).exists():
                    raise
        raise RuntimeError("No free voucher code was drawn in five tries.")

    def tell(self, member: ClubMember, now, profile: Profile | None = None) -> None:
        """The code by SMS to the number, and by mail to `profile` or to who joined (CLB-8)."""
        told = {"voucher": self.id}
        way = reach([member], profile)[member.id]
        profile = way.profile
        if way.msisdn:
            Sms.write("voucher", way.msisdn, member.language, now, key=f"voucher:{self.id}", data=told)
        if profile:
            Mail.write_to(
                profile.email,
                "voucher",
                now,
                key=f"voucher:{self.id}",
                language=profile.language,
                profile=profile,
                data=told,
            )

    @classmethod
    def of_member(cls, member: ClubMember, limit: int = 50) -> "list[Voucher]":
        """The member's codes with offer and partner, the newest first; one query."""
        return list(
            cls.select(cls, PartnerOffer, Partner)
            .join(PartnerOffer)
            .join(Partner)
            .where(cls.member == member)
            .order_by(cls.id.desc())
            .limit(limit)
        )

    @property
    def label(self) -> str:
        """As people read it: K7F4 9Q2M."""
        return f"{self.code[: LENGTH // 2]}\u00a0{self.code[LENGTH // 2 :]}"

    def is_over(self, now) -> bool:
        return self.until < local_day(now)

    def is_good(self, now) -> bool:
        return self.used_at is None and not self.is_over(now)

    # At the partner

    @classmethod
    def check(cls, partner: Partner, typed: str, now) -> "Voucher":
        """The voucher that `typed` means. Raises NoVoucher, also for another partner's, VoucherUsed, VoucherOver, and
        TooManyUnknown once a partner has typed too many that it has not (CLB-8).

        A try is counted before the code is looked for, and given back when it is known: of many at once none slips.
        """
        key, most = f"voucher-unknown:{partner.id}", config.PARTNER_TRIES
        try:
            with db.atomic():
                if not Allowance.take(key, most=most, within=HOUR, now=now):
                    raise TooManyUnknown(Allowance.free_at(key, most=most, within=HOUR, now=now))
                voucher = cls._of_code(partner, typed)
                if voucher is not None:
                    raise _Known(voucher)
        except _Known as known:
            voucher = known.voucher
        if voucher is None:
            raise NoVoucher
        if voucher.used_at is not None:
            raise VoucherUsed(voucher)
        if voucher.is_over(now):
            raise VoucherOver(voucher)
        return voucher

    @classmethod
    def _of_code(cls, partner: Partner, typed: str) -> "Voucher | None":
        code = plain_code(typed)
        if len(code) != LENGTH:
            return None
        return cls._with_offer(partner).where(cls.code == code).first()

    @classmethod
    def _with_offer(cls, partner: Partner):
        return (
            cls.select(cls, PartnerOffer, Partner)
            .join(PartnerOffer)
            .join(Partner)
            .where(PartnerOffer.partner == partner)
        )

    @classmethod
    def redeem(cls, partner: Partner, typed: str, by: Profile, now, key: str) -> "Voucher":
        """Check the code that was typed and mark it used; raises what `check` and `use` raise (CLB-8)."""
        try:
            voucher = cls.check(partner, typed, now)
        except VoucherUsed as error:
            voucher = error.voucher
        voucher.use(by, now, key)
        return voucher

    def use(self, by: Profile, now, key: str) -> None:
        """Mark it used, once; raises VoucherUsed, VoucherOver (CLB-8).

        `key` is the page's, a random one: the same page again finds it done, whoever has used it meanwhile.
        """
        # Of the voucher as well: no page's key can meet another code's.
        key = hashlib.sha256(f"{self.id}:{key}".encode()).hexdigest()[:32]
        if self.used_at is None and self.is_over(now):
            raise VoucherOver(self)
        with db.atomic():
            mine = Voucher.update(used_at=now, used_by=by, used_key=key).where(
                Voucher.id == self.id, Voucher.used_at.is_null()
            )
            if not mine.execute():
                used = Voucher.get_by_id(self.id)
                if used.used_key != key:
                    raise VoucherUsed(used)
                self.used_at, self.used_key = used.used_at, key
                return
        self.used_at, self.used_key = now, key

    @classmethod
    def of_key(cls, partner: Partner, key: str) -> "Voucher | None":
        """What was marked used at `partner` on the page with this key; one query."""
        return cls._with_offer(partner).where(cls.used_key == key).first()

    @classmethod
    def used_at_partner(cls, partner: Partner):
        """What was used there, the last first, with its offer."""
        return (
            cls.select(cls, PartnerOffer)
            .join(PartnerOffer)
            .where(PartnerOffer.partner == partner, cls.used_at.is_null(False))
            .order_by(cls.used_at.desc(), cls.id.desc())
        )


def plain_code(typed: str) -> str:
    """What was typed, however it is spaced, cased and misread."""
    return re.sub(r"[^0-9A-Z]", "", typed.upper()).translate(MISREAD)
