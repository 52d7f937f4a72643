"""Whom to tell when a device is back, or costs less."""

from wtforms import StringField

from views.forms import AtMost, EmailAddress, Required, ShopForm, lazy_gettext, tidy


class WatchForm(ShopForm):
    """A guest's mailbox; a profile's is known."""

    email = StringField(
        lazy_gettext("E-posta"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "email", "inputmode": "email"},
    )
