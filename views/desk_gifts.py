"""Dhurata: a clerk hands out a gift for points, with the code that the member says (CLB-13, DSK-3).

A clerk sees of a member how many points can be used, and whether they are blocked: what the counter needs, no more.
Addresses carry no numbers: who was served stands in nobody's history.
"""

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext

from models.calendar import local_day
from models.club_ledger import Blocked, NotEnough
from models.club_member import NotMember
from models.club_offer import ClubGift
from models.counter import Customer, TooManyLookUps
from models.gift_handout import GiftGone, GiftHandout, NotTheirs
from models.security_code import TooManyCodes
from models.voucher import OfferGone
from views.club_words import points_text
from views.desk_code import CodeStep
from views.forms.desk import GiftForm
from views.numbers import too_many
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import staff_only
from views.templating import clock, phone_text

# What keeps a gift from being handed out, which `refusal` says in words.
REFUSED = (OfferGone, GiftGone, Blocked, NotEnough, NotMember)

blueprint = Blueprint("desk_gifts", __name__, url_prefix="/desk")


# The next person at the counter's computer finds nothing by going back.
blueprint.after_request(keep_private)


@blueprint.app_template_filter("masked")
def masked(msisdn: str) -> str:
    """Enough of a number for its owner to know it: "070 ••• 001"."""
    text = phone_text(msisdn)
    return f"{text[:4]}•••{text[-4:]}" if len(text) == 11 else f"••• {msisdn[-3:]}"


def find_handout_or_404(token: str) -> GiftHandout:
    """A handout of this very clerk; another's customers are another's."""
    return GiftHandout.of_clerk(shopper().profile, token) or abort(404)


@blueprint.route("/dhurata", methods=["GET", "POST"])
@staff_only("clerk")
def begin():
    """Who the member is, what they can have; and with a gift chosen, the SMS."""
    form = GiftForm()
    if request.method != "POST":
        form.numri.data = ""
        return _begin(form)
    if not form.validate():
        return _begin(form, 422)
    person = shopper()
    try:
        customer = Customer.look_up(person.profile, person.now, msisdn=form.msisdn, code=form.fixed)
    except TooManyLookUps as error:
        form.numri.errors = [too_many_look_ups(error)]
        return _begin(form, 429)
    if customer is None or customer.member is None:
        form.numri.errors = [gettext("Ky numër ose shërbim nuk është në Klubin Im.")]
        return _begin(form, 422, is_stranger=True)
    if not form.dhurata.data:
        # Without a choice it is a look at what there is; the button of the choice says that one is missing.
        status = 422 if "zgjidh" in request.form else 200
        return _choice(form, customer, status, gettext("Zgjidhni një dhuratë.") if status == 422 else "")
    return _ask(form, customer)


def _ask(form: GiftForm, customer: Customer):
    person = shopper()
    gift = next((gift for gift in _gifts() if str(gift.id) == form.dhurata.data), None)
    phone = customer.phone(form.telefoni.data)
    if gift is None:
        return _choice(form, customer, 422, gettext("Kjo dhuratë nuk jepet më. Zgjidhni një tjetër."))
    if phone is None:
        return _choice(form, customer, 422, gettext("Zgjidhni numrin ku shkon kodi."))
    try:
        handout = GiftHandout.ask(person.profile, customer.member, gift, phone.msisdn, person.now)
    except TooManyCodes as error:
        return _choice(form, customer, 429, too_many(error))
    except NotTheirs:
        return _choice(form, customer, 422, gettext("Zgjidhni numrin ku shkon kodi."))
    except REFUSED as error:
        return _choice(form, customer, 422, refusal(error))
    return go(url_for(".handout", token=handout.token))


@blueprint.route("/dhurata/<token>", methods=["GET", "POST"])
@staff_only("clerk")
def handout(token: str):
    """The member's code; once it was right, the receipt."""
    return _code.answer(find_handout_or_404(token), _receipt)


@blueprint.post("/dhurata/<token>/kodi")
@staff_only("clerk")
def send_again(token: str):
    """Another code to the member."""
    return _code.send_again(find_handout_or_404(token))


def refusal(error: Exception) -> str:
    """Why nothing was handed out; nothing has changed (CLB-13)."""
    match error:
        case OfferGone():
            return gettext("Kjo dhuratë nuk jepet më me këto pikë. Zgjidhni një tjetër.")
        case GiftGone():
            return gettext("Dhurata sapo u mbarua. Pikët nuk u prekën; zgjidhni një tjetër.")
        case Blocked():
            return gettext("Pikët e anëtarit janë të bllokuara derisa të fitojë përsëri.")
        case NotEnough():
            points = points_text(error.usable)
            return gettext("Anëtari ka vetëm %(points)s të përdorshme. Asgjë nuk u zbrit.", points=points)
        case _:
            return gettext("Numri nuk është më në Klubin Im.")


def too_many_look_ups(error: TooManyLookUps) -> str:
    return gettext("Keni kërkuar shumë numra. Provoni përsëri në orën %(time)s.", time=clock(error.until))


def _gifts() -> list[ClubGift]:
    return ClubGift.on(local_day(shopper().now))


def _begin(form, status=200, is_stranger=False):
    profile, now = shopper().profile, shopper().now
    return respond(
        "desk/gifts.html",
        "desk/_gifts.html",
        status=status,
        form=form,
        is_stranger=is_stranger,
        customer=None,
        handed=GiftHandout.today_of(profile, now),
        waiting=GiftHandout.waiting_of(profile, now),
    )


def _choice(form, customer: Customer, status=200, trouble=""):
    gifts = _gifts()
    ready = [gift for gift in gifts if gift.stock and gift.points <= customer.usable]
    return respond(
        "desk/gifts.html",
        "desk/_gifts.html",
        status=status,
        form=form,
        customer=customer,
        gifts=ready,
        dearer=[gift for gift in gifts if gift.stock and gift.points > customer.usable],
        trouble=trouble,
        handed=(),
        waiting=(),
    )


def _receipt(found: GiftHandout):
    return respond("desk/receipt.html", found=found)


_code = CodeStep("gift", ".handout", GiftHandout.hand_out, REFUSED, refusal)
