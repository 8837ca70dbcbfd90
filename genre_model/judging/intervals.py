"""What so few trials can tell: intervals around the figures of an evaluation."""


def wilson_interval(hits: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share that so many trials allow (Wilson 1927).

    Parameters
    ----------
    hits : int [0 to trials]
    trials : int [at least 1]
    confidence : float [0 to 1]
        How often such intervals cover the true share.

    Returns
    -------
    tuple[float, float]
        Lower and upper end, both within [0, 1].

    Examples
    --------
    >>> low, high = wilson_interval(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    from scipy.stats import binomtest  # takes longer to import than all else in this package

    found = binomtest(hits, trials).proportion_ci(confidence_level=confidence, method="wilson")
    return float(found.low), float(found.high)
