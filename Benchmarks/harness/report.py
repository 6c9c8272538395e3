"""From the rounds of a place to ratios, and from ratios to a table, JSON and a plot."""

from . import plot
from .statistics_of import paired, spread

OWN = ("ecopy", "ecopy to tape")


def summarise(place, rounds, contenders):
    """`rounds`: [{"limit": {...}, "runs": {name: Measurement}}]; only ratios of one round count."""
    gib = place.gib
    names = [c.name for c in contenders if any(c.name in one["runs"] for one in rounds)]

    def of(name, field):
        return lambda one: getattr(one["runs"][name], field) if name in one["runs"] else None

    def limit_of(one):
        return one["limit"].get("limit")

    result = {}
    for name in names:
        runs = [one["runs"][name] for one in rounds if name in one["runs"]]
        result[name] = {
            "wall seconds": spread([run.wall for run in runs]),
            "speed of the limit": paired(rounds, limit_of, of(name, "wall")),
            "wall to dd": paired(rounds, of(name, "wall"), of("dd", "wall")),
            "cpu seconds per GiB": spread([run.cpu / gib for run in runs]),
            "cpu to dd": paired(rounds, of(name, "cpu"), of("dd", "cpu")),
            "system cpu seconds per GiB": spread([run.system_cpu / gib for run in runs]),
            "system cpu to dd": paired(rounds, of(name, "system_cpu"), of("dd", "system_cpu")),
            "read requests per GiB": spread([run.read_requests / gib for run in runs]),
            "write requests per GiB": spread([run.write_requests / gib for run in runs]),
            "minor faults": spread([run.minor_faults for run in runs]),
            "voluntary switches per GiB": spread([run.voluntary_switches / gib for run in runs]),
        }
    limits = [one["limit"] for one in rounds]
    keys = limits[0].keys() if limits else ()
    return {
        "title": place.title,
        "size MiB": place.size_mib,
        "rounds": len(rounds),
        "direct I/O": place.direct,
        "limit": place.limit_kind,
        "limit seconds": {key: spread([limit[key] for limit in limits]) for key in keys},
        "contenders": result,
    }


COLUMNS = (
    ("wall s", "wall seconds", "{:.2f}"),
    ("of limit", "speed of the limit", "{:.2f}"),
    ("wall÷dd", "wall to dd", "{:.2f}"),
    ("CPU s/GiB", "cpu seconds per GiB", "{:.3f}"),
    ("CPU÷dd", "cpu to dd", "{:.2f}"),
    ("all CPU÷dd", "system cpu to dd", "{:.2f}"),
    ("reads/GiB", "read requests per GiB", "{:.0f}"),
    ("writes/GiB", "write requests per GiB", "{:.0f}"),
    ("faults", "minor faults", "{:.0f}"),
)
WITH_RANGE = ("speed of the limit", "wall to dd", "cpu to dd", "system cpu to dd")


def _cell(value, key, form):
    if value is None:
        return "-"
    text = form.format(value["median"])
    if key in WITH_RANGE:
        text += " ({}-{})".format(form.format(value["low"]), form.format(value["high"]))
    return text


def rows(summary):
    body = [["", *(head for head, _, _ in COLUMNS)]]
    for name, values in summary["contenders"].items():
        body.append([name, *(_cell(values[key], key, form) for _, key, form in COLUMNS)])
    return body


def table(body):
    widths = [max(len(row[i]) for row in body) for i in range(len(body[0]))]
    lines = []
    for row in body:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(body):
    lines = ["| " + " | ".join(body[0]) + " |", "|" + "---|" * len(body[0])]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body[1:]])


def listed(values):
    """Names and numbers in one line: `instructions 194.9, allocations 0`."""

    def number(value):
        if isinstance(value, float) and not value.is_integer():
            return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3f}"
        return f"{value:,.0f}" if isinstance(value, (int, float)) else str(value)

    return ", ".join(f"{name} {number(value)}" for name, value in values.items())


def limit_line(summary):
    parts = {k: v["median"] for k, v in summary["limit seconds"].items() if v}
    if summary["limit"] == "arithmetic":
        return f"limit: {parts['limit']:.2f} s, the size divided by the slower device's speed"
    return (
        f"limit: {parts['limit']:.2f} s, fio reading and writing at the same time, "
        f"neither waiting for the other (alone: read {parts['read']:.2f} s, "
        f"write {parts['write']:.2f} s)"
    )


def plot_of(summaries, machine):
    panels = []
    for summary in summaries:
        contenders = summary["contenders"].items()
        for title, key, goal in (
            ("speed, as a part of the limit (longer is better)", "speed of the limit", None),
            ("CPU time per GiB, dd = 1 (shorter is better)", "cpu to dd", 0.6),
        ):
            if key == "speed of the limit" and summary["limit"] == "arithmetic":
                goal = 0.98
            bars = [(name, v[key], name in OWN) for name, v in contenders if v[key]]
            panels.append((f"{summary['title'].split(':')[0]}: {title}", bars, goal))
    note = f"medians of paired ratios and their quartiles; dashed: the goal; {machine}"
    return plot.draw("ecopy and its peers", note, panels)
