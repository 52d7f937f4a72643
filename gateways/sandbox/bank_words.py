"""What the sandbox bank's pages say, in three languages: a bank has its own words, not the shop's."""

LANGUAGES = ("sq", "mk", "en")

_WORDS = {
    "bank": ("Banka e provës", "Пробна банка", "Practice bank"),
    "no_money": (
        "Këtu nuk lëvizin para dhe nuk pranohen kartela të vërteta.",
        "Тука не се движат пари и не се примаат вистински картички.",
        "No money moves here, and real cards are not accepted.",
    ),
    "home_title": ("Banka e provës e dyqanit", "Пробната банка на продавницата", "The shop's practice bank"),
    "home_text": (
        "Faqja e pagesës hapet nga dyqani. Kartelat më poshtë vendosin si përfundon pagesa.",
        "Страницата за плаќање ја отвора продавницата. Картичките подолу решаваат како завршува плаќањето.",
        "The shop opens the payment page. The cards below decide how a payment ends.",
    ),
    "card_title": ("Paguani me kartelë", "Платете со картичка", "Pay by card"),
    "merchant": ("Shitësi", "Трговец", "Merchant"),
    "order": ("Pagesa", "Плаќање", "Payment"),
    "amount": ("Shuma", "Износ", "Amount"),
    "number": ("Numri i kartelës", "Број на картичката", "Card number"),
    "expiry": ("Vlen deri (MM/VV)", "Важи до (ММ/ГГ)", "Expires (MM/YY)"),
    "cvv": ("Kodi CVV", "CVV-код", "CVV code"),
    "cvv_help": (
        "3 shifrat në shpinë të kartelës",
        "3-те цифри на грбот на картичката",
        "The 3 digits on the back of the card",
    ),
    "pay": ("Paguaj", "Плати", "Pay"),
    "cancel": (
        "Anulo dhe kthehu te shitësi",
        "Откажи и врати се кај трговецот",
        "Cancel and return to the shop",
    ),
    "test_cards": ("Kartelat e provës", "Пробни картички", "Test cards"),
    "test_cards_help": (
        "Zgjidhni një: fushat plotësohen vetë.",
        "Изберете една: полињата се пополнуваат сами.",
        "Choose one: the fields fill themselves.",
    ),
    "use": ("Përdore", "Користи", "Use"),
    "check_fields": ("Kontrolloni fushat", "Проверете ги полињата", "Check the fields"),
    "number_missing": (
        "Shkruani numrin e kartelës.",
        "Внесете го бројот на картичката.",
        "Type the card number.",
    ),
    "number_wrong": (
        "Ky numër kartele nuk ekziston; kontrolloni shifrat.",
        "Таков број на картичка не постои; проверете ги цифрите.",
        "No card has this number; check the digits.",
    ),
    "number_unknown": (
        "Këtu vlejnë vetëm kartelat e provës nga lista.",
        "Тука важат само пробните картички од списокот.",
        "Only the test cards of the list work here.",
    ),
    "expiry_wrong": (
        "Shkruani muajin dhe vitin, për shembull 12/30.",
        "Внесете месец и година, на пример 12/30.",
        "Type month and year, for example 12/30.",
    ),
    "expiry_past": (
        "Afati i kësaj kartele ka kaluar.",
        "Рокот на оваа картичка поминал.",
        "This card is out of date.",
    ),
    "cvv_wrong": ("Kodi CVV ka 3 shifra.", "CVV-кодот има 3 цифри.", "The CVV code has 3 digits."),
    "code_title": ("Konfirmoni pagesën", "Потврдете го плаќањето", "Confirm the payment"),
    "code_text": (
        "3-D Secure: banka juaj do ta dërgonte këtë kod në telefon.",
        "3-D Secure: вашата банка би го испратила овој код на телефон.",
        "3-D Secure: your bank would send this code to your phone.",
    ),
    "code_shown": ("Kodi juaj", "Вашиот код", "Your code"),
    "code": ("Kodi nga mesazhi", "Кодот од пораката", "The code from the message"),
    "code_help": ("6 shifra", "6 цифри", "6 digits"),
    "code_wrong": (
        "Kodi ka 6 shifra; shkruani atë që shihni më lart.",
        "Кодот има 6 цифри; внесете го кодот прикажан погоре.",
        "The code has 6 digits; type the one shown above.",
    ),
    "confirm": ("Konfirmo", "Потврди", "Confirm"),
    "cancel_code": ("Anulo pagesën", "Откажи го плаќањето", "Cancel the payment"),
    "approved_title": ("Pagesa u krye", "Плаќањето е извршено", "Payment made"),
    "declined_title": ("Pagesa nuk u krye", "Плаќањето не е извршено", "Payment not made"),
    "return_text": (
        "Tani kthehuni te shitësi që ta mbyllni porosinë.",
        "Сега вратете се кај трговецот за да ја завршите нарачката.",
        "Now return to the shop to finish your order.",
    ),
    "return_declined": (
        "Nga kartela nuk u mor asgjë. Te shitësi mund të provoni sërish.",
        "Од картичката не е земено ништо. Кај трговецот можете да се обидете повторно.",
        "Nothing was taken from the card. In the shop you can try again.",
    ),
    "return_duplicate": (
        "Kjo porosi është paguar më parë; nga kartela nuk u mor asgjë më shumë.",
        "Оваа нарачка е веќе платена; од картичката не е земено ништо повеќе.",
        "This order was paid before; nothing more was taken from the card.",
    ),
    "return_soon": (
        "Ktheheni vetë pas disa sekondash.",
        "Се враќате сами по неколку секунди.",
        "You return by yourself in a few seconds.",
    ),
    "return": ("Kthehu te shitësi", "Врати се кај трговецот", "Return to the shop"),
    "waiting_title": ("Një çast", "Еден миг", "One moment"),
    "waiting_text": (
        "Banka juaj po përgjigjet ngadalë. Faqja vazhdon vetë.",
        "Вашата банка одговара бавно. Страницата продолжува сама.",
        "Your bank is slow to answer. The page goes on by itself.",
    ),
    "waiting_again": ("Shiko tani", "Провери сега", "Look now"),
    "lost_title": ("Këtu lidhja u këput", "Тука врската се прекина", "Here the connection broke"),
    "lost_return": (
        "Pagesa u krye, por shfletuesi nuk kthehet te shitësi. Banka e lajmëron shitësin drejtpërdrejt.",
        "Плаќањето е извршено, но прелистувачот не се враќа кај трговецот. Банката му јавува на трговецот директно.",
        "The payment is made, but the browser does not return to the shop. The bank tells the shop directly.",
    ),
    "lost_both": (
        "Pagesa u krye, por as shfletuesi e as banka nuk e lajmërojnë shitësin. E mëson vetëm kur pyet vetë bankën.",
        "Плаќањето е извршено, но ниту прелистувачот ниту банката не му јавуваат на трговецот. "
        "Го дознава само ако самиот ја праша банката.",
        "The payment is made, but neither the browser nor the bank tells the shop. "
        "It learns of it only by asking the bank.",
    ),
    "problem_title": (
        "Kërkesa e shitësit ka gabime",
        "Барањето на трговецот има грешки",
        "The shop's request is wrong",
    ),
    "problem_text": (
        "Pagesa nuk mund të nisë. Këto i rregullon shitësi:",
        "Плаќањето не може да почне. Ова го поправа трговецот:",
        "The payment cannot start. The shop has to put this right:",
    ),
    "not_found_title": ("Kjo faqe nuk ekziston", "Оваа страница не постои", "There is no such page"),
    "not_found_text": (
        "Niseni pagesën sërish nga dyqani.",
        "Почнете го плаќањето одново од продавницата.",
        "Start the payment again from the shop.",
    ),
    "card_approve": ("Pagesa kryhet", "Плаќањето успева", "Approved"),
    "card_approve_mastercard": (
        "Pagesa kryhet (Mastercard)",
        "Плаќањето успева (Mastercard)",
        "Approved (Mastercard)",
    ),
    "card_decline": (
        "Refuzohet: nuk ka mjete (51)",
        "Одбиено: нема средства (51)",
        "Declined: insufficient funds (51)",
    ),
    "card_expired": (
        "Refuzohet: kartelë e skaduar (54)",
        "Одбиено: истечена картичка (54)",
        "Declined: expired card (54)",
    ),
    "card_fail_3d": ("3-D Secure dështon", "3-D Secure не успева", "3-D Secure fails"),
    "card_lost_return": (
        "Kryhet, por shfletuesi nuk kthehet",
        "Успева, но прелистувачот не се враќа",
        "Approved, but the browser does not return",
    ),
    "card_lost_both": (
        "Kryhet, por shitësi nuk lajmërohet fare",
        "Успева, но трговецот не добива никаква порака",
        "Approved, but the shop is told nothing",
    ),
    "card_twice": (
        "Kryhet, banka lajmëron dy herë",
        "Успева, банката јавува двапати",
        "Approved, the bank tells the shop twice",
    ),
    "card_forged": (
        "Kryhet, por më parë vjen një mesazh i falsifikuar",
        "Успева, но прво доаѓа лажна порака",
        "Approved, but a forged message comes first",
    ),
    "card_slow": (
        "Kryhet, banka lajmëron pas 3 sekondash",
        "Успева, банката јавува по 3 секунди",
        "Approved, the bank tells the shop after 3 seconds",
    ),
}


def word(key: str, language: str) -> str:
    """The text `key` in one of LANGUAGES; KeyError for a text that does not exist."""
    return _WORDS[key][LANGUAGES.index(language)]
