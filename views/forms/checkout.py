"""The steps of the checkout (CHK-1)."""

import re

from flask_babel import gettext
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from language import current
from models.calendar import WISHES, wish_hours
from models.instalments import PARTS
from models.payment_ways import CARD, INSTALMENTS
from models.places import municipalities, place_of, places
from models.points_choice import MemberPoints, PointsChanged, PointsChoice
from models.saved_address import SavedAddress
from views.club_words import plain_number, points_text
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
        render_kw={"autocomplete": "address-line1"},
    )
    place = SelectField(
        lazy_gettext("Vendbanimi"), [Required(lazy_gettext("Zgjidhni vendbanimin."))], validate_choice=False
    )
    postal_code = StringField(
        lazy_gettext("Kodi postar"),
        filters=[tidy],
        render_kw={"autocomplete": "postal-code", "inputmode": "numeric", "maxlength": 10},
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


def wish_choices() -> list[SelectChoice]:
    """The hours that a shopper may wish for, the first one being none of them."""
    return [SelectChoice("", gettext("Çdo orë"))] + [
        SelectChoice(wish, gettext("ora %(hours)s", hours=wish_hours(wish))) for wish in WISHES
    ]


class GiftFields(ShopForm):
    """The card of a gift."""

    gift_note = TextAreaField(
        lazy_gettext("Kartolina e dhuratës"),
        [AtMost(200)],
        filters=[tidy],
        render_kw={"autocomplete": "off", "rows": 2},
    )


class WishFields(ShopForm):
    """The hours that the shopper wishes for; the courier calls all the same (DLV-5)."""

    wish = RadioField(lazy_gettext("Kur ju përshtatet?"), validate_choice=False, choices=[], default="")

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.wish.choices = wish_choices()
        self.wish.data = self.wish.data or ""

    def validate_wish(self, field):
        if field.data and field.data not in WISHES:
            raise ValidationError(gettext("Zgjidhni njërën nga orët."))


# The choice of an address that is none of those that are kept.
ANOTHER = "tjeter"


class StepDeliveryForm(WishFields, GiftFields, DeliveryForm):
    """The step of the delivery: one of the kept addresses or another one, the hours, the card of a gift (CHK-2)."""

    adresa = RadioField(lazy_gettext("Adresa"), validate_choice=False, choices=[])
    ruaj = BooleanField(lazy_gettext("Ruaje këtë adresë te „Adresat e mia”"))

    # Those of the profile, and the one of them that is chosen.
    kept: list[SavedAddress] = ()
    address: SavedAddress | None = None

    def offer(self, kept: list[SavedAddress], checkout=None) -> None:
        """Show these addresses; the one where the order goes by `checkout` is chosen."""
        self.kept = [one for one in kept if one.is_deliverable]
        if checkout is not None and self.kept:
            typed = (checkout.street, checkout.place, checkout.municipality)
            same = (one for one in self.kept if (one.street, one.postal_code, one.municipality) == typed)
            found = next(same, None)
            self.adresa.data = str(found.id) if found is not None else ANOTHER
            if found is not None:
                # Another one begins empty.
                self.street.data = self.place.data = self.postal_code.data = self.municipality.data = ""

    def validate(self, extra_validators=None) -> bool:
        self.address = next((one for one in self.kept if str(one.id) == self.adresa.data), None)
        if self.address is not None:
            self.street.data, self.municipality.data = self.address.street, self.address.municipality
            self.place.data = self.postal_code.data = self.address.postal_code
        return super().validate(extra_validators)

    def validate_adresa(self, field):
        if self.kept and field.data and field.data != ANOTHER and self.address is None:
            # Removed in another tab a moment ago.
            raise ValidationError(gettext("Kjo adresë nuk është më te „Adresat e mia”. Zgjidhni një tjetër."))

    def delivery(self) -> dict[str, str]:
        """What was chosen and typed, as the checkout keeps it."""
        names = ("street", "municipality", "place", "postal_code", "recipient", "note", "gift_note", "wish")
        return {name: self[name].data or "" for name in names}


# Points as people type them: "3480", "3.480", "3 480".
_POINTS = re.compile(r"[0-9]{1,7}|[0-9]{1,3}(?:[. \u00a0][0-9]{3}){1,2}")


class PointsFields(ShopForm):
    """Points beside the card payment: whose, and how many (PAY-4). `choice` says what there is."""

    pike_te = RadioField(lazy_gettext("Pikët e kujt"), validate_choice=False, choices=[])
    pike = StringField(
        lazy_gettext("Sa pikë përdorni"),
        filters=[tidy],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 12},
    )

    choice: PointsChoice | None = None
    # What was typed, once it was checked: the membership, and how many of its points; none for 0.
    member: MemberPoints | None = None
    points = 0

    def offer(self, choice: PointsChoice, chosen=None) -> None:
        """Show what there is for this cart; with what `chosen`, a checkout, holds where nothing was sent."""
        self.choice = choice
        if chosen is not None:
            self.pike.data = str(chosen.points) if chosen.points else ""
            self.pike_te.data = str(chosen.points_of_id or "")
        if not self.pike_te.data:
            self.show_first()

    def show_first(self) -> None:
        """Where what is chosen is none of the profile's, show one that is."""
        if self.shown is None and self.choice.first is not None:
            self.pike_te.data = str(self.choice.first.id)

    @property
    def shown(self) -> MemberPoints | None:
        """The membership that is chosen on the page."""
        text = self.pike_te.data or ""
        return self.choice.of(int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else None

    @property
    def slid(self) -> int:
        """Where the slider stands for what is typed, right or wrong."""
        typed = re.sub(r"[^0-9]", "", self.pike.data or "")[:7]
        return min(int(typed or 0), self.shown.most)

    def use_all(self) -> None:
        """As many points as the cart takes of what the chosen membership has."""
        self.pike.data = str(self.shown.most) if self.shown is not None else ""

    def validate_pike(self, field):
        """Nothing typed is none used, and so is what is typed where nothing is paid by card."""
        text = field.data
        if self.choice is None or not self.choice.takes or not text or not text.strip("0"):
            return
        if not _POINTS.fullmatch(text):
            raise ValidationError(gettext("Shkruani një numër të plotë, p.sh. 500."))
        points = int(re.sub(r"[^0-9]", "", text))
        try:
            self.member = self.choice.check(self.shown and self.shown.id, points)
        except PointsChanged as changed:
            raise ValidationError(told_of_points(changed)) from None
        self.points = points

    def check_points(self) -> bool:
        """Check what was typed of points alone."""
        return self.pike.validate(self, [type(self).validate_pike])

    @property
    def worth(self) -> int:
        """What the points that were typed take off, in minor units; 0 where they cannot be used."""
        return self.choice.worth(self.points) if self.points else 0


def told_of_points(changed: PointsChanged) -> str:
    """Why points cannot be used as they were chosen, and how many can."""
    if changed.why == "too_few":
        if not changed.limit:
            return gettext("Nuk ka pikë që mund të përdoren.")
        return gettext("Nuk ka aq pikë: keni %(points)s.", points=points_text(changed.limit))
    if changed.why == "too_many":
        if not changed.limit:
            return gettext("Kjo porosi nuk paguhet me pikë.")
        return gettext("Kjo porosi merr më së shumti %(points)s.", points=points_text(changed.limit))
    return {
        "not_yours": gettext("Këto pikë nuk janë më në profilin tuaj. Zgjidhni të tjera."),
        "blocked": gettext("Këto pikë janë të bllokuara derisa të fitoni pikë përsëri."),
        "step": gettext("Shkruani një numër që pjesëtohet me %(step)s.", step=plain_number(changed.limit)),
        "worth": gettext("Vlera e pikëve ndryshoi. Shikoni shumën e re."),
    }[changed.why]


class PaymentForm(PointsFields):
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


class ContractPaymentForm(PointsFields):
    """How each contract's device is paid: `pagesa-<line>`, and with instalments `keste-<line>` (PAY-1, PAY-3)."""

    @classmethod
    def of(cls, offers, **formdata) -> "ContractPaymentForm":
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
        return type("LinesForm", (cls,), fields)(data=shown, **formdata)

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
