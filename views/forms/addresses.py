"""An address that the profile keeps."""

from wtforms import BooleanField, StringField

from views.forms import AtMost, lazy_gettext, tidy
from views.forms.checkout import DeliveryForm


class AddressForm(DeliveryForm):
    # A place's name in the list carries its postal code.
    postal_code = None
    recipient = None
    note = None
    label = StringField(
        lazy_gettext("Si e quani këtë adresë"),
        [AtMost(40)],
        filters=[tidy],
        render_kw={"autocomplete": "off"},
    )
    first = BooleanField(lazy_gettext("Zgjidhe e para te çdo porosi"))

    def typed(self) -> dict:
        """What was typed, as `SavedAddress.keep` and `change` take it."""
        return {
            "street": self.street.data,
            "postal_code": self.place.data,
            "municipality": self.municipality.data,
            "label": self.label.data,
            "first": bool(self.first.data),
        }
