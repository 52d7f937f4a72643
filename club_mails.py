"""What the mails of the points club say; mails.py writes them out (CLB-1, CLB-8, PRV-2)."""

from datetime import date

from models.calendar import local_day
from models.club_member import ClubMember
from models.club_offer import PartnerOffer
from models.club_rate import Rates
from models.consent import stop_token
from models.outbox import Mail
from models.voucher import Voucher


def context(mail: Mail, language: str, root: str) -> dict:
    """What the templates of mail/<kind>/ are given; `root` is the shop's address in the mail's language."""
    return {"about_order": False, "club_url": f"{root}/klubi"} | _CONTEXTS[mail.kind](mail, language, root)


def _voucher(mail: Mail, language: str, root: str) -> dict:
    voucher = Voucher.get_by_id(mail.data["voucher"])
    return {
        "voucher": voucher,
        "partner": voucher.offer.partner,
        "offer": voucher.offer.name(language),
        "detail": voucher.offer.detail(language),
        "points": -voucher.entry.points,
        "balance": voucher.entry.balance,
        "voucher_url": f"{root}/klubi/kodi/{voucher.id}",
    }


def _joined(mail: Mail, language: str, root: str) -> dict:
    member = ClubMember.get_by_id(mail.data["member"])
    return {
        "msisdn": member.msisdn,
        "service": "" if member.number_id else member.fixed.code,
        "points": mail.data["points"],
        "earns_from": member.earns_from,
        "euro": Rates(local_day(mail.written_at))["euro", ""],
    }


def _news(mail: Mail, language: str, root: str) -> dict:
    offer = PartnerOffer.get_by_id(mail.data["offer"])
    return {
        "partner": offer.partner,
        "offer": offer.name(language),
        "detail": offer.detail(language),
        "points": offer.points,
        "code": offer.code,
        "until": offer.until,
        "stop_url": f"{root}/klubi/lajmet/ndal/{stop_token(mail.profile)}",
    }


def _lapse(mail: Mail, language: str, root: str) -> dict:
    member = ClubMember.get_by_id(mail.data["member"])
    return {
        "msisdn": member.msisdn,
        "service": "" if member.number_id else member.fixed.code,
        "points": mail.data["points"],
        "until": date.fromisoformat(mail.data["until"]),
        "blocked": member.is_blocked,
    }


_CONTEXTS = {"points_lapse": _lapse, "voucher": _voucher, "club_joined": _joined, "club_news": _news}
