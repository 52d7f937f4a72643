"""Members of the points club for the tests, with points as a month's bill brings them."""

from datetime import date, timedelta

from models.base import db
from models.calendar import local_day
from models.club_ledger import ClubEntry, credit
from models.club_member import ClubMember, FixedService
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.number import Number, ProfileNumber
from models.profile import Profile
from models.subscriber import Subscriber
from tests.world import NOW, own_number, profile


def joined(number: Number | None = None, *, points: int = 0, until: date | None = None, now=NOW) -> ClubMember:
    """A member whose number is in the profile of arben@example.com, or `number`, with usable points."""
    if number is None:
        number = own_number(profile(), now=now)
    owner = Profile.select().join(ProfileNumber).where(ProfileNumber.number == number).first()
    member = ClubMember.join_number(number, now, language="sq", profile=owner)
    if points:
        give(member, points, until=until, now=now)
    return ClubMember.of_msisdn(number.msisdn)


def joined_fixed(code: Subscriber, package: str = "net-100", *, points: int = 0, now=NOW) -> ClubMember:
    """A member that is a fixed service of the subscriber code."""
    service = FixedService.create(code=f"FX-{code.code}", subscriber=code, kind="internet", package=package)
    member = ClubMember.join_fixed(service, now, language="sq")
    if points:
        give(member, points, now=now)
    return member


def give(
    member: ClubMember, points: int, *, until: date | None = None, year: int | None = None, now=NOW
) -> ClubEntry:
    """Credit points that can be used `until` that day, or for 90 days."""
    until = until or local_day(now) + timedelta(days=90)
    with db.atomic():
        held = ClubMember.hold(member.id, now)
        made = ClubEntry.select().count()
        return credit(
            held,
            points,
            "month",
            now,
            key=f"test:{member.id}:{made}",
            year=year or until.year - 1,
            until=until,
            about={"month": "2026-02"},
        )


def offer(code: str = "KINEMA", points: int = 600, *, partner: str = "Kinema Qendra", days: int = 30) -> PartnerOffer:
    """What a partner gives from the start of 2026 on."""
    made, _ = Partner.get_or_create(code=partner.lower().replace(" ", "-")[:30], defaults={"name": partner})
    return PartnerOffer.create(
        partner=made,
        code=code,
        names={"sq": "Një biletë 2D", "mk": "Еден билет 2D", "en": "One 2D ticket"},
        details={"sq": "Çdo ditë", "mk": "Секој ден", "en": "Any day"},
        points=points,
        days=days,
        since=date(2026, 1, 1),
    )


def gift(code: str = "kabllo", points: int = 700, stock: int = 3) -> ClubGift:
    """A gift of the shops from the start of 2026 on."""
    return ClubGift.create(
        code=code,
        names={"sq": "Kabllo USB-C", "mk": "USB-C кабел", "en": "USB-C cable"},
        details={},
        points=points,
        stock=stock,
        since=date(2026, 1, 1),
    )
