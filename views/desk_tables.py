"""The small tables of the catalogue and the club, each with its list and its form (DSK-4, CLB-17)."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, request, url_for

from models.catalogue_tables import PER_PAGE, TABLES, Refused
from models.trail import ChangedMeanwhile, mark_of_subject, trail_of_subject
from views.catalogue_words import entry_in_words
from views.cell_words import reason_text
from views.desk_catalogue import TRAIL, move_stock, page_number
from views.forms.desk_tables import FORMS
from views.respond import go, keep_private, respond
from views.shopper import shopper
from views.staff_only import actor, staff_only
from views.words import gettext

blueprint = Blueprint("desk_tables", __name__, url_prefix="/desk/katalogu")

_NAMES = f"<any({', '.join(TABLES)}):table>"

blueprint.after_request(keep_private)


def title_of(table: str) -> str:
    return {
        "tarifat": gettext("Tarifat"),
        "ofertat": gettext("Ofertat e partnerëve"),
        "dhuratat": gettext("Dhuratat e klubit"),
        "partneret": gettext("Partnerët"),
        "markat": gettext("Prodhuesit"),
        "dyqanet": gettext("Dyqanet"),
    }[table]


def find_row_or_404(table: str, id: int):
    return (TABLES[table].find(id) if id < 2**31 else None) or abort(404)


@blueprint.get(f"/{_NAMES}")
@staff_only("editor")
def rows(table: str):
    """All rows of a table."""
    found, page, total = TABLES[table].page(page_number())
    pager = SimpleNamespace(page=page, pages=max(1, -(-total // PER_PAGE)), total=total)
    return respond(
        "desk/catalogue/rows.html",
        "desk/catalogue/_rows.html",
        table=table,
        title=title_of(table),
        columns=_SHOWN[table],
        rows=[(row, TABLES[table].values(row)) for row in found],
        found=pager,
    )


# What a list shows of its rows; the first of them leads to the row.
_SHOWN = {
    "tarifat": ("name", "code", "monthly_price", "internet_gb", "minutes", "listed"),
    "ofertat": ("code", "name_sq", "partner", "points", "days", "since", "until"),
    "dhuratat": ("code", "name_sq", "points", "since", "until"),
    "partneret": ("name", "code", "place"),
    "markat": ("name",),
    "dyqanet": ("street_sq", "municipality", "weekdays", "saturday", "sunday", "phone", "listed"),
}


@blueprint.route(f"/{_NAMES}/e-re", methods=["GET", "POST"])
@staff_only("editor")
def add(table: str):
    """A new row; with `nga`, one that follows that row from another day on."""
    form = FORMS[table]()
    if request.method != "POST":
        text = request.args.get("nga", "")
        if text.isascii() and text.isdigit() and hasattr(TABLES[table], "next_line"):
            form.show(TABLES[table].next_line(find_row_or_404(table, int(text[:12])), shopper().now))
        elif "listed" in form:
            form.listed.data = True
        return _form(table, None, form)
    return _save(table, None, form)


@blueprint.route(f"/{_NAMES}/<int:id>", methods=["GET", "POST"])
@staff_only("editor")
def edit(table: str, id: int):
    """One row."""
    row = find_row_or_404(table, id)
    form = FORMS[table]()
    form.drop_fixed(TABLES[table].fixed)
    if request.method != "POST":
        form.show(TABLES[table].values(row))
        form.mark.data = mark_of_subject(TABLES[table].subject(row))
        return _form(table, row, form)
    return _save(table, row, form)


@blueprint.route("/dhuratat/<int:id>/gjendja", methods=["GET", "POST"])
@staff_only("editor")
def stock(id: int):
    """Pieces of a gift of the club."""
    gift = find_row_or_404("dhuratat", id)
    return move_stock(gift, "desk/catalogue/gift_stock.html", url_for(".stock", id=id))


@blueprint.post("/dyqanet/nga-skedari")
@staff_only("editor")
def adopt_shops():
    """Keep the shops of the file here from now on."""
    TABLES["dyqanet"].adopt(by=actor(), now=shopper().now)
    return go(url_for(".rows", table="dyqanet"))


def _save(table: str, row, form):
    if not form.validate():
        return _form(table, row, form, 422)
    try:
        TABLES[table].save(row, form.read_all(), by=actor(), now=shopper().now, mark=form.mark.data or "")
    except Refused as error:
        fixed = [(name, reason) for name, reason in error.problems if name not in form]
        form.refuse((name, _said(reason)) for name, reason in error.problems)
        return _form(table, row, form, 422, trouble=" ".join(reason_text(reason) for _, reason in fixed))
    except ChangedMeanwhile as error:
        values = TABLES[table].values(TABLES[table].find(row.id))
        for step in error.steps:
            form.take_others(step.before, step.after, values)
        form.mark.data = mark_of_subject(TABLES[table].subject(row))
        return _form(table, row, form, 409, told=[(step, entry_in_words(step)) for step in error.steps])
    flash("saved")
    return go(url_for(".rows", table=table))


def _said(reason: str) -> str:
    return gettext("Kjo është zënë.") if reason == "is taken" else reason


def _form(table, row, form, status=200, told=(), trouble=""):
    return respond(
        "desk/catalogue/row.html",
        status=status,
        table=table,
        title=title_of(table),
        row=row,
        values=TABLES[table].values(row) if row is not None else {},
        fixed=TABLES[table].fixed if row is not None else (),
        form=form,
        fields=[form[name] for name in form.columns()],
        entries=trail_of_subject(TABLES[table].subject(row), TRAIL) if row is not None else (),
        told=told,
        trouble=trouble,
        follows=row is not None and hasattr(TABLES[table], "next_line"),
    )
