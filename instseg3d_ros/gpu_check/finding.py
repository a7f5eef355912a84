"""The results of checks with their limits, as a table and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

HEADER = ("check", "measured", "limit", "")
WIDEST = 60  # largest number of characters of a text in the table


@dataclass(frozen=True)
class Finding:
    """A line of the report. `value` must be at most `limit`, or at least `limit` if `at_least` is set.

    A line without a limit is information. A value that is not finite does not hold its limit. `worst`: the 99th
    percentile, if `value` is a median; `text`: a text that is shown in place of the number.
    """

    check: str
    what: str
    value: float | None = None
    unit: str = ""
    limit: float | None = None
    at_least: bool = False
    text: str = ""
    worst: float | None = None

    @property
    def held(self) -> bool | None:
        """Whether the limit holds; None for a line without a limit."""
        if self.limit is None:
            return None
        if self.value is None or not math.isfinite(self.value):
            return False
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def passed(findings: Sequence[Finding]) -> bool:
    """Whether all limits hold, and there is at least one limit."""
    verdicts = [finding.held for finding in findings if finding.held is not None]
    return bool(verdicts) and all(verdicts)


def failed(check: str, error: BaseException) -> Finding:
    """The line of a check that stopped with an error; its limit does not hold."""
    lines = str(error).splitlines()
    return Finding(
        check, "stopped", math.nan, limit=0.0, text=f"{type(error).__name__}: {lines[0] if lines else ''}"[:160]
    )


def table(findings: Sequence[Finding]) -> str:
    """Aligned text with a heading for each check."""
    cells = [(finding, _cells(finding)) for finding in findings]
    widths = [max(len(row[i]) for row in [HEADER, *(row for _, row in cells)]) for i in range(len(HEADER))]
    lines, check = [_aligned(HEADER, widths)], None
    for finding, row in cells:
        if finding.check != check:
            check = finding.check
            lines += ["", check]
        lines.append(_aligned(row, widths))
    return "\n".join(lines)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def _cells(finding: Finding) -> tuple[str, ...]:
    limit = "" if finding.limit is None or finding.text else f"{'≥' if finding.at_least else '≤'} {finding.limit:g}"
    measured = finding.text[:WIDEST] or (
        "" if finding.value is None else f"{finding.value:.4g} {finding.unit}".rstrip()
    )
    if finding.worst is not None:
        measured += f" (99 %: {finding.worst:.4g})"
    return f"  {finding.what}", measured, limit, {True: "held", False: "FAILED", None: ""}[finding.held]


def to_json(findings: Sequence[Finding]) -> dict:
    """{"passed", "findings": [...]}; a value that is not finite becomes null."""
    rows = []
    for finding in findings:
        row = {**asdict(finding), "held": finding.held}
        row["value"] = finding.value if finding.value is not None and math.isfinite(finding.value) else None
        rows.append(row)
    return {"passed": passed(findings), "findings": rows}
