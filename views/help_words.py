"""Questions and answers of the help centre, in the language of the request.

A question has one slug, which is its address (/ndihme/<slug>) and what templates link it by (`ask`, in
templates/shared/ask.html). What an answer says of days and amounts comes from the settings in force.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import config
import language
from views.words import gettext, ngettext


@dataclass(frozen=True)
class Question:
    """`answer` is its paragraphs; `links` are (endpoint, text) pairs.

    `means` is what else it is looked up by: words that shoppers type and the answer does not say.
    """

    slug: str
    ask: str
    answer: list[str]
    links: list[tuple[str, str]] = field(default_factory=list)
    means: str = ""


@dataclass(frozen=True)
class Topic:
    """A group of questions; `slug` is its anchor on the page of all of them."""

    slug: str
    name: str
    questions: tuple[Question, ...]


def _buying() -> tuple[Question, ...]:
    return (
        Question(
            "cka-blini",
            gettext("Çfarë mund të blini?"),
            [
                gettext(
                    "Celularë, tabletë, pajisje shtesë dhe SIM kartela në pripejd. Në katalog janë të gjitha "
                    "pajisjet që shiten, edhe ato me zbritje. Çmimi vetëm onlajn, zbritja dhe dhurata janë të "
                    "shënuara te fotografia."
                )
            ],
        ),
        Question(
            "kush-blen",
            gettext("Kush mund të blejë?"),
            [
                gettext(
                    "Kushdo, abonent ose jo. Abonentët privatë dhe afaristë mund të blejnë edhe me Besnik 24, të "
                    "paguajnë në faturë dhe me pikë."
                ),
                gettext("Disa zbritje vlejnë vetëm për abonentët privatë; kjo shënohet te çmimi."),
            ],
        ),
        Question(
            "pa-llogari",
            gettext("A duhet llogari për të blerë?"),
            [
                gettext(
                    "Jo për pajisje pa kontratë, pajisje me numër të ri, pajisje shtesë dhe SIM kartela në pripejd: "
                    "ato i blini si mysafir, me kartelë."
                ),
                gettext(
                    "Për Besnik 24, pagesën në faturë dhe pikët duhet të hyni. Mund të hyni edhe gjatë porosisë: "
                    "shporta dhe hapi ku jeni mbeten."
                ),
            ],
            [("profile.log_in", gettext("Hyni"))],
            means=gettext("mysafir pa regjistrim profil"),
        ),
        Question(
            "si-porosisni",
            gettext("Si porosisni?"),
            [
                gettext(
                    "Te faqja e pajisjes zgjidhni ngjyrën, memorien dhe si ta blini, dhe klikoni „Porosit“. Nga "
                    "shporta vazhdoni te porosia: numri (me Besnik 24), të dhënat tuaja, adresa, mënyra e pagesës "
                    "dhe pasqyra."
                ),
                gettext(
                    "Te çdo hap mund të ktheheni; asgjë e shkruar nuk humbet. Porosia bëhet kur e konfirmoni "
                    "pasqyrën."
                ),
            ],
        ),
        Question(
            "pse-onlajn",
            gettext("Çfarë fitoni kur blini onlajn?"),
            [
                gettext(
                    "Dërgesë falas deri te dera, pa pritur në dyqan. Disa çmime dhe dhurata vlejnë vetëm onlajn: i "
                    "njihni nga shenja te fotografia."
                )
            ],
            [("browse.offers", gettext("Ofertat"))],
            means=gettext("zbritje dhurata promocion levërdi"),
        ),
        Question(
            "ruajtja-e-shportes",
            gettext("Sa gjatë ruhet shporta?"),
            [
                ngettext(
                    "%(num)d ditë në të njëjtin shfletues, edhe nëse e mbyllni faqen.",
                    "%(num)d ditë në të njëjtin shfletues, edhe nëse e mbyllni faqen.",
                    config.CART_DAYS,
                ),
                gettext("Çdo pajisje e hiqni me një klikim te „x“, në shportë dhe në cilindo hap të porosisë."),
            ],
            [("cart.show", gettext("Shporta"))],
        ),
        Question(
            "sa-pajisje",
            gettext("Sa pajisje mund të blini?"),
            [
                gettext(
                    "Me Besnik 24 një pajisje për çdo numër. Për pajisje shtesë dhe pajisje pa kontratë nuk ka kufi."
                )
            ],
        ),
        Question(
            "cmimi-ndryshon",
            gettext("Po nëse çmimi ndryshon ndërkohë?"),
            [
                gettext(
                    "Kur e konfirmoni porosinë, çmimin që patë e kontrollojmë edhe një herë. Nëse ka ndryshuar, jua "
                    "tregojmë të riun dhe porosia bëhet vetëm po ta konfirmoni."
                )
            ],
        ),
        Question(
            "konfirmimi",
            gettext("Si e dini që porosia u krye?"),
            [
                gettext(
                    "Shihni faqen e konfirmimit, dhe e njëjta ju vjen me e-postë: pajisja, çmimi, të dhënat e "
                    "kontaktit dhe të dërgesës, dhe numri i porosisë, me të cilin e gjeni gjithmonë."
                )
            ],
            [("orders.find", gettext("Gjeni porosinë"))],
        ),
    )


def _contracts() -> tuple[Question, ...]:
    return (
        Question(
            "si-ta-blini",
            gettext("Cilat janë mënyrat për ta blerë një pajisje?"),
            [
                gettext("Vetëm pajisje: e paguani njëfish dhe nuk lidhni kontratë."),
                gettext("Me numër të ri: zgjidhni numrin dhe tarifën, dhe pajisja kushton më pak."),
                gettext("Besnik 24: vazhdoni kontratën e numrit që keni për 24 muaj, me çmimin më të mirë."),
            ],
            means=gettext("lloji i kontratës tarifë"),
        ),
        Question(
            "besnik-24",
            gettext("Çfarë është Besnik 24?"),
            [
                gettext(
                    "Kontratë 24-mujore për një numër që keni tashmë. Pajisja kushton më pak dhe mund ta paguani "
                    "edhe me këste në faturë. Për çdo numër blihet një pajisje."
                ),
                gettext("Numri duhet të jetë në profilin tuaj; kontratën e nënshkruan te dera poseduesi i numrit."),
            ],
            [("numbers.mine", gettext("Numrat e mi"))],
            means=gettext("kontratë 24 muaj vazhdim"),
        ),
        Question(
            "numri-i-ri",
            gettext("Si e zgjidhni numrin e ri?"),
            [
                ngettext(
                    "Gjatë porosisë kërkoni te numrat e lirë, p.sh. sipas shifrave që ju pëlqejnë. Numri që "
                    "zgjidhni ruhet për ju %(num)d minutë; pas kësaj, ose kur e hiqni pajisjen nga shporta, lirohet.",
                    "Gjatë porosisë kërkoni te numrat e lirë, p.sh. sipas shifrave që ju pëlqejnë. Numri që "
                    "zgjidhni ruhet për ju %(num)d minuta; pas kësaj, ose kur e hiqni pajisjen nga shporta, lirohet.",
                    config.NUMBER_HOLD_MINUTES,
                )
            ],
        ),
        Question(
            "pse-nuk-mundem",
            gettext("Pse nuk mund të porosisni me kontratë?"),
            [
                gettext("Te hapi i numrit shihni të gjitha arsyet dhe çfarë të bëni. Më të shpeshtat janë:"),
                gettext("Keni borxh te një nga kodet tuaja abonuese: paguani faturat e papaguara onlajn."),
                gettext("E paguat borxhin para pak kohe: duhet të kalojnë disa orë."),
                gettext(
                    "Keni këste të papaguara për një pajisje në numër tjetër: me kartelë, njëfish, mund ta blini "
                    "menjëherë."
                ),
                ngettext(
                    "Jeni abonent më pak se %(num)d muaj dhe nuk keni histori abonimi.",
                    "Jeni abonent më pak se %(num)d muaj dhe nuk keni histori abonimi.",
                    config.SUBSCRIBER_MONTHS,
                ),
                gettext("Numri ka tashmë një pajisje me Besnik 24."),
            ],
            [("bills.show", gettext("Paguaj onlajn"))],
            means=gettext("refuzuar nuk lejohet arsye borxh"),
        ),
        Question(
            "borxhi-i-paguar",
            gettext("E paguat borxhin. Kur mund të porosisni?"),
            [
                ngettext(
                    "Pas pagesës në bankë ose në dyqan, pas %(num)d ore.",
                    "Pas pagesës në bankë ose në dyqan, pas %(num)d orësh.",
                    config.DEBT_WAIT_HOURS,
                ),
                ngettext(
                    "Kur i paguani faturat këtu, te „Paguaj onlajn“, pas %(num)d ore.",
                    "Kur i paguani faturat këtu, te „Paguaj onlajn“, pas %(num)d orësh.",
                    config.DEBT_WAIT_ONLINE_HOURS,
                ),
            ],
            [("bills.show", gettext("Paguaj onlajn"))],
        ),
        Question(
            "keste-ne-numer-tjeter",
            gettext("Keni këste për pajisje tjetër. A mund të blini?"),
            [
                gettext(
                    "Me këste pasi të keni paguar %(share)s%% të kësteve të pajisjes së parë. Deri atëherë mund ta "
                    "blini në të njëjtën tarifë, njëfish me kartelë.",
                    share=config.INSTALMENTS_SHARE,
                )
            ],
        ),
    )


def _paying() -> tuple[Question, ...]:
    return (
        Question(
            "menyrat-e-pageses",
            gettext("Si mund të paguani?"),
            [
                gettext("Çdo porosi paguhet njëfish me kartelë, edhe pa hyrë në profil."),
                gettext(
                    "Kur keni numrin tuaj në profil: pajisjen me numër të ri edhe në faturën e parë, Besnik 24 edhe "
                    "me 1, 6, 12 ose 24 këste në faturë, dhe një pjesë të pagesës me kartelë me pikë nga Klubi Im."
                ),
            ],
            means=gettext("para në dorë faturë këste kartelë pikë"),
        ),
        Question(
            "kartelat",
            gettext("Cilat kartela pranohen?"),
            [
                gettext(
                    "Njëfish me kartelë, pasi ta konfirmoni porosinë: me Visa dhe Mastercard të çdo banke në botë, "
                    "si edhe me kartelat vendore të TTK bankës, Bankës qendrore kooperative, Stater bankës, "
                    "Stopanska bankës AD Manastir, Halkbank dhe Ziraat bankës."
                )
            ],
        ),
        Question(
            "te-dhenat-e-karteles",
            gettext("Kush i sheh të dhënat e kartelës?"),
            [
                gettext(
                    "Vetëm banka. I shkruani në faqen e saj, me lidhje të koduar. Dyqani nuk i sheh, nuk i shënon "
                    "dhe nuk i ruan; prej bankës merr vetëm përgjigjen a u krye pagesa."
                )
            ],
            means=gettext("siguria e pagesës cvv 3d"),
        ),
        Question(
            "kestet",
            gettext("Si funksionojnë këstet?"),
            [
                gettext(
                    "Me Besnik 24 çmimin e pajisjes e ndani në 1, 6, 12 ose 24 pjesë, pa kamatë. Ato vijnë çdo muaj "
                    "në faturën tuaj bashkë me tarifën, dhe mblidhen saktë sa çmimi."
                ),
                gettext(
                    "Sa paguani tani, në faturën e parë dhe çdo muaj e shihni te faqja e pajisjes para se të "
                    "porosisni."
                ),
            ],
            means=gettext("këste kamatë muaj"),
        ),
        Question(
            "fatura-e-pare",
            gettext("Çfarë do të thotë „në faturën e parë“?"),
            [
                gettext(
                    "Tani nuk paguani asgjë: çmimi i pajisjes vjen njëfish në faturën e ardhshme të numrit. Vlen "
                    "për Besnik 24 dhe numër të ri, kur keni numrin tuaj në profil."
                )
            ],
        ),
        Question(
            "piket-te-pagesa",
            gettext("Si paguani me pikë?"),
            [
                gettext(
                    "Te hapi i pagesës, kur paguani njëfish me kartelë, zgjidhni sa pikë të përdorni: aq më pak "
                    "paguani me kartelë. Një shumë e vogël mbetet gjithmonë për kartelën."
                ),
                gettext("Nëse porosia nuk paguhet ose anulohet, pikët kthehen te Klubi Im."),
            ],
            [("club.page", gettext("Klubi Im"))],
        ),
        Question(
            "pagesa-nuk-u-krye",
            gettext("Pagesa nuk u krye. Çfarë të bëni?"),
            [
                ngettext(
                    "Nuk ju merret asgjë dhe pajisjet ruhen për ju %(num)d minutë. Provoni përsëri nga faqja e "
                    "porosisë ose nga lidhja në e-postë. Pas kësaj porosia skadon vetë.",
                    "Nuk ju merret asgjë dhe pajisjet ruhen për ju %(num)d minuta. Provoni përsëri nga faqja e "
                    "porosisë ose nga lidhja në e-postë. Pas kësaj porosia skadon vetë.",
                    config.PAYABLE_MINUTES,
                )
            ],
            means=gettext("refuzuar dështoi gabim kartela"),
        ),
        Question(
            "lidhja-u-nderpre",
            gettext("Lidhja u ndërpre gjatë pagesës. A u pagua?"),
            [
                gettext(
                    "Mos paguani menjëherë edhe një herë. Banka na njofton drejtpërdrejt, dhe kur nuk na njofton, e "
                    "pyesim ne. Rezultatin jua dërgojmë me e-postë, edhe kur pagesa nuk u krye."
                )
            ],
        ),
        Question(
            "paguan-dikush-tjeter",
            gettext("A mund të paguajë dikush tjetër?"),
            [
                gettext(
                    "Po. Nga faqja e porosisë që pret pagesën merrni një lidhje dhe ia dërgoni. Ai sheh vetëm "
                    "pajisjet dhe shumën, dhe paguan te banka me kartelën e vet."
                )
            ],
        ),
        Question(
            "paguaj-onlajn",
            gettext("Si i paguani faturat e papaguara?"),
            [
                gettext(
                    "Te „Paguaj onlajn“ shihni faturat e kodeve abonuese që janë në profilin tuaj, i zgjidhni dhe i "
                    "paguani me kartelë."
                )
            ],
            [("bills.show", gettext("Paguaj onlajn"))],
        ),
    )


def _delivery() -> tuple[Question, ...]:
    return (
        Question(
            "sa-kushton-dergesa",
            gettext("Sa kushton dërgesa dhe ku arrin?"),
            [gettext("Dërgesa është falas, në çdo adresë në Maqedoninë e Veriut.")],
        ),
        Question(
            "kur-vjen",
            gettext("Kur vjen porosia?"),
            [
                ngettext(
                    "Më së voni %(num)d ditë dërgese pas porosisë.",
                    "Më së voni %(num)d ditë dërgese pas porosisë.",
                    config.DELIVERY_DAYS,
                ),
                gettext(
                    "Dërgesat bëhen nga e hëna deri të shtunën, jo të dielave dhe në festat shtetërore. Datën e "
                    "shihni para se të porosisni dhe në konfirmim; për kohën e saktë ju telefonon korrieri."
                ),
            ],
        ),
        Question(
            "kush-pranon",
            gettext("Kush mund ta pranojë porosinë?"),
            [
                gettext(
                    "Besnik 24 dhe porositë e paguara me pikë: vetëm poseduesi i numrit, që e nënshkruan kontratën, "
                    "ose dikush me autorizim të rregullt prej tij."
                ),
                gettext("Porositë e tjera: personi që e shënoni te hapi i dërgesës, ju ose dikush tjetër."),
                gettext("Korrieri e kërkon gjithmonë dokumentin e vlefshëm të identifikimit."),
            ],
            means=gettext("autorizim letërnjoftim pasaportë nënshkrim"),
        ),
        Question(
            "cka-vjen",
            gettext("Çfarë vjen bashkë me pajisjen?"),
            [
                gettext(
                    "Dokumenti i pranimit, që e nënshkruani te dera, dhe me Besnik 24 ose numër të ri edhe "
                    "kontrata. Të dyja i gjeni edhe si PDF te faqja e porosisë."
                )
            ],
        ),
        Question(
            "korrieri-nuk-ju-gjen",
            gettext("Po nëse korrieri nuk ju gjen?"),
            [
                gettext(
                    "Ju lë njoftim me shkrim. Keni 2 ditë pune për të caktuar kohë të re, te faqja e porosisë ose "
                    "në %(phone)s; pas kësaj porosia kthehet te ne.",
                    phone=config.CONTACT_PHONE,
                )
            ],
        ),
        Question(
            "si-dhurate",
            gettext("A mund ta dërgoni si dhuratë?"),
            [
                gettext(
                    "Po. Te hapi i dërgesës shkruani kush e pranon dhe, nëse doni, një mesazh: vendoset në paketë, "
                    "pa çmime."
                )
            ],
        ),
    )


def _afterwards() -> tuple[Question, ...]:
    return (
        Question(
            "ku-eshte-porosia",
            gettext("Ku e shihni porosinë?"),
            [
                gettext(
                    "Te „Porositë e mia“ kur keni hyrë; pa hyrë, te lidhja në e-postën e konfirmimit, ose me numrin "
                    "e porosisë dhe e-postën e kontaktit."
                )
            ],
            [("orders.find", gettext("Gjeni porosinë"))],
            means=gettext("ndiqni gjendja statusi gjurmimi"),
        ),
        Question(
            "ndryshimi",
            gettext("A mund ta ndryshoni porosinë?"),
            [
                gettext(
                    "Po, derisa të niset korrieri: adresën, telefonin për kontakt, shënimin, dhe ngjyrën nëse "
                    "ngjyra e re është në gjendje. I ndryshoni te faqja e porosisë, ose në %(phone)s dhe %(email)s "
                    "me numrin e saj.",
                    phone=config.CONTACT_PHONE,
                    email=config.CONTACT_EMAIL,
                )
            ],
        ),
        Question(
            "anulimi",
            gettext("A mund ta anuloni porosinë?"),
            [
                gettext(
                    "Po: derisa të niset korrieri, te faqja e porosisë; pas kësaj, derisa nuk është dorëzuar, në "
                    "%(phone)s ose %(email)s me numrin e saj. Paratë ju kthehen në të njëjtën kartelë.",
                    phone=config.CONTACT_PHONE,
                    email=config.CONTACT_EMAIL,
                )
            ],
        ),
        Question(
            "kthimi-pas-dorezimit",
            gettext("A mund ta ktheni pajisjen pas dorëzimit?"),
            [
                gettext(
                    "Pas dorëzimit porosia nuk anulohet më. Mund të kërkoni tërheqje nga blerja sipas ligjit për "
                    "mbrojtjen e konsumatorëve; pajisja duhet të jetë e pahapur dhe e paaktivizuar."
                ),
                ngettext(
                    "Kërkesën e dërgoni te faqja e porosisë, brenda %(num)d dite pas dorëzimit.",
                    "Kërkesën e dërgoni te faqja e porosisë, brenda %(num)d ditëve pas dorëzimit.",
                    config.WITHDRAWAL_DAYS,
                ),
            ],
            means=gettext("kthim parash tërheqje"),
        ),
        Question(
            "nuk-erdhi-me-kohe",
            gettext("Porosia nuk erdhi me kohë. Çfarë të bëni?"),
            [
                gettext(
                    "Na pyesni në %(phone)s ose %(email)s me numrin e porosisë. Nëse vonesa nuk ju pranohet, e "
                    "anuloni derisa nuk është dorëzuar, ose dërgoni ankesë nga faqja e saj.",
                    phone=config.CONTACT_PHONE,
                    email=config.CONTACT_EMAIL,
                )
            ],
            means=gettext("vonesë afat"),
        ),
        Question(
            "ankesa",
            gettext("Si bëni ankesë?"),
            [
                gettext(
                    "Te faqja e porosisë, ose duke shkruar në %(email)s me numrin e saj. Bashkëngjitni dëshminë e "
                    "pagesës, p.sh. ekstraktin e bankës.",
                    email=config.CONTACT_EMAIL,
                ),
                ngettext("Përgjigjemi brenda %(num)d dite.", "Përgjigjemi brenda %(num)d ditëve.", config.CLAIM_DAYS),
            ],
            means=gettext("reklamacion"),
        ),
        Question(
            "e-demtuar",
            gettext("Pajisja erdhi e dëmtuar. Ku ta çoni?"),
            [gettext("Në dyqanin më të afërt, bashkë me letërnjoftimin dhe numrin e porosisë.")],
            [("shops.list_all", gettext("Dyqanet tona"))],
            means=gettext("e prishur nuk punon garancia servisi"),
        ),
    )


def _profile() -> tuple[Question, ...]:
    return (
        Question(
            "kush-hap-profil",
            gettext("A duhet të jeni abonent për të hapur profil?"),
            [
                gettext(
                    "Jo. Profilin e hap kushdo me e-postë dhe fjalëkalim; e-postën e konfirmoni me lidhjen që ju "
                    "vjen."
                )
            ],
            [("profile.register", gettext("Hapni profil"))],
            means=gettext("regjistrim llogari"),
        ),
        Question(
            "si-shtohet-numri",
            gettext("Si e shtoni numrin tuaj në profil?"),
            [
                gettext(
                    "Te „Numrat e mi“ klikoni „Shto“ dhe shkruani numrin. Pastaj jepni numrin amë të poseduesit ose "
                    "6 shifrat e fundit të SIM kartelës, dhe klikoni „Merr kod sigurie“."
                ),
                gettext("Kodin që ju vjen me SMS e shkruani dhe e konfirmoni; numri është në profil."),
            ],
            [("numbers.mine", gettext("Numrat e mi"))],
            means=gettext("kod sigurie sms emvb"),
        ),
        Question(
            "pse-ta-shtoni-numrin",
            gettext("Çfarë fitoni kur e shtoni numrin?"),
            [gettext("Besnik 24 për atë numër, pagesën me këste dhe në faturë, dhe pikët e tij në Klubin Im.")],
        ),
        Question(
            "kodi-nuk-erdhi",
            gettext("Kodi me SMS nuk erdhi. Çfarë të bëni?"),
            [
                gettext(
                    "Kodi vlen %(minutes)s minuta. Klikoni „Dërgo përsëri“; në një orë dërgohen më së shumti "
                    "%(sends)s kode.",
                    minutes=config.CODE_MINUTES,
                    sends=config.CODE_SENDS,
                ),
                gettext(
                    "Shikoni edhe a e keni shkruar saktë numrin dhe të dhënat e poseduesit: nëse nuk përputhen, "
                    "kodi nuk dërgohet."
                ),
            ],
        ),
        Question(
            "fjalekalimi-i-harruar",
            gettext("Keni harruar fjalëkalimin?"),
            [gettext("Te hyrja klikoni „E keni harruar?“: ju vjen një lidhje me e-postë për ta ndërruar.")],
            [("profile.forgotten", gettext("Fjalëkalim i ri"))],
        ),
    )


def _club() -> tuple[Question, ...]:
    return (
        Question(
            "si-anetaresoheni",
            gettext("Si anëtarësoheni në Klubin Im?"),
            [
                gettext(
                    "Falas, te faqja e klubit ose në dyqan, me numrin tuaj ose shërbimin fiks. Pikët e "
                    "mirëseardhjes i merrni menjëherë; nga dita e parë e muajit tjetër fitoni pikë çdo muaj."
                )
            ],
            [("club.page", gettext("Klubi Im"))],
        ),
        Question(
            "si-fitohen-piket",
            gettext("Si fitohen pikët?"),
            [
                gettext(
                    "Me numrin: për çdo euro të plotë që harxhoni në muaj. Me shërbimin fiks: me çdo mbushje, "
                    "menjëherë."
                )
            ],
            [("club.page", gettext("Klubi Im"))],
        ),
        Question(
            "sa-vlejne-piket",
            gettext("Deri kur vlejnë pikët?"),
            [
                gettext(
                    "Pikët e një viti deri më 30 qershor të vitit tjetër; më të vjetrat përdoren të parat. Para se "
                    "të skadojnë ju njoftojmë me SMS dhe e-postë."
                )
            ],
            means=gettext("skadojnë afat"),
        ),
        Question(
            "piket-e-bllokuara",
            gettext("Pse janë pikët të bllokuara?"),
            [
                gettext(
                    "Kur dy muaj radhazi nuk fitohet asnjë pikë. Pikët nuk humbin: mund t’i përdorni sapo të fitoni "
                    "përsëri."
                )
            ],
        ),
        Question(
            "ku-perdoren-piket",
            gettext("Ku mund t’i përdorni pikët?"),
            [
                gettext(
                    "Te ofertat e partnerëve, për MB, SMS dhe MMS, për paketa, për dhurata në dyqan, dhe për të "
                    "ulur pagesën me kartelë të një pajisjeje."
                ),
                gettext("Në faqen e klubit, me SMS falas në 50777, ose duke thirrur *777#."),
            ],
            [("club.page", gettext("Klubi Im"))],
            means=gettext("konverto partner dhuratë kod"),
        ),
    )


def _privacy() -> tuple[Question, ...]:
    return (
        Question(
            "cka-ruajme",
            gettext("Çfarë ruajmë për ju?"),
            [
                gettext(
                    "Vetëm atë që shkruani për një porosi ose për profilin, për aq kohë sa duhet. Nuk ju ndjek "
                    "askush: faqja nuk pyet asnjë server tjetër."
                )
            ],
            [("pages.privacy", gettext("Privatësia"))],
            means=gettext("të dhënat personale cookies biskota"),
        ),
        Question(
            "shkarkimi-dhe-fshirja",
            gettext("Si i merrni ose i fshini të dhënat tuaja?"),
            [
                gettext(
                    "Te profili, te „Të dhënat e mia“: i shkarkoni të gjitha, ose kërkoni që profili të fshihet. "
                    "Porositë mbeten aq sa e kërkon ligji, pa profilin."
                )
            ],
            [("my_data.show", gettext("Të dhënat e mia"))],
            means=gettext("gdpr fshij llogarinë shkarko"),
        ),
        Question(
            "lajmet-dhe-reklamat",
            gettext("A ju dërgojmë reklama?"),
            [
                gettext(
                    "Vetëm nëse keni thënë po. Pëlqimin e ktheni me një klikim, te profili ose te lidhja në çdo "
                    "mesazh të tillë."
                )
            ],
            means=gettext("pëlqim njoftime çregjistrim spam"),
        ),
    )


def topics() -> tuple[Topic, ...]:
    """All questions, in the order in which they are read."""
    return (
        Topic("blerja", gettext("Blerja"), _buying()),
        Topic("kontrata", gettext("Kontrata dhe numri"), _contracts()),
        Topic("pagesa", gettext("Pagesa"), _paying()),
        Topic("dergesa", gettext("Dërgesa dhe dorëzimi"), _delivery()),
        Topic("kthimi", gettext("Pas porosisë: ndryshimi, kthimi dhe ankesat"), _afterwards()),
        Topic("profili-dhe-numrat", gettext("Profili dhe numrat"), _profile()),
        Topic("klubi", gettext("Klubi Im"), _club()),
        Topic("privatesia", gettext("Të dhënat tuaja"), _privacy()),
    )


def slugs() -> list[str]:
    """The addresses of all questions under /ndihme/."""
    return [one.slug for topic in topics() for one in topic.questions]


# Where a question arises, by the page's endpoint; it is linked there (templates/shared/_asked.html).
ARISE_AT = {
    "browse.home": ("si-porosisni", "pa-llogari", "sa-kushton-dergesa", "kush-blen"),
    "browse.offers": ("pse-onlajn", "cka-blini"),
    "device.show": ("si-ta-blini", "besnik-24", "kestet", "fatura-e-pare", "kur-vjen"),
    "cart.show": ("ruajtja-e-shportes", "sa-pajisje", "cmimi-ndryshon"),
    "checkout.number": ("pse-nuk-mundem", "si-shtohet-numri", "numri-i-ri"),
    "checkout.obstacles": ("borxhi-i-paguar", "keste-ne-numer-tjeter", "paguaj-onlajn"),
    "checkout.data": ("pa-llogari", "cka-ruajme"),
    "checkout.delivery": ("kur-vjen", "kush-pranon", "si-dhurate"),
    "checkout.payment": ("menyrat-e-pageses", "kartelat", "kestet", "piket-te-pagesa"),
    "checkout.overview": ("te-dhenat-e-karteles", "cmimi-ndryshon", "anulimi"),
    "orders.confirmation": ("konfirmimi", "pagesa-nuk-u-krye", "lidhja-u-nderpre", "cka-vjen"),
    "orders.show": ("ndryshimi", "anulimi", "korrieri-nuk-ju-gjen", "kthimi-pas-dorezimit", "nuk-erdhi-me-kohe"),
    "orders.find": ("ku-eshte-porosia",),
    "orders.mine": ("ku-eshte-porosia", "ndryshimi", "anulimi"),
    "pay_link.share": ("paguan-dikush-tjeter",),
    "claims.withdraw": ("kthimi-pas-dorezimit", "e-demtuar"),
    "claims.complain": ("ankesa", "nuk-erdhi-me-kohe", "e-demtuar"),
    "order_changes.time": ("korrieri-nuk-ju-gjen", "kush-pranon"),
    "bills.show": ("paguaj-onlajn", "borxhi-i-paguar"),
    "numbers.mine": ("pse-ta-shtoni-numrin", "si-shtohet-numri"),
    "numbers.add": ("si-shtohet-numri", "pse-ta-shtoni-numrin"),
    "numbers.prove": ("si-shtohet-numri", "kodi-nuk-erdhi"),
    "numbers.confirm": ("kodi-nuk-erdhi",),
    "profile.log_in": ("kush-hap-profil", "fjalekalimi-i-harruar"),
    "profile.register": ("kush-hap-profil", "cka-ruajme"),
    "consents.mine": ("lajmet-dhe-reklamat",),
    "my_data.show": ("shkarkimi-dhe-fshirja", "cka-ruajme"),
    "club.page": (
        "si-anetaresoheni",
        "si-fitohen-piket",
        "sa-vlejne-piket",
        "piket-e-bllokuara",
        "ku-perdoren-piket",
    ),
}


@lru_cache(maxsize=8)
def _asked(code: str) -> dict[str, str]:
    """Slug → question, without the answers: every step of an order shows some."""
    return {one.slug: one.ask for topic in topics() for one in topic.questions}


def asked_at(endpoint: str | None) -> list[tuple[str, str]]:
    """The (slug, question) pairs that arise on the page of `endpoint`."""
    slugs_here = ARISE_AT.get(endpoint or "")
    if not slugs_here:
        return []
    asked = _asked(language.current())
    return [(slug, asked[slug]) for slug in slugs_here]
