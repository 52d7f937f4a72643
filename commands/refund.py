"""`flask refund …`: money that is on its way back to a card (docs/bank.md)."""

import click

from commands import connected
from models.base import utcnow


@click.group()
def refund():
    """Money that goes back to cards."""


@refund.command("list")
def list_refunds():
    """List the refunds whose money is not back yet: id, order, minor units, tries, next try and reason.

    `refused` ones wait for `flask refund retry`."""
    from models.payment import Refund

    with connected():
        for row in Refund.open():
            next_try = f"{row.try_at:%Y-%m-%d %H:%M} UTC" if row.state == "due" else "by hand"
            click.echo(
                f"{row.id}  {row.payment.purpose.number}  {row.amount}  {row.state}  tries {row.tries}"
                f"  next {next_try}  {row.reason or '-'}"
            )


@refund.command()
@click.argument("which", metavar="NUMBER|ID")
def retry(which):
    """Try a refund now: by its id, or those of an order or a payment of invoices by its number.

    The bank's books are asked first, so that nothing is given back twice.
    """
    from models.payment import Refund

    with connected():
        found = [row for row in Refund.open() if which in (str(row.id), row.payment.purpose.number)]
        if not found:
            raise click.ClickException(f"There is no refund {which} whose money is not back yet.")
        stuck = False
        for row in found:
            now = utcnow()
            held = Refund.claim_now(row.id, now)
            if held is None:
                click.echo(f"Refund {row.id} is being tried, or is done.")
            elif held.carry_out(now) == "done":
                click.echo(f"Refund {row.id} is done.")
            else:
                stuck = True
                click.echo(f"Refund {row.id} stays due: {held.reason}", err=True)
    if stuck:
        raise SystemExit(1)
