"""What editors type (DSK-4): in the columns of the price list, with its checks."""

import re
from datetime import datetime

from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

import config
from language import current
from models import cells, drawing
from models.calendar import ZONE
from models.catalogue import KINDS, LANGUAGES
from models.choice import CONTRACTS
from models.money import MINOR, SIGNS, number, symbol
from models.price_list_columns import FACTS, FAMILIES, OF_DEVICE, OF_VARIANT, PORTS, WITH_TARIFF
from models.stock_movement import MOST, REASONS
from views.catalogue_words import FAMILY_NAMES, NAMES, SEGMENTS, name_of
from views.catalogue_words import REASONS as REASON_NAMES
from views.cell_words import reason_text
from views.characteristics import decimal
from views.forms import AtMost, Required, ShopForm, ValidationError, lazy_gettext, tidy
from views.templating import category_name
from views.words import gettext

_MOST_MINOR = 2**31 - 1
_QUIET = {"autocomplete": "off"}
_DECIMALS = frozenset({"screen_in", "charging_w", "weight_g", "power_w", "length_m", "battery_hours"})
_WHOLES = frozenset(
    {"popularity", "warranty_months", "refresh_hz", "battery_mah", "capacity_mah", "storage_gb", "ram_gb", "position"}
)


def read_price(text: str, least: int = 0) -> int:
    """A price as people type it ("1299", "1.299", "1.299,50") in minor units; raises ValidationError.

    The signs are those of the page's language; what could mean two amounts is refused.
    """
    group, point = SIGNS[current()]
    signs = "|".join(map(re.escape, {config.CURRENCY, *map(symbol, config.LANGUAGES), symbol("mk").rstrip(".")}))
    text = re.sub(rf"^({signs})\s*|\s*({signs})$", "", text.strip(), flags=re.IGNORECASE)
    spaces = f"[{re.escape(group)} \u00a0\u202f]"
    match = re.fullmatch(rf"(\d{{1,9}}|\d{{1,3}}(?:{spaces}\d{{3}}){{1,2}})(?:{re.escape(point)}(\d{{1,2}}))?", text)
    if not match:
        raise ValidationError(
            gettext(
                "Shkruani shumën si %(whole)s ose %(part)s.",
                whole=number(129_900, current()),
                part=number(129_950, current()),
            )
        )
    amount = int(re.sub(r"\D", "", match[1])) * MINOR + int((match[2] or "").ljust(2, "0"))
    if not least <= amount <= _MOST_MINOR:
        raise ValidationError(
            gettext(
                "Lejohet nga %(low)s deri %(high)s.",
                low=number(least, current()),
                high=number(_MOST_MINOR // MINOR * MINOR, current()),
            )
        )
    return amount


class Cell:
    """Reads a field as a cell of the price list; blank is None. What was read stands in `form.read`."""

    def __init__(self, reader, sign: str = ""):
        self.reader = reader
        self.sign = sign

    def __call__(self, form, field):
        text = field.data or ""
        if not text:
            return
        if self.sign == "decimal":
            text = text.replace(",", ".")
        elif self.sign == "whole":
            text = re.sub(r"(?<=\d)[.,\s](?=\d{3}(\D|$))", "", text)
        try:
            form.read[field.name] = self.reader(text)
        except ValueError as error:
            raise ValidationError(reason_text(str(error))) from None


class Price:
    """Reads a field as an amount of at least `least` minor units."""

    def __init__(self, least: int = 0):
        self.least = least

    def __call__(self, form, field):
        if field.data:
            form.read[field.name] = read_price(field.data, self.least)


_UNSPOKEN = {f"_{language}" for language in LANGUAGES if language not in config.LANGUAGES}


class CatalogueForm(ShopForm):
    """A form whose fields are columns: `read` holds what they say, without the blank ones."""

    # How far the trail went when the page was made, and whose form it is.
    mark = HiddenField()

    def __init__(self, *arguments, **keywords):
        self.read: dict = {}
        super().__init__(*arguments, **keywords)
        # Columns in languages that the shop does not speak, which nobody types: column → whose text it has.
        self.unspoken = {}
        for name in [name for name in self._fields if name[-3:] in _UNSPOKEN]:
            self.unspoken[name] = f"{name[:-2]}{config.LANGUAGES[0]}"
            del self[name]

    def columns(self) -> list[str]:
        return [field.name for field in self if field.name != "mark"]

    def show(self, values: dict) -> None:
        """Show what a sheet holds."""
        for name in self.columns():
            self[name].data = shown(name, values.get(name))

    def validate(self, *arguments, **keywords):
        self.read = {}
        if not super().validate(*arguments, **keywords):
            return False
        for name in self.columns():
            if isinstance(self[name], BooleanField):
                self.read[name] = bool(self[name].data)
        for name, spoken in self.unspoken.items():
            if spoken in self.read:
                self.read[name] = self.read[spoken]
        return True

    def refuse(self, problems) -> bool:
        """Put what is wrong between the fields, as (column, reason), beside them; false when there is nothing."""
        for name, reason in problems:
            if name in self and not self[name].errors:
                self[name].errors = [reason_text(reason)]
        return any(field.errors for field in self)

    def take_others(self, before: dict, after: dict, values: dict) -> None:
        """What others changed meanwhile, and this form did not, is theirs: show it.

        `before` and `after` are what they changed, by column; `values` is what the sheet holds now.
        """
        for name in after:
            if name in self and self[name].data == shown(name, before.get(name)):
                self[name].data = shown(name, values.get(name))
                self[name].errors = []


def shown(name: str, value):
    """A value of a sheet as the field of its column shows it."""
    stem = name.partition(":")[0]
    if stem == "listed":
        return bool(value)
    if value is None:
        return ""
    if stem in ("price", "monthly_price", *CONTRACTS):
        return number(value, current())
    if stem == "released":
        return f"{value // 100}-{value % 100:02}"
    if stem == "fits":
        return " ".join(value)
    return decimal(value) if stem in _DECIMALS else str(value)


def _choices(values, names=None, blank=False):
    first = [SelectChoice("", "—")] if blank else []
    return first + [SelectChoice(value, str((names or {}).get(value, value))) for value in values]


def _field(name: str, needed: bool = False):
    """The field of a column of the price list."""
    reader = OF_DEVICE.get(name) or OF_VARIANT.get("draw_screen" if name == "screen" else name)
    if name == "position":
        reader = cells.whole(0, 10_000)
    checks = [Required(lazy_gettext("Plotësoni këtë fushë."))] if needed else []
    label = NAMES[name]
    selects = {
        "colour_family": FAMILIES,
        "network": ("5G", "4G", "3G", "2G", "none"),
        "port": PORTS,
        "draw_kind": drawing.KINDS,
        "draw_camera": tuple(dict.fromkeys(shape for shapes in drawing.CAMERAS.values() for shape in shapes)),
        "draw_hole": drawing.HOLES,
        "kind": KINDS,
    }
    if name in selects:
        return SelectField(
            label,
            [*checks, Cell(reader)],
            choices=_choices(selects[name], FAMILY_NAMES if name == "colour_family" else None, blank=not needed),
            validate_choice=False,
            # Where there is no blank one, something always is chosen.
            render_kw={"required": False},
        )
    attributes = dict(_QUIET)
    sign = ""
    if name in _DECIMALS:
        sign, attributes["inputmode"] = "decimal", "decimal"
    elif name in _WHOLES:
        sign, attributes["inputmode"] = "whole", "numeric"
    elif name == "released":
        attributes |= {"placeholder": "2025-03", "inputmode": "numeric"}
    checks += [AtMost(400), Cell(reader, sign)]
    if name == "price":
        checks[-1] = Price(1)
        attributes["inputmode"] = "decimal"
    return StringField(label, checks, filters=[tidy], render_kw=attributes)


_NAME = tuple(f"name_{language}" for language in LANGUAGES)
_NOTE = tuple(f"note_{language}" for language in LANGUAGES)
_GIFT = tuple(f"gift_{language}" for language in LANGUAGES)
# Legend → columns.
DEVICE_PARTS = (
    (lazy_gettext("Emri"), (*_NAME, *_NOTE)),
    (lazy_gettext("Rafti"), ("kind", "brand", "released", "popularity", "warranty_months", "listed")),
    (lazy_gettext("Karakteristikat"), tuple(FACTS)),
    (lazy_gettext("Vizatimi"), ("draw_kind", "draw_camera", "draw_hole")),
    (lazy_gettext("Dhurata"), (*_GIFT, "gift_sku")),
    (lazy_gettext("Pajisje shtesë"), ("fits",)),
)
_NEEDED = frozenset({"kind", "brand", "released", *_NAME})


class NewDeviceForm(CatalogueForm):
    """What a device needs to begin with; the rest is written in its draft."""

    slug = StringField(
        NAMES["slug"],
        [Required(lazy_gettext("Plotësoni këtë fushë.")), AtMost(120), Cell(OF_DEVICE["slug"])],
        filters=[tidy],
        render_kw={**_QUIET, "placeholder": "samsung-galaxy-s25"},
    )
    kind = _field("kind", needed=True)
    brand = _field("brand", needed=True)
    name_sq = _field("name_sq", needed=True)
    name_mk = _field("name_mk", needed=True)
    name_en = _field("name_en", needed=True)
    released = _field("released", needed=True)
    draw_kind = _field("draw_kind")

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        name_kinds(self)


def name_kinds(form) -> None:
    form.kind.choices = [SelectChoice(kind, category_name(kind)) for kind in KINDS]


_DeviceFields = type(
    "_DeviceFields",
    (CatalogueForm,),
    {
        name: BooleanField(NAMES[name]) if name == "listed" else _field(name, name in _NEEDED)
        for _, names in DEVICE_PARTS
        for name in names
    },
)


class DeviceForm(_DeviceFields):
    """Texts, facts, drawing and gift of a device."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        name_kinds(self)

    def parts(self):
        """(legend, fields) as the page shows them."""
        return [(legend, [self[name] for name in names if name in self]) for legend, names in DEVICE_PARTS]


VARIANT_PARTS = (
    (
        lazy_gettext("Ngjyra dhe memoria"),
        (*(f"colour_{language}" for language in LANGUAGES), "colour_hex", "colour_family", "storage_gb", "ram_gb"),
    ),
    (lazy_gettext("Rafti"), ("price", "position", "listed")),
    (lazy_gettext("Fotoja"), ("photo", "screen")),
)
_NEEDED_VARIANT = frozenset({"colour_hex", "colour_family", "price"})
# Fields of one promotion; none of them filled in is no promotion.
_PROMOTION = ("percent", "price", "from", "until", "segment")


class VariantForm(CatalogueForm):
    """A variant with its prices per tariff and contract type, and its promotions; made by `variant_form`."""

    tariffs: tuple = ()
    promotion_rows: tuple = ()

    def parts(self):
        return [(legend, [self[name] for name in names if name in self]) for legend, names in VARIANT_PARTS]

    def price_rows(self):
        """(tariff, its fields in the order of CONTRACTS)."""
        return [(tariff, [self[f"{contract}:{tariff.code}"] for contract in CONTRACTS]) for tariff in self.tariffs]

    def promotion_fields(self):
        return [[self[f"promo-{row}-{name}"] for name in _PROMOTION] for row in self.promotion_rows]

    def columns(self):
        return [name for name in super().columns() if not name.startswith("promo-") and name != "sku"]

    def show(self, values):
        super().show(values)
        self.show_promotions(values.get("promotions", []))

    def show_promotions(self, promotions: list[dict]) -> None:
        for row, one in zip(self.promotion_rows, [*promotions, *([{}] * len(self.promotion_rows))], strict=False):
            for name in _PROMOTION:
                self[f"promo-{row}-{name}"].data = _shown_of_promotion(name, one.get(name))

    def validate(self, *arguments, **keywords):
        if not super().validate(*arguments, **keywords):
            return False
        self.read["promotions"] = [one for row in self.promotion_rows if (one := self._promotion(row))]
        if not self.read["promotions"]:
            del self.read["promotions"]
        return not any(field.errors for field in self)

    def _promotion(self, row: int) -> dict:
        values = {name: self.read.pop(f"promo-{row}-{name}", None) for name in _PROMOTION}
        values = {name: value for name, value in values.items() if value is not None}
        if values.keys() <= {"segment"}:
            return {}
        first = self[f"promo-{row}-percent"]
        if ("percent" in values) == ("price" in values):
            first.errors = [gettext("Shkruani përqindjen ose çmimin e promocionit, jo të dyja.")]
        price = self.read.get("price")
        if price is not None and values.get("price", 0) >= price:
            self[f"promo-{row}-price"].errors = [reason_text("is not below the price")]
        if values.get("from") and values.get("until") and values["from"] >= values["until"]:
            self[f"promo-{row}-until"].errors = [reason_text("is not after promo_from")]
        for name in ("from", "until"):
            if name in values:
                values[name] = values[name].isoformat()
        return values


def _shown_of_promotion(name: str, value) -> str:
    if name == "segment":
        return value or "all"
    if value is None:
        return ""
    if name == "price":
        return number(value, current())
    if name in ("from", "until"):
        return datetime.fromisoformat(value).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
    return str(value)


def _moment(cell: str) -> datetime:
    read = cells.moment(cell)
    return read[0] if isinstance(read, tuple) else read


def variant_form(kind: str, tariffs, promotions: int, is_new: bool) -> VariantForm:
    """A form with a row for each tariff, and one more promotion than there are."""
    fields = {
        name: BooleanField(NAMES[name]) if name == "listed" else _field(name, name in _NEEDED_VARIANT)
        for _, names in VARIANT_PARTS
        for name in names
    }
    if is_new:
        fields["sku"] = StringField(
            NAMES["sku"],
            [Required(lazy_gettext("Plotësoni këtë fushë.")), AtMost(60), Cell(OF_VARIANT["sku"])],
            filters=[tidy],
            render_kw={**_QUIET, "placeholder": "SAM-S25-BLU-128"},
        )
    shown_tariffs = tuple(tariffs) if kind in WITH_TARIFF else ()
    for tariff in shown_tariffs:
        for contract in CONTRACTS:
            name = f"{contract}:{tariff.code}"
            fields[name] = StringField(
                f"{name_of(contract)}, {tariff.name}",
                [AtMost(20), Price(0)],
                filters=[tidy],
                render_kw={**_QUIET, "inputmode": "decimal"},
            )
    rows = tuple(range(min(promotions + 1, 6) if promotions < 6 else promotions))
    for row in rows:
        place = row + 1
        at = {**_QUIET, "type": "datetime-local", "maxlength": False}
        fields |= {
            f"promo-{row}-percent": StringField(
                gettext("Promocioni %(num)d: përqindja", num=place),
                [AtMost(3), Cell(OF_VARIANT["promo_percent"])],
                filters=[tidy],
                render_kw={**_QUIET, "inputmode": "numeric"},
            ),
            f"promo-{row}-price": StringField(
                gettext("Promocioni %(num)d: çmimi", num=place),
                [AtMost(20), Price(1)],
                filters=[tidy],
                render_kw={**_QUIET, "inputmode": "decimal"},
            ),
            f"promo-{row}-from": StringField(
                gettext("Promocioni %(num)d: fillon", num=place), [AtMost(30), Cell(_moment)], render_kw=at
            ),
            f"promo-{row}-until": StringField(
                gettext("Promocioni %(num)d: mbaron", num=place), [AtMost(30), Cell(_moment)], render_kw=at
            ),
            f"promo-{row}-segment": SelectField(
                gettext("Promocioni %(num)d: për kë", num=place),
                [Cell(OF_VARIANT["promo_segment"])],
                choices=_choices(SEGMENTS, SEGMENTS),
                validate_choice=False,
            ),
        }
    made = type("VariantFields", (VariantForm,), fields)
    form = made()
    form.tariffs, form.promotion_rows = shown_tariffs, rows
    return form


class StockForm(ShopForm):
    """A movement of pieces."""

    change = 0

    levizja = StringField(
        lazy_gettext("Sa copë"),
        [Required(lazy_gettext("Shkruani sa copë vijnë ose shkojnë, p.sh. +10 ose -2.")), AtMost(10)],
        filters=[tidy],
        render_kw={**_QUIET, "inputmode": "text", "placeholder": "+10"},
    )
    arsyeja = SelectField(lazy_gettext("Arsyeja"), choices=[SelectChoice("", "—")], validate_choice=False)
    shenimi = StringField(lazy_gettext("Shënim"), [AtMost(200)], filters=[tidy], render_kw=_QUIET)
    celesi = HiddenField()

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.arsyeja.choices = _choices(REASONS, REASON_NAMES, blank=True)

    def validate_levizja(self, field):
        text = re.sub(r"(?<=\d)[.\s](?=\d{3}(\D|$))", "", field.data.replace("\u2212", "-"))
        if not re.fullmatch(r"[+-]?\d{1,7}", text) or not 0 < abs(int(text)) <= MOST:
            raise ValidationError(gettext("Shkruani sa copë vijnë ose shkojnë, p.sh. +10 ose -2."))
        self.change = int(text)

    def validate_arsyeja(self, field):
        if field.data not in REASONS:
            raise ValidationError(gettext("Zgjidhni arsyen."))
        if field.data == "other" and not self.shenimi.data:
            raise ValidationError(gettext("Shkruani në shënim pse."))


class PublishForm(ShopForm):
    mark = HiddenField()
    arsyeja = StringField(lazy_gettext("Pse (për historinë)"), [AtMost(300)], filters=[tidy], render_kw=_QUIET)
