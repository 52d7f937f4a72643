"""The code that a member shows to a partner (CLB-8)."""

import re
import secrets
from datetime import timedelta

from peewee import CharField, Check, DateField, ForeignKeyField, IntegrityError

import crash
from models.base import BaseModel, MomentField, db
from models.calendar import local_day
from models.club_ledger import ClubEntry, debit, entry_of
from models.club_member import ClubMember
from models.club_offer import Partner, PartnerOffer
from models.order_number import ALPHABET, MISREAD
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms

CHANNELS = ("web", "sms", "ussd", "shop")
# Of 32 letters and digits: a billion codes, of which a partner may try a few.
LENGTH = 8


class OfferGone(Exception):
    """The offer is not given any more (CLB-17)."""


class NoVoucher(Exception):
    """There is no such code at this partner (CLB-8)."""


class VoucherUsed(Exception):
    """The code was used at `voucher.used_at` (CLB-8)."""

    def __init__(self, voucher):
        super().__init__("used")
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

    class Meta:
        constraints = [Check("used_by_id IS NULL OR used_at IS NOT NULL")]

    @classmethod
    def convert(cls, member_id: int, offer: PartnerOffer, now, *, channel: str, key: str) -> "Voucher":
        """Turn points into a code at `offer`; SMS and mail with it are written along (CLB-8).

        The same `key` again finds the same voucher. Raises OfferGone, Blocked, NotEnough, NotMember.
        """
        with db.atomic():
            member = ClubMember.hold(member_id, now)
            known = entry_of(key)
            if known is not None:
                return cls.get(cls.entry == known)
            today = local_day(now)
            current = PartnerOffer.of_code(offer.code, today)
            if current is None or current.id != offer.id:
                raise OfferGone
            about = {"offer": offer.id, "partner": offer.partner.name, "names": offer.names, "channel": channel}
            entry = debit(member, offer.points, "voucher", now, key=key, about=about)
            voucher = cls._draw(entry, member, offer, channel, today + timedelta(days=offer.days))
            crash.at("club: voucher drawn")
            voucher.tell(member, now)
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

    def tell(self, member: ClubMember, now) -> None:
        """The code by SMS to the number, and by mail to who joined (CLB-8)."""
        told = {"voucher": self.id}
        if member.number_id:
            Sms.write("voucher", member.number.msisdn, member.language, now, key=f"voucher:{self.id}", data=told)
        if member.profile_id:
            Mail.write_to(
                member.profile.email,
                "voucher",
                now,
                key=f"voucher:{self.id}",
                language=member.language,
                profile=member.profile,
                data=told,
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
        """The voucher that `typed` means; raises NoVoucher, also for another partner's, VoucherUsed, VoucherOver."""
        code = re.sub(r"[^0-9A-Z]", "", typed.upper()).translate(MISREAD)
        voucher = (
            cls.select(cls, PartnerOffer, Partner)
            .join(PartnerOffer)
            .join(Partner)
            .where(cls.code == code, PartnerOffer.partner == partner)
            .first()
        )
        if voucher is None:
            raise NoVoucher
        if voucher.used_at is not None:
            raise VoucherUsed(voucher)
        if voucher.is_over(now):
            raise VoucherOver(voucher)
        return voucher

    def use(self, by: Profile, now) -> None:
        """Mark it used, once; raises VoucherUsed, VoucherOver."""
        if self.is_over(now):
            raise VoucherOver(self)
        mine = Voucher.update(used_at=now, used_by=by).where(Voucher.id == self.id, Voucher.used_at.is_null())
        if not mine.execute():
            raise VoucherUsed(Voucher.get_by_id(self.id))
        self.used_at = now

    @classmethod
    def used_at_partner(cls, partner: Partner):
        """What was used there, the last first, with its offer."""
        return (
            cls.select(cls, PartnerOffer)
            .join(PartnerOffer)
            .where(PartnerOffer.partner == partner, cls.used_at.is_null(False))
            .order_by(cls.used_at.desc(), cls.id.desc())
        )
