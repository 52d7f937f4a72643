"""Which number a contract is for: one of the profile's own, or a free one of the pool (CHK-1, OFF-6)."""

from flask_babel import gettext
from wtforms import HiddenField, StringField, ValidationError

from views.forms import AtMost, Required, ShopForm, lazy_gettext, tidy


class OwnNumberForm(ShopForm):
    linja = HiddenField()
    numri = StringField(lazy_gettext("Numri"), [Required(lazy_gettext("Zgjidhni një numër."))])
    # "kartele": one-off by card, where the rules leave just that (ELG-3).
    pagesa = HiddenField()

    def __init__(self, numbers, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self._numbers = {number.msisdn: number for number in numbers}

    def validate_numri(self, field):
        if field.data and field.data not in self._numbers:
            raise ValidationError(gettext("Zgjidhni një numër."))

    @property
    def number(self):
        return self._numbers[self.numri.data]


class NewNumberForm(ShopForm):
    linja = HiddenField()
    numri = StringField(lazy_gettext("Numri"), [Required(lazy_gettext("Zgjidhni një numër."))])


class DigitsForm(ShopForm):
    """What somebody would like to see in a number."""

    shifra = StringField(
        lazy_gettext("Kërkoni shifra që ju pëlqejnë"),
        [AtMost(12)],
        filters=[tidy],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )

    def validate_shifra(self, field):
        if field.data and not all(character.isdecimal() or character == " " for character in field.data):
            raise ValidationError(gettext("Shkruani vetëm shifra, p.sh. 27."))
