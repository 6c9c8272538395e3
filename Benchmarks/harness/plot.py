"""A bar chart as SVG, written by hand: one panel per place, one bar per contender."""

from xml.sax.saxutils import escape

WIDTH, LABELS, ROW, PANEL_GAP, TOP = 860, 130, 24, 46, 64
BAR_AREA = WIDTH - LABELS - 90
COLOURS = {"own": "#1f6f8b", "peer": "#b8c4cc", "range": "#33434d", "goal": "#c0392b"}


def _text(x, y, text, size=12, anchor="start", weight="normal"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _panel(top, title, rows, goal):
    """`rows`: (name, spread, is_own). The axis begins at 0 and ends past the longest bar."""
    longest = max([spread["high"] for _, spread, _ in rows] + ([goal] if goal else []))
    scale = BAR_AREA / (longest * 1.05)
    parts = [_text(0, top, title, size=13, weight="bold")]
    for number, (name, spread, own) in enumerate(rows):
        y = top + 10 + number * ROW
        middle = y + ROW / 2
        width = spread["median"] * scale
        colour = COLOURS["own" if own else "peer"]
        parts.append(_text(LABELS - 8, middle + 4, name, anchor="end"))
        parts.append(
            f'<rect x="{LABELS}" y="{y + 4}" width="{width:.1f}" height="{ROW - 8}" '
            f'fill="{colour}"/>'
        )
        low, high = (LABELS + spread[key] * scale for key in ("low", "high"))
        parts.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" '
            f'stroke="{COLOURS["range"]}" stroke-width="2"/>'
        )
        parts.append(_text(max(high, LABELS + width) + 6, middle + 4, f"{spread['median']:.2f}"))
    bottom = top + 10 + len(rows) * ROW
    if goal:
        x = LABELS + goal * scale
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top + 8}" y2="{bottom}" '
            f'stroke="{COLOURS["goal"]}" stroke-dasharray="4 3"/>'
        )
    return parts, bottom


def draw(title, note, panels):
    """`panels`: (title, rows, goal or None). Returns the text of an SVG file."""
    parts, y = [_text(0, 22, title, size=16, weight="bold"), _text(0, 42, note, size=12)], TOP + 10
    for name, rows, goal in panels:
        if not rows:
            continue
        drawn, bottom = _panel(y, name, rows, goal)
        parts += drawn
        y = bottom + PANEL_GAP
    height = y - PANEL_GAP + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -6 {WIDTH + 32} {height + 6}" '
        f'font-family="sans-serif" fill="#1b262c">\n'
        f'<rect x="-16" y="-6" width="{WIDTH + 32}" height="{height + 6}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
