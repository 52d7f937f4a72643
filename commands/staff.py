"""`flask staff …`: who works for the shop, and for the club's partners (docs/desk.md, DSK-5)."""

import click

from commands import connected
from models.base import utcnow

LAST_ADMIN = "Nobody would be left who can give roles; make somebody else admin first."


@click.group()
def staff():
    """Who works for the shop."""


@staff.command()
@click.argument("email")
@click.argument("role")
@click.option("--partner", "code", default="", help="code of the partner that the role `partner` works for")
def add(email, role, code):
    """Give the profile EMAIL the role ROLE, instead of the one it had."""
    from models.club_offer import Partner
    from models.staff import ROLES, LastAdmin, NoSuchRole, NotVerified, Staff

    with connected():
        profile = _profile(email)
        partner = Partner.get_or_none(Partner.code == code) if code else None
        if code and partner is None:
            known = ", ".join(code for (code,) in Partner.select(Partner.code).order_by(Partner.code).tuples())
            raise click.ClickException(f"There is no partner {code}; there are: {known or 'none'}.")
        try:
            Staff.add(profile, role, utcnow(), partner)
        except NoSuchRole as error:
            if role in ROLES:
                raise click.ClickException("The role partner, and it alone, needs --partner CODE.") from error
            raise click.ClickException(f"There is no role {role}; there are: {', '.join(ROLES)}.") from error
        except NotVerified as error:
            raise click.ClickException(f"Nobody has confirmed the e-mail {email} yet.") from error
        except LastAdmin as error:
            raise click.ClickException(LAST_ADMIN) from error
    click.echo(f"{profile.email} is {role}{f' of {partner.name}' if partner else ''}.")


@staff.command("list")
def list_staff():
    """List everybody: role, e-mail, partner and since when (UTC)."""
    from models.staff import Staff

    with connected():
        for row in Staff.everybody():
            partner = row.partner.code if row.partner else "-"
            click.echo(f"{row.role}  {row.profile.email}  {partner}  {row.since:%Y-%m-%d %H:%M}")


@staff.command()
@click.argument("email")
def remove(email):
    """Take the role of the profile EMAIL away; its pages are closed with its next click."""
    from models.staff import LastAdmin, Staff

    with connected():
        try:
            if not Staff.remove(_profile(email), utcnow()):
                raise click.ClickException(f"{email} has no role.")
        except LastAdmin as error:
            raise click.ClickException(LAST_ADMIN) from error
    click.echo(f"{email} has no role any more.")


@staff.command("reset-second-factor")
@click.argument("email")
@click.option("--why", default="", help="what the trail says beside it")
def reset_second_factor(email, why):
    """Forget the app and the recovery codes of the profile EMAIL: it connects another app when it logs in next."""
    from models.actor import SYSTEM
    from models.second_factor import SecondFactor

    with connected():
        if not SecondFactor.reset(_profile(email), SYSTEM, utcnow(), why):
            raise click.ClickException(f"{email} has no app connected.")
    click.echo(f"{email} connects another app with the next login.")


def _profile(email: str):
    from models.profile import Profile

    profile = Profile.of_email(email)
    if profile is None:
        raise click.ClickException(f"There is no profile {email}.")
    return profile
