"""What a shopper changes of an order: address, phone, note and colours until dispatch, and when it comes (AFT-1)."""

from flask_babel import gettext
from wtforms import HiddenField, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from language import current
from models.delivery import NotOffered, Slot
from models.order import Order, OrderLine
from models.order_change import CARD_CHANGEABLE, CHANGEABLE, Wanted, colours_of_all
from views.forms import AtMost, PhoneNumber, Required, ShopForm, as_typed, lazy_gettext, tidy
from views.forms.checkout import DeliveryForm, GiftFields, WishFields

# Why an order is cancelled: the code that is kept → its words.
REASONS = {
    "changed_mind": lazy_gettext("Ndërrova mendje"),
    "found_elsewhere": lazy_gettext("E gjeta diku tjetër"),
    "too_slow": lazy_gettext("Po vonohet"),
    "ordered_wrong": lazy_gettext("Porosita gabim"),
    "no_reason": lazy_gettext("Nuk dua ta them arsyen"),
}


class PartForm(ShopForm):
    """A part of the order that is changed by itself; `part` is the form's name for it."""

    part = ""
    phone_digits = ""

    def changed(self) -> dict:
        """What of the order is wanted otherwise, as `Wanted` names it."""
        raise NotImplementedError

    def wanted(self, order: Order) -> Wanted:
        return Wanted.of(order, **self.changed())


class AddressForm(PartForm, DeliveryForm):
    part = "adresa"
    # A place's name in the list carries its postal code.
    postal_code = None
    recipient = None
    note = None

    def changed(self) -> dict:
        return {
            "street": self.street.data,
            "postal_code": self.place.data,
            "municipality": self.municipality.data,
        }


class PhoneForm(PartForm):
    part = "telefoni"
    phone = StringField(
        lazy_gettext("Telefoni i ri"),
        [Required(lazy_gettext("Shkruani telefonin për kontakt.")), AtMost(30), PhoneNumber()],
        filters=[tidy],
        render_kw={"type": "tel", "autocomplete": "tel"},
    )

    def changed(self) -> dict:
        return {"phone": self.phone_digits}


class NoteForm(PartForm):
    part = "shenimi"
    note = StringField(lazy_gettext("Shënim për korrierin"), [AtMost(200)], filters=[tidy])

    def changed(self) -> dict:
        return {"note": self.note.data}


class WishForm(PartForm, WishFields):
    part = "ora"

    def changed(self) -> dict:
        return {"wish": self.wish.data}


class GiftForm(PartForm, GiftFields):
    part = "dhurata"

    def changed(self) -> dict:
        return {"gift_note": self.gift_note.data}


class ColourForm(PartForm):
    """The colours that a line may become; `line` is the order's."""

    ngjyra = RadioField(lazy_gettext("Ngjyra"), choices=[], validate_choice=False)

    def show(self, line: OrderLine, colours) -> "ColourForm":
        self.line, self.colours = line, colours
        self.part = f"ngjyra-{line.id}"
        self.ngjyra.choices = [SelectChoice(str(variant.id), variant.colour(current())) for variant in self.colours]
        return self

    @property
    def others(self) -> list[str]:
        """The names of the colours that it may become."""
        return [variant.colour(current()) for variant in self.colours if variant.id != self.line.variant_id]

    @property
    def own_hex(self) -> str:
        return next((variant.colour_hex for variant in self.colours if variant.id == self.line.variant_id), "")

    def validate_ngjyra(self, field):
        if field.data not in {str(variant.id) for variant in self.colours}:
            raise ValidationError(gettext("Zgjidhni një nga ngjyrat në gjendje."))

    def changed(self) -> dict:
        return {"colours": {self.line.id: int(self.ngjyra.data)}}


class ChangeForms:
    """The forms of all that may still change of an order; none after dispatch."""

    def __init__(self, order: Order, lines: list[OrderLine], sent=None):
        """`sent` is what was sent of one of them, or None."""
        self.address = self.phone = self.note = self.wish = self.gift = None
        self.colours: list[ColourForm] = []
        self.sent: PartForm | None = None
        part = sent.get("cka", "") if sent is not None else ""
        if order.state not in CHANGEABLE:
            return

        def given(form: type[PartForm], name: str):
            return sent if part == name else None

        known = {"street": order.street, "place": order.postal_code, "municipality": order.municipality}
        self.address = AddressForm(formdata=given(AddressForm, AddressForm.part), data=known)
        self.phone = PhoneForm(formdata=given(PhoneForm, PhoneForm.part), data={"phone": as_typed(order.phone)})
        self.note = NoteForm(formdata=given(NoteForm, NoteForm.part), data={"note": order.note})
        self.wish = WishForm(formdata=given(WishForm, WishForm.part), data={"wish": order.wish})
        if order.state in CARD_CHANGEABLE or part == GiftForm.part:
            self.gift = GiftForm(formdata=given(GiftForm, GiftForm.part), data={"gift_note": order.gift_note})
        colours = colours_of_all(lines)
        for line in lines:
            form = ColourForm(
                formdata=given(ColourForm, f"ngjyra-{line.id}"),
                data={"ngjyra": str(line.variant_id)},
                prefix=f"l{line.id}-",
            ).show(line, colours[line.id])
            if form.others or form.part == part:
                self.colours.append(form)
        self.sent = next((form for form in self.all() if form.part == part), None)

    def all(self) -> list[PartForm]:
        if self.address is None:
            return []
        return [form for form in (self.address, self.phone, self.note, self.wish, self.gift) if form] + self.colours


class CancelForm(ShopForm):
    arsyeja = SelectField(
        lazy_gettext("Pse e anuloni?"),
        [Required(lazy_gettext("Zgjidhni arsyen."))],
        validate_choice=False,
    )
    shenja = HiddenField()

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.arsyeja.choices = [SelectChoice("", gettext("Zgjidhni arsyen"))] + [
            SelectChoice(code, str(words)) for code, words in REASONS.items()
        ]

    def validate_arsyeja(self, field):
        if field.data and field.data not in REASONS:
            raise ValidationError(gettext("Zgjidhni arsyen."))


class TimeForm(ShopForm):
    """When the courier comes again; `slots` are the times that are offered (DLV-5)."""

    koha = RadioField(
        lazy_gettext("Dita dhe ora"),
        [Required(lazy_gettext("Zgjidhni ditën dhe orën."))],
        choices=[],
        validate_choice=False,
        # Not the name: the part of the order's page that a link from outside leads to is called so.
        id="termini",
    )
    shenja = HiddenField()

    @property
    def slot(self) -> Slot | None:
        """The time that was chosen; None where it is none."""
        try:
            return Slot.read(self.koha.data or "")
        except NotOffered:
            return None

    def validate_koha(self, field):
        if field.data and self.slot is None:
            raise ValidationError(gettext("Kjo kohë nuk ofrohet më. Zgjidhni një tjetër."))
