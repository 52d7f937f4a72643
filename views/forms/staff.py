"""What is typed to get to work, and about who works here (DSK-5)."""

from flask_babel import gettext
from wtforms import SelectField, StringField

from models.club_offer import Partner
from models.staff import ROLES
from views.forms import AtMost, Required, ShopForm, ValidationError, lazy_gettext, tidy
from views.trail_words import role_name


class FactorForm(ShopForm):
    """Its field has a name that no page of the desk has, for what another form sent may go along."""

    kodi_im = StringField(
        lazy_gettext("Kodi me 6 shifra"),
        [Required(lazy_gettext("Shkruani kodin nga aplikacioni.")), AtMost(40)],
        filters=[tidy],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    )


class RoleForm(ShopForm):
    """Which role, for a partner which one, and why: it stands in the trail."""

    roli = SelectField(lazy_gettext("Roli"), [Required(lazy_gettext("Zgjidhni rolin."))])
    partneri = SelectField(lazy_gettext("Partneri"))
    arsyeja = StringField(lazy_gettext("Arsyeja"), [AtMost(200)], filters=[tidy], render_kw={"autocomplete": "off"})

    def __init__(self, *arguments, **values):
        super().__init__(*arguments, **values)
        self.roli.choices = [("", gettext("Zgjidhni…")), *((role, role_name(role)) for role in ROLES)]
        partners = Partner.select().order_by(Partner.name)
        self.partneri.choices = [("", gettext("Asnjë")), *((partner.code, partner.name) for partner in partners)]

    def validate_partneri(self, field):
        if self.roli.data == "partner" and not field.data:
            raise ValidationError(gettext("Zgjidhni partnerin, kodet e të cilit i kontrollon."))

    @property
    def partner(self) -> Partner | None:
        """The partner, where the role has one: another role's choice of it does not count."""
        return Partner.get(Partner.code == self.partneri.data) if self.roli.data == "partner" else None


class NewStaffForm(RoleForm):
    e_posta = StringField(
        lazy_gettext("E-posta e profilit"),
        [Required(lazy_gettext("Shkruani e-postën.")), AtMost(254)],
        filters=[tidy],
        render_kw={"type": "email", "autocomplete": "off", "inputmode": "email"},
    )


class WhyForm(ShopForm):
    arsyeja = StringField(lazy_gettext("Arsyeja"), [AtMost(200)], filters=[tidy], render_kw={"autocomplete": "off"})
