"""Two proportions of the same rows: tests and the interval of their difference, from the discordant counts."""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import binom


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test: 2 P(X <= min), X ~ Binomial(discordant, 1/2), at most 1.

    References
    ----------
    McNemar 1947, Psychometrika 12, 153-157

    Examples
    --------
    >>> round(mcnemar_exact(1, 7), 4)
    0.0703
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * float(binom.cdf(fewer, discordant, 0.5)))


def mcnemar_mid_p(only_first: int, only_second: int) -> float:
    """Return the mid-p value of McNemar's test: outcomes as extreme as the observed one count by half.

    With X ~ Binomial(discordant, 1/2) it is 2 P(X < min) + P(X = min), and 1 - P(X = min) / 2 where the two counts are
    equal; 1 where no row is discordant. It rejects about as often as it should; the exact test rejects too rarely.

    References
    ----------
    Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91

    Examples
    --------
    >>> round(mcnemar_mid_p(1, 7), 4)
    0.0391
    """
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    if discordant == 0:
        return 1.0
    observed = float(binom.pmf(fewer, discordant, 0.5))
    if only_first == only_second:
        return 1.0 - observed / 2
    return 2 * float(binom.cdf(fewer, discordant, 0.5)) - observed


def tango_limits(only_first: int, only_second: int, rows: int, level: float) -> tuple[float, float]:
    """Return Tango's score interval for the difference of two proportions of the same rows.

    With b and c the discordant counts of n rows, the limits are the d at which

        (b - c - n d) / sqrt(n (2 q + d (1 - d))) = +-z

    where q, the probability of the second kind of discordance, is at its maximum-likelihood value given d:
    q = (sqrt(B^2 - 4 A C) - B) / (2 A), A = 2 n, B = -b - c + (2 n - b + c) d, C = -c d (1 - d).

    Parameters
    ----------
    only_first : b, rows that count for the first proportion and not for the second
    only_second : c, the other way round
    rows : n, concordant rows included, at least 1
    level : between 0 and 1

    References
    ----------
    Tango 1998, Statistics in Medicine 17, 891-908

    Examples
    --------
    >>> low, high = tango_limits(1, 7, rows=21, level=0.95)
    >>> round(low, 3), round(high, 3)
    (-0.517, -0.026)
    """
    z = float(ndtri((1 + level) / 2))
    b, c, n = only_first, only_second, rows
    if b + c == 0:
        return -(z**2) / (n + z**2), z**2 / (n + z**2)

    def distance(difference: float, sign: float) -> float:
        linear = -b - c + (2 * n - b + c) * difference
        discriminant = linear**2 + 8 * n * c * difference * (1 - difference)
        q = (math.sqrt(max(discriminant, 0.0)) - linear) / (4 * n)
        variance = max(n * (2 * q + difference * (1 - difference)), 0.0)
        return b - c - n * difference - sign * z * math.sqrt(variance)

    observed = (b - c) / n
    if abs(observed) == 1:  # the equation is then solved by the observed value too, and by this one
        limit = (n - z**2) / (n + z**2)
        return (limit, 1.0) if observed > 0 else (-1.0, -limit)
    low = brentq(distance, -1.0, observed, args=(1.0,), xtol=1e-14)
    high = brentq(distance, observed, 1.0, args=(-1.0,), xtol=1e-14)
    return float(low), float(high)
