"""What a shopper reads for each reason of eligibility: the fact, and what to do next (ELG-1…5)."""

from dataclasses import dataclass
from functools import singledispatch

from flask import url_for
from flask_babel import gettext, ngettext

import config
from models.calendar import local_day
from models.cart import Chosen
from models.eligibility import (
    ContractRunning,
    Debt,
    DebtJustPaid,
    InCart,
    InOpenOrder,
    InstalmentsRunning,
    NewSubscriber,
    Reason,
)
from views.templating import day_text, den, moment, phone_text


@dataclass(frozen=True, slots=True)
class Told:
    """One reason in words. `short` stands beside the number in a list."""

    kind: str
    title: str
    short: str
    facts: tuple[str, ...]
    todo: str
    action: str = ""
    url: str = ""
    # Parts paid and parts in all, for a bar.
    progress: tuple[int, int] | None = None


def told(reason: Reason, chosen: Chosen) -> Told:
    """`reason` against the contract of the line `chosen`, in the language of the page."""
    return _told(reason, chosen)


@singledispatch
def _told(reason, chosen):
    raise TypeError(f"nobody can be told of {reason!r}")


@_told.register
def _of_debt(reason: Debt, chosen):
    amount = den(reason.amount)
    return Told(
        reason.kind,
        gettext("Keni borxh të papaguar: %(amount)s", amount=amount),
        gettext("Borxh i papaguar: %(amount)s", amount=amount),
        tuple(
            gettext(
                "Fatura %(number)s, me afat %(day)s: %(amount)s",
                number=invoice.number,
                day=day_text(invoice.due_on),
                amount=den(invoice.amount),
            )
            for invoice in reason.invoices
        ),
        ngettext(
            "paguajeni onlajn. Pagesa me kartelë regjistrohet menjëherë dhe porosia hapet %(hours)d orë pas saj.",
            "paguajini onlajn. Pagesa me kartelë regjistrohet menjëherë dhe porosia hapet %(hours)d orë pas saj.",
            len(reason.invoices),
            hours=config.DEBT_WAIT_ONLINE_HOURS,
        ),
        gettext("Paguaj %(amount)s", amount=amount),
        url_for("bills.show"),
    )


@_told.register
def _of_debt_just_paid(reason: DebtJustPaid, chosen):
    hours = config.DEBT_WAIT_ONLINE_HOURS if reason.payment.online else config.DEBT_WAIT_HOURS
    when = moment(reason.possible_from)
    return Told(
        reason.kind,
        gettext("Nuk kanë kaluar %(hours)d orë nga pagesa e borxhit", hours=hours),
        gettext("Mund të porosisni pas %(moment)s", moment=when),
        (
            gettext("Borxhi u pagua onlajn më %(moment)s.", moment=moment(reason.payment.paid_at))
            if reason.payment.online
            else gettext("Borxhi u pagua më %(moment)s.", moment=moment(reason.payment.paid_at)),
        ),
        gettext("provoni përsëri pas %(moment)s.", moment=when),
    )


@_told.register
def _of_instalments_running(reason: InstalmentsRunning, chosen):
    contract = reason.contract
    left = contract.instalments_left
    return Told(
        reason.kind,
        gettext("Nuk janë paguar %(share)d%% e kësteve të pajisjes së mëparshme", share=config.INSTALMENTS_SHARE),
        gettext("Pa këste: pajisja e mëparshme është paguar %(percent)d%%", percent=contract.paid_percent),
        (
            ngettext(
                "Në numrin %(number)s keni paguar %(percent)d%% të pajisjes. Duhet edhe %(num)d këst.",
                "Në numrin %(number)s keni paguar %(percent)d%% të pajisjes. Duhen edhe %(num)d këste.",
                left,
                number=phone_text(contract.number),
                percent=contract.paid_percent,
            ),
        ),
        gettext(
            "paguajeni pajisjen njëfish me kartelë, %(amount)s, në tarifën që zgjodhët.",
            amount=den(chosen.total),
        ),
        progress=(contract.paid_percent, config.INSTALMENTS_SHARE),
    )


@_told.register
def _of_new_subscriber(reason: NewSubscriber, chosen):
    day = day_text(local_day(reason.possible_from))
    return Told(
        reason.kind,
        gettext("Jeni abonent më pak se %(months)d muaj", months=config.SUBSCRIBER_MONTHS),
        gettext("Mund të porosisni nga %(day)s", day=day),
        (gettext("Abonimi juaj ka filluar më %(day)s.", day=day_text(reason.since)),),
        gettext(
            "mund të porosisni me kontratë nga %(day)s. Deri atëherë pajisjen mund ta blini pa kontratë.", day=day
        ),
        gettext("Bli vetëm pajisjen"),
        _device(chosen),
    )


@_told.register
def _of_contract_running(reason: ContractRunning, chosen):
    day = day_text(reason.contract.ends_on)
    return Told(
        reason.kind,
        gettext("Ky numër ka tashmë një pajisje me Besnik 24"),
        gettext("Besnik 24 deri më %(day)s", day=day),
        (gettext("Kontrata e tanishme mbaron më %(day)s.", day=day),),
        gettext("zgjidhni numër tjetër, ose blini vetëm pajisjen, pa kontratë."),
        gettext("Bli vetëm pajisjen"),
        _device(chosen),
    )


@_told.register
def _of_in_open_order(reason: InOpenOrder, chosen):
    return Told(
        reason.kind,
        gettext("Për këtë numër ka një porosi të hapur me Besnik 24"),
        gettext("Ka një porosi të hapur"),
        (gettext("Një numër merr një pajisje me Besnik 24."),),
        gettext("zgjidhni numër tjetër, ose shihni porosinë te „Porositë e mia”."),
        gettext("Porositë e mia"),
        url_for("orders.mine"),
    )


@_told.register
def _of_in_cart(reason: InCart, chosen):
    return Told(
        reason.kind,
        gettext("Ky numër ka një pajisje me Besnik 24 në shportë"),
        gettext("Është zgjedhur për një pajisje tjetër në shportë"),
        (gettext("Një numër merr një pajisje me Besnik 24."),),
        gettext("zgjidhni numër tjetër, ose hiqeni pajisjen tjetër nga shporta."),
        gettext("Shporta"),
        url_for("cart.show"),
    )


def _device(chosen: Chosen) -> str:
    return url_for(
        "device.show",
        slug=chosen.device.slug,
        ngjyra=chosen.variant.colour_code,
        memoria=chosen.variant.storage_gb,
    )
