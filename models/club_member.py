"""Who is in the points club: a service, that is a mobile number or a fixed service (CLB-1, CLB-2)."""

import time
from datetime import date

from peewee import JOIN, BooleanField, CharField, Check, DateField, ForeignKeyField, IntegerField, IntegrityError

from models.base import BaseModel, MomentField, Unfinished, db, locked
from models.calendar import local_day
from models.club_rate import BUNDLES, UNITS, Rates
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Holder, Subscriber

FIXED_KINDS = ("internet", "tv", "bundle")


class AlreadyMember(Exception):
    """The number or service is in the club (CLB-1)."""


class NotMember(Exception):
    """The number or service is not in the club."""


class FixedService(BaseModel):
    """The shop's copy of a fixed service that is topped up: internet, television or both."""

    code = CharField(unique=True, max_length=30)
    subscriber = ForeignKeyField(Subscriber, backref="fixed_services", on_delete="CASCADE")
    kind = CharField(max_length=10, constraints=[Check(f"kind IN {FIXED_KINDS!r}")])
    # The key of the tables of welcome points and of top-ups.
    package = CharField(max_length=40)
    active = BooleanField(default=True)

    @property
    def holder(self) -> Holder:
        return self.subscriber.holder

    @classmethod
    def of_profile(cls, profile: Profile) -> list["FixedService"]:
        """Those of the subscriber codes of the profile's numbers, as their invoices are (PRO-7); one query."""
        return list(
            cls.select(cls, Subscriber, Holder)
            .join(Subscriber)
            .join(Holder)
            .where(cls.subscriber.in_(Number.codes_of(profile)), cls.active)
            .order_by(cls.id)
        )


class ClubMember(BaseModel):
    """The membership of one service, with what it had when the club last looked (CLB-14).

    Every change of points holds this row until its transaction ends: changes of one member take turns.
    """

    number = ForeignKeyField(Number, null=True, backref="memberships", on_delete="RESTRICT")
    fixed = ForeignKeyField(FixedService, null=True, backref="memberships", on_delete="RESTRICT")
    # Who gets the club's mails: the profile that joined; none where it was done at the desk.
    profile = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
    language = CharField(max_length=2)
    # Whose the service was, and what kind of: points do not follow it to somebody else.
    holder = ForeignKeyField(Holder, on_delete="RESTRICT")
    segment = CharField(max_length=10)
    kind = CharField(max_length=10)
    joined_at = MomentField()
    # The first day that earns points: the 1st of the month after joining (CLB-1).
    earns_from = DateField()
    # All points that are not spent, lapsed or lost; the sum of the lots' and of the movements.
    balance = IntegerField(default=0, constraints=[Check("balance >= 0")])
    blocked_at = MomentField(null=True, index=True)
    ended_at = MomentField(null=True)

    class Meta:
        constraints = [Check("(number_id IS NULL) <> (fixed_id IS NULL)")]

    # Who

    @classmethod
    def of_msisdn(cls, msisdn: str) -> "ClubMember | None":
        """The member whose number this is, with number, subscriber and holder; one query."""
        return cls._with_service().where(Number.msisdn == msisdn, Number.active, cls.ended_at.is_null()).first()

    @classmethod
    def of_profile(cls, profile: Profile) -> list["ClubMember"]:
        """The memberships of the profile's numbers, in their order, then of the fixed services of the same
        subscriber codes; two queries."""
        numbers = (
            cls._with_service()
            .join_from(Number, ProfileNumber)
            .where(ProfileNumber.profile == profile, Number.active, cls.ended_at.is_null())
            .order_by(ProfileNumber.id)
        )
        fixed = (
            cls.select(cls, FixedService, Subscriber, Holder)
            .join(FixedService)
            .join(Subscriber)
            .join(Holder)
            .where(FixedService.subscriber.in_(Number.codes_of(profile)), FixedService.active, cls.ended_at.is_null())
            .order_by(FixedService.id)
        )
        return [*numbers, *fixed]

    @classmethod
    def of_profile_by(cls, profile: Profile, id: int) -> "ClubMember | None":
        """The membership with this id if it is one of the profile's, else None."""
        return next((member for member in cls.of_profile(profile) if member.id == id), None)

    @classmethod
    def _with_service(cls):
        return cls.select(cls, Number, Subscriber, Holder).join(Number).join(Subscriber).join(Holder)

    @classmethod
    def with_service_and_profile(cls):
        """Members with their number or fixed service, and their profile where they have one."""
        return (
            cls.select(cls, Number, FixedService, Profile)
            .join(Number, JOIN.LEFT_OUTER)
            .join_from(cls, FixedService, JOIN.LEFT_OUTER)
            .join_from(cls, Profile, JOIN.LEFT_OUTER)
        )

    @property
    def service(self) -> "Number | FixedService":
        return self.number if self.number_id else self.fixed

    @property
    def msisdn(self) -> str:
        """The number's; blank for a fixed service."""
        return self.number.msisdn if self.number_id else ""

    @property
    def is_blocked(self) -> bool:
        return self.blocked_at is not None

    # Joining

    @classmethod
    def join_number(cls, number: Number, now, *, language: str, profile: Profile | None = None) -> "ClubMember":
        """Take a number into the club, with its welcome points (CLB-1, CLB-2). Raises AlreadyMember."""
        return cls._join({"number": number}, number, number.tariff, number.kind, now, language, profile)

    @classmethod
    def join_fixed(cls, fixed: FixedService, now, *, language: str, profile: Profile | None = None) -> "ClubMember":
        """Take a fixed service into the club, with its welcome points (CLB-1, CLB-2). Raises AlreadyMember."""
        return cls._join({"fixed": fixed}, fixed, fixed.package, "fixed", now, language, profile)

    @classmethod
    def _join(cls, of: dict, service, tariff: str, kind: str, now, language, profile) -> "ClubMember":
        from models.club_ledger import credit

        today = local_day(now)
        rates = Rates(today)
        try:
            with db.atomic():
                # Its row first, as the counter does: the new row refers to it, and of two that join at once one would
                # wait for the row with its own already written, and the other for that one.
                table = type(service)
                locked(table.select().where(table.id == service.id)).get()
                member = cls.create(
                    **of,
                    profile=profile,
                    language=language,
                    holder=service.holder,
                    segment=service.holder.segment,
                    kind=kind,
                    joined_at=now,
                    earns_from=month_after(today),
                )
                if points := rates.welcome(tariff):
                    credit(
                        member,
                        points,
                        "welcome",
                        now,
                        key=f"welcome:{member.id}",
                        year=today.year,
                        until=rates.last_day(today.year),
                        about={"tariff": tariff},
                    )
        except IntegrityError as error:
            raise AlreadyMember from error
        return member

    # Who gets its mails

    @classmethod
    def begin_mails(cls, number: Number, profile: Profile) -> None:
        """`profile` added the number: it gets the mails that nobody got of it, and of the fixed services of the same
        subscriber code (CLB-1)."""
        fixed = FixedService.select(FixedService.id).where(FixedService.subscriber == number.subscriber_id)
        nobodys = (cls.number == number) | cls.fixed.in_(fixed)
        cls._mail_to(profile, nobodys & cls.profile.is_null() & cls.ended_at.is_null())

    @classmethod
    def end_mails(cls, number: Number, profile: Profile) -> None:
        """`profile` has removed the number: it gets no mails of it any more, nor of the fixed services of the same
        subscriber code where that was its last number of it (PRV-1)."""
        over = cls.number == number
        others = (
            Number.select()
            .join(ProfileNumber)
            .where(ProfileNumber.profile == profile, Number.subscriber == number.subscriber_id, Number.active)
        )
        if not others.exists():
            fixed = FixedService.select(FixedService.id).where(FixedService.subscriber == number.subscriber_id)
            over |= cls.fixed.in_(fixed)
        cls._mail_to(None, over & (cls.profile == profile))

    @classmethod
    def _mail_to(cls, profile: Profile | None, which) -> None:
        # Held in the order in which everybody holds members.
        held = [id for (id,) in locked(cls.select(cls.id).where(which).order_by(cls.id)).tuples()]
        if held:
            cls.update(profile=profile).where(cls.id.in_(held)).execute()

    # Turns

    @classmethod
    def hold(cls, id: int, now) -> "ClubMember":
        """The member as it is now, held until the transaction ends; what was due of it is done first.

        Call it in a transaction, and change points only of a member that is held. Raises NotMember for one that
        has ended.
        """
        from models.club_ledger import lapse
        from models.club_month import follow_earning

        member = locked(cls.select().where(cls.id == id)).get()
        if member.ended_at is None:
            member.follow_service(now)
        if member.ended_at is not None:
            raise NotMember
        lapse(member, now)
        if member.fixed_id and not member.is_blocked:
            follow_earning(member, now)
        return member

    @classmethod
    def hold_all(cls, ids, now) -> "list[ClubMember]":
        """As `hold`, for some hundred members, in a few statements; those that have ended are left out."""
        from models.club_ledger import lapse_all

        ids = list(ids)
        held = locked(cls.select().where(cls.id.in_(ids), cls.ended_at.is_null()).order_by(cls.id))
        members = {member.id: member for member in held}
        for row in cls.changed_services().where(cls.id.in_(list(members))):
            members[row.id].follow_service(now)
        there = [member for member in members.values() if member.ended_at is None]
        lapse_all(there, now)
        return there

    def follow_service(self, now) -> None:
        """Lose what a change of tariff or holder takes (CLB-14); nothing where the service is as it was.

        Call it with the member held. Another holder's number is another's: the membership ends.
        """
        from models.club_ledger import lose
        from models.club_service import ClubService

        service = self.service
        holder = service.holder
        kind = service.kind if self.number_id else "fixed"
        if not self.is_behind and service.active:
            return
        to_business = self.segment == "private" and holder.segment == "business" and kind == "postpaid"
        to_postpaid = self.segment == holder.segment == "private" and (self.kind, kind) == ("prepaid", "postpaid")
        if self.holder_id != holder.id or not service.active:
            lose(self, now, "holder" if service.active else "given_up")
            ClubService.lose_all(self, UNITS + BUNDLES, now)
            self.ended_at = now
        elif to_business:
            lose(self, now, "business")
            ClubService.lose_all(self, UNITS, now)
        elif to_postpaid:
            # The document names MB and SMS alone: MMS stay.
            ClubService.lose_all(self, ("MB", "SMS"), now)
        self.holder_id, self.segment, self.kind = self._seen()
        self.save()

    def _seen(self) -> tuple[int, str, str]:
        """Holder, segment and kind of the service, as the club keeps them.

        Private to business prepaid is half a change to business postpaid: that it was private is kept until the other
        half is told, so that it matters not which was told first.
        """
        holder = self.service.holder
        kind = self.service.kind if self.number_id else "fixed"
        is_half = (self.segment, holder.segment, kind) == ("private", "business", "prepaid")
        return holder.id, "private" if is_half else holder.segment, kind

    @property
    def is_behind(self) -> bool:
        """Whether holder, segment or kind of the service changed since the club last looked (CLB-14)."""
        return (self.holder_id, self.segment, self.kind) != self._seen()

    @classmethod
    def changed_services(cls):
        """Members whose service is not as the club last saw it (CLB-14); ids alone, one query."""
        holder = Holder.alias()
        fixed_subscriber, fixed_holder = Subscriber.alias(), Holder.alias()
        # Seen already, and waiting for its other half: see `_seen`.
        half = (cls.segment == "private") & (holder.segment == "business") & (Number.kind == "prepaid")
        of_numbers = (
            (Subscriber.holder != cls.holder)
            | ((holder.segment != cls.segment) & ~half)
            | (Number.kind != cls.kind)
            | (Number.active == False)  # noqa: E712
        )
        of_fixed = (
            (fixed_subscriber.holder != cls.holder)
            | (fixed_holder.segment != cls.segment)
            | (FixedService.active == False)  # noqa: E712
        )
        return (
            cls.select(cls.id)
            .join(Number, JOIN.LEFT_OUTER)
            .join(Subscriber, JOIN.LEFT_OUTER)
            .join(holder, JOIN.LEFT_OUTER, on=(Subscriber.holder == holder.id))
            .join_from(cls, FixedService, JOIN.LEFT_OUTER)
            .join(fixed_subscriber, JOIN.LEFT_OUTER, on=(FixedService.subscriber == fixed_subscriber.id))
            .join(fixed_holder, JOIN.LEFT_OUTER, on=(fixed_subscriber.holder == fixed_holder.id))
            .where(cls.ended_at.is_null(), of_numbers | of_fixed)
            .order_by(cls.id)
        )

    @classmethod
    def follow_all_services(cls, now, limit: int = 500, within: float = 10) -> int:
        """Take in what changed of members' services, found `limit` at a time; returns of how many (CLB-14).

        It may run twice. After `within` seconds the rest is left to the next time: Unfinished.
        """
        total, last, began = 0, 0, time.monotonic()
        while ids := [member.id for member in cls.changed_services().where(cls.id > last).limit(limit)]:
            for id in ids:
                with db.atomic():
                    member = locked(cls.select().where(cls.id == id)).get()
                    if member.ended_at is None:
                        member.follow_service(now)
                total, last = total + 1, id
                if time.monotonic() - began >= within:
                    return Unfinished(total)
            if len(ids) < limit:
                break
        return total


# A service has one membership at a time; those that ended stay, with their history.
ClubMember.add_index(
    ClubMember.index(
        ClubMember.number, unique=True, where=ClubMember.ended_at.is_null(), name="club_member_number_once"
    )
)
ClubMember.add_index(
    ClubMember.index(
        ClubMember.fixed, unique=True, where=ClubMember.ended_at.is_null(), name="club_member_fixed_once"
    )
)


def month_after(day: date) -> date:
    """The first of the month after the one of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
