"""Server time of every page over the demo project, as an owner opens them.

    python benchmarks/pages.py [--rounds 5] [--all]

Prints the 95th percentile over the pages of the median of each page's rounds, and the slowest pages. Time is from the
request to the last byte of the answer, on this machine, one request after the other.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.browser import demo_site
from tests.browser.crawling import crawl

SLOWEST = 12


def measure(client: httpx.Client, path: str, rounds: int) -> float:
    """Milliseconds of a page, the median."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        client.get(path).raise_for_status()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="print every page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = demo_site.start(Path(folder), one_of=1)
        try:
            with site.client("owner") as client:
                paths = [page.path for page in crawl(client) if page.html]
                took = sorted(((measure(client, path, given.rounds), path) for path in paths), reverse=True)
        finally:
            site.server.stop()
    times = [milliseconds for milliseconds, _ in took]
    for milliseconds, path in took if given.all else took[:SLOWEST]:
        print(f"{milliseconds:8.0f} ms  {path}")
    print(
        f"\n{len(took)} pages: median {statistics.median(times):.0f} ms, "
        f"p95 {statistics.quantiles(times, n=20)[-1]:.0f} ms"
    )


if __name__ == "__main__":
    main()
