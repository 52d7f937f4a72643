"""News of a partner's offer, to members who agreed to get them, and to nobody else (PRV-2)."""

from collections.abc import Iterator

from models.base import db
from models.club_member import ClubMember
from models.club_offer import PartnerOffer
from models.consent import Consent
from models.number import Number, ProfileNumber
from models.outbox import Mail
from models.profile import Profile
from models.sms import Sms

# So many profiles are written to in one transaction.
BATCH = 200


def write_news(offer: PartnerOffer, now) -> Iterator[int]:
    """Write a mail or an SMS, or both, to each profile that wants them; yields how many profiles are done.

    A profile hears of an offer once: what was killed in the middle is begun again, and adds what is missing.
    """
    by_mail, by_sms = Consent.live_of("club_email"), Consent.live_of("club_sms")
    wanted, done = sorted(by_mail.keys() | by_sms.keys()), 0
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        numbers = _member_numbers(batch)
        members = set(numbers) | _joined(batch)
        with db.atomic():
            for profile in Profile.select().where(Profile.id.in_(batch)).order_by(Profile.id):
                if profile.id not in members:
                    # Who is in the club no longer hears nothing of it.
                    continue
                key = f"club_news:{offer.id}:{profile.id}"
                told = {"offer": offer.id, "profile": profile.id}
                if profile.id in by_mail:
                    Mail.write_to(
                        profile.email,
                        "club_news",
                        now,
                        key=key,
                        language=profile.language,
                        profile=profile,
                        data=told,
                        consent=by_mail[profile.id],
                    )
                if profile.id in by_sms and profile.id in numbers:
                    Sms.write(
                        "club_news",
                        numbers[profile.id],
                        profile.language,
                        now,
                        key=key,
                        data=told,
                        consent=by_sms[profile.id],
                    )
        done += len(batch)
        yield done


def _joined(profiles: list[int]) -> set[int]:
    """Those that joined with something that is in the club still; one query."""
    joined = ClubMember.select(ClubMember.profile).where(
        ClubMember.profile.in_(profiles), ClubMember.ended_at.is_null()
    )
    return {profile for (profile,) in joined.tuples()}


def _member_numbers(profiles: list[int]) -> dict[int, str]:
    """By profile: its first number that is in the club; one query."""
    rows = (
        ProfileNumber.select(ProfileNumber.profile, Number.msisdn)
        .join(Number)
        .join(ClubMember)
        .where(ProfileNumber.profile.in_(profiles), Number.active, ClubMember.ended_at.is_null())
        .order_by(ProfileNumber.id.desc())
        .tuples()
    )
    return dict(rows)


def is_wanted(message: Mail | Sms) -> bool:
    """Whether the profile still wants what was written to it, there: it may have said no since, or moved (PRV-2)."""
    profile = Profile.get_or_none(Profile.id == (message.data or {}).get("profile"))
    if profile is None:
        return False
    if isinstance(message, Mail):
        return Consent.of(profile)["club_email"] and profile.email == message.recipient
    return Consent.of(profile)["club_sms"] and Number.of_profile_by(profile, msisdn=message.recipient) is not None
