"""What the register of personal data (`models/personal.py`) says, in words: for the privacy page and the download.

Who declares a new kind there adds its words to KINDS, and those of a new piece of data to DATA.
"""

from dataclasses import dataclass

import config
from models import personal
from views.forms import lazy_gettext
from views.words import gettext, ngettext

DATA = {
    "name": lazy_gettext("emri"),
    "email": lazy_gettext("e-posta"),
    "phone": lazy_gettext("numri i telefonit"),
    "address": lazy_gettext("adresa"),
    "note": lazy_gettext("shënimi"),
    "language": lazy_gettext("gjuha"),
    "id_number": lazy_gettext("numri i dokumentit të poseduesit"),
    "sim": lazy_gettext("gjashtë shifrat e fundit të SIM-it"),
    "password": lazy_gettext("fjalëkalimi, vetëm si gjurmë që nuk kthehet mbrapsht"),
    "network": lazy_gettext("adresa e rrjetit"),
    "text": lazy_gettext("çfarë u shkrua"),
    "file": lazy_gettext("emri i skedarit dhe vetë skedari"),
    "consent": lazy_gettext("fjalët që pranuat"),
    "company": lazy_gettext("emri i firmës"),
    "device": lazy_gettext("pajisja"),
    "document": lazy_gettext("dokumentet e porosisë dhe lloji i dokumentit të treguar"),
    "invoice": lazy_gettext("numri i faturës"),
    "mark_of_email": lazy_gettext("një gjurmë e e-postës, nga e cila ajo nuk lexohet"),
}

# Kind → title, what else is kept, why.
KINDS = {
    "account": (
        lazy_gettext("Llogaria"),
        lazy_gettext("kur u hap dhe kur u konfirmua e-posta"),
        lazy_gettext("Për të hyrë dhe për t’i parë porositë tuaja"),
    ),
    "registration": (
        lazy_gettext("Regjistrimi që pret konfirmimin"),
        "",
        lazy_gettext("Që llogaria të fillojë kur ta konfirmoni e-postën"),
    ),
    "attempts": (
        lazy_gettext("Përpjekjet"),
        lazy_gettext("te hyrja dhe te e-postat që kërkoni edhe e-posta e shkruar"),
        lazy_gettext("Që askush të mos i hamendësojë fjalëkalimet dhe porositë dhe të mos ju mbushë me e-posta"),
    ),
    "addresses": (
        lazy_gettext("Adresat e ruajtura"),
        "",
        lazy_gettext("Që adresën e dërgesës ta zgjidhni me një klik"),
    ),
    "choice": (
        lazy_gettext("Shporta dhe çfarë shkruani gjatë porosisë"),
        lazy_gettext("pajisjet, pagesa e zgjedhur, pikët"),
        lazy_gettext("Që të mos e shkruani përsëri kur ktheheni te një hap"),
    ),
    "wishes": (
        lazy_gettext("Lista e dëshirave"),
        lazy_gettext("pajisjet dhe çmimi kur i shtuat"),
        lazy_gettext("Që t’i gjeni përsëri dhe të shihni si ndryshoi çmimi"),
    ),
    "watches": (
        lazy_gettext("Njoftimet për një pajisje"),
        lazy_gettext("pajisja dhe çmimi kur e kërkuat"),
        lazy_gettext("Që t’ju shkruajmë një herë kur vjen pajisja ose ulet çmimi"),
    ),
    "order": (
        lazy_gettext("Porosia"),
        lazy_gettext("pajisjet, çmimet, gjendja, kush e pranoi dhe kur"),
        lazy_gettext("Për ta dorëzuar, për garancinë dhe për llogaritë që i kërkon ligji"),
    ),
    "contact": (
        lazy_gettext("Kontakti i porosisë"),
        "",
        lazy_gettext("Për t’ju shkruar e thirrur rreth porosisë dhe për ta gjetur kur na thirrni"),
    ),
    "trail": (
        lazy_gettext("Ndryshimet e porosisë dhe gjurma e punës"),
        lazy_gettext("çfarë ndryshoi, kur dhe nga kush"),
        lazy_gettext("Që ta shihni ju dhe ta dimë ne çfarë u bë me porosinë"),
    ),
    "claims": (
        lazy_gettext("Ankesat dhe tërheqjet"),
        lazy_gettext("arsyeja, afati, përgjigjja; i hapni vetëm ju dhe kush ju përgjigjet"),
        lazy_gettext("Për t’ju përgjigjur brenda afatit"),
    ),
    "files": (
        lazy_gettext("Skedarët e ankesave"),
        "",
        lazy_gettext("Si dëshmi për ankesën tuaj"),
    ),
    "identified": (
        lazy_gettext("Identifikimi kur na thirrni"),
        lazy_gettext("kur, për cilën porosi dhe me çfarë; jo çfarë thatë"),
        lazy_gettext("Që porosinë tuaj të mos e ndryshojë dikush tjetër"),
    ),
    "payment": (
        lazy_gettext("Pagesa"),
        lazy_gettext("shuma, koha, përgjigjja dhe kodi i bankës; kurrë të dhënat e kartelës"),
        lazy_gettext("Për të dëshmuar pagesën dhe për ta kthyer"),
    ),
    "messages": (
        lazy_gettext("E-postat dhe SMS-të që ju dërgojmë"),
        lazy_gettext("lloji dhe koha; teksti nuk ruhet"),
        lazy_gettext("Që asnjë të mos humbë dhe asnjë të mos vijë dy herë"),
    ),
    "numbers": (
        lazy_gettext("Numrat në profilin tuaj"),
        lazy_gettext("kur u shtuan; kodi i sigurisë vetëm 1 ditë"),
        lazy_gettext("Që kontratat, këstet dhe pikët t’i ketë vetëm kush e ka numrin në dorë"),
    ),
    "operator": (
        lazy_gettext("Kopja e të dhënave të operatorit"),
        lazy_gettext("tarifa, kontratat, faturat dhe a janë paguar"),
        lazy_gettext("Për të ditur kush mund të porosisë me kontratë dhe për t’i paguar faturat"),
    ),
    "told": (
        lazy_gettext("Çfarë i tregojmë faturimit të operatorit"),
        lazy_gettext("e-posta, numri i telefonit, adresa, pajisjet dhe çmimet e porosisë"),
        lazy_gettext("Për ta shkruar kontratën, për faturën dhe për dërgesën"),
    ),
    "club": (
        lazy_gettext("Klubi Im"),
        lazy_gettext("shërbimi anëtar, pikët e fituara dhe të shpenzuara, kodet te partnerët, dhuratat"),
        lazy_gettext("Që gjendja e pikëve të dalë gjithmonë e saktë"),
    ),
    "inbound": (
        lazy_gettext("Mesazhet tuaja me SMS"),
        lazy_gettext("përgjigjja që morët, jo mesazhi juaj"),
        lazy_gettext("Që një mesazh që vjen dy herë të vlejë një herë"),
    ),
    "consent": (
        lazy_gettext("Pëlqimet"),
        lazy_gettext("po ose jo, koha dhe ku e thatë"),
        lazy_gettext("Që t’ju shkruajmë vetëm nëse e doni ju, dhe për ta dëshmuar"),
    ),
    "refusal": (
        lazy_gettext("Kush i ndali e-postat tona"),
        lazy_gettext("lloji i e-postës dhe koha"),
        lazy_gettext("Që të mos ju shkruajmë përsëri, edhe nëse dikush tjetër e shkruan e-postën tuaj"),
    ),
    "erasure": (
        lazy_gettext("Fshirja e llogarisë"),
        lazy_gettext("kur u kërkua, u konfirmua dhe u krye"),
        lazy_gettext("Për ta dëshmuar se u krye"),
    ),
    "work": (
        lazy_gettext("Kush punon te ne"),
        lazy_gettext("e-posta e punës, roli dhe çfarë bëri"),
        lazy_gettext("Që të dihet kush e bëri një ndryshim"),
    ),
}

# What ends with something that is no period.
WORDS = {
    "account": lazy_gettext("sa të keni llogari"),
    "membership": lazy_gettext("sa zgjat anëtarësimi"),
    "numbers": lazy_gettext("sa numri është në profilin tuaj"),
    "operator": lazy_gettext("sa e keni numrin te operatori"),
    "refusal": lazy_gettext("sa kohë dërgojmë e-posta të tilla"),
    "work": lazy_gettext("sa zgjat puna"),
}
SINCE = {
    "asked": lazy_gettext("%(time)s pasi e kërkuat"),
    "begun": lazy_gettext("%(time)s për çfarë është vetëm hap i një kërkese"),
    "visit": lazy_gettext("%(time)s pas vizitës së fundit"),
    "year": lazy_gettext("%(time)s pas fundit të vitit, siç e kërkon ligji për llogaritë; pastaj pa asgjë tuajën"),
    "unpaid": lazy_gettext("%(time)s nëse nuk u pagua"),
    "ended": lazy_gettext("%(time)s pasi mbaroi porosia"),
    "written": lazy_gettext("%(time)s pasi u shkrua"),
    "answered": lazy_gettext("%(time)s pas përgjigjes"),
    "call": lazy_gettext("%(time)s pas telefonatës"),
    "bank": lazy_gettext("mesazhet e bankës një nga një %(time)s"),
    "sent": lazy_gettext("%(time)s pasi u dërgua"),
    "given_up": lazy_gettext("poseduesi edhe %(time)s pasi nuk ka më numër"),
    "used": lazy_gettext("numri i telefonit edhe %(time)s pas shërbimit ose dhuratës"),
    "over": lazy_gettext("%(time)s pasi mbaroi, si dëshmi"),
}

# Cookie → what it is for.
COOKIES = {
    "cart": lazy_gettext("Shenjë e rastësishme që e gjen shportën tuaj; vendoset kur shtoni pajisjen e parë."),
    "session": lazy_gettext(
        "I mbron format nga të tjerët, ju mban të hyrë dhe mban mend cilat porosi i keni hapur këtu."
    ),
    "remember_token": lazy_gettext("Ju mban të hyrë edhe pasi ta mbyllni shfletuesin; vetëm nëse e zgjidhni ju."),
    "deshirat": lazy_gettext("Shenjë e rastësishme që e gjen listën e dëshirave; vendoset me dëshirën e parë."),
    "krahaso": lazy_gettext("Pajisjet që i keni zgjedhur për t’i krahasuar."),
    "pare": lazy_gettext("Pajisjet që i keni parë së fundi, ose që nuk doni t’i mbajmë mend."),
}


@dataclass(frozen=True)
class Told:
    """A kind, or a cookie, as the page tells it."""

    name: str
    title: str
    what: str
    why: str
    kept: str


def kinds() -> list[Told]:
    """All kinds of the register, in words."""
    return [_told(kind) for kind in personal.kinds()]


def _told(kind: personal.Kind) -> Told:
    title, more, why = KINDS[kind.name]
    what = [str(DATA[held]) for held in personal.held_in(kind.name)]
    if more:
        what.append(str(more))
    return Told(kind.name, str(title), ", ".join(what), str(why), "; ".join(map(period, kind.periods)))


def period(kept: personal.Period) -> str:
    """ "3 vjet pasi mbaroi porosia"."""
    if not kept.many:
        return str(WORDS[kept.unit])
    return str(SINCE[kept.since]) % {"time": _time(kept)}


def _time(kept: personal.Period) -> str:
    unit, many = kept.unit, kept.many
    years = round(many / 365.25)
    if unit == "days" and years and abs(many - years * 365.25) < 2:
        unit, many = "years", years
    if unit == "years":
        return ngettext("%(num)d vit", "%(num)d vjet", many)
    if unit == "hours":
        return ngettext("%(num)d orë", "%(num)d orë", many)
    return ngettext("%(num)d ditë", "%(num)d ditë", many)


def cookies() -> list[Told]:
    """All cookies that the shop sets, in words."""
    return [_cookie(name, setting) for name, setting in personal.COOKIES.items()]


def _cookie(name: str, setting: str | int) -> Told:
    many = getattr(config, setting) if isinstance(setting, str) else setting
    kept = ngettext("%(num)d ditë", "%(num)d ditë", many) if many else gettext("derisa ta mbyllni shfletuesin")
    return Told(name, name, "", str(COOKIES[name]), kept)
