"""`flask club …`: rates, offers and gifts, members, what they earned, and the books (docs/club.md)."""

import sys
from contextlib import contextmanager
from math import inf

import click
from peewee import DatabaseError

import language as languages
from commands import connected
from commands.club_news import news
from models.base import utcnow
from models.calendar import local_day
from models.sheet import BadLines, Unreadable


@click.group()
def club():
    """The points club."""


club.add_command(news)


# Lists


@club.command()
@click.argument("file")
def rates(file):
    """Take rates and tables from FILE: name, key, since, value. Each counts from its day on."""
    from models.club_lists import RateList

    _load(RateList(file), "rates")


@club.command()
@click.argument("file")
def offers(file):
    """Take partners and their offers from FILE."""
    from models.club_lists import OfferList

    _load(OfferList(file), "offers")


@club.command()
@click.argument("file")
@click.option("--count", is_flag=True, help="The pieces in FILE were counted: set the stock of known gifts, too.")
def gifts(file, count):
    """Take the gifts of the shops from FILE."""
    from models.club_lists import GiftList

    _load(GiftList(file, count), "gifts")


def _load(table, what):
    with _told_clearly():
        count = table.load(local_day(utcnow()))
    click.echo(f"{count} {what} new or changed." if count else f"The {what} are up to date.")


# Members


@club.command()
@click.argument("msisdn")
@click.option("--language", type=click.Choice(list(languages.LOCALES)), default=languages.DEFAULT, show_default=True)
def join(msisdn, language):
    """Take the number MSISDN into the club, with its welcome points; it earns from the 1st of the next month."""
    from models.club_member import AlreadyMember, ClubMember
    from models.number import Number

    with _told_clearly():
        number = Number.of_msisdn(msisdn)
        if number is None:
            raise click.ClickException("There is no such number in use; write it with its country code, 38970123456.")
        try:
            member = ClubMember.join_number(number, utcnow(), language=language)
        except AlreadyMember:
            raise click.ClickException("The number is in the club already.") from None
    click.echo(f"Welcome points: {member.balance}. It earns points from {member.earns_from} on.")


# Earning


@club.command()
@click.argument("month")
@click.argument("file")
def credit(month, file):
    """Credit what members spent in MONTH (2026-02): FILE has a line for each number: msisdn, amount.

    Members without a line spent nothing. It may be run again for any month, also after it was killed: nothing is
    credited twice. Lines of which something else was credited before are named, change nothing, and make the exit
    code 1.
    """
    from models.bss_columns import SPENDINGS
    from models.club_lists import SpendingList
    from models.club_month import NotOver

    try:
        SPENDINGS["month"][0](month)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="MONTH") from None
    with _told_clearly(), _bar("Members") as progress:
        try:
            count = SpendingList(file).credit(month, utcnow(), progress)
        except NotOver:
            raise click.ClickException(f"{month} is not over yet.") from None
    from models.money import MINOR

    for line, kept in count.differ:
        click.echo(f"{file}:{line}: amount: {kept / MINOR:.2f} was credited before, and stays", err=True)
    told = f"{count.credited} members have {count.points} points, {count.idle} none"
    told += f", {count.unchanged} were credited before; {count.blocked} are blocked now."
    click.echo(told + (f" {count.strangers} lines are of no member that earns." if count.strangers else ""))
    if count.differ:
        raise SystemExit(1)


@club.command()
@click.argument("file")
def topups(file):
    """Credit top-ups of fixed services from FILE: reference, service, topped_up_at, package."""
    from models.club_lists import TopupList

    with _told_clearly(), _bar("Top-ups") as progress:
        count = TopupList(file).credit(utcnow(), progress)
    for bad in count.refused:
        click.echo(f"{file}:{bad}", err=True)
    told = f"{count.credited} top-ups gave {count.points} points, {count.without} none"
    click.echo(f"{told}, {count.unchanged} were credited before.")
    if count.refused:
        raise SystemExit(1)


# Time; the worker does these by itself


@club.command()
def lapse():
    """End points whose last day is over."""
    from models.club_ledger import lapse_all_due

    with _told_clearly(), _counted("members") as progress:
        count = lapse_all_due(utcnow(), progress, within=inf)
    click.echo(f"Points of {count} members lapsed.")


@club.command()
def notices():
    """Tell members which points lapse soon; in the daytime alone."""
    from models.calendar import HOURS
    from models.club_notice import ClubNotice

    with _told_clearly(), _counted("notices") as progress:
        count = ClubNotice.tell_all_due(utcnow(), progress, within=inf)
    click.echo(f"{count} notices are written. They go out from {HOURS.start}:00 to {HOURS.stop}:00.")


@club.command()
def block():
    """Block fixed services that were not topped up for some months, and follow changes of tariff and holder."""
    from models.club_member import ClubMember
    from models.club_month import block_all_due

    with _told_clearly():
        followed = ClubMember.follow_all_services(utcnow(), within=inf)
        blocked = block_all_due(utcnow(), within=inf)
    click.echo(f"{blocked} members are blocked now; {followed} changed their tariff or holder.")


@club.command()
def audit():
    """Work the books out anew; a line and the exit code 1 where something does not add up."""
    from models.club_ledger import audit as differences

    found = 0
    with _told_clearly():
        for difference in differences():
            found += 1
            click.echo(difference, err=True)
    if found:
        raise click.ClickException(f"{found} differences.")
    click.echo("The books add up.")


@contextmanager
def _bar(label):
    with click.progressbar(length=1000, label=label) as bar:
        yield lambda share: bar.update(round(share * 1000) - bar.pos)


@contextmanager
def _counted(what):
    """How many there are is not known before: a line that counts up, on a terminal alone."""
    shown = sys.stderr.isatty()
    yield lambda count: shown and click.echo(f"\r{count} {what}", nl=False, err=True)
    if shown:
        click.echo("\r", nl=False, err=True)


@contextmanager
def _told_clearly():
    """The database open; what a person at the keyboard can do something about is a message, no traceback."""
    try:
        with connected():
            yield
    except Unreadable as error:
        raise click.ClickException(str(error)) from None
    except BadLines as error:
        for bad in error.first:
            click.echo(f"{error.file}:{bad}", err=True)
        if error.count > len(error.first):
            click.echo(f"and {error.count - len(error.first):,} more", err=True)
        raise click.ClickException("Nothing was changed.") from None
    except DatabaseError as error:
        # Its further lines would quote the row.
        raise click.ClickException(
            f"The database says: {str(error).partition(chr(10))[0]}. What was done before stays; run it again."
        ) from None
