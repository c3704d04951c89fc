"""Curves as an SVG: recall to the right, queries a CPU second upwards by powers of ten."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 70, 160, 40, 50
COLOURS = ["#c0392b", "#2c6fbb", "#2e8b57", "#8e5ea2", "#d98e04", "#5f6a6a", "#16a0a0"]
LOWEST = 0.85
MARKS = [0.85, 0.9, 0.95, 0.98, 1.0]
STYLE = ("text{font:12px sans-serif;fill:#444}.title{font-size:14px}.grid{stroke:#ddd}.line{fill:none;stroke-width:2}"
         "@media(prefers-color-scheme:dark){text{fill:#bbb}.grid{stroke:#444}}")


def along(recall):
    return LEFT + (recall - LOWEST) / (1 - LOWEST) * (WIDTH - LEFT - RIGHT)


def scale(curves):
    """How a rate becomes a height, and the powers of ten that are marked."""
    rates = [rate for points in curves.values() for recall, rate in points if recall >= LOWEST]
    low, high = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    high = max(high, low + 1)

    def height(rate):
        return HEIGHT - BOTTOM - (math.log10(rate) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    return height, [10**power for power in range(low, high + 1)]


def grid(height, powers):
    for recall in MARKS:
        x = along(recall)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{recall:g}</text>'
    for power in powers:
        y = height(power)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{power:,}</text>'


def drawn(number, name, points, height):
    colour = COLOURS[number % len(COLOURS)]
    places = [(along(recall), height(rate)) for recall, rate in points if recall >= LOWEST]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline class="line" stroke="{colour}" points="{path}"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
    y = TOP + 20 + 20 * number
    yield f'<line stroke="{colour}" stroke-width="3" x1="{WIDTH - RIGHT + 15}" y1="{y - 4}" x2="{WIDTH - RIGHT + 35}" y2="{y - 4}"/>'
    yield f'<text x="{WIDTH - RIGHT + 42}" y="{y}">{name}</text>'


def write(path, title, curves):
    """Writes the plot of curves by name, each a list of recall and rate."""
    height, powers = scale(curves)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">', f"<style>{STYLE}</style>",
             f'<text class="title" x="{LEFT}" y="22">{title}</text>', *grid(height, powers)]
    for number, (name, points) in enumerate(curves.items()):
        lines += drawn(number, name, points, height)
    lines += [f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">recall@10</text>',
              f'<text x="{LEFT}" y="{TOP - 4}">queries a CPU second</text>', "</svg>"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
