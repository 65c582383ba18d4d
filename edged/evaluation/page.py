"""The report as one HTML file: no script, nothing fetched, light and dark."""

import html
from collections.abc import Iterator
from itertools import chain
from typing import Final

from edged.evaluation.plots import open_set_plots, verification_plots
from edged.evaluation.report import Evaluation
from edged.evaluation.svg import Plot, drawn
from edged.evaluation.tables import Table, tables_of

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d0d7de; --soft: #57606a;
  --c0: #0b62c4; --c1: #b3400a; --c2: #1a7f37; --c3: #8250df; --c4: #9a6700; --c5: #bf3989; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #30363d;
  --soft: #9198a1; --c0: #58a6ff; --c1: #ff9a5c; --c2: #56d364; --c3: #bc8cff; --c4: #e3b341;
  --c5: #ff7bc0; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--faint);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
p.note, .meta { color: var(--soft); font-size: .9rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); }
text.x, text.label { text-anchor: middle; } text.y { text-anchor: end; }
.grid { stroke: var(--faint); } .line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 5 4; }
.band { opacity: .18; } .bars { opacity: .45; }
.legend { list-style: none; margin: 0; padding: 0; font-size: .85rem; display: flex; flex-wrap: wrap;
  gap: .2rem 1rem; }
.legend i { display: inline-block; width: 1.4em; height: .7em; margin-right: .4em; background: currentColor; }
"""

_COLOURS: Final = "".join(
    f".line.c{i} {{ stroke: var(--c{i}); }} .band.c{i}, .bars.c{i} {{ fill: var(--c{i}); }}"
    f" .legend .c{i} {{ color: var(--c{i}); }}\n"
    for i in range(6)
)


def page_of(found: Evaluation) -> str:
    """The whole page. Whatever names it shows are text and never markup."""
    title = f"edged evaluate: {found.dataset}"
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}{_COLOURS}</style></head>"
    )
    plots = [_figure(plot, number) for number, plot in enumerate(_plots(found))]
    body = [
        f"<h1>{_text(title)}</h1>",
        _made_how(found),
        *(_table(table) for table in tables_of(found)),
        f'<h2>Plots</h2><div class="plots">{"".join(plots)}</div>' if plots else "",
        _notes(found.notes),
    ]
    return "\n".join([head, "<body><main>", *body, "</main></body></html>", ""])


def _made_how(found: Evaluation) -> str:
    return (
        f'<p class="meta">edged {_text(found.edged)}; embedder SHA-256 {_text(found.embedder)}; intervals of'
        f" 95 %, {found.resamples} resamples of people, seed {found.seed}</p>"
    )


def _plots(found: Evaluation) -> Iterator[Plot]:
    verifications = found.protocol.verifications if found.protocol else ()
    yield from chain.from_iterable(verification_plots(one) for one in (*verifications, *found.verifications))
    if found.open_set:
        yield from open_set_plots(found.open_set)


def _figure(plot: Plot, number: int) -> str:
    return f"<figure><figcaption>{_text(plot.title)}</figcaption>{drawn(plot, number)}</figure>"


def _table(table: Table) -> str:
    header = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.header)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    notes = "".join(f'<p class="note">{_text(note)}</p>' for note in table.notes)
    return (
        f'<h2>{_text(table.title)}</h2><div class="scroll"><table><thead><tr>{header}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{notes}"
    )


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{_text(note)}</li>" for note in notes) + "</ul>"


def _text(text: str) -> str:
    """Text as HTML; what is no character, such as a broken byte in a file's name, is replaced."""
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"))
