"""What is typed in the warehouse and at the door (DLV-3, DLV-5, DSK-2)."""

from flask_babel import gettext
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField

import language as languages
from delivery_mails import slot_text
from models.delivery import DOCUMENTS, REASONS
from views import desk_words
from views.forms import AtMost, PersonName, Required, ShopForm, lazy_gettext, tidy

# The choice of somebody who is not named for delivery.
OTHER = "tjeter"


def _choices(codes, words) -> list[tuple[str, str]]:
    named = [(code, str(words[code])) for code in codes]
    return [("", gettext("Zgjidhni")), *((code, name[:1].upper() + name[1:]) for code, name in named)]


class HandoverForm(ShopForm):
    """Order numbers, as a scanner sends or a hand types them."""

    numrat = TextAreaField(
        lazy_gettext("Numrat e porosive"),
        [Required(lazy_gettext("Skanoni ose shkruani së paku një numër.")), AtMost(8000)],
        render_kw={
            "rows": 6,
            "autofocus": True,
            "autocomplete": "off",
            "autocapitalize": "characters",
            "spellcheck": "false",
        },
    )


class DeliveredForm(ShopForm):
    """Who received it: one of `names`, who may, or somebody else with an authorisation."""

    pranuesi = RadioField(lazy_gettext("Kush e pranoi"), default="0", validate_choice=False)
    emri = StringField(lazy_gettext("Emri dhe mbiemri"), [AtMost(120), PersonName()], filters=[tidy])
    autorizimi = BooleanField(lazy_gettext("Tregoi autorizim të rregullt"))
    dokumenti = SelectField(lazy_gettext("Dokumenti i treguar"), validate_choice=False)
    perpjekja = HiddenField()

    def __init__(self, names: list[str], **values):
        super().__init__(**values)
        self.names = names
        self.dokumenti.choices = _choices(DOCUMENTS, desk_words.DOCUMENTS)

    @property
    def recipient(self) -> str:
        """The name of who received it; "" where nobody was said."""
        if self.pranuesi.data == OTHER:
            return self.emri.data or ""
        place = self.pranuesi.data or ""
        return self.names[int(place)] if place.isdecimal() and int(place) < len(self.names) else ""

    @property
    def authorised(self) -> bool:
        return self.pranuesi.data == OTHER and self.autorizimi.data


class FailedForm(ShopForm):
    """Why an attempt failed."""

    arsyeja = SelectField(lazy_gettext("Arsyeja"), validate_choice=False)
    shenimi = StringField(lazy_gettext("Shënimi"), [AtMost(200)], filters=[tidy])
    perpjekja = HiddenField()

    def __init__(self, **values):
        super().__init__(**values)
        self.arsyeja.choices = _choices(REASONS, desk_words.ATTEMPTS)


class TimeForm(ShopForm):
    """A day and a window of `slots`."""

    koha = SelectField(lazy_gettext("Dita dhe ora"), validate_choice=False)
    shenja = HiddenField()

    def __init__(self, slots, **values):
        super().__init__(**values)
        language = languages.current()
        self.koha.choices = [("", gettext("Zgjidhni")), *((slot.code, slot_text(slot, language)) for slot in slots)]
