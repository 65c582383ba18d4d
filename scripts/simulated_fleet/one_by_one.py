"""One person changed at a time, each for an epoch of its own: how many pages each moves."""

import random
import statistics
from collections import Counter

from simulated_fleet.company import Company


def one_by_one(company: Company, people: int, changes: int, pages: dict[str, bytes]) -> list[str]:
    """Change people by chance; says what moved, keeps the new pages in `pages`, returns what must not be."""
    chance = random.Random(2)  # noqa: S311 - the same people in every run
    moved: Counter[int] = Counter()
    new, listed = [], []
    for _ in range(changes):
        company.rename_one(chance.randrange(people))
        made = company.next_epoch()
        pages |= made.pages
        moved[len(made.pages)] += 1
        new += [len(each) for each in made.pages.values()]
        listed = [entry.bytes for entry in made.manifest.pages]
    if not changes:
        return []
    words = ", ".join(f"{count} x {number} pages" for number, count in sorted(moved.items()))
    print(f"\none by one: {changes} changes of one person each moved {words};", end="")
    print(f" median {statistics.median(new) / 1000:.1f} kB, largest {max(new) / 1000:.1f} kB")
    print(f"  all {len(listed)} pages have {min(listed) / 1000:.1f} to {max(listed) / 1000:.1f} kB")
    return ["one changed person moved more than one page"] if max(moved) > 1 else []
