"""Finding an order (ORD-2)."""

from wtforms import StringField

from views.forms import AtMost, EmailAddress, Required, ShopForm, lazy_gettext, tidy


class FindForm(ShopForm):
    number = StringField(
        lazy_gettext("Numri i porosisë"),
        [Required(lazy_gettext("Shkruani numrin e porosisë.")), AtMost(30)],
        filters=[tidy],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    email = StringField(
        lazy_gettext("E-posta e porosisë"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "email", "inputmode": "email"},
    )
