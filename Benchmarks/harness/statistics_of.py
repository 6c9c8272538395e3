"""Medians and quartiles of paired ratios: what survives on a noisy, shared machine."""

import statistics


def spread(values):
    """{median, low, high}: the median and the quartiles around it (the interquartile range)."""
    values = sorted(values)
    if not values:
        return None
    if len(values) == 1:
        return {"median": values[0], "low": values[0], "high": values[0], "n": 1}
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "low": low, "high": high, "n": len(values)}


def paired(rounds, numerator, denominator):
    """The spread of numerator(round) / denominator(round) over the rounds that have both."""
    ratios = []
    for one in rounds:
        above, below = numerator(one), denominator(one)
        if above is not None and below:
            ratios.append(above / below)
    return spread(ratios)
