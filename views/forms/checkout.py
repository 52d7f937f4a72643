"""The steps of the checkout (CHK-1)."""

from flask_babel import gettext
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from language import current
from models.instalments import PARTS
from models.payment_ways import CARD, INSTALMENTS
from models.places import municipalities, place_of, places
from views.forms import AtMost, EmailAddress, PersonName, PhoneNumber, Required, ShopForm, lazy_gettext, tidy


class DataForm(ShopForm):
    first_name = StringField(
        lazy_gettext("Emri"),
        [Required(lazy_gettext("Shkruani emrin.")), AtMost(60), PersonName()],
        filters=[tidy],
        render_kw={"autocomplete": "given-name"},
    )
    last_name = StringField(
        lazy_gettext("Mbiemri"),
        [Required(lazy_gettext("Shkruani mbiemrin.")), AtMost(60), PersonName()],
        filters=[tidy],
        render_kw={"autocomplete": "family-name"},
    )
    email = StringField(
        lazy_gettext("E-posta"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "email", "inputmode": "email"},
    )
    phone = StringField(
        lazy_gettext("Telefoni për kontakt"),
        [Required(lazy_gettext("Shkruani telefonin për kontakt.")), AtMost(30), PhoneNumber()],
        filters=[tidy],
        render_kw={"type": "tel", "autocomplete": "tel"},
    )


class DeliveryForm(ShopForm):
    street = StringField(
        lazy_gettext("Rruga dhe numri"),
        [Required(lazy_gettext("Shkruani rrugën dhe numrin.")), AtMost(120)],
        filters=[tidy],
        render_kw={"autocomplete": "street-address"},
    )
    place = SelectField(
        lazy_gettext("Vendbanimi"), [Required(lazy_gettext("Zgjidhni vendbanimin."))], validate_choice=False
    )
    postal_code = StringField(
        lazy_gettext("Kodi postar"),
        filters=[tidy],
        render_kw={"autocomplete": "postal-code", "inputmode": "numeric", "maxlength": 4},
    )
    municipality = SelectField(
        lazy_gettext("Komuna"), [Required(lazy_gettext("Zgjidhni komunën."))], validate_choice=False
    )
    recipient = StringField(
        lazy_gettext("Kush e pranon, nëse nuk jeni ju"), [AtMost(120), PersonName()], filters=[tidy]
    )
    note = StringField(lazy_gettext("Shënim për korrierin"), [AtMost(200)], filters=[tidy])

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        language = current()
        self.municipality.choices = [SelectChoice("", gettext("Zgjidhni komunën"))] + [
            SelectChoice(place.code, place.name(language)) for place in municipalities(language)
        ]
        self.place.choices = [SelectChoice("", gettext("Zgjidhni vendbanimin"))] + [
            SelectChoice(place.code, f"{place.name(language)}, {place.code}") for place in places(language)
        ]

    def validate_municipality(self, field):
        if field.data and field.data not in {choice.value for choice in self.municipality.choices}:
            raise ValidationError(gettext("Zgjidhni komunën."))

    def validate_place(self, field):
        if field.data and field.data not in {choice.value for choice in self.place.choices}:
            raise ValidationError(gettext("Zgjidhni vendbanimin."))

    def validate_postal_code(self, field):
        """Filled from the place; a different one typed beside it is a mistake in one of the two."""
        try:
            place = place_of(self.place.data or "")
        except KeyError:
            return
        if not field.data:
            field.data = place.code
        elif field.data != place.code:
            raise ValidationError(
                gettext(
                    "Kodi postar i vendbanimit %(place)s është %(code)s.",
                    place=place.name(current()),
                    code=place.code,
                )
            )


class PaymentForm(ShopForm):
    payment_way = RadioField(
        lazy_gettext("Mënyra e pagesës"),
        [Required(lazy_gettext("Zgjidhni mënyrën e pagesës."))],
        choices=[SelectChoice("card", "card")],
        validate_choice=False,
    )

    def validate_payment_way(self, field):
        # PAY-1, PAY-2: without a number of one's own, by card only.
        if field.data and field.data != "card":
            raise ValidationError(gettext("Zgjidhni mënyrën e pagesës."))


class ContractPaymentForm(ShopForm):
    """How each contract's device is paid: `pagesa-<line>`, and with instalments `keste-<line>` (PAY-1, PAY-3)."""

    @classmethod
    def of(cls, offers) -> "ContractPaymentForm":
        """For lines of the cart, each with the ways that are open to it; shows what the lines say now."""
        fields, shown = {}, {}
        for chosen, left in offers:
            fields[f"pagesa-{chosen.id}"] = RadioField(
                lazy_gettext("Mënyra e pagesës"),
                [Required(lazy_gettext("Zgjidhni mënyrën e pagesës.")), _OneOf(left)],
                choices=[SelectChoice(way, way) for way in left],
                validate_choice=False,
            )
            fields[f"keste-{chosen.id}"] = RadioField(
                lazy_gettext("Numri i kësteve"),
                [_WithInstalments(f"pagesa-{chosen.id}")],
                choices=[SelectChoice(str(parts), str(parts)) for parts in PARTS],
                validate_choice=False,
            )
            shown[f"pagesa-{chosen.id}"] = chosen.line.payment if chosen.line.payment in left else CARD
            shown[f"keste-{chosen.id}"] = str(chosen.line.parts or PARTS[-1])
        return type("LinesForm", (cls,), fields)(data=shown)

    def chosen(self, line_id: int) -> tuple[str, int | None]:
        """What was chosen for a line: the way of payment, and the number of instalments."""
        payment = self[f"pagesa-{line_id}"].data
        return payment, int(self[f"keste-{line_id}"].data) if payment == INSTALMENTS else None


class _OneOf:
    def __init__(self, values):
        self.values = values

    def __call__(self, form, field):
        if field.data and field.data not in self.values:
            raise ValidationError(gettext("Zgjidhni mënyrën e pagesës."))


class _WithInstalments:
    def __init__(self, payment: str):
        self.payment = payment

    def __call__(self, form, field):
        if form[self.payment].data == INSTALMENTS and field.data not in {str(parts) for parts in PARTS}:
            raise ValidationError(gettext("Zgjidhni numrin e kësteve."))


class PlaceForm(ShopForm):
    key = HiddenField()
    seen = HiddenField()
    terms = BooleanField(lazy_gettext("Kushtet e shitjes"))

    def validate_terms(self, field):
        if not field.data:
            raise ValidationError(gettext("Për të porositur, pranoni kushtet e shitjes."))
