"""What an SMS says, in its reader's language (MSG-3).

A text with ë, ç or Cyrillic has 70 characters an SMS: each of these fits into one, but for the written notice of a
failed delivery, whose link takes it to two.
"""

from datetime import date

import structlog
from peewee import PeeweeException

import config
import language as languages
from gateways import GatewayError
from gateways.sms import segments

log = structlog.get_logger()


def compose(sms) -> str:
    """The text of `sms`. Raises GatewayError(permanent=True) when none can be made of the row."""
    try:
        language = sms.language if sms.language in languages.LOCALES else languages.DEFAULT
        return _TEXTS[sms.kind](sms, language)
    except PeeweeException:
        raise
    except Exception as error:
        log.exception("sms.not_composed", sms=sms.id, kind=sms.kind)
        raise GatewayError(f"The SMS cannot be composed: {type(error).__name__}.", permanent=True) from error


def _security_code(sms, language: str) -> str:
    from mails import words

    gettext = words(language).gettext
    # The code first: phones offer it above the keyboard, and a lock screen shows it whole.
    return gettext("%(code)s: kodi për ta shtuar numrin te %(brand)s. Mos ia jepni askujt.") % {
        "code": sms.code.digits,
        "brand": config.BRAND,
    }


def _voucher(sms, language: str) -> str:
    from mails import day_text, words
    from models.voucher import Voucher

    voucher = Voucher.get_by_id(sms.data["voucher"])
    # The code as it is typed at the partner; a hard space is not in the alphabet of short messages.
    told = {"code": voucher.label.replace("\u00a0", " "), "day": day_text(voucher.until, language)}
    text = words(language).gettext("%(code)s: kodi te %(partner)s, vlen deri %(day)s.")
    return fitting(text, told, "partner", voucher.offer.partner.name)


def _club_joined(sms, language: str) -> str:
    from mails import day_text, words
    from models.club_member import ClubMember

    gettext, points = words(language).gettext, sms.data["points"]
    told = {"day": day_text(ClubMember.get_by_id(sms.data["member"]).earns_from, language), "points": points}
    if points:
        return gettext("Jeni në Klubin Im, pikë: %(points)s. Fitoni të tjera nga %(day)s.") % told
    return gettext("Jeni në Klubin Im. Fitoni pikë nga %(day)s.") % told


def _club_news(sms, language: str) -> str:
    from mails import words
    from models.club_offer import PartnerOffer

    offer = PartnerOffer.get_by_id(sms.data["offer"])
    told = {"points": offer.points, "stop": "STOP", "number": config.FACE.sms_code}
    text = words(language).gettext("%(offer)s: pikë %(points)s. Ndal: %(stop)s te %(number)s")
    return fitting(text, told, "offer", f"{offer.partner.name}, {offer.name(language)}")


def _gift_code(sms, language: str) -> str:
    from mails import words
    from models.money import MINOR, number

    # What the member agrees to by saying the code: one that is not theirs to give is seen to be.
    told = {"code": sms.code.digits, "points": number(sms.data["points"] * MINOR, language)}
    names = sms.data["names"]
    text = words(language).gettext("%(code)s: kodi për dhuratën %(gift)s, pikë %(points)s.")
    return fitting(text, told, "gift", names.get(language) or names["sq"])


def _join_code(sms, language: str) -> str:
    from mails import words

    return words(language).gettext("%(code)s: kodi për të hyrë në Klubi Im. Thuajani vetëm shitësit.") % {
        "code": sms.code.digits
    }


def _points_lapse(sms, language: str) -> str:
    from mails import day_text, words
    from models.money import MINOR, number

    told = {
        "points": number(sms.data["points"] * MINOR, language),
        "day": day_text(date.fromisoformat(sms.data["until"]), language),
    }
    return words(language).gettext("Pikë që skadojnë pas %(day)s: %(points)s. Klubi Im") % told


def _service_active(sms, language: str) -> str:
    from mails import day_text, words
    from models.calendar import local_day
    from models.club_service import ClubService

    service = ClubService.get_by_id(sms.data["service"])
    told = {"what": _what(service, language), "day": day_text(local_day(service.ends_at), language)}
    return words(language).gettext("%(what)s: në numrin tuaj deri më %(day)s") % told


def _service_refused(sms, language: str) -> str:
    from mails import words
    from models.club_ledger import given_back
    from models.club_service import ClubService
    from models.money import MINOR, number

    service, gettext = ClubService.get_by_id(sms.data["service"]), words(language).gettext
    told = {"what": _what(service, language), "points": number(-service.entry.points * MINOR, language)}
    if given_back(service.entry) is None:
        # A change of tariff took them meanwhile (CLB-14).
        return gettext("%(what)s: nuk mund të jepet tani") % told
    return gettext("%(what)s: nuk mund të jepet tani. Pikë të kthyera: %(points)s") % told


def _attempt_failed(sms, language: str) -> str:
    """The written notice, with a link to choose a time: the one text that may take two SMS (DLV-5)."""
    from mails import day_text, words
    from models.delivery import DeliveryAttempt
    from models.order_link import sign_short

    attempt = DeliveryAttempt.get_by_id(sms.data["attempt"])
    link = f"{config.BASE_URL}{languages.prefix_of(language)}/koha/{sign_short(attempt.order)}"
    told = {"day": day_text(attempt.until, language), "link": link}
    text = words(language).gettext("Porosia nuk u dorëzua. Zgjidhni kohë të re deri më %(day)s: %(link)s")
    return text % told


def _what(service, language: str) -> str:
    """250 MB; Super Rrethi."""
    from models.club_words import BUNDLE_NAMES
    from models.money import MINOR, number

    if service.what in BUNDLE_NAMES:
        return BUNDLE_NAMES[service.what]
    return f"{number(service.amount * MINOR, language)} {service.what}"


def fitting(text: str, told: dict, name: str, value: str) -> str:
    """`text % told` with `value` as `name`, cut so that all of it is one SMS."""
    whole = text % {**told, name: value}
    while segments(whole) > 1 and value:
        value = value[:-1].rstrip(" ,…")
        whole = text % {**told, name: f"{value}…"}
    return whole


_TEXTS = {
    "security_code": _security_code,
    "gift_code": _gift_code,
    "join_code": _join_code,
    "voucher": _voucher,
    "club_joined": _club_joined,
    "club_news": _club_news,
    "points_lapse": _points_lapse,
    "service_active": _service_active,
    "service_refused": _service_refused,
    "attempt_failed": _attempt_failed,
}
