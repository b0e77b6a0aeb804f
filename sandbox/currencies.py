"""Which currencies and amounts a charge may have (https://docs.stripe.com/currencies)."""

from sandbox.api.errors import InvalidRequest

TWO_DECIMAL_CODES = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf
    cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils
    inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn
    nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd
    std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd xcg yer zar zmw
"""
TWO_DECIMALS = frozenset(TWO_DECIMAL_CODES.split())
ZERO_DECIMALS = frozenset(
    (
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "ugx",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    )
)
THREE_DECIMALS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
CURRENCIES = TWO_DECIMALS | ZERO_DECIMALS | THREE_DECIMALS

# The published minimum of each settlement currency, in its minor units; others are free from one unit on,
# as the real minimum of those depends on the exchange rate of the day.
SMALLEST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1_500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1_000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1_000,
    "usd": 50,
}
LARGEST = 99_999_999
LARGEST_OF = {"idr": 999_999_999_999}


def checked_currency(text: str) -> str:
    """The currency as Stripe keeps it, in lower case."""
    currency = text.lower()
    if currency not in CURRENCIES:
        raise InvalidRequest(f"Invalid currency: {text}", param="currency")
    return currency


def check_amount(amount: int, currency: str) -> None:
    """Refuse an amount, in minor units of the currency, that Stripe would not charge to a card."""
    smallest, largest = SMALLEST.get(currency, 1), LARGEST_OF.get(currency, LARGEST)
    if amount < smallest:
        raise InvalidRequest(
            f"The amount must be at least {spoken(smallest, currency)}.",
            code="amount_too_small",
            param="amount",
        )
    if amount > largest:
        raise InvalidRequest(
            f"The amount must be no more than {spoken(largest, currency)}.",
            code="amount_too_large",
            param="amount",
        )
    if currency in THREE_DECIMALS and amount % 10:
        raise InvalidRequest(f"Amounts in {currency} must be multiples of 10.", param="amount")


def decimals(currency: str) -> int:
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def spoken(amount: int, currency: str) -> str:
    """An amount for a human: 1099 usd is «10.99 usd»."""
    places = decimals(currency)
    whole, part = divmod(amount, 10**places)
    return f"{whole}.{part:0{places}} {currency}" if places else f"{whole} {currency}"
