"""Klubi Im: points, what lapses when, what they become, the history (CLB-1, CLB-8, CLB-11, CLB-12, CLB-15).

What is turned into something else is confirmed first. The confirmation carries a token, and the points go once for
it, however often it is sent.
"""

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property

from flask import Blueprint, abort, flash, request, url_for
from flask_babel import gettext

from models.base import db
from models.calendar import local_day
from models.catalogue import Device, Variant
from models.club_history import History, latest, why_blocked
from models.club_joining import join
from models.club_ledger import Blocked, NotEnough, lapsing
from models.club_member import AlreadyMember, ClubMember, FixedService, NotMember, month_after
from models.club_offer import ClubGift, PartnerOffer
from models.club_rate import BUNDLES, UNITS, Rates
from models.club_service import ClubService, NoNumber, NotOffered, TooFew
from models.consent import BadLink, Consent, of_stop_token
from models.drawing import picture_path
from models.number import Number
from models.voucher import OfferGone, Voucher
from views.club_words import points_text
from views.members import members_only
from views.respond import go, keep_private, respond
from views.shopper import shopper

blueprint = Blueprint("club", __name__, url_prefix="/klubi")
# The link in a mail: mail programs follow it with neither a session nor a form's token (RFC 8058).
stop_blueprint = Blueprint("club_stop", __name__, url_prefix="/klubi")

SERVICES = {what.lower(): what for what in (*UNITS, *BUNDLES)}
LATEST = 5
_TOKEN = re.compile(r"[0-9a-f]{32}")
# More digits than anybody's points have.
_POINTS = re.compile(r"[0-9]{1,7}")


# Whose points and codes these are is nobody else's business, on a shared computer neither.
blueprint.after_request(keep_private)


def memberships() -> list[ClubMember]:
    """The profile's memberships, as they are now: to another holder no points go along (CLB-14)."""
    person = shopper()
    if person.profile is None:
        return []
    found = ClubMember.of_profile(person.profile)
    changed = [member for member in found if member.is_behind]
    for member in changed:
        with db.atomic():
            try:
                ClubMember.hold(member.id, person.now)
            except NotMember:
                # It has just ended, which must stay.
                continue
    return ClubMember.of_profile(person.profile) if changed else found


def find_member_or_404(member_id: int) -> ClubMember:
    """One of the profile's memberships; 404 for those of others, so that ids cannot be tried out."""
    return next((member for member in memberships() if member.id == member_id), None) or abort(404)


def chosen_member(mine: list[ClubMember]) -> ClubMember:
    """The membership in ?sherbimi=, else the first."""
    wanted = request.args.get("sherbimi", "")
    if not wanted:
        return mine[0]
    return next((member for member in mine if str(member.id) == wanted), None) or abort(404)


@dataclass
class Club:
    """What the club's page shows of one membership. `wrong` and `typed`: by what was asked for."""

    member: ClubMember
    mine: list[ClubMember]
    now: object
    wrong: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)

    @cached_property
    def today(self):
        return local_day(self.now)

    @cached_property
    def rates(self) -> Rates:
        return Rates(self.today)

    @cached_property
    def lapsing(self):
        return lapsing(self.member, self.now)

    @cached_property
    def kept(self) -> int:
        """All points that are good, also while they are blocked."""
        return sum(points for _, points in self.lapsing)

    @property
    def usable(self) -> int:
        return 0 if self.member.is_blocked else self.kept

    @property
    def worth(self) -> int:
        """What the points take off a card payment, in minor units (PAY-4)."""
        return self.rates.worth(self.kept)

    def missing(self, points: int) -> int:
        return max(0, points - self.kept)

    def points_typed(self, what: str) -> int:
        return read_points(self.typed[what]) or 0 if what in self.typed else self.least

    @property
    def units(self) -> list[str]:
        return [unit for unit in UNITS if self.rates["unit", unit]]

    @property
    def bundles(self) -> list[tuple[str, int]]:
        return [(bundle, points) for bundle in BUNDLES if (points := self.rates["bundle", bundle])]

    @property
    def least(self) -> int:
        return self.rates["least", ""]

    @cached_property
    def blocked_months(self) -> list[str]:
        return why_blocked(self.member)

    @cached_property
    def services(self) -> list[ClubService]:
        return ClubService.live_of(self.member, self.now)

    @cached_property
    def _vouchers(self) -> list[Voucher]:
        return Voucher.of_member(self.member)

    @property
    def open_vouchers(self) -> list[Voucher]:
        return [voucher for voucher in self._vouchers if voucher.is_good(self.now)]

    @property
    def old_vouchers(self) -> list[Voucher]:
        return [voucher for voucher in self._vouchers if not voucher.is_good(self.now)][:LATEST]

    @cached_property
    def offers(self) -> list[PartnerOffer]:
        return PartnerOffer.on(self.today)

    @cached_property
    def gifts(self) -> list[tuple[ClubGift, str]]:
        """Each with the address of its picture, or ""; two queries."""
        gifts = ClubGift.on(self.today)
        skus = {gift.sku for gift in gifts if gift.sku}
        found = Variant.select(Variant, Device).join(Device).where(Variant.sku.in_(skus)) if skus else ()
        pictures = {variant.sku: picture_path(variant.device, variant) for variant in found}
        return [(gift, pictures.get(gift.sku, "")) for gift in gifts]

    @cached_property
    def latest(self):
        return latest(self.member, LATEST)


# The page, and joining


@blueprint.get("")
def page():
    """The club: for a guest what it is, for a member the points."""
    mine = memberships()
    if request.args.get("sherbimi") and not mine:
        abort(404)
    return _club(chosen_member(mine) if mine else None, mine)


def _club(member, mine, status=200, wrong=None, typed=None):
    person = shopper()
    club = Club(member, mine, person.now, wrong or {}, typed or {}) if member else None
    today = local_day(person.now)
    return respond(
        "club/page.html",
        "club/_page.html",
        status=status,
        section="club",
        club=club,
        rates=club.rates if club else Rates(today),
        today=today,
        earns_from=month_after(today),
        to_join=_to_join(mine),
    )


def _to_join(mine: list[ClubMember]) -> list[Number | FixedService]:
    """Numbers and fixed services of the profile that are not in the club."""
    person = shopper()
    if not person.numbers:
        return []
    numbers = {member.number_id for member in mine}
    fixed = {member.fixed_id for member in mine}
    services = [service for service in FixedService.of_profile(person.profile) if service.id not in fixed]
    return [*(number for number in person.numbers if number.id not in numbers), *services]


@blueprint.post("/anetaresimi")
@members_only
def join_in():
    """Take a number or a fixed service of the profile into the club; a second time it is there (CLB-1, CLB-2)."""
    person = shopper()
    service = _own_service(person) or abort(404)
    try:
        member = join(service, person.now, profile=person.profile)
    except AlreadyMember:
        mine = [one for one in memberships() if service in (one.number, one.fixed)]
        return go(url_for(".page", sherbimi=mine[0].id if mine else None))
    flash("joined")
    return go(url_for(".page", sherbimi=member.id))


def _own_service(person) -> Number | FixedService | None:
    if number := request.form.get("numri", ""):
        return next((own for own in person.numbers if str(own.id) == number), None)
    fixed = request.form.get("fiks", "")
    return next((own for own in FixedService.of_profile(person.profile) if str(own.id) == fixed), None)


@blueprint.get("/historia")
@members_only
def history():
    """All that happened to a membership's points, with filters in the address (CLB-15)."""
    mine = memberships()
    if not mine:
        return abort(404) if request.args.get("sherbimi") else _club(None, mine)
    member = chosen_member(mine)
    args = request.args
    found = History(
        member,
        args.get("lloji", ""),
        args.get("viti", type=int),
        _whole(args.get("faqja", "")),
    )
    return respond("club/history.html", "club/_history.html", section="club", found=found, member=member, mine=mine)


def _whole(text: str) -> int:
    return int(text) if _POINTS.fullmatch(text) else 1


# Services


@blueprint.get("/sasia")
def amount():
    """What so many points give, while they are typed; the field's own request."""
    rates = Rates(local_day(shopper().now))
    what = SERVICES.get(request.args.get("cka", ""))
    if what not in UNITS:
        abort(404)
    points = read_points(request.args.get("pike", "")) or 0
    return respond("club/_amount.html", what=what, units=points * rates["unit", what])


def read_points(text: str) -> int | None:
    """Points as people write them, "1.000" or "1 000"; None for what is no number."""
    digits = re.sub(r"[\s.,]", "", text.strip())
    return int(digits) if _POINTS.fullmatch(digits) else None


def _confirmed(name: str) -> int:
    """What the confirmation showed, as its form sends it back; -1, which is refused, where it does not."""
    shown = request.form.get(name, "")
    return int(shown) if re.fullmatch(r"[0-9]{1,12}", shown) else -1


@blueprint.route("/<int:member_id>/sherbimi/<service>", methods=["GET", "POST"])
@members_only
def service(member_id: int, service: str):
    """Points into units or a bundle (CLB-11, CLB-12): what is asked for; once it is confirmed, its order."""
    what = SERVICES.get(service) or abort(404)
    mine = memberships()
    member = next((one for one in mine if one.id == member_id), None) or abort(404)
    club = Club(member, mine, shopper().now)
    cheapest = club.rates["bundle", what] if what in BUNDLES else club.least
    typed = request.values.get("pike", "" if request.method == "POST" else str(cheapest))[:20]

    def refuse(message: str):
        return _club(member, mine, 422, {what: message}, {what: typed})

    if not member.number_id:
        abort(404)
    points = read_points(typed)
    if points is None:
        return refuse(gettext("Shkruani pikët me shifra, p.sh. %(least)d.", least=club.least))
    token = request.form.get("token", "")
    if request.method == "POST" and _TOKEN.fullmatch(token):
        key = f"web:{member.id}:service:{token}"
        try:
            made = ClubService.convert(
                member.id, what, points, shopper().now, channel="web", key=key, amount=_confirmed("sasia")
            )
        except TooFew as error:
            return refuse(_too_few(error.least))
        except NotEnough as error:
            return refuse(_not_enough(points, error.usable))
        except NotOffered:
            return refuse(gettext("Ndërkohë ndryshoi. Shihni pikët e tanishme dhe zgjidhni përsëri."))
        except Blocked:
            return refuse(_blocked())
        except (NoNumber, NotMember):
            return go(url_for(".page"))
        return go(url_for(".ordered", uuid=made.uuid))
    if what in BUNDLES:
        price = club.rates["bundle", what]
        if not price or points != price:
            return refuse(gettext("Ndërkohë ndryshoi. Shihni pikët e tanishme dhe zgjidhni përsëri."))
        units = 1
    else:
        units = points * club.rates["unit", what]
        if not units and points:
            return refuse(gettext("Kjo nuk jepet më."))
        if points < club.least:
            return refuse(_too_few(club.least))
    if member.is_blocked:
        return refuse(_blocked())
    if points > club.usable:
        return refuse(_not_enough(points, club.usable))
    return respond(
        "club/confirm.html",
        "club/_confirm_service.html",
        # Sent without a token that this shop could have given: asked anew.
        status=422 if request.method == "POST" else 200,
        section="club",
        asked="service",
        club=club,
        what=what,
        slug=service,
        points=points,
        units=units,
        token=secrets.token_hex(16),
    )


@blueprint.get("/sherbimi/<uuid>")
@members_only
def ordered(uuid: str):
    """What became of an order of units or of a bundle: active once the operator's network has said so."""
    found = ClubService.of_uuid(uuid) or abort(404)
    member = find_member_or_404(found.member_id)
    return respond(
        "club/ordered.html", "club/_ordered.html", section="club", service=found, member=member, wait=_wait(found)
    )


def _wait(service: ClubService) -> int:
    """Seconds until the page looks again: soon at first, later patiently; 0 when there is nothing to wait for."""
    if service.state != "ordered":
        return 0
    age = (shopper().now - service.ordered_at).total_seconds()
    return 3 if age < 60 else 15 if age < 600 else 120


# Partners


@blueprint.route("/<int:member_id>/oferta/<int:offer_id>", methods=["GET", "POST"])
@members_only
def offer(member_id: int, offer_id: int):
    """Points into a partner's code (CLB-8): what is asked for, and once it is confirmed, the code."""
    mine = memberships()
    member = next((one for one in mine if one.id == member_id), None) or abort(404)
    club = Club(member, mine, shopper().now)
    wanted = PartnerOffer.get_or_none(PartnerOffer.id == offer_id) or abort(404)

    def refuse(message: str):
        return _club(member, mine, 422, {f"o{offer_id}": message})

    token = request.form.get("token", "")
    if request.method == "POST" and _TOKEN.fullmatch(token):
        key = f"web:{member.id}:voucher:{token}"
        try:
            voucher = Voucher.convert(
                member.id,
                wanted,
                shopper().now,
                channel="web",
                key=key,
                profile=shopper().profile,
                points=_confirmed("pike"),
            )
        except NotEnough as error:
            return refuse(_not_enough(wanted.points, error.usable))
        except OfferGone:
            if offer_id in {one.id for one in club.offers}:
                return refuse(gettext("Ndërkohë ndryshoi. Shihni pikët e tanishme dhe zgjidhni përsëri."))
            return refuse(gettext("Kjo ofertë nuk jepet më."))
        except Blocked:
            return refuse(_blocked())
        except NotMember:
            return go(url_for(".page"))
        return go(url_for(".voucher", voucher_id=voucher.id))
    if offer_id not in {one.id for one in club.offers}:
        return refuse(gettext("Kjo ofertë nuk jepet më."))
    if member.is_blocked:
        return refuse(_blocked())
    if wanted.points > club.usable:
        return refuse(_not_enough(wanted.points, club.usable))
    return respond(
        "club/confirm.html",
        "club/_confirm_offer.html",
        status=422 if request.method == "POST" else 200,
        section="club",
        asked="offer",
        club=club,
        offer=next(one for one in club.offers if one.id == offer_id),
        token=secrets.token_hex(16),
    )


@blueprint.get("/kodi/<int:voucher_id>")
@members_only
def voucher(voucher_id: int):
    """The code that is shown to the partner."""
    found = Voucher.get_or_none(Voucher.id == voucher_id) or abort(404)
    member = find_member_or_404(found.member_id)
    return respond("club/voucher.html", section="club", voucher=found, member=member, now=shopper().now)


def _too_few(least: int) -> str:
    return gettext("Konvertohen së paku %(points)s.", points=points_text(least))


def _not_enough(wanted: int, usable: int) -> str:
    return gettext("Duhen %(points)s; keni %(usable)s.", points=points_text(wanted), usable=points_text(usable))


def _blocked() -> str:
    return gettext("Pikët janë bllokuar, sepse nuk fituat të reja. Hapen kur të fitoni.")


# News


@stop_blueprint.route("/lajmet/ndal/<token>", methods=["GET", "POST"])
def stop(token: str):
    """The link in each mail with news: a button, for programs that look into mails press none (PRV-2).

    The button, or a mail program's own, ends the mails at once: no login, no session, no further question.
    """
    try:
        profile = of_stop_token(token)
    except BadLink:
        return respond("profile/over.html", status=410)
    if request.method == "POST":
        wording = gettext("Mos më dërgoni më")
        Consent.say(profile, "club_email", False, shopper().now, wording=wording, channel="mail")
    wanted = Consent.of(profile)["club_email"]
    return keep_private(respond("club/stop.html", token=token, wanted=wanted))
