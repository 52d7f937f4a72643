"""Figures as tables with words: what the page, the CSV file and the plots of /desk/shifrat are made of."""

from dataclasses import dataclass

from flask_babel import gettext

import language
from models.figures import Figures
from models.money import MINOR
from models.order import storage_label
from views.club_words import points_text
from views.staff_only import staff
from views.templating import contract_name, day_text, den, state_name

NAMES = ("porosite", "te-ardhurat", "hapat", "stoku", "vonesat", "pagesat", "piket")


@dataclass(frozen=True)
class Column:
    """`kind` is text, day, count, den (minor units) or points."""

    label: str
    kind: str = "text"

    @property
    def is_number(self) -> bool:
        return self.kind in ("count", "den", "points")

    def text(self, value) -> str:
        """As people read it."""
        if self.kind == "day":
            return day_text(value)
        if self.kind == "den":
            return den(value)
        if self.kind == "points":
            return points_text(value)
        return str(value)

    def label_of(self, value) -> str:
        """As it stands below a plot: a day without its year."""
        return value.strftime("%d.%m") if self.kind == "day" else self.text(value)

    def plain(self, value):
        """As a table program reads it: days as yyyy-mm-dd, amounts in whole units where they are whole."""
        if self.kind == "day":
            return value.isoformat()
        if self.kind == "den":
            return value // MINOR if value % MINOR == 0 else f"{value / MINOR:.2f}"
        return value


@dataclass(frozen=True)
class Table:
    """One figure. `plotted` are the columns that its plot shows, from left to right or `sideways`; `about` is the
    sentence under its title, `nothing` what stands there without rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[tuple]
    about: str = ""
    nothing: str = ""
    plotted: tuple[int, ...] = ()
    sideways: bool = True
    # Order numbers in the first column lead to their page.
    links: bool = False

    @property
    def lines(self) -> list[list[tuple[Column, object]]]:
        """The rows, each value with its column."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    @property
    def sums(self) -> tuple | None:
        """The last line of a table of days; None for others."""
        if not self.rows or self.columns[0].kind != "day":
            return None
        return tuple(sum(row[place] for row in self.rows) for place in range(1, len(self.columns)))


def table(name: str, figures: Figures) -> Table:
    """The figure `name`, one of NAMES; raises KeyError for another."""
    return _MAKERS[name](figures)


def _orders(figures: Figures) -> Table:
    return Table(
        "porosite",
        gettext("Porositë në ditë"),
        (
            Column(gettext("Dita"), "day"),
            Column(gettext("Të bëra"), "count"),
            Column(gettext("Të konfirmuara"), "count"),
        ),
        figures.orders_per_day(),
        plotted=(1, 2),
        sideways=False,
    )


def _revenue(figures: Figures) -> Table:
    return Table(
        "te-ardhurat",
        gettext("Të ardhurat sipas llojit të kontratës"),
        (
            Column(gettext("Lloji i kontratës")),
            Column(gettext("Copë"), "count"),
            Column(gettext("Çmimi i pajisjeve"), "den"),
        ),
        [(contract_name(kind), pieces, total) for kind, pieces, total in figures.revenue()],
        about=gettext(
            "Porositë e bëra në këto ditë që janë paguar ose paguhen me faturë, pa ato të anuluara dhe të kthyera."
        ),
        plotted=(2,),
    )


def _steps(figures: Figures) -> Table:
    names = {
        "number": gettext("Numri"),
        "data": gettext("Të dhënat"),
        "delivery": gettext("Dërgesa"),
        "payment": gettext("Pagesa"),
        "overview": gettext("Pasqyra"),
        "placed": gettext("Porosi e bërë"),
        "confirmed": gettext("Porosi e konfirmuar"),
    }
    counts = figures.steps()
    begun = dict(counts)["data"]
    rows = [
        # The number is asked of contracts alone: it is no part of the whole way.
        (names[step], count, f"{count * 100 // begun}\u00a0%" if begun and step != "number" else "–")
        for step, count in counts
    ]
    return Table(
        "hapat",
        gettext("Hapat e porosisë"),
        (
            Column(gettext("Hapi")),
            Column(gettext("Shporta"), "count"),
            Column(gettext("Nga ato që filluan")),
        ),
        rows,
        about=gettext("Sa porosi arritën te çdo hap. Numri zgjidhet vetëm te kontratat."),
        plotted=(1,),
    )


def _stock(figures: Figures) -> Table:
    code = language.current()
    rows = []
    for short in figures.running_out():
        size = f", {storage_label(short.variant.storage_gb)}" if short.variant.storage_gb else ""
        name = f"{short.device.full_name(code)}{size}, {short.variant.colour(code)}"
        rows.append((short.variant.sku, name, short.stock, short.sold, short.days_left))
    return Table(
        "stoku",
        gettext("Stoku që po mbaron"),
        (
            Column(gettext("Kodi")),
            Column(gettext("Pajisja")),
            Column(gettext("Në stok"), "count"),
            Column(gettext("Të shitura"), "count"),
            Column(gettext("Mjafton për ditë"), "count"),
        ),
        rows,
        about=gettext("Sipas ritmit të shitjes në ditët e zgjedhura."),
        nothing=gettext("Asgjë nuk po mbaron."),
    )


def _late(figures: Figures) -> Table:
    count, late = figures.late()
    delivered, after = figures.delivered()
    return Table(
        "vonesat",
        gettext("Dërgesat me vonesë"),
        (
            Column(gettext("Porosia")),
            Column(gettext("Premtuar më"), "day"),
            Column(gettext("Ditë vonesë"), "count"),
            Column(gettext("Gjendja")),
        ),
        [(one.order.number, one.order.promised_on, one.days, state_name(one.order.state)) for one in late],
        about=gettext(
            "Tani me vonesë: %(late)d. Në ditët e zgjedhura u dorëzuan %(delivered)d, prej tyre me vonesë %(after)d.",
            late=count,
            delivered=delivered,
            after=after,
        ),
        nothing=gettext("Asnjë dërgesë nuk është me vonesë."),
        links=True,
    )


def _payments(figures: Figures) -> Table:
    # The bank's words may name somebody: they are for who works with orders.
    trouble = figures.trouble()[:5] if staff().role != "editor" else []
    reasons = ", ".join(f"{reason or gettext('pa arsye')} ({count})" for reason, count in trouble)
    return Table(
        "pagesat",
        gettext("Pagesat me kartelë"),
        (
            Column(gettext("Dita"), "day"),
            Column(gettext("Të suksesshme"), "count"),
            Column(gettext("Të dështuara"), "count"),
        ),
        figures.payments_per_day(),
        about=gettext("Arsyet më të shpeshta të bankës: %(reasons)s.", reasons=reasons) if reasons else "",
        plotted=(1, 2),
        sideways=False,
    )


def _points(figures: Figures) -> Table:
    names = {
        "welcome": gettext("Mirëseardhje"),
        "month": gettext("Muaji"),
        "topup": gettext("Mbushje"),
        "returned": gettext("Të kthyera"),
        "units": "MB, SMS, MMS",
        "bundle": gettext("Paketa"),
        "voucher": gettext("Kode partnerësh"),
        "gift": gettext("Dhurata"),
        "order": gettext("Porosi"),
        "lapsed": gettext("Të skaduara"),
        "lost": gettext("Të humbura"),
    }
    return Table(
        "piket",
        gettext("Pikët e Klubit Im"),
        (Column(gettext("Lloji")), Column(gettext("Herë"), "count"), Column(gettext("Pikë"), "points")),
        [(names[kind], count, points) for kind, count, points in figures.points()],
        about=gettext("Me plus të dhëna, me minus të shpenzuara, të skaduara ose të humbura."),
        nothing=gettext("Asnjë lëvizje pikësh në këto ditë."),
        plotted=(2,),
    )


_MAKERS = dict(zip(NAMES, (_orders, _revenue, _steps, _stock, _late, _payments, _points), strict=True))
