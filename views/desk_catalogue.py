"""Katalogu: editors change devices in drafts, look at them as shoppers would, and publish them (DSK-4, CAT-5)."""

import json
import secrets

from flask import Blueprint, abort, flash, render_template, request, url_for

from language import current
from models.catalogue import KINDS, Device, Gift, Tariff, Variant
from models.device_draft import DeviceDraft, LiveChanged, NoDraft, SlugTaken, subject_of
from models.device_list import STATES, DeviceList, live_gift, new_drafts
from models.device_sheet import DeviceSheet, Wrong, path_of, read_path
from models.price_list_columns import drawn_as
from models.promotion_list import PromotionList
from models.stock_movement import StockMovement, TooFew, TooMany
from models.trail import ChangedMeanwhile, mark_of_subject, trail_of_subject
from views.cards import card_html
from views.catalogue_words import changes_of, entry_in_words
from views.cell_words import reason_text
from views.device import preview_context
from views.forms import tidy
from views.forms.desk_catalogue import (
    DeviceForm,
    NewDeviceForm,
    PublishForm,
    StockForm,
    variant_form,
)
from views.forms.device import SLUG
from views.respond import go, keep_private, respond, wants_piece
from views.shopper import shopper
from views.staff_only import actor, staff_only
from views.words import gettext

blueprint = Blueprint("desk_catalogue", __name__, url_prefix="/desk/katalogu")

TRAIL = 20

# Prices that are not published yet are nobody else's.
blueprint.after_request(keep_private)


def find_sheet_or_404(slug: str) -> tuple[DeviceSheet, Device | None, DeviceDraft | None]:
    """The device as its editors see it: its draft where there is one, else as the shop has it."""
    if not SLUG.fullmatch(slug):
        abort(404)
    device, draft = Device.get_or_none(Device.slug == slug), DeviceDraft.of(slug)
    if draft is not None:
        return draft.as_sheet, device, draft
    if device is None:
        abort(404)
    return DeviceSheet.of(device), device, None


def page_number() -> int:
    text = request.args.get("faqe", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


@blueprint.get("")
@staff_only("editor")
def devices():
    """All devices: those that the shop does not show, too."""
    kind = request.args.get("lloji", "")
    state = request.args.get("gjendja", "all")
    found = DeviceList.find(
        tidy(request.args.get("q", ""))[:60],
        kind if kind in KINDS else "",
        state if state in STATES else "all",
        page_number(),
    )
    new = new_drafts() if found.page == 1 and not found.q and found.state in ("all", "draft") else []
    return respond(
        "desk/catalogue/devices.html",
        "desk/catalogue/_devices.html",
        found=found,
        new=new,
        kinds=KINDS,
        states=STATES,
    )


@blueprint.route("/pajisja", methods=["GET", "POST"])
@staff_only("editor")
def new_device():
    """A device that the shop does not have yet: it begins as a draft, and unlisted."""
    form = NewDeviceForm()
    if request.method != "POST":
        return respond("desk/catalogue/new_device.html", form=form)
    if form.validate():
        values = form.read
        if not drawn_as(values):
            form.draw_kind.errors = [gettext("Zgjidhni si vizatohet pajisja shtesë.")]
        else:
            try:
                draft = DeviceDraft.begin_new(values, by=actor(), now=shopper().now)
                return go(url_for(".device", slug=draft.slug))
            except SlugTaken:
                form.slug.errors = [gettext("Kjo adresë është zënë nga një pajisje tjetër.")]
    return respond("desk/catalogue/new_device.html", status=422, form=form)


@blueprint.get("/pajisja/<slug>")
@staff_only("editor")
def device(slug: str):
    """One device: its draft with what it changes, its variants, its pieces, its history."""
    sheet, live, draft = find_sheet_or_404(slug)
    form = PublishForm(formdata=None)
    form.mark.data = mark_of_subject(subject_of(slug))
    return _device(slug, sheet, live, draft, form)


def _device(slug, sheet, live, draft, form, status=200, trouble="", told=(), live_changes=()):
    stock = {}
    if live is not None:
        stock = dict(Variant.select(Variant.sku, Variant.stock).where(Variant.device == live).tuples())
    changes = changes_of(*draft.differences()) if draft else []
    return respond(
        "desk/catalogue/device.html",
        status=status,
        slug=slug,
        sheet=sheet,
        live=live,
        draft=draft,
        changes=changes,
        stock=stock,
        gift=live_gift(live) if live else None,
        entries=trail_of_subject(subject_of(slug), TRAIL),
        form=form,
        trouble=trouble,
        told=told,
        live_changes=live_changes,
        preview_url=_preview_url(slug, sheet, draft),
    )


def _preview_url(slug: str, sheet: DeviceSheet, draft: DeviceDraft | None) -> str:
    """The preview of the first variant on sale that the draft changes."""
    changed = {read_path(path)[1] for path in draft.differences()[1]} if draft and not draft.is_new else set()
    values = next((values for sku, values in sheet.variants.items() if sku in changed and values.get("listed")), {})
    colour = values.get("colour_hex", "").lstrip("#") or None
    return url_for(".preview", slug=slug, ngjyra=colour, memoria=values.get("storage_gb"))


@blueprint.route("/pajisja/<slug>/te-dhenat", methods=["GET", "POST"])
@staff_only("editor")
def facts(slug: str):
    """Texts, facts, drawing and gift, into the draft."""
    sheet, _, draft = find_sheet_or_404(slug)
    form = DeviceForm()
    if request.method != "POST":
        form.show(sheet.device)
        form.mark.data = mark_of_subject(subject_of(slug))
        return _facts(slug, sheet, form)
    if form.validate():
        values = {"slug": slug, **form.read}
        wrong = [problem for problem in DeviceSheet(values, {}).problems() if problem[0] in form]
        if not form.refuse(wrong):
            after = {name: form.read.get(name) for name in (*form.columns(), *form.unspoken)}
            try:
                return _saved(slug, after, form.mark.data or "")
            except ChangedMeanwhile as error:
                return _facts(slug, sheet, form, 409, _told(form, error, sheet.device, slug))
            except LookupError:
                abort(404)
    return _facts(slug, sheet, form, 422)


def _facts(slug, sheet, form, status=200, told=()):
    return respond("desk/catalogue/facts.html", status=status, slug=slug, sheet=sheet, form=form, told=told)


def _saved(slug: str, after: dict, mark: str):
    DeviceDraft.save_changes(slug, after, by=actor(), now=shopper().now, mark=mark)
    flash("draft_saved")
    return go(url_for(".device", slug=slug))


def _told(form, error: ChangedMeanwhile, values: dict, slug: str, sku: str | None = None) -> list:
    """What others did meanwhile; what they changed and this form did not is theirs already."""
    for step in error.steps:
        before, after = (
            {read_path(path)[0]: value for path, value in side.items() if read_path(path)[1] == sku}
            for side in (step.before, step.after)
        )
        form.take_others(before, after, values)
    form.mark.data = mark_of_subject(subject_of(slug))
    return [(step, entry_in_words(step)) for step in error.steps]


@blueprint.route("/pajisja/<slug>/varianti", methods=["GET", "POST"])
@staff_only("editor")
def variant(slug: str):
    """A variant with its prices and promotions, into the draft; a new one where no SKU is named."""
    sheet, _, _ = find_sheet_or_404(slug)
    sku = request.args.get("sku", "")
    if sku and sku not in sheet.variants:
        abort(404)
    values = sheet.variants.get(sku, {})
    tariffs = list(Tariff.select().order_by(Tariff.position, Tariff.id))
    tariffs = [
        one for one in tariffs if one.listed or any(f"{c}:{one.code}" in values for c in ("besnik24", "new_number"))
    ]
    form = variant_form(sheet.device["kind"], tariffs, len(values.get("promotions", ())), is_new=not sku)
    if request.method != "POST":
        if sku:
            form.show(values)
        else:
            form.listed.data = True
            form.position.data = str(len(sheet.variants))
        form.mark.data = mark_of_subject(subject_of(slug))
        return _variant(slug, sheet, sku, form)
    if form.validate():
        read = form.read
        name = sku or read.pop("sku")
        if not sku and (name in sheet.variants or Variant.select().where(Variant.sku == name).exists()):
            form.sku.errors = [gettext("Ky SKU është zënë.")]
        columns = [*form.columns(), *form.unspoken, "promotions"]
        changed = {**{key: value for key, value in values.items() if key not in columns}, **read}
        tried = DeviceSheet(sheet.device, {**sheet.variants, name: changed})
        wrong = [(read_path(path)[0], reason) for path, reason in tried.problems() if read_path(path)[1] == name]
        if not form.refuse(wrong):
            after = {path_of(column, name): read.get(column) for column in columns}
            _keep_moments(after, path_of("promotions", name), values.get("promotions"))
            try:
                return _saved(slug, after, form.mark.data or "")
            except ChangedMeanwhile as error:
                return _variant(slug, sheet, sku, form, 409, _told(form, error, values, slug, name))
            except LookupError:
                abort(404)
    return _variant(slug, sheet, sku, form, 422)


def _keep_moments(after: dict, path: str, old) -> None:
    """Of a moment that nobody touched the seconds stay, which the form does not show."""
    for one in after.get(path) or ():
        for other in old or ():
            for name in ("from", "until"):
                if one.get(name) and (other.get(name) or "")[:16] == one[name][:16]:
                    one[name] = other[name]
    if after.get(path):
        after[path].sort(key=json.dumps)


def _variant(slug, sheet, sku, form, status=200, told=()):
    return respond(
        "desk/catalogue/variant.html", status=status, slug=slug, sheet=sheet, sku=sku, form=form, told=told
    )


@blueprint.route("/pajisja/<slug>/pamja", methods=["GET", "POST"])
@staff_only("editor")
def preview(slug: str):
    """The device's page and card with the draft's values; nothing of it can be ordered."""
    sheet, _, draft = find_sheet_or_404(slug)
    here = url_for(".preview", slug=slug)
    if request.method == "POST":
        return go(url_for(".preview", slug=slug, porosit=1))
    problems = list(sheet.problems())
    choice, card = (None, "") if problems else sheet.as_offered(shopper().now)
    if choice is None:
        reasons = [(path, reason_text(reason)) for path, reason in problems]
        return respond("desk/catalogue/no_preview.html", slug=slug, sheet=sheet, draft=draft, faults=reasons)
    context = preview_context(choice, request.args, here, shopper().now)
    if wants_piece():
        response = respond("device/_piece.html", "device/_piece.html", **context)
        response.headers["HX-Retarget"] = "#pajisja"
        return response
    return render_template(
        "desk/catalogue/preview.html",
        slug=slug,
        draft=draft,
        card=card_html(card, current(), "lazy"),
        ordered="porosit" in request.args,
        **context,
    )


@blueprint.post("/pajisja/<slug>/publiko")
@staff_only("editor")
def publish(slug: str):
    """The draft becomes the shop's device, all at once."""
    sheet, live, draft = find_sheet_or_404(slug)
    form = PublishForm()
    if draft is None:
        flash("nothing_to_publish", "bad")
        return go(url_for(".device", slug=slug))
    if not form.validate():
        return _device(slug, sheet, live, draft, form, 422)
    mark = form.mark.data or ""
    try:
        DeviceDraft.publish(slug, by=actor(), now=shopper().now, why=form.arsyeja.data, mark=mark)
    except NoDraft:
        flash("nothing_to_publish", "bad")
    except ChangedMeanwhile as error:
        form.mark.data = mark_of_subject(subject_of(slug))
        told = [(step, entry_in_words(step)) for step in error.steps]
        return _device(slug, sheet, live, draft, form, 409, told=told)
    except LiveChanged as error:
        return _device(slug, sheet, live, draft, form, 409, live_changes=changes_of(error.before, error.after))
    except Wrong as error:
        said = " ".join(f"{changes_of({}, {path: ' '})[0].name}: {reason_text(why)}" for path, why in error.problems)
        return _device(slug, sheet, live, draft, form, 422, trouble=said)
    else:
        flash("published")
    return go(url_for(".device", slug=slug))


@blueprint.post("/pajisja/<slug>/bashko")
@staff_only("editor")
def catch_up(slug: str):
    """The draft goes on from the shop's device as it is now."""
    find_sheet_or_404(slug)
    try:
        DeviceDraft.catch_up(slug, by=actor(), now=shopper().now)
        flash("caught_up")
    except NoDraft:
        flash("nothing_to_publish", "bad")
    return go(url_for(".device", slug=slug))


@blueprint.post("/pajisja/<slug>/hiq")
@staff_only("editor")
def drop(slug: str):
    """Forget the draft."""
    find_sheet_or_404(slug)
    DeviceDraft.drop(slug, by=actor(), now=shopper().now)
    flash("draft_dropped")
    is_there = Device.select().where(Device.slug == slug).exists()
    return go(url_for(".device", slug=slug) if is_there else url_for(".devices"))


@blueprint.route("/pajisja/<slug>/gjendja", methods=["GET", "POST"])
@staff_only("editor")
def stock(slug: str):
    """Pieces of a variant, or of the device's gift where no SKU is named: movements with their reasons."""
    _, live, _ = find_sheet_or_404(slug)
    if live is None:
        abort(404)
    sku = request.args.get("sku", "")
    kept = (
        Variant.get_or_none(Variant.device == live, Variant.sku == sku)
        if sku
        else Gift.get_or_none(Gift.device == live)
    )
    if kept is None:
        abort(404)
    return move_stock(
        kept,
        "desk/catalogue/stock.html",
        url_for(".stock", slug=slug, sku=sku or None),
        slug=slug,
        sku=sku,
        live=live,
    )


def move_stock(kept, template: str, here: str, **context):
    """The page of what is kept in pieces, and its form."""
    form = StockForm()
    status, trouble = 200, ""
    if request.method == "POST":
        status = 422
        if form.validate():
            key = form.celesi.data or ""
            key = key if len(key) == 32 and key.isalnum() else secrets.token_hex(16)
            try:
                StockMovement.move(
                    kept,
                    form.change,
                    form.arsyeja.data,
                    by=actor(),
                    now=shopper().now,
                    key=key,
                    note=form.shenimi.data,
                )
                flash("stock_moved")
                return go(here)
            except TooFew as error:
                form.levizja.errors = [gettext("Nuk ka aq: në gjendje janë %(num)d copë.", num=error.stock)]
            except TooMany:
                form.levizja.errors = [gettext("Kaq shumë copë nuk mund të ketë.")]
        kept = type(kept).get_by_id(kept.id)
    if not form.celesi.data:
        form.celesi.data = secrets.token_hex(16)
    return respond(
        template,
        status=status,
        form=form,
        kept=kept,
        here=here,
        movements=StockMovement.latest_of(kept),
        trouble=trouble,
        **context,
    )


@blueprint.get("/promocionet")
@staff_only("editor")
def promotions():
    """Every promotion: what runs, what comes, what is over."""
    found = PromotionList.find(request.args.get("koha", ""), page_number(), shopper().now)
    return respond("desk/catalogue/promotions.html", "desk/catalogue/_promotions.html", found=found)
