"""The official split of ScanNet v2 by rooms: all scans of a room are in the same split. 1201, 312 and 100 scans."""

from __future__ import annotations

import re

FIRST_TEST_ROOM = 707  # scene0707_00 … scene0806_00 come without labels
VALIDATION_ROOMS = frozenset((
    11, 15, 19, 25, 30, 46, 50, 63, 64, 77, 81, 84, 86, 88, 95, 100, 131, 139, 144, 146, 149, 153, 164, 169, 187, 193,
    196, 203, 207, 208, 217, 221, 222, 231, 246, 249, 251, 256, 257, 277, 278, 300, 304, 307, 314, 316, 328, 329, 334,
    338, 342, 343, 351, 353, 354, 355, 356, 357, 377, 378, 382, 389, 406, 412, 414, 423, 426, 427, 430, 432, 435, 441,
    458, 461, 462, 474, 488, 490, 494, 496, 500, 518, 527, 535, 549, 550, 552, 553, 558, 559, 565, 568, 574, 575, 578,
    580, 583, 591, 593, 595, 598, 599, 606, 607, 608, 609, 616, 618, 621, 629, 633, 643, 644, 645, 647, 648, 651, 652,
    653, 655, 658, 660, 663, 664, 665, 670, 671, 678, 684, 685, 686, 689, 690, 693, 695, 696, 697, 699, 700, 701, 702,
    704,
))  # fmt: skip


def part_of(scan: str) -> str | None:
    """The split, train, val or test, of a name like scene0000_00; None for other names."""
    match = re.fullmatch(r"scene(\d{4})_\d{2}", scan)
    if match is None:
        return None
    room = int(match[1])
    return "test" if room >= FIRST_TEST_ROOM else "val" if room in VALIDATION_ROOMS else "train"
