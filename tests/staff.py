"""People at work for the tests: a clerk, a partner's login, and a member at the counter."""

from models.base import utcnow
from models.club_member import ClubMember
from models.club_offer import ClubGift, Partner, PartnerOffer
from models.gift_handout import GiftHandout
from models.profile import Profile
from models.second_factor import SecondFactor
from models.sms import Sms
from models.staff import Staff
from models.voucher import Voucher
from tests.world import NOW, profile


def works(role: str, email: str = "", partner: Partner | None = None, now=NOW, app: bool = True) -> Profile:
    """A profile with this role, and with its second factor where `app`; role@example.com unless `email` is said."""
    made = profile(email or f"{role}@example.com", now)
    Staff.add(made, role, now, partner)
    if app:
        SecondFactor.create(profile=made, nonce=f"{made.id:032}", since=now)
    return made


def code_of(email: str, now=None) -> str:
    """What the app of `email` shows, as if nobody had used it yet: tests log in more often than people."""
    now, whose = now or utcnow(), Profile.of_email(email)
    SecondFactor.update(last_step=0).where(SecondFactor.profile == whose).execute()
    return SecondFactor.of(whose).code_at(now)


def voucher(member: ClubMember, offer: PartnerOffer, now=NOW, key: str = "v:1") -> Voucher:
    """The code that the member converted points to."""
    return Voucher.convert(member.id, offer, now, channel="web", key=key)


def asked(clerk: Profile, member: ClubMember, gift: ClubGift, now=NOW) -> GiftHandout:
    return GiftHandout.ask(clerk, member, gift, member.msisdn, now)


def digits() -> str:
    """The code of the SMS that was written last."""
    return Sms.select().where(Sms.code.is_null(False)).order_by(Sms.id.desc()).first().code.digits


def other(code: str) -> str:
    """Six digits that are not `code`."""
    return f"{(int(code) + 1) % 10**6:06}"
