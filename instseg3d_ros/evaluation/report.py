"""An HTML page about an evaluation: scores per class, curves, calibration, confusion, and scenes from worst to best.

The page is a single file, `index.html`, that needs no network.
"""

from __future__ import annotations

import base64
import html
import io
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from instseg3d_ros.evaluation import charts, figures
from instseg3d_ros.evaluation.outcome import Example, Outcome
from instseg3d_ros.evaluation.tables import HEADINGS, MASKS, MEAN, rows
from instseg3d_ros.replacing import replacing

HERE = Path(__file__).parent
QUALITY = 88  # JPEG quality of the pictures


def write(outcomes: Sequence[Outcome], folder: Path) -> Path:
    """Write `folder`/index.html about outcomes of one or several methods on the same scenes; returns its path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    first = outcomes[0]
    where = " · ".join(part for part in (first.dataset, first.split, f"{len(first.scenes)} scenes") if part)
    sections = [
        _section("Summary", _summary(outcomes)),
        _section("Classes", _classes(outcomes)),
        _section("Curves", _charts(outcomes)),
        _section("Scenes, in ascending order of their scores", _scenes(outcomes)),
        _section("Pictures, in ascending order of the scores", _pictures(outcomes)),
    ]
    text = (HERE / "report.html").read_text()
    for name, value in (
        ("title", html.escape(f"{' and '.join(o.method for o in outcomes)} on {first.dataset}")),
        ("where", html.escape(where)),
        ("content", "\n".join(filter(None, sections))),
    ):
        text = text.replace(f"{{{{{name}}}}}", value)
    with replacing(folder / "index.html") as beside:
        beside.write_text(text, encoding="utf-8")
    return folder / "index.html"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>\n{content}\n</section>" if content else ""


def _summary(outcomes: Sequence[Outcome]) -> str:
    """A card per method: its scores and their differences from those of the first method."""
    cards = []
    for number, outcome in enumerate(outcomes):
        facts = (
            [("AP", "mean", "ap"), ("AP50", "mean", "ap50"), ("AP25", "mean", "ap25")] if outcome.class_aware else []
        )
        facts += [
            ("masks AP", "agnostic", "ap"),
            ("masks AP50", "agnostic", "ap50"),
            ("masks AP25", "agnostic", "ap25"),
        ]
        lines = []
        for name, group, key in facts:
            value, base = (getattr(getattr(source, group), key) for source in (outcome, outcomes[0]))
            lines.append(f"<dt>{name}</dt><dd>{_number(value)}{_difference(value, base) if number else ''}</dd>")
        if outcome.class_aware:
            change = _difference(outcome.iou, outcomes[0].iou) if number else ""
            lines.append(f"<dt>mean IoU</dt><dd>{_number(outcome.iou)}{change}</dd>")
        if outcome.reliability is not None and math.isfinite(outcome.reliability.error):
            lines.append(f"<dt>calibration error</dt><dd>{_number(outcome.reliability.error)}</dd>")
        if math.isfinite(outcome.milliseconds):
            lines.append(f"<dt>per scene</dt><dd>{outcome.milliseconds:.0f} ms</dd>")
        mark = f'<i class="chip" style="background:{_color(number)}"></i>'
        cards.append(
            f'<article class="card"><h3>{mark}{html.escape(outcome.method)}</h3><dl>{"".join(lines)}</dl></article>'
        )
    return f'<div class="cards">{"".join(cards)}</div>'


def _classes(outcomes: Sequence[Outcome]) -> str:
    """A table with a row per class; columns are AP, AP50, AP25 and IoU of each method, each with a bar."""
    names = list(dict.fromkeys(name for outcome in outcomes for name, _, _ in rows(outcome)))
    names.sort(key=(MEAN, MASKS).__contains__)
    head = ['<th rowspan="2" scope="col">class</th>']
    for number, outcome in enumerate(outcomes):
        mark = f'<i class="chip" style="background:{_color(number)}"></i>'
        head.append(f'<th colspan="4" scope="colgroup">{mark}{html.escape(outcome.method)}</th>')
    lines = [f"<tr>{''.join(head)}</tr><tr>{''.join(f'<th>{name}</th>' for name in HEADINGS) * len(outcomes)}</tr>"]
    body = []
    for name in names:
        cells = []
        for number, outcome in enumerate(outcomes):
            found = {row[0]: row[1:] for row in rows(outcome)}.get(name)
            values = (math.nan,) * 4 if found is None else (found[0].ap, found[0].ap50, found[0].ap25, found[1])
            cells += [_bar(value, _color(number)) for value in values]
        if not all("–" in cell for cell in cells):
            kind = ' class="total"' if name in (MEAN, MASKS) else ""
            body.append(f'<tr{kind}><th scope="row">{html.escape(name)}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="wide"><table class="bars"><thead>{lines[0]}</thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def _bar(value: float, color: str) -> str:
    if math.isnan(value):
        return '<td class="none">–</td>'
    return f'<td style="--part:{100 * value:.1f}%;--own:{color}">{value:.3f}</td>'


def _charts(outcomes: Sequence[Outcome]) -> str:
    """Charts as inline SVG, which stays sharp and has searchable text."""
    with tempfile.TemporaryDirectory() as place:
        drawn = [path for path in charts.draw(outcomes, Path(place), "svg") if path.stem != "classes"]
        texts = [_inline(path.read_text(), f"c{number}") for number, path in enumerate(drawn)]
    return f'<div class="charts">{"".join(f"<figure>{text}</figure>" for text in texts)}</div>' if texts else ""


def _inline(svg: str, prefix: str) -> str:
    """An SVG without its file header; its ids get a prefix, because a page contains several SVGs."""
    import re

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    return re.sub(r'(url\(#|href="#)', rf"\1{prefix}-", svg)


def _scenes(outcomes: Sequence[Outcome]) -> str:
    """A table with a row per scene, sorted by the first method's score; a click on a heading sorts by its column."""
    scenes = sorted(outcomes[0].scenes, key=lambda scene: _rank(scene.scores.ap50))
    if not scenes:
        return ""
    head = "<th>scene</th><th>points</th><th>objects</th>"
    for number, _ in enumerate(outcomes):
        mark = f'<i class="chip" style="background:{_color(number)}"></i>'
        head += f"<th>{mark}found</th><th>masks AP50</th><th>IoU</th><th>ms</th>"
    body = []
    others = [{scene.name: scene for scene in outcome.scenes} for outcome in outcomes]
    for scene in scenes:
        cells = f'<th scope="row">{html.escape(scene.name)}</th><td>{scene.points:,}</td><td>{scene.objects}</td>'
        for number, table in enumerate(others):
            entry = table.get(scene.name)
            if entry is None:
                cells += '<td class="none">–</td>' * 4
                continue
            time = f"{entry.milliseconds:.0f}" if math.isfinite(entry.milliseconds) else "–"
            cells += f"<td>{entry.predictions}</td>{_bar(entry.scores.ap50, _color(number))}"
            cells += f"{_bar(entry.iou, _color(number))}<td>{time}</td>"
        body.append(f"<tr>{cells}</tr>")
    text = f'<table class="bars sortable"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    return f'<div class="wide tall">{text}</div>'


def _pictures(outcomes: Sequence[Outcome]) -> str:
    """Pictures of the example scenes: input and truth, and the predictions of each method."""
    score = {scene.name: scene.scores.ap50 for scene in outcomes[0].scenes}
    kept = [{example.path.stem: example for example in outcome.examples} for outcome in outcomes]
    names = sorted(kept[0], key=lambda name: _rank(score.get(name, math.nan)))
    blocks, seen = [], set()
    for name in names:
        pictures, classes = _row([(o, k[name]) for o, k in zip(outcomes, kept) if name in k])
        seen |= classes
        shown = "".join(
            f'<figure><img src="{_jpeg(picture)}" alt="{html.escape(f"{caption} of {name}")}" loading="lazy">'
            f"<figcaption>{html.escape(caption)}</figcaption></figure>"
            for caption, picture in pictures
        )
        text = f"<h3>{html.escape(name)} <small>masks AP50 {_number(score.get(name, math.nan))}</small></h3>"
        blocks.append(f'<article class="scene">{text}<div class="row">{shown}</div></article>')
    labels = outcomes[0].labels
    legend = "".join(
        f'<span><i class="chip" style="background:rgb{labels[one].color}"></i>{html.escape(labels[one].name)}</span>'
        for one in sorted(seen)
    )
    return (f'<p class="legend">{legend}</p>' if legend else "") + "".join(blocks)


def _row(pairs: Sequence[tuple[Outcome, Example]]) -> tuple[list[tuple[str, np.ndarray]], set[int]]:
    """(caption, picture) pairs of a scene, and the classes that occur in pictures of classes."""
    pictures, seen = [], set()
    for number, (outcome, example) in enumerate(pairs):
        drawn, classes = figures.panels(example, outcome.labels)
        named = dict(zip(figures.COLUMNS, drawn))
        if not number:
            pictures.append(("Input", named["Input"]))
            if outcome.class_aware:
                pictures.append(("True classes", named["True classes"]))
            pictures.append(("True instances", named["True instances"]))
        tail = f", {outcome.method}" if len(pairs) > 1 else ""
        if outcome.class_aware:
            seen |= set(classes)
            pictures.append((f"Predicted classes{tail}", named["Predicted classes"]))
        pictures.append((f"Predicted instances{tail}", named["Predicted instances"]))
    return pictures, seen


def _jpeg(picture: np.ndarray) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _difference(value: float, base: float) -> str:
    if math.isnan(value) or math.isnan(base):
        return ""
    kind = "up" if value > base else "down" if value < base else "same"
    return f' <small class="{kind}">{value - base:+.3f}</small>'


def _rank(value: float) -> float:
    """Key for sorting: undefined scores come last."""
    return math.inf if math.isnan(value) else value


def _color(number: int) -> str:
    return charts.METHODS[number % len(charts.METHODS)]
