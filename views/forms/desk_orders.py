"""What an agent types: a search, who calls, what changes, a note, a reason (DSK-1, AFT-1, AFT-2)."""

import re
from datetime import date

import phonenumbers
from flask_babel import gettext
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

import config
from models.calendar import WISHES
from models.catalogue import LANGUAGES, Variant
from models.order import STATES, Order, OrderLine
from models.order_note import LONGEST
from models.order_search import LATE
from models.places import place_of
from models.trail import Step
from views.forms import (
    AtMost,
    EmailAddress,
    PhoneNumber,
    Required,
    ShopForm,
    ValidationError,
    as_typed,
    lazy_gettext,
    tidy,
)
from views.forms.checkout import DeliveryForm, GiftFields, wish_choices
from views.forms.numbers import digits_of
from views.templating import state_name

_QUIET = {"autocomplete": "off", "spellcheck": "false"}
_DAY = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})\.?")


class SearchForm(ShopForm):
    q = StringField(
        lazy_gettext("Numri i porosisë, telefoni, e-posta ose emri"),
        [AtMost(60)],
        filters=[tidy],
        render_kw={**_QUIET, "type": "search", "aria-keyshortcuts": "/"},
    )
    gjendja = SelectField(lazy_gettext("Gjendja"), validate_choice=False)
    nga = StringField(
        lazy_gettext("Nga data"), [AtMost(20)], filters=[tidy], render_kw={**_QUIET, "placeholder": "01.11.2026"}
    )

    # The day that `nga` means.
    since: date | None = None

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.gjendja.choices = [
            SelectChoice("", gettext("Të gjitha")),
            SelectChoice(LATE, gettext("Me vonesë")),
            *(SelectChoice(state, state_name(state)) for state in STATES),
        ]
        if self.gjendja.data not in {choice.value for choice in self.gjendja.choices}:
            self.gjendja.data = ""

    def validate_nga(self, field):
        if not field.data:
            return
        try:
            if found := _DAY.fullmatch(field.data.replace(" ", "")):
                day, month, year = map(int, found.groups())
                self.since = date(year + 2000 if year < 100 else year, month, day)
            else:
                self.since = date.fromisoformat(field.data)
            if not 2000 <= self.since.year <= 2100:
                raise ValueError(field.data)
        except ValueError:
            raise ValidationError(gettext("Shkruani datën, p.sh. 01.11.2026.")) from None


class CallerForm(ShopForm):
    """What the caller says: the order's number, and the holder's data or the contact's."""

    numri = StringField(
        lazy_gettext("Numri i porosisë që thotë klienti"),
        [Required(lazy_gettext("Shkruani numrin e porosisë.")), AtMost(30)],
        filters=[tidy],
        render_kw={**_QUIET, "autocapitalize": "characters"},
    )


class HolderForm(CallerForm):
    dokumenti = StringField(
        lazy_gettext("Numri amë, ose 6 shifrat e fundit të kartelës SIM"),
        [Required(lazy_gettext("Shkruani shifrat që thotë klienti.")), AtMost(30)],
        filters=[digits_of],
        render_kw={**_QUIET, "inputmode": "numeric"},
    )

    @property
    def said(self) -> dict[str, str]:
        text = self.dokumenti.data
        return {"sim_end": text} if len(text) <= 6 else {"id_number": text}


class ContactForm(CallerForm):
    email = StringField(
        lazy_gettext("E-posta e porosisë"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={**_QUIET, "type": "email", "inputmode": "email"},
    )
    telefoni = StringField(
        lazy_gettext("Telefoni i porosisë"),
        [Required(lazy_gettext("Shkruani telefonin për kontakt.")), AtMost(30)],
        filters=[tidy],
        render_kw={**_QUIET, "type": "tel", "inputmode": "tel"},
    )

    @property
    def said(self) -> dict[str, str]:
        return {"email": self.email.data, "phone": digits_e164(self.telefoni.data)}


def digits_e164(text: str) -> str:
    """The number that was typed as it is kept; only its digits where it is none."""
    try:
        number = phonenumbers.parse(text, config.COUNTRY)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", text)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


class ReasonForm(ShopForm):
    """Why, for the trail; and how far the trail went when the page was shown."""

    mark = HiddenField()
    arsyeja = StringField(
        lazy_gettext("Arsyeja"),
        [Required(lazy_gettext("Shkruani arsyen: hyn në gjurmë.")), AtMost(200)],
        filters=[tidy],
        render_kw={"autocomplete": "off", "placeholder": lazy_gettext("P.sh. klienti kërkoi me telefon")},
    )


class ChangeForm(ReasonForm, GiftFields, DeliveryForm):
    """Address, phone, note, wish, card and colours; `ngjyra-<line>` for each line that has a choice."""

    recipient = None
    wish = SelectField(lazy_gettext("Ora e dëshiruar"), validate_choice=False)
    phone = StringField(
        lazy_gettext("Telefoni për kontakt"),
        [Required(lazy_gettext("Shkruani telefonin për kontakt.")), AtMost(30), PhoneNumber()],
        filters=[tidy],
        render_kw={"type": "tel", "autocomplete": "off"},
    )

    # The order's own postal code: whichever of code and place was changed is what is meant.
    known_code = ""

    @classmethod
    def of(cls, order: Order, lines: list[int], **more) -> "ChangeForm":
        """For this order, with a colour for each of the lines of these ids."""
        fields = {
            f"ngjyra-{line}": RadioField(lazy_gettext("Ngjyra"), choices=[], validate_choice=False) for line in lines
        }
        form = type("ColoursForm", (cls,), fields)(**more)
        form.known_code = order.postal_code
        form.wish.choices = wish_choices()
        for name in ("street", "place", "postal_code", "municipality", "phone", "note"):
            form[name].render_kw = {**(form[name].render_kw or {}), "autocomplete": "off"}
        return form

    def validate_wish(self, field):
        if field.data and field.data not in WISHES:
            raise ValidationError(gettext("Zgjidhni njërën nga orët."))

    def validate_place(self, field):
        try:
            place_of(field.data or "")
        except KeyError:
            raise ValidationError(gettext("Zgjidhni vendbanimin.")) from None
        code = self.postal_code.data
        if code and field.data == self.known_code != code:
            # Only the code was typed anew: it says which place is meant.
            try:
                field.data = place_of(code).code
            except KeyError:
                raise ValidationError(gettext("Nuk ka vendbanim me kodin postar %(code)s.", code=code)) from None

    def validate_postal_code(self, field):
        if field.data == self.known_code:
            field.data = self.place.data
        super().validate_postal_code(field)

    def colours(self) -> dict[int, int]:
        """Line id → variant id, of the lines for which one was chosen."""
        chosen = {}
        for field in self:
            if field.name.startswith("ngjyra-") and (field.data or "").isdecimal() and len(field.data) <= 18:
                chosen[int(field.name.partition("-")[2])] = int(field.data)
        return chosen

    def take_in(self, steps: list[Step], order: Order, lines: list[OrderLine]) -> None:
        """What somebody else changed meanwhile, where nothing else was typed; what was typed stays."""
        before: dict = {}
        for step in steps:
            if step.what == "changed":
                # Of several changes the first says what the page had shown.
                before = step.before | before
        for name in ("street", "note", "municipality", "wish", "gift_note"):
            if before.get(name) == self[name].data:
                self[name].data = getattr(order, name)
        if before.get("postal_code") == self.place.data:
            self.place.data = self.postal_code.data = order.postal_code
        if before.get("phone") == self.phone_digits:
            self.phone.data = as_typed(order.phone)
        chosen = self.colours()
        variants = {variant.id: variant for variant in Variant.select().where(Variant.id.in_(list(chosen.values())))}
        for line in lines:
            variant = variants.get(chosen.get(line.id))
            was = before.get(f"colour:{line.position + 1}")
            if variant is not None and was == {code: variant.colour(code) for code in LANGUAGES}:
                self[f"ngjyra-{line.id}"].data = str(line.variant_id)


class NoteForm(ShopForm):
    celesi = HiddenField(validators=[AtMost(32)])
    shenimi = TextAreaField(
        lazy_gettext("Shënim i ri"),
        [Required(lazy_gettext("Shkruani shënimin.")), AtMost(LONGEST)],
        filters=[lambda text: (text or "").strip()],
        render_kw={"rows": 2},
    )
