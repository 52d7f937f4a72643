"""What 50777 answers and *777# shows, in the member's language (CLB-9, CLB-10, MSG-3).

A text with ë, ç or Cyrillic has 70 characters an SMS, and a screen as many: each of these fits into one.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

import language as languages
from models.base import db
from models.calendar import local_day
from models.club_ledger import Blocked, NotEnough, lapsing, usable_points
from models.club_member import ClubMember, NotMember
from models.club_offer import PartnerOffer
from models.club_rate import UNITS, Rates
from models.club_service import ClubService, NotOffered, TooFew
from models.club_words import (
    BUNDLE_NAMES,
    BUNDLE_WORDS,
    DIGITS,
    Convert,
    Offer,
    Place,
    Word,
    follow,
    inputs_of,
    read,
)
from models.consent import Consent
from models.inbound_sms import InboundSms
from models.voucher import OfferGone, Voucher


class Words:
    """The club's short sentences in one language."""

    def __init__(self, language: str):
        from mails import words

        language = language if language in languages.LOCALES else languages.DEFAULT
        said = words(language)
        self.gettext, self.ngettext, self.language = said.gettext, said.ngettext, language

    def points(self, count: int) -> str:
        return self.ngettext("%(num)d pikë", "%(num)d pikë", count) % {"num": count}

    def day(self, day: date) -> str:
        return format_date(
            day, "d MMM y" if self.language == "en" else "d.M.y", locale=languages.LOCALES[self.language]
        )

    # What was done

    def service(self, service: ClubService) -> str:
        """What becomes of the points; that it is active another SMS says, once the network has confirmed it."""
        points = self.points(-service.entry.points)
        if service.what in BUNDLE_NAMES:
            return self.gettext("%(points)s = %(name)s, 1 muaj. Aktivizimin ua konfirmojmë me SMS.") % {
                "points": points,
                "name": BUNDLE_NAMES[service.what],
            }
        return self.gettext("%(points)s = %(units)s, %(days)s ditë. Aktivizimin ua konfirmojmë me SMS.") % {
            "points": points,
            "units": f"{service.amount} {service.what}",
            "days": service.days,
        }

    def voucher(self, voucher: Voucher) -> str:
        return self.gettext("%(points)s për ofertën %(code)s. Kodi për partnerin vjen me SMS.") % {
            "points": self.points(-voucher.entry.points),
            "code": voucher.offer.code,
        }

    def balance(self, member: ClubMember, now) -> str:
        if member.is_blocked and member.balance:
            return self.gettext("Keni %(points)s të bllokuara. Hapen kur të fitoni pikë sërish.") % {
                "points": self.points(member.balance)
            }
        next_day = lapsing(member, now)[:1]
        if not next_day:
            return self.gettext("Keni %(points)s në Klubi Im.") % {"points": self.points(member.balance)}
        [(day, count)] = next_day
        return self.gettext("Keni %(points)s; prej tyre %(count)s vlejnë deri më %(day)s") % {
            "points": self.points(member.balance),
            "count": count,
            "day": self.day(day),
        }

    def stopped(self) -> str:
        return self.gettext("Nga ky numër nuk do të merrni më lajme të klubit me SMS.")

    # What was not, and what to do about it

    def help(self, now) -> str:
        """How to ask, with what is offered today."""
        rates = Rates(local_day(now))
        ways = [f"{rates['least', '']} {unit}" for unit in UNITS if rates["unit", unit]]
        ways += [f"{rates['bundle', key]} {word}" for key, word in BUNDLE_WORDS.items() if rates["bundle", key]]
        return self.gettext("Shkruani: %(ways)s ose kod oferte.") % {"ways": ", ".join(ways)}

    def no_member(self) -> str:
        return self.gettext("Numri nuk është në Klubi Im. Anëtarësohuni në web ose në dyqan.")

    def no_offer(self) -> str:
        return self.gettext("Kjo ofertë nuk jepet tani. Të gjitha i gjeni në faqen e klubit.")

    def no_success(self) -> str:
        return self.gettext("Nuk u krye. Shihni pikët tuaja dhe provoni përsëri më vonë.")

    def nothing_converted(self) -> str:
        return self.gettext("Nuk u konvertua asgjë.")

    def too_few(self, least: int, what: str) -> str:
        return self.gettext("Konvertohen së paku %(points)s, për shembull: %(example)s") % {
            "points": self.points(least),
            "example": f"{least} {what}",
        }

    def other_price(self, what: str, price: int) -> str:
        return self.gettext("%(name)s jepet për %(points)s. Shkruani: %(example)s") % {
            "name": BUNDLE_NAMES[what],
            "points": self.points(price),
            "example": f"{price} {BUNDLE_WORDS[what]}",
        }

    def not_enough(self, wanted: int, usable: int) -> str:
        return self.gettext("Duhen %(points)s, ju keni %(usable)s. Nuk u konvertua asgjë.") % {
            "points": self.points(wanted),
            "usable": usable,
        }

    def blocked(self) -> str:
        return self.gettext("Pikët janë bllokuar, sepse nuk fituat të reja. Hapen kur të fitoni.")


def _held(member: ClubMember, now) -> ClubMember:
    """The member as of now: whose number it is, and what lapsed, are looked at first. Raises NotMember."""
    with db.atomic():
        return ClubMember.hold(member.id, now)


# 50777


def answer_sms(sender: str, text: str, message_id: str, now) -> str:
    """Do what an SMS asks for, once, and say so in the member's language (CLB-9)."""

    def answer() -> str:
        member = ClubMember.of_msisdn(sender.lstrip("+"))
        words = Words(member.language if member else languages.DEFAULT)
        asked = read(text)
        if asked is Word.STOP:
            Consent.stop_sms(sender.lstrip("+"), now)
            return words.stopped()
        if member is None:
            return words.no_member()
        if asked is Word.BALANCE:
            try:
                return words.balance(_held(member, now), now)
            except NotMember:
                return words.no_member()
        if isinstance(asked, Convert):
            return _convert(member, asked.what, asked.points, now, words, channel="sms", key=f"sms:{message_id}")
        if isinstance(asked, Offer):
            offer = PartnerOffer.of_code(asked.code, local_day(now))
            if offer is not None:
                return _voucher(member, offer, now, words, key=f"sms:{message_id}")
        return words.help(now)

    return InboundSms.once(message_id, now, answer)


def _convert(member, what: str, points: int, now, words: Words, *, channel: str, key: str) -> str:
    try:
        return words.service(ClubService.convert(member.id, what, points, now, channel=channel, key=key))
    except NotOffered:
        price = Rates(local_day(now))["bundle", what] if what in BUNDLE_WORDS else 0
        return words.other_price(what, price) if price and price != points else words.no_offer()
    except TooFew as error:
        return words.too_few(error.least, what)
    except NotEnough as error:
        return words.not_enough(points, error.usable)
    except Blocked:
        return words.blocked()
    except NotMember:
        return words.no_member()


def _voucher(member, offer: PartnerOffer, now, words: Words, *, key: str) -> str:
    try:
        return words.voucher(Voucher.convert(member.id, offer, now, channel="sms", key=key))
    except OfferGone:
        return words.no_offer()
    except NotEnough as error:
        return words.not_enough(offer.points, error.usable)
    except Blocked:
        return words.blocked()
    except NotMember:
        return words.no_member()


# *777#


@dataclass(frozen=True)
class Screen:
    """What the phone shows; after the last one nothing can be typed."""

    text: str
    is_last: bool


def answer_ussd(sender: str, session: str, code: str, text: str, now) -> Screen:
    """The screen for all that was dialled and typed in this session (CLB-10).

    The inputs alone say where it stands, and one session converts once: the same inputs again find the same
    conversion.
    """
    member = ClubMember.of_msisdn(sender.lstrip("+"))
    if member is None:
        return Screen(Words(languages.DEFAULT).no_member(), True)
    words = Words(member.language)
    place = follow(inputs_of(code, text))
    if place.screen == "done":
        key = f"ussd:{member.id}:{_short(session)}"
        points = place.points or Rates(local_day(now))["bundle", place.what]
        return Screen(_convert(member, place.what, points, now, words, channel="ussd", key=key), True)
    try:
        return Menu(_held(member, now), words, now).show(place)
    except NotMember:
        return Screen(words.no_member(), True)


def _short(session: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", session, re.ASCII)
    return session if plain else hashlib.sha256(session.encode()).hexdigest()


class Menu:
    """The screens before a conversion; where it cannot be done they say so at once."""

    def __init__(self, member: ClubMember, words: Words, now):
        self.member, self.words, self.now = member, words, now
        self.gettext = words.gettext
        self.rates = Rates(local_day(now))
        self.usable = usable_points(member, now)

    def show(self, place: Place) -> Screen:
        if place.screen == "no":
            return Screen(self.words.nothing_converted(), True)
        if place.screen == "balance":
            return Screen(self.words.balance(self.member, self.now), True)
        if trouble := self._trouble(place):
            return Screen(trouble, True)
        lines = {"main": self._main, "convert": self._convert, "points": self._points, "confirm": self._confirm}
        return Screen("\n".join(lines[place.screen](place)), False)

    def _trouble(self, place: Place) -> str:
        """Why it goes no further from here; blank when it does."""
        if place.screen == "main":
            return ""
        if self.member.is_blocked:
            return self.words.blocked()
        if not place.what:
            return ""
        if not self._price(place.what):
            return self.words.no_offer()
        if place.screen == "confirm":
            points, least = self._points_of(place), self.rates["least", ""]
            if place.what in UNITS and points < least:
                return self.words.too_few(least, place.what)
            if points > self.usable:
                return self.words.not_enough(points, self.usable)
        return ""

    def _main(self, place: Place) -> tuple[str, ...]:
        gettext = self.gettext
        title = gettext("Klubi Im: %(points)s") % {"points": self.words.points(self.member.balance)}
        if place.wrong:
            title = gettext("Zgjidhni 1 ose 2:")
        return title, "1 " + gettext("Konverto"), "2 " + gettext("Pikët e mia")

    def _convert(self, place: Place) -> tuple[str, ...]:
        gettext = self.gettext
        title = gettext("Zgjidhni 2-6:") if place.wrong else gettext("Konverto:")
        offered = (f"{digit} {BUNDLE_NAMES.get(what, what)}" for digit, what in DIGITS.items() if self._price(what))
        return title, *offered, "0 " + gettext("Kthehu")

    def _points(self, place: Place) -> tuple[str, ...]:
        gettext, least = self.gettext, self.rates["least", ""]
        return (
            gettext("Shkruani sa pikë:") if place.wrong else gettext("Sa pikë?"),
            gettext("Së paku %(least)s, keni %(usable)s") % {"least": least, "usable": self.usable},
            f"1 = {self._price(place.what)} {place.what}",
            "0 " + gettext("Kthehu"),
        )

    def _confirm(self, place: Place) -> tuple[str, ...]:
        gettext, points = self.gettext, self._points_of(place)
        if place.what in BUNDLE_NAMES:
            gets = gettext("%(name)s, 1 muaj") % {"name": BUNDLE_NAMES[place.what]}
        else:
            gets = gettext("%(units)s, %(days)s ditë") % {
                "units": f"{points * self._price(place.what)} {place.what}",
                "days": self.rates["days", ""],
            }
        title = f"{self.words.points(points)} = {gets}?"
        return title, "1 " + gettext("Po"), "2 " + gettext("Jo"), "0 " + gettext("Kthehu")

    def _price(self, what: str) -> int:
        return self.rates["bundle" if what in BUNDLE_WORDS else "unit", what]

    def _points_of(self, place: Place) -> int:
        return place.points or self._price(place.what)
