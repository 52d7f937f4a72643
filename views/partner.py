"""Partneri: a business of the club checks its customers' codes and marks them used (CLB-8, DSK-3).

A partner sees its own codes alone: another partner's is as unknown as one that nobody has.
"""

import re
import secrets

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext

import language
from models.calendar import ZONE
from models.voucher import NoVoucher, TooManyUnknown, Voucher, VoucherOver, VoucherUsed
from models.voucher_history import VoucherHistory
from views.csv_file import csv_file
from views.forms import tidy
from views.forms.desk import VoucherForm, day_of
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import staff, staff_only
from views.templating import clock, day_text, moment

blueprint = Blueprint("partner", __name__, url_prefix="/partneri")

LATEST = 5
_KEY = re.compile(r"[0-9a-f]{32}")


# The next person at the till finds nothing by going back.
blueprint.after_request(keep_private)


@blueprint.route("", methods=["GET", "POST"])
@staff_only("partner")
def check():
    """A code: good, used, over or unknown; and with the button of a good one, used from now on."""
    form = VoucherForm()
    if request.method != "POST":
        form.kodi.data = ""
        return _page(form)
    if not form.validate():
        return _page(form, 422)
    partner, now, key = staff().partner, shopper().now, request.form.get("perdor", "")
    try:
        if _KEY.fullmatch(key):
            voucher = Voucher.redeem(partner, form.kodi.data, shopper().profile, now, key)
            return go(url_for(".used", key=voucher.used_key))
        voucher = Voucher.check(partner, form.kodi.data, now)
    except NoVoucher:
        text = gettext("Ky kod nuk njihet te %(partner)s. Krahasojeni me SMS-in e klientit.", partner=partner.name)
        return _refused(form, text)
    except VoucherUsed as error:
        return _refused(form, gettext("Ky kod është përdorur më %(moment)s.", moment=moment(error.voucher.used_at)))
    except VoucherOver as error:
        return _refused(form, gettext("Ky kod ka vlejtur deri më %(day)s.", day=day_text(error.voucher.until)))
    except TooManyUnknown as error:
        text = gettext("Shumë kode të panjohura. Provoni përsëri në orën %(time)s.", time=clock(error.until))
        return _refused(form, text, 429)
    return _page(form, voucher=voucher, key=secrets.token_hex(16))


def _refused(form, text: str, status=422):
    form.kodi.errors = [text]
    return _page(form, status)


def _page(form, status=200, voucher=None, key=""):
    latest = Voucher.used_at_partner(staff().partner).limit(LATEST)
    return respond(
        "partner/page.html",
        "partner/_check.html",
        status=status,
        form=form,
        voucher=voucher,
        key=key,
        partner=staff().partner,
        latest=list(latest),
    )


@blueprint.get("/perdorimi/<key>")
@staff_only("partner")
def used(key: str):
    """What was just marked used; a reload marks nothing."""
    voucher = Voucher.of_key(staff().partner, key) or abort(404)
    return respond("partner/used.html", voucher=voucher, partner=staff().partner)


@blueprint.get("/historia")
@staff_only("partner")
def history():
    """The partner's own: ?q=, ?nga= and ?deri= (days), ?faqe="""
    found = _found(request.args.get("faqe", 1, type=int))
    return respond(
        "partner/history.html",
        "partner/_history.html",
        found=found,
        vouchers=found.vouchers(),
        partner=staff().partner,
    )


def _found(page: int = 1) -> VoucherHistory:
    q = tidy(request.args.get("q", ""))[:60]
    since, until = day_of(request.args.get("nga")), day_of(request.args.get("deri"))
    return VoucherHistory(staff().partner, q, since, until, page)


@blueprint.get("/historia.csv")
@staff_only("partner")
def table():
    """All that the filter finds, as a table; in the partner's own words and times."""
    found, code = _found(), language.current()
    head = [
        gettext("Kodi"),
        gettext("Oferta"),
        gettext("Pikë"),
        gettext("Përdorur më"),
        gettext("Ora"),
        gettext("Vlente deri më"),
    ]

    def lines():
        yield head
        for voucher in found.all():
            at = voucher.used_at.astimezone(ZONE)
            day, time = at.strftime("%Y-%m-%d"), at.strftime("%H:%M")
            offer = voucher.offer
            yield [voucher.code, offer.name(code), offer.points, day, time, voucher.until.isoformat()]

    return csv_file("klubi-kodet", list(lines()))
