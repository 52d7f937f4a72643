"""What who pays for somebody else may type."""

from wtforms import StringField

from views.forms import AtMost, EmailAddress, Required, ShopForm, lazy_gettext, tidy


class ReceiptForm(ShopForm):
    email = StringField(
        lazy_gettext("E-posta juaj"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254), EmailAddress()],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "email", "inputmode": "email"},
    )
