"""Choosing invoices to pay (PRO-7)."""

from wtforms import SelectMultipleField

from views.forms import ShopForm, lazy_gettext


class ChoiceForm(ShopForm):
    faturat = SelectMultipleField(lazy_gettext("Faturat"), validate_choice=False)
