"""What editors type into the small tables (DSK-4): one form for each, in the columns of its list."""

from wtforms import BooleanField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from language import current
from models import cells
from models.club_lists import GiftList, OfferList
from models.club_offer import ClubGift, Partner
from models.places import municipalities
from models.tariff_list import COLUMNS as TARIFF
from views.catalogue_words import NAMES
from views.forms import AtMost, Required, lazy_gettext, tidy
from views.forms.desk_catalogue import CatalogueForm, Cell, Price, shown

_QUIET = {"autocomplete": "off"}
_NEEDED = lazy_gettext("Plotësoni këtë fushë.")
_UNLIMITED = ("internet_gb", "minutes", "sms")
_OFFER = {name: reader for name, (reader, _) in OfferList.columns.items()}
_GIFT = {name: reader for name, (reader, _) in GiftList.columns.items()}


def _text(name: str, reader, needed: bool, sign: str = "", **attributes):
    checks = [Required(_NEEDED)] if needed else []
    return StringField(
        NAMES[name], [*checks, AtMost(200), Cell(reader, sign)], filters=[tidy], render_kw={**_QUIET, **attributes}
    )


def _whole(name: str, reader, needed: bool):
    return _text(name, reader, needed, "whole", inputmode="numeric")


def _day(name: str, reader, needed: bool):
    return _text(name, reader, needed, type="date", maxlength=False)


class TableForm(CatalogueForm):
    """`read_all` has a value or None for each column."""

    def read_all(self) -> dict:
        return {name: self.read.get(name, self.blank(name)) for name in (*self.columns(), *self.unspoken)}

    def blank(self, name: str):
        """What a blank field means."""
        return

    def drop_fixed(self, fixed) -> None:
        """A row that is there keeps what names it."""
        for name in fixed:
            if name in self:
                del self[name]

    def show(self, values):
        for name in self.columns():
            self[name].data = shown(name, values.get(name))


class TariffForm(TableForm):
    code = _text("code", TARIFF["code"], True, placeholder="linja-m")
    name = _text("name", TARIFF["name"], True)
    monthly_price = StringField(
        NAMES["monthly_price"],
        [Required(_NEEDED), AtMost(20), Price(0)],
        filters=[tidy],
        render_kw={**_QUIET, "inputmode": "decimal"},
    )
    internet_gb = _whole("internet_gb", TARIFF["internet_gb"], False)
    minutes = _whole("minutes", TARIFF["minutes"], False)
    sms = _whole("sms", TARIFF["sms"], False)
    position = _whole("position", TARIFF["position"], False)
    listed = BooleanField(lazy_gettext("Ofrohet"))

    helps = {name: lazy_gettext("Bosh: pa kufi") for name in _UNLIMITED}  # noqa: RUF012

    def blank(self, name):
        return 0 if name == "position" else None


class BrandForm(TableForm):
    name = _text("name", cells.text(60), True)

    helps = {"name": lazy_gettext("Ndryshojeni edhe në listën e çmimeve; ndryshe importi e kthen")}  # noqa: RUF012


class PartnerForm(TableForm):
    code = _text("code", _OFFER["partner"], True, placeholder="kinema-qendra")
    name = _text("name", _OFFER["partner_name"], True)
    place = _text("place", _OFFER["place"], False)

    helps = {}  # noqa: RUF012

    def blank(self, name):
        return ""


class OfferForm(TableForm):
    code = _text("code", _OFFER["code"], True, placeholder="KINEMA2D")
    partner = SelectField(NAMES["partner"], [Required(_NEEDED), Cell(_OFFER["partner"])], validate_choice=False)
    points = _whole("points", _OFFER["points"], True)
    days = _whole("days", _OFFER["days"], True)
    since = _day("since", _OFFER["since"], True)
    until = _day("until", _OFFER["until"], False)
    name_sq = _text("name_sq", _OFFER["name_sq"], True)
    name_mk = _text("name_mk", _OFFER["name_mk"], True)
    name_en = _text("name_en", _OFFER["name_en"], True)
    detail_sq = _text("detail_sq", _OFFER["detail_sq"], False)
    detail_mk = _text("detail_mk", _OFFER["detail_mk"], False)
    detail_en = _text("detail_en", _OFFER["detail_en"], False)

    helps = {  # noqa: RUF012
        "code": lazy_gettext("Çka dërgohet në 50777"),
        "until": lazy_gettext("Bosh: derisa të thuhet"),
    }

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.partner.choices = [SelectChoice("", "—")] + [
            SelectChoice(partner.code, partner.name) for partner in Partner.select().order_by(Partner.name)
        ]

    def read_all(self):
        return _days_as_text(super().read_all())

    def blank(self, name):
        return "" if name.startswith("detail_") else None


class ClubGiftForm(TableForm):
    code = _text("code", _GIFT["code"], True, placeholder="kabllo-usb-c")
    points = _whole("points", _GIFT["points"], True)
    sku = _text("sku", cells.text(ClubGift.sku.max_length), False)
    since = _day("since", _GIFT["since"], True)
    until = _day("until", _GIFT["until"], False)
    name_sq = _text("name_sq", _GIFT["name_sq"], True)
    name_mk = _text("name_mk", _GIFT["name_mk"], True)
    name_en = _text("name_en", _GIFT["name_en"], True)
    detail_sq = _text("detail_sq", _GIFT["detail_sq"], False)
    detail_mk = _text("detail_mk", _GIFT["detail_mk"], False)
    detail_en = _text("detail_en", _GIFT["detail_en"], False)

    helps = {  # noqa: RUF012
        "sku": lazy_gettext("Varianti, fotoja e të cilit e tregon"),
        "until": lazy_gettext("Bosh: derisa të thuhet"),
    }

    def read_all(self):
        return _days_as_text(super().read_all())

    def blank(self, name):
        return "" if name.startswith("detail_") or name == "sku" else None


_HOURS = cells.like(r"([01]\d|2[0-3]):[0-5]\d–([01]\d|2[0-3]):[0-5]\d", "09:00–20:00", 11)


def _hours(cell: str) -> str:
    """Hours; a plain hyphen will do."""
    return _HOURS(cell.replace("-", "–").replace(" ", ""))


class ShopRowForm(TableForm):
    municipality = SelectField(NAMES["municipality"], [Required(_NEEDED), Cell(str)], validate_choice=False)
    postal_code = _text("postal_code", cells.like(r"\d{4,6}", "1000", 10), True)
    street_sq = _text("street_sq", cells.text(120), True)
    street_mk = _text("street_mk", cells.text(120), True)
    street_en = _text("street_en", cells.text(120), True)
    weekdays = _text("weekdays", _hours, False, placeholder="09:00–20:00")
    saturday = _text("saturday", _hours, False)
    sunday = _text("sunday", _hours, False)
    phone = _text("phone", cells.text(30), False)
    listed = BooleanField(lazy_gettext("Shfaqet në dyqan"))

    helps = {name: lazy_gettext("Bosh: mbyllur") for name in ("weekdays", "saturday", "sunday")}  # noqa: RUF012

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        chosen = current()
        self.municipality.choices = [SelectChoice("", "—")] + [
            SelectChoice(place.code, place.name(chosen)) for place in municipalities(chosen)
        ]

    def blank(self, name):
        return ""


def _days_as_text(values: dict) -> dict:
    return {
        name: value.isoformat() if name in ("since", "until") and value is not None else value
        for name, value in values.items()
    }


FORMS = {
    "tarifat": TariffForm,
    "ofertat": OfferForm,
    "dhuratat": ClubGiftForm,
    "partneret": PartnerForm,
    "markat": BrandForm,
    "dyqanet": ShopRowForm,
}
