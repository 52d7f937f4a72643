"""What each document says, in its order's language (DLV-4, LOC-1).

`facts_of_…` gathers what a document is made from, as plain values that JSON keeps; `compose` turns them into words
and blocks, which `documents.sheet` draws. Only the first asks the database. What was composed is kept with the
document: a new wording or price list changes no paper that somebody signed.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from itertools import groupby

import config
import mails
from mails import clean
from models.catalogue import CONTRACT_MONTHS
from models.claim import Claim
from models.money import money
from models.order import Order, OrderLine
from models.order_points import OrderPoints
from models.payment_ways import CARD, FIRST_BILL
from models.places import municipality_of
from models.quote import quote, together
from models.signers import number_of
from views.templating import phone_text

# Of an order in these states all the money goes back.
ENDED = frozenset({"cancelled", "returned"})

# Facts


def facts_of_order(order: Order) -> dict:
    """What confirmation and receipt form are made from (DLV-3); three queries at most."""
    lines = order.lines()
    points = OrderPoints.of(order) if order.points else None
    return _of_everybody(order) | {
        "first_name": clean(order.first_name),
        "last_name": clean(order.last_name),
        "email": clean(order.email),
        "phone": order.phone,
        "address": clean(order.address_in(order.language)),
        "municipality": _municipality(order),
        "note": clean(order.note),
        "receiver": clean(order.receiver),
        "holder_only": order.points > 0 or any(line.contract_type == "besnik24" for line in lines),
        "promised_on": order.promised_on.isoformat(),
        "total": order.total,
        "due_now": order.due_now,
        "points": order.points,
        "points_worth": order.points_worth,
        "points_of": points.service_code if points else "",
        "lines": [_line(line, order.language) for line in lines],
    }


def facts_of_contract(order: Order, line: OrderLine) -> dict:
    """What the contract of one line is made from: who signs it, the device, the tariff, what is paid when."""
    found = number_of(order, line)
    signer = order.full_name
    if line.contract_type == "besnik24":
        # The number may have become somebody else's: who signs is who it was placed with (DLV-3).
        signer = found.holder.name if found else order.receiver
    return _of_everybody(order) | {
        "signer": clean(signer),
        "subscriber": clean(found.subscriber.code) if found else "",
        "email": clean(order.email),
        "phone": order.phone,
        "line": _line(line, order.language),
    }


def facts_of_refund(order: Order, refund) -> dict:
    """What the note of a refund that went back is made from (PAY-9)."""
    payment = refund.payment
    # A surplus payment was needed by no order; others go back because their order ended, or some lines of it.
    why, returned = "surplus", []
    if payment.state == "paid" and order.state in ENDED:
        why, returned = order.state, order.lines()
    elif payment.state == "paid":
        claim = Claim.returned_of(order)
        why, returned = "withdrawal", claim.lines_of() if claim else []
    points = OrderPoints.of(order) if order.points and why in ENDED else None
    return _of_everybody(order) | {
        "name": clean(order.full_name),
        "email": clean(order.email),
        "why": why,
        "amount": refund.amount,
        "of": payment.amount,
        "paid_at": _iso(payment.settled_at or payment.started_at),
        "oid": payment.oid,
        "auth_code": clean(payment.auth_code),
        "asked_at": _iso(refund.begun_at),
        "done_at": _iso(refund.done_at),
        "points": points.points if points and points.state == "returned" else 0,
        "points_of": points.service_code if points else "",
        "lines": [_line(line, order.language) for line in returned],
    }


def _of_everybody(order: Order) -> dict:
    return {
        "number": order.number,
        "language": order.language,
        "placed_at": _iso(order.placed_at),
        "terms_edition": order.terms_edition,
        "shop": config.BRAND,
        "shop_phone": config.CONTACT_PHONE,
        "shop_email": config.CONTACT_EMAIL,
        "company": config.FACE.company.lines(order.language),
    }


def _line(line: OrderLine, language: str) -> dict:
    gift = line.gift or {}
    return {
        "position": line.position + 1,
        "device": clean(line.title(language)),
        "colour": clean(line.colour(language)),
        "sku": line.sku,
        "quantity": line.quantity,
        "price": line.price,
        "gift": clean(gift.get(language) or gift.get("sq") or ""),
        "contract_type": line.contract_type,
        "tariff": clean(line.tariff["name"]) if line.tariff else "",
        "monthly": line.tariff["monthly_price"] if line.tariff else None,
        "msisdn": line.msisdn,
        "payment": line.payment,
        "parts": line.parts,
    }


def _municipality(order: Order) -> str:
    with suppress(KeyError):
        return clean(municipality_of(order.municipality).name(order.language))
    return clean(order.municipality)


def _iso(at: datetime) -> str:
    return at.isoformat()


# Words


def compose(kind: str, facts: dict, issue: int, issued_at: datetime) -> dict:
    """The document's words and blocks; pure, but for the words' catalogue."""
    paper = _Paper(facts, issue, issued_at)
    return _COMPOSED[kind](paper)


class _Paper:
    """One document in the making: its facts and its language."""

    def __init__(self, facts: dict, issue: int, issued_at: datetime):
        self.facts, self.issue, self.issued_at = facts, issue, issued_at
        self.language = facts["language"]
        self.gettext = mails.words(self.language).gettext

    def den(self, amount: int) -> str:
        return money(amount, self.language)

    def points(self, count: int) -> str:
        return mails.points_text(count, self.language)

    def moment(self, text: str) -> str:
        return mails.moment(datetime.fromisoformat(text), self.language)

    def content(self, title: str, lead: str, blocks: list) -> dict:
        _, facts = self.gettext, self.facts
        about = [_("Lëshuar më %(moment)s") % {"moment": mails.moment(self.issued_at, self.language)}]
        if self.issue > 1:
            about.append(_("Botimi %(num)d, zëvendëson të mëparshmin") % {"num": self.issue})
        return {
            "title": title,
            "lead": lead,
            "number": facts["number"],
            "number_name": _("Numri i porosisë"),
            "about": about,
            "shop": facts["shop"],
            "contact": " · ".join(
                (*(facts.get("company") or [facts["shop"]]), facts["shop_phone"], facts["shop_email"])
            ),
            "page_name": _("Faqja %(page)s nga %(pages)s") % {"page": "{page}", "pages": "{pages}"},
            "language": self.language,
            "blocks": blocks,
        }

    # What several documents say

    def kind_of(self, line: dict) -> str:
        _ = self.gettext
        return {"new_number": _("Numër i ri"), "besnik24": _("Besnik 24")}.get(line["contract_type"], "")

    def quote_of(self, line: dict):
        return quote(line["price"], line["payment"], line["parts"], line["monthly"], line["quantity"])

    def device_cell(self, line: dict) -> list[str]:
        _ = self.gettext
        cell = [line["device"], " · ".join(part for part in (line["colour"], line["sku"]) if part)]
        if line["monthly"] is not None:
            cell.append(" · ".join((self.kind_of(line), line["tariff"], phone_text(line["msisdn"]))))
        if line["gift"]:
            cell.append(_("Dhuratë: %(name)s") % {"name": line["gift"]})
        return cell

    def months(self, due) -> list:
        """Equal bills in one stretch, each with its amount (PAY-3)."""
        _ = self.gettext
        rows = []
        for first, last, amount in due.months:
            if last == 1:
                name = _("Në faturën e parë")
            elif len(due.months) == 1:
                name = _("Në muaj, %(months)d muaj") % {"months": last}
            else:
                name = _("Muajt %(first)d–%(last)d, në muaj") % {"first": first, "last": last}
            rows.append([name, self.den(amount)])
        return rows

    def recipient_rule(self) -> list:
        """Who may receive it (DLV-3)."""
        _, facts = self.gettext, self.facts
        if facts["holder_only"]:
            text = _(
                "E pranon vetëm poseduesi i numrit, %(name)s, ose dikush me autorizimin e tij të rregullt, kundrejt "
                "një dokumenti të vlefshëm identifikimi."
            )
        else:
            text = _("E pranon %(name)s, kundrejt një dokumenti të vlefshëm identifikimi.")
        return ["note", _("Kush e pranon"), text % {"name": facts["receiver"]}]


def _confirmation(paper: _Paper) -> dict:
    _, facts = paper.gettext, paper.facts
    due = together(paper.quote_of(line) for line in facts["lines"])
    rows = [
        [paper.device_cell(line), [str(line["quantity"])], [paper.den(line["price"])], [paper.den(_total(line))]]
        for line in facts["lines"]
    ]
    sums = [[_("Dërgesa"), _("Falas")], [_("Gjithsej për pajisjet"), paper.den(facts["total"])]]
    if facts["points"]:
        of = _("%(points)s nga %(number)s") % {
            "points": paper.points(facts["points"]),
            "number": phone_text(facts["points_of"]),
        }
        sums.append([of, paper.den(-facts["points_worth"])])
    if facts["due_now"]:
        sums.append([_("U paguan me kartelë"), paper.den(facts["due_now"]), True])
    else:
        sums.append([_("Sot paguani"), paper.den(0), True])
    day = _day(paper, facts["promised_on"])
    blocks = [
        ["heading", _("Blerësi dhe dërgesa")],
        [
            "pairs",
            [
                [_("Emri dhe mbiemri"), f"{facts['first_name']} {facts['last_name']}"],
                [_("Porositur më"), paper.moment(facts["placed_at"])],
                [_("Telefoni për kontakt"), phone_text(facts["phone"])],
                [_("E-posta"), facts["email"]],
                [_("Adresa e dërgesës"), facts["address"]],
                [_("Komuna"), facts["municipality"]],
                [_("Dorëzohet më së voni"), day],
                *([[_("Shënim për korrierin"), facts["note"]]] if facts["note"] else []),
            ],
        ],
        paper.recipient_rule(),
        ["heading", _("Artikujt")],
        [
            "table",
            {
                "head": [_("Artikulli"), _("Sasia"), _("Çmimi"), _("Gjithsej")],
                "widths": [0.52, 0.1, 0.19, 0.19],
                "align": "LRRR",
                "rows": rows,
            },
        ],
        ["sums", sums],
    ]
    if due.months:
        blocks += [
            ["heading", _("Në faturën mujore")],
            ["text", _("Tarifa dhe pjesa e pajisjes që nuk u pagua sot, bashkë.")],
            ["sums", paper.months(due)],
        ]
    blocks += [
        ["heading", _("Ndryshimi, anulimi dhe kthimi")],
        [
            "numbered",
            [
                _(
                    "Derisa të niset korrieri ndryshohen adresa, telefoni për kontakt dhe ngjyra: te faqja e "
                    "porosisë, në %(phone)s ose në %(email)s, me numrin e porosisë."
                )
                % {"phone": facts["shop_phone"], "email": facts["shop_email"]},
                _("Porosia që nuk është dorëzuar anulohet; paratë kthehen në të njëjtën kartelë."),
                _(
                    "Pas dorëzimit mund të tërhiqeni nga blerja sipas ligjit për mbrojtjen e konsumatorëve; pajisja "
                    "duhet të jetë e pahapur dhe e paaktivizuar."
                ),
                _("Vlejnë kushtet e shitjes, edicioni %(edition)s, që i pranuat kur porositët.")
                % {"edition": facts["terms_edition"]},
            ],
        ],
    ]
    lead = _("E konfirmuam porosinë tuaj. Ruajeni këtë dokument së bashku me pajisjen.")
    return paper.content(_("Konfirmimi i porosisë"), lead, blocks)


def _contract(paper: _Paper) -> dict:
    _, facts, line = paper.gettext, paper.facts, paper.facts["line"]
    due, besnik = paper.quote_of(line), line["contract_type"] == "besnik24"
    number = f"{facts['number']}/{line['position']}"
    subscriber = [
        [_("Abonenti"), facts["signer"]],
        [_("Numri i telefonit"), phone_text(line["msisdn"])],
        *([[_("Kodi i abonuesit"), facts["subscriber"]]] if facts["subscriber"] else []),
        [_("Telefoni për kontakt"), phone_text(facts["phone"])],
        [_("E-posta"), facts["email"]],
    ]
    blocks = [
        ["heading", _("1. Palët")],
        [
            "pairs",
            [
                [_("Operatori"), f"{facts['shop']}, {facts['shop_phone']}\n{facts['shop_email']}"],
                *subscriber,
            ],
        ],
        ["heading", _("2. Pajisja dhe tarifa")],
        [
            "table",
            {
                "head": [_("Pajisja"), _("Sasia"), _("Çmimi")],
                "widths": [0.66, 0.12, 0.22],
                "align": "LRR",
                "rows": [
                    [
                        [line["device"], f"{line['colour']} · {line['sku']}", *_gift(paper, line)],
                        [str(line["quantity"])],
                        [paper.den(_total(line))],
                    ]
                ],
            },
        ],
        [
            "pairs",
            [
                [_("Tarifa"), line["tariff"]],
                [_("Pagesa mujore e tarifës"), paper.den(line["monthly"])],
                [_("Kohëzgjatja"), _("%(months)d muaj nga dita e nënshkrimit") % {"months": CONTRACT_MONTHS}],
            ],
        ],
        ["heading", _("3. Çfarë paguhet dhe kur")],
        [
            "sums",
            [
                *([[_("Me kartelë, te porosia"), paper.den(due.today)]] if due.today else []),
                *paper.months(due),
                [
                    _("Pajisja dhe tarifa, %(months)d muaj") % {"months": CONTRACT_MONTHS},
                    paper.den(due.contract_total),
                    True,
                ],
            ],
        ],
        ["heading", _("4. Kushtet")],
        ["numbered", _clauses(paper, line, besnik)],
        [
            "together",
            [
                ["heading", _("5. Nënshkrimet")],
                ["blanks", [[_("Lloji dhe numri i dokumentit të identifikimit"), 0.6], [_("Vendi dhe data"), 0.4]]],
                ["signatures", [[_("Për operatorin"), ""], [_("Abonenti, poseduesi i numrit"), facts["signer"]]]],
            ],
        ],
    ]
    title = _("Kontrata Besnik 24") if besnik else _("Kontrata për numër të ri")
    lead = _("Kontrata nr. %(number)s, për numrin %(msisdn)s") % {
        "number": number,
        "msisdn": phone_text(line["msisdn"]),
    }
    return paper.content(title, lead, blocks)


def _clauses(paper: _Paper, line: dict, besnik: bool) -> list[str]:
    _, facts = paper.gettext, paper.facts
    if line["payment"] == CARD:
        paid = _("Çmimi i pajisjes u pagua njëfish te porosia.")
    elif line["payment"] == FIRST_BILL:
        paid = _("Çmimi i pajisjes paguhet njëfish, me faturën e parë mujore.")
    else:
        paid = _("Çmimi i pajisjes paguhet me faturat mujore, me këste pa kamatë: %(parts)s, së bashku sa çmimi.") % {
            "parts": _parts(paper, line)
        }
    return [
        _("Me këtë kontratë abonenti merr pajisjen e shënuar dhe tarifën e shënuar për %(months)d muaj.")
        % {"months": CONTRACT_MONTHS},
        _("Tarifa paguhet çdo muaj, me faturën e numrit."),
        paid,
        _("Një numër ka një pajisje me Besnik 24 në të njëjtën kohë.")
        if besnik
        else _("Numri i shënuar i përket abonentit nga dita e nënshkrimit."),
        _("Kontratën e nënshkruan abonenti, ose dikush me autorizim të rregullt, kundrejt dokumentit identifikues."),
        _(
            "Abonenti mund të tërhiqet nga blerja sipas ligjit për mbrojtjen e konsumatorëve; pajisja duhet të jetë "
            "e pahapur dhe e paaktivizuar."
        ),
        _("Çfarë nuk shkruhet këtu, e rregullojnë kushtet e shitjes, edicioni %(edition)s, që u pranuan te porosia.")
        % {"edition": facts["terms_edition"]},
    ]


def _receipt(paper: _Paper) -> dict:
    _, facts = paper.gettext, paper.facts
    # A row for each piece: each has a serial number of its own, which the warehouse writes down.
    rows = [
        [paper.device_cell(line), ["______________________"]] for line in facts["lines"] for _piece in _pieces(line)
    ]
    papers = [_("Formulari i pranimit, dy kopje")]
    papers += [
        _("Kontrata për %(number)s, dy kopje") % {"number": phone_text(line["msisdn"])}
        for line in facts["lines"]
        if line["monthly"] is not None
    ]
    blocks = [
        [
            "pairs",
            [
                [_("E pranon"), facts["receiver"]],
                [_("Telefoni për kontakt"), phone_text(facts["phone"])],
                [_("Adresa e dërgesës"), facts["address"]],
                *([[_("Shënim për korrierin"), facts["note"]]] if facts["note"] else []),
            ],
        ],
        paper.recipient_rule(),
        ["heading", _("Pajisjet")],
        [
            "table",
            {
                "head": [_("Artikulli"), _("IMEI ose numri serik")],
                "widths": [0.62, 0.38],
                "align": "LL",
                "rows": rows,
            },
        ],
        ["heading", _("Dokumentet që vijnë me dërgesën")],
        ["text", " · ".join(papers)],
        ["heading", _("Dokumenti i identifikimit që u tregua")],
        ["checks", [_("Letërnjoftim"), _("Pasaportë"), _("Patentë shoferi")]],
    ]
    if facts["holder_only"]:
        blocks.append(
            [
                "together",
                [
                    ["heading", _("Autorizimi")],
                    [
                        "text",
                        _(
                            "Plotësohet vetëm kur dërgesën e merr dikush tjetër. Autorizimi i rregullt i poseduesit "
                            "i bashkohet këtij formulari."
                        ),
                    ],
                    ["blanks", [[_("Emri i të autorizuarit"), 0.5], [_("Numri dhe data e autorizimit"), 0.5]]],
                ],
            ]
        )
    blocks += [
        [
            "together",
            [
                ["heading", _("Pranimi")],
                ["text", _("Vërtetoj se i mora pajisjet dhe dokumentet e shënuara, në paketim të pahapur.")],
                ["blanks", [[_("Data dhe ora"), 0.4], [_("Vërejtje"), 0.6]]],
                ["signatures", [[_("Pranuesi"), facts["receiver"]], [_("Korrieri"), ""]]],
            ],
        ],
    ]
    day = _day(paper, facts["promised_on"])
    lead = _("Nënshkruhet te dera, kur merret dërgesa; më së voni %(day)s.") % {"day": day}
    return paper.content(_("Formulari i pranimit"), lead, blocks)


def _refund(paper: _Paper) -> dict:
    _, facts = paper.gettext, paper.facts
    why = {
        "cancelled": _("Porosia u anulua."),
        "returned": _("Porosia u kthye."),
        "withdrawal": _("Blerësi u tërhoq nga blerja e artikujve të shënuar."),
        "surplus": _("Porosia nuk e kishte më të nevojshme këtë pagesë."),
    }[facts["why"]]
    sums = [
        [_("U pagua me kartelë"), paper.den(facts["of"])],
        [_("U kthye në kartelë"), paper.den(facts["amount"]), True],
    ]
    blocks = [
        [
            "pairs",
            [
                [_("Blerësi"), facts["name"]],
                [_("E-posta"), facts["email"]],
                [_("Arsyeja"), why],
                [_("U pagua më"), paper.moment(facts["paid_at"])],
                [_("Kthimi u kërkua më"), paper.moment(facts["asked_at"])],
                [_("Banka e ktheu më"), paper.moment(facts["done_at"])],
                [_("Pagesa te banka"), facts["oid"]],
                *([[_("Kodi i autorizimit"), facts["auth_code"]]] if facts["auth_code"] else []),
            ],
        ],
        ["heading", _("Shuma")],
        ["sums", sums],
        [
            "text",
            _(
                "Shuma shkon në të njëjtën kartelë me të cilën u pagua. Në llogari shihet zakonisht brenda disa "
                "ditëve të punës, varësisht nga banka e kartelës."
            ),
        ],
    ]
    is_part = facts["why"] == "withdrawal"
    billed = [line for line in facts["lines"] if line["payment"] != CARD and not is_part]
    if facts["points"] or billed:
        blocks.append(["heading", _("Çfarë u kthye tjetër")])
        texts = []
        if facts["points"]:
            texts.append(
                _("%(points)s u kthyen në Klubin Im, te %(number)s.")
                % {"points": paper.points(facts["points"]), "number": phone_text(facts["points_of"])}
            )
        texts += [
            _("%(device)s: %(amount)s në faturën e numrit %(number)s nuk faturohen.")
            % {"device": line["device"], "amount": paper.den(_total(line)), "number": phone_text(line["msisdn"])}
            for line in billed
        ]
        blocks.append(["numbered", texts])
    if facts["lines"]:
        blocks += [
            ["heading", _("Artikujt që u kthyen") if is_part else _("Artikujt e porosisë")],
            [
                "table",
                {
                    "head": [_("Artikulli"), _("Sasia"), _("Gjithsej")],
                    "widths": [0.66, 0.12, 0.22],
                    "align": "LRR",
                    "rows": [
                        [paper.device_cell(line), [str(line["quantity"])], [paper.den(_total(line))]]
                        for line in facts["lines"]
                    ],
                },
            ],
        ]
    lead = _("Paratë e kësaj porosie u kthyen në kartelë.")
    if is_part:
        lead = _("Paratë e artikujve që u kthyen janë përsëri në kartelë.")
    return paper.content(_("Vërtetim për kthimin e parave"), lead, blocks)


_COMPOSED: dict[str, Callable[[_Paper], dict]] = {
    "confirmation": _confirmation,
    "contract": _contract,
    "receipt": _receipt,
    "refund": _refund,
}


def _total(line: dict) -> int:
    return line["price"] * line["quantity"]


def _pieces(line: dict) -> range:
    return range(line["quantity"])


def _gift(paper: _Paper, line: dict) -> list[str]:
    _ = paper.gettext
    return [_("Dhuratë: %(name)s") % {"name": line["gift"]}] if line["gift"] else []


def _parts(paper: _Paper, line: dict) -> str:
    """Instalments as they are paid: "24 × 1.080 den", both amounts where the price does not divide (PAY-3)."""
    alike = groupby(paper.quote_of(line).instalments)
    return " + ".join(f"{len(list(same))}\u00a0×\u00a0{paper.den(amount)}" for amount, same in alike)


def _day(paper: _Paper, text: str) -> str:
    return mails.day_text(date.fromisoformat(text), paper.language)
