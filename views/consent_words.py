"""What somebody agrees to, in the words that stand beside the box and are kept with the yes (PRV-2)."""

from flask_babel import lazy_gettext

NAMES = {
    "club_email": lazy_gettext("Lajme të klubit me e-postë"),
    "club_sms": lazy_gettext("Lajme të klubit me SMS"),
    "cart_email": lazy_gettext("Kujtesë për shportën e lënë"),
}
WORDING = {
    "club_email": lazy_gettext("Dua lajme të klubit me e-postë: oferta të partnerëve dhe dhurata"),
    "club_sms": lazy_gettext("Dua lajme të klubit me SMS: oferta të partnerëve dhe dhurata"),
    "cart_email": lazy_gettext("Më kujtoni me një e-postë, nëse e lë shportën pa porositur; e ndal kurdo"),
}
# Where a word was given.
PLACES = {
    "web": lazy_gettext("te profili"),
    "checkout": lazy_gettext("te porosia"),
    "sms": lazy_gettext("me SMS"),
    "mail": lazy_gettext("me lidhjen në e-postë"),
    "desk": lazy_gettext("në dyqan"),
}
