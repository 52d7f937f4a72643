"""Shifrat: orders, revenue, steps, stock, delays, payments and points of some days; plots, tables, CSV files."""

from flask import Blueprint, abort, request
from flask_babel import gettext

from models.figures import LONGEST, BadDays, Figures, last_days
from views.csv_file import csv_file
from views.figure_tables import NAMES, table
from views.forms.desk import day_of
from views.plots import WIDTH, height_of, plot
from views.respond import keep_private, respond
from views.shopper import shopper
from views.staff_only import staff, staff_only

blueprint = Blueprint("desk_figures", __name__, url_prefix="/desk/shifrat")
blueprint.after_request(keep_private)

ROLES = ("agent", "editor", "admin")


@blueprint.get("")
@staff_only(*ROLES)
def show():
    """All figures of ?nga= to ?deri=, the last 30 days where they are not given."""
    figures, wrong = _figures()
    return respond(
        "desk/figures/page.html",
        "desk/figures/_figures.html",
        status=422 if wrong else 200,
        figures=figures,
        wrong=wrong,
        # Editors see how many there are, not whose they are.
        opens_orders=staff().role != "editor",
        plot_width=WIDTH,
        height_of=height_of,
        tables=[table(name, figures) for name in NAMES],
    )


@blueprint.get("/<name>.csv")
@staff_only(*ROLES)
def sheet(name: str):
    """One table, with the numbers alone."""
    found = _table_or_404(name)
    head = [column.label for column in found.columns]
    rows = [[column.plain(value) for column, value in zip(found.columns, row, strict=True)] for row in found.rows]
    return csv_file(f"dyqani-{name}", [head, *rows])


@blueprint.get("/<name>.svg")
@staff_only(*ROLES)
def picture(name: str):
    """One plot."""
    found = _table_or_404(name)
    if not found.plotted:
        abort(404)
    series = [(found.columns[place].label, [row[place] for row in found.rows]) for place in found.plotted]
    return plot(
        [found.columns[0].label_of(row[0]) for row in found.rows],
        series,
        found.columns[found.plotted[0]].text,
        sideways=found.sideways,
        nothing=gettext("Asgjë në këto ditë"),
    )


def _table_or_404(name: str):
    figures, wrong = _figures()
    if wrong or name not in NAMES:
        abort(404)
    return table(name, figures)


def _figures() -> tuple[Figures, str]:
    """The figures that the address asks for, and what is wrong with its days: then those of the last 30."""
    now = shopper().now
    first, last = last_days(now)
    asked = request.args.get("nga"), request.args.get("deri")
    days = [day_of(text) for text in asked]
    if any(text and day is None for text, day in zip(asked, days, strict=True)):
        return Figures(first, last, now), gettext("Shkruani ditë të vlefshme.")
    try:
        return Figures(days[0] or min(first, days[1] or first), days[1] or last, now), ""
    except BadDays:
        return Figures(first, last, now), gettext(
            "Dita e fundit vjen pas së parës, e të shumtën %(days)d ditë bashkë.", days=LONGEST
        )
