"""
When ten thousand environments that started in the same second renew a parameter: a simulation with the kit's own cache.

    python benchmarks/refresh_herd.py [--environments N] [--write]

Needs nothing but the kit. The clock is simulated; the ages at which values are renewed are those that the cache draws.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(ROOT))

from lambda_kit._cache import SOONEST_SOFT, Cache  # noqa: E402 - needs the line above

PAGE = ROOT / "docs" / "benchmarks" / "refresh_herd.md"
PLOT = ROOT / "docs" / "benchmarks" / "refresh_herd.svg"
MAX_AGE_S = 300.0
HORIZON_S = 3600
MOST_OVER_MEAN = 2.5


def main() -> None:
    """
    Simulate, print the page, and write it and its plot into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Simulate how environments that started together renew their values.")
    parser.add_argument("--environments", type=int, default=10_000, help="how many (default %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} and its plot")
    arguments = parser.parse_args()
    jitter, fixed = refreshes(arguments.environments), refreshes(arguments.environments, jitter=False)
    page = report(jitter, fixed, arguments.environments)
    print(page)
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")
        PLOT.write_text(plot(jitter), encoding="utf-8")


def refreshes(environments: int, *, horizon_s: int = HORIZON_S, max_age_s: float = MAX_AGE_S, jitter: bool = True) -> list[int]:
    """
    Return the refreshes of each second: all environments read at second 0, and then all the time.
    """
    now_s = 0.0
    draw: dict[str, Any] = {} if jitter else {"fraction": lambda: 1.0}
    counts = [0] * horizon_s
    due: list[tuple[float, int]] = []
    caches: list[Cache[str]] = []
    for number in range(environments):
        # An environment is busy: it reads at the very moment its value turns soft.
        caches.append(Cache(wall_s=lambda: now_s, monotonic_s=lambda: now_s, **draw))
        entry = caches[number].renew("p", lambda: ("1", "1"))
        heapq.heappush(due, (max_age_s * entry.softness, number))
    while due[0][0] < horizon_s:
        now_s, number = heapq.heappop(due)
        before = caches[number].tallies.refresh_ok.value
        entry = caches[number].get("p", lambda: ("1", "1"), max_age_s=max_age_s)
        counts[int(now_s)] += caches[number].tallies.refresh_ok.value - before
        heapq.heappush(due, (now_s + max_age_s * entry.softness, number))
    return counts


def ratio(counts: list[int]) -> float:
    """
    Return the busiest second as a multiple of the mean.
    """
    return max(counts) * len(counts) / sum(counts)


def report(jitter: list[int], fixed: list[int], environments: int) -> str:
    """
    Return the page.
    """
    kept = "kept" if ratio(jitter) <= MOST_OVER_MEAN else "**exceeded**"
    lines = [
        "# How environments that started together renew",
        "",
        f"Produced by `benchmarks/refresh_herd.py`: {environments} environments read one parameter in the same second, and from then on",
        f"all the time, for {HORIZON_S} s; `max_age_s` is {MAX_AGE_S:.0f}.",
        f"A value is renewed at an age drawn from {SOONEST_SOFT * 100:.0f} to 100 % of that.",
        "",
        "| | mean per second | busiest second | of the mean |",
        "|---|---:|---:|---:|",
        *(
            f"| {title} | {sum(counts) / len(counts):.1f} | {max(counts)} | {ratio(counts):.2f} |"
            for title, counts in (("the kit's jitter", jitter), ("no jitter", fixed))
        ),
        "",
        f"Budget: never above {MOST_OVER_MEAN} times the mean: {kept}.",
        "",
        "![Refreshes per second over an hour](refresh_herd.svg)",
    ]
    return "\n".join(lines) + "\n"


def plot(counts: list[int]) -> str:
    """
    Return a drawing of the refreshes of each second, their mean and the budget, as SVG.
    """
    width, height, left, top = 900, 260, 50, 20
    mean = sum(counts) / len(counts)
    most = MOST_OVER_MEAN * mean * 1.1

    def y(count: float) -> float:
        return top + height - height * count / most

    points = " ".join(f"{left + width * second / len(counts):.1f},{y(count):.1f}" for second, count in enumerate(counts))
    size = f"{left + width + 90} {top + height + 40}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="12">',
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#fff" stroke="#999"/>',
        f'<polyline points="{points}" fill="none" stroke="#2563eb" stroke-width="0.7"/>',
    ]
    for value, name in ((mean, "mean"), (MOST_OVER_MEAN * mean, f"{MOST_OVER_MEAN} x mean")):
        lines.append(
            f'<line x1="{left}" x2="{left + width}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#dc2626" stroke-dasharray="4"/>'
        )
        lines.append(f'<text x="{left + width + 6}" y="{y(value) + 4:.1f}">{name}</text>')
        lines.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    for second in range(0, len(counts) + 1, 600):
        x = left + width * second / len(counts)
        lines.append(f'<text x="{x:.0f}" y="{top + height + 18}" text-anchor="middle">{second // 60} min</text>')
    lines.append(f'<text x="{left}" y="{top - 6}">refreshes per second</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
