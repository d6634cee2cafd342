"""Why a report of a resident with a voucher is not paid: what the producer is told."""

from enum import StrEnum


class NotPaid(StrEnum):
    """Why neither the voucher nor a fee pays a report, as the run that closed the month found it."""

    NO_CONTRACT = "no_contract"
    """The producer had no contract in the area on the day of the service (sopimus puuttui)."""
    NO_SCHEME = "no_scheme"
    """The municipality's scheme was not in production on that day (käyttöönotto ei ollut tuotannossa)."""
    NO_PRICE = "no_price"
    """The organiser has no price for the node of which a personal budget could pay it (hinta puuttui)."""
    NO_WEIGHT = "no_weight"
    """The price is by weight and the report has none (painokerroin puuttui)."""
    NO_REFERRAL = "no_referral"
    """The node asks for a referral and the report names none (lähete puuttui)."""
    BEYOND_THE_GRANT = "beyond_the_grant"
    """The voucher or the personal budget had nothing left (setelistä tai budjetista ei ollut jäljellä)."""


_EXPLANATIONS = {
    NotPaid.NO_CONTRACT: "You had no contract (sopimus) in the area on the day of the service.",
    NotPaid.NO_SCHEME: "The municipality's scheme (käyttöönotto) was not in production on the day of the service.",
    NotPaid.NO_PRICE: "The organiser has set no price (hinta) for the service.",
    NotPaid.NO_WEIGHT: "The price is by weight and the report names no weight (painokerroin).",
    NotPaid.NO_REFERRAL: "The service asks for a referral (lähete) and the report names none.",
    NotPaid.BEYOND_THE_GRANT: "The voucher (palveluseteli) or the personal budget had nothing left.",
}


def explanation(why: NotPaid) -> str:
    """A sentence for the producer."""
    return _EXPLANATIONS[why]
