"""Outcomes as text for the terminal, CSV, LaTeX and JSON. Undefined scores are a dash, an empty field, or null."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence

from instseg3d_ros.evaluation.outcome import NAN, Outcome, OverlapScores, Scores
from instseg3d_ros.evaluation.paper import published

HEADINGS = ("AP", "AP50", "AP25", "IoU")
MEAN, MASKS = "mean", "class-agnostic"


def rows(outcome: Outcome) -> list[tuple[str, Scores, float]]:
    """(name, scores, IoU) of every class in label order, of the mean, and of the class-agnostic masks."""
    result = []
    if outcome.class_aware:
        for entry in outcome.labels.classes:
            scores = outcome.classes.get(entry.name, Scores())
            result.append((entry.name, scores, outcome.class_iou.get(entry.name, NAN)))
        result.append((MEAN, outcome.mean, outcome.iou))
    result.append((MASKS, outcome.agnostic, NAN))
    return result


def screen(outcomes: Sequence[Outcome]) -> str:
    """Aligned text: a table of classes per method, followed by the scores that belong to no class."""
    return "\n\n".join(_screen(outcome) for outcome in outcomes)


def _screen(outcome: Outcome) -> str:
    paper = published(outcome.labels, outcome.method) if outcome.class_aware else None
    width = max(len(MASKS), *(len(name) for name, _, _ in rows(outcome)))
    where = " ".join(part for part in (outcome.dataset, outcome.split) if part)
    lines = [f"{outcome.method} on {where}, {len(outcome.scenes)} scenes"]
    head = f"{'':<{width}}" + "".join(f"{heading:>8}" for heading in HEADINGS)
    lines.append(head + (f"   {paper[0]}" if paper else ""))
    for name, scores, iou in rows(outcome):
        if name == MEAN:
            lines.append("-" * len(head))
        line = f"{name:<{width}}" + "".join(f"{_text(v):>8}" for v in (scores.ap, scores.ap50, scores.ap25, iou))
        key = "" if name == MEAN else name
        if paper and key in paper[1]:
            line += f"   {_text(paper[1][key])}"
        lines.append(line)
    if outcome.by_objects:
        parts = (f"{count} objects {_text(value)}" for count, value in outcome.by_objects.items())
        lines.append(f"class-agnostic AP50 by objects in view: {', '.join(parts)}")
    if math.isfinite(outcome.overlap.f):
        lines += _overlap(outcome.overlap)
    for name, part in outcome.by_distance.items():
        figures = (_text(value) for value in (part.named.ap50, part.masks.ap50, part.iou))
        lines.append("{}: AP50 {}, of masks {}, IoU {}".format(name, *figures))
    if outcome.reliability is not None and math.isfinite(outcome.reliability.error):
        fit = outcome.reliability.temperature
        hint = f", best temperature {fit:.2f}" if math.isfinite(fit) else ""
        lines.append(f"expected calibration error of the scores {_text(outcome.reliability.error)}{hint}")
    if math.isfinite(outcome.milliseconds):
        lines.append(f"{outcome.milliseconds:.0f} ms per scene")
    return "\n".join(lines)


def _overlap(o: OverlapScores) -> list[str]:
    """Overlap and boundary scores in percent, as in papers on unseen objects."""
    lines = [f"overlap   P {_percent(o.precision)}  R {_percent(o.recall)}  F {_percent(o.f)}"]
    if math.isfinite(o.boundary_f):
        rim = (o.boundary_precision, o.boundary_recall, o.boundary_f)
        lines.append("boundary  P {}  R {}  F {}".format(*map(_percent, rim)))
    lines.append(f"objects segmented with F ≥ .75: {_percent(o.well)} %")
    return lines


def _percent(value: float) -> str:
    return f"{100 * value:.1f}" if math.isfinite(value) else "–"


def to_csv(outcomes: Sequence[Outcome]) -> str:
    """One line per method and class: method,class,ap,ap50,ap25,iou."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["method", "class", "ap", "ap50", "ap25", "iou"])
    for outcome in outcomes:
        for name, scores, iou in rows(outcome):
            values = (scores.ap, scores.ap50, scores.ap25, iou)
            writer.writerow([outcome.method, name, *("" if math.isnan(value) else repr(value) for value in values)])
    return buffer.getvalue()


def to_latex(outcomes: Sequence[Outcome]) -> str:
    """A booktabs table in percent. Rows are classes; each method is a group of columns."""
    names = list(dict.fromkeys(entry.name for o in outcomes if o.class_aware for entry in o.labels.classes))
    names += [MEAN, MASKS] if names else [MASKS]
    papers = [published(outcome.labels, outcome.method) if outcome.class_aware else None for outcome in outcomes]
    groups = [len(HEADINGS) + (paper is not None) for paper in papers]
    headings = [h for paper in papers for h in (*HEADINGS, *([_escape(paper[0])] if paper else ()))]
    lines = [
        r"\begin{tabular}{l" + "".join("r" * size for size in groups) + "}",
        r"\toprule",
        " & ".join(["", *(rf"\multicolumn{{{n}}}{{c}}{{{_escape(o.method)}}}" for n, o in zip(groups, outcomes))])
        + r" \\",
        " & ".join(["", *headings]) + r" \\",
        r"\midrule",
    ]
    tables = [{name: (s.ap, s.ap50, s.ap25, iou) for name, s, iou in rows(outcome)} for outcome in outcomes]
    for name in names:
        cells = [_escape(name)]
        for table, paper in zip(tables, papers):
            values = list(table.get(name, (NAN,) * len(HEADINGS)))
            if paper:
                values.append(paper[1].get("" if name == MEAN else name, NAN))
            cells += ["--" if math.isnan(value) else f"{100 * value:.1f}" for value in values]
        if name in (MEAN, MASKS) and name != names[0]:
            lines.append(r"\midrule")
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def to_json(outcomes: Sequence[Outcome], class_agnostic: bool = False) -> str:
    """JSON with the first method's scores at the top level and, with several methods, all of them under `methods`."""
    content = outcomes[0].to_json(class_agnostic)
    if len(outcomes) > 1:
        content["methods"] = {outcome.method: outcome.to_json(class_agnostic) for outcome in outcomes}
    return json.dumps(content, indent=2) + "\n"


def _text(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def _escape(text: str) -> str:
    return "".join(rf"\{letter}" if letter in "&%$#_{}" else letter for letter in text)
