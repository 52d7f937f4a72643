"""`flask privacy …`: what the shop keeps about a person (PRV-5)."""

import json
import sys

import click

from commands import connected
from models.base import utcnow


@click.group()
def privacy():
    """What the shop keeps about people."""


@privacy.command()
@click.argument("person")
@click.option("--authority", required=True, help="who asks for it")
@click.option("--reference", required=True, help="the number of the request")
@click.option("--ground", required=True, help="the law that the request stands on")
def export(person, authority, reference, ground):
    """Write all data of PERSON (an e-mail, a phone number or an order number) as JSON, for an authority.

    That it was done, for whom and why, is written to the audit trail first; where that is not possible, nothing is
    given.
    """
    from models.actor import SYSTEM
    from models.person_data import NobodyFound, disclose

    with connected():
        try:
            found = disclose(person, by=SYSTEM, authority=authority, reference=reference, ground=ground, now=utcnow())
        except NobodyFound as error:
            raise click.ClickException(f"Nothing is known of {person}.") from error
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    click.echo()
    count = sum(len(rows) for rows in found["tables"].values())
    click.echo(f"{count} rows of {len(found['tables'])} tables; recorded in the audit trail.", err=True)
