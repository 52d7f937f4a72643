"""`flask club news CODE`: tell members of a partner's offer, those alone who agreed to it (PRV-2)."""

import click

from commands import connected
from models.base import utcnow


@click.command()
@click.argument("offer_code")
def news(offer_code):
    """Write to the members who agreed to club news about the partner offer with this SMS code.

    A second time, only those who agreed since are written to.
    """
    from models.calendar import local_day
    from models.club_news import write_news
    from models.club_offer import PartnerOffer

    with connected():
        now = utcnow()
        offer = PartnerOffer.of_code(offer_code.upper(), local_day(now))
        if offer is None:
            raise click.ClickException(f"No offer has the code {offer_code!r} today.")
        done = 0
        for done in write_news(offer, now):
            click.echo(f"{done} …", err=True)
    click.echo(f"{offer.partner.name}: profiles with consent: {done}.")
