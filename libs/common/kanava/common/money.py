"""Integer cents: the one rounding, the one split, and how an amount is read and written.

Amounts are `int` cents everywhere. Rates may carry decimals; they become cents here and nowhere else.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

CENTS_PER_EURO = 100


def half_up(amount: Fraction | Decimal | int) -> int:
    """Round an exact amount in cents to whole cents, a half away from zero.

    Away from zero rather than towards plus infinity, so that a refund is exactly minus what it refunds.
    """
    exact = Fraction(amount)
    magnitude = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return magnitude if exact >= 0 else -magnitude


def split_by_largest_remainder(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Split `total_cents` in proportion to non-negative integer `weights`; the parts sum to the total.

    Ties go to the earlier weight, so the result depends on the order of the input alone.
    Raises `ValueError` when no weight is positive and the total is not zero.
    """
    whole = sum(weights)
    if min(weights, default=0) < 0:
        raise ValueError("a weight is negative")
    if whole == 0:
        if total_cents:
            raise ValueError("nothing to split the total over")
        return [0 for _ in weights]
    sign = 1 if total_cents >= 0 else -1
    shares = [divmod(abs(total_cents) * weight, whole) for weight in weights]
    missing = abs(total_cents) - sum(quotient for quotient, _ in shares)
    by_remainder = sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))
    lifted = set(by_remainder[:missing])
    parts = [sign * (quotient + (i in lifted)) for i, (quotient, _) in enumerate(shares)]
    assert sum(parts) == total_cents, "a split lost a cent"
    return parts


def cents_of(euros: str | Decimal) -> int:
    """Read an amount in euros with at most two decimals; `ValueError` for anything else."""
    amount = Decimal(euros)
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
        raise ValueError(f"not an amount in euros and whole cents: {euros}")
    return int(amount * CENTS_PER_EURO)


def euros(amount_cents: int) -> str:
    """Write cents as euros for a person: `1,105,629,580.95 €`."""
    sign = "-" if amount_cents < 0 else ""
    whole, rest = divmod(abs(amount_cents), CENTS_PER_EURO)
    return f"{sign}{whole:,}.{rest:02d} €"
