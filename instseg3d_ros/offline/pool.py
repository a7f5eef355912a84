"""Processes inputs one after the other, or in parallel processes, each of which loads the model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from instseg3d_ros.errors import InputError
from instseg3d_ros.offline.run import FAILED, InputReport, SetupError, process
from instseg3d_ros.offline.segmenting import CloudSegmenter
from instseg3d_ros.offline.settings import Settings


def in_turn(sources: list[Path], names: dict[Path, str], settings: Settings) -> Iterator[InputReport]:
    """Process inputs in this process, with a progress bar for each. Stops if the model cannot be loaded."""
    from tqdm import tqdm

    load = cache(lambda: _set_up(settings))
    for source in sources:
        # Clouds of a bag, or points of a scan.
        with tqdm(
            unit="", unit_scale=True, dynamic_ncols=True, disable=None, leave=False, desc=source.name, position=1
        ) as bar:

            def progress(done: int, of: int, bar: tqdm = bar) -> None:
                bar.total = of
                bar.update(done - bar.n)

            yield process(source, names[source], settings, load, progress)


def side_by_side(sources: list[Path], names: dict[Path, str], settings: Settings, jobs: int) -> Iterator[InputReport]:
    """Process inputs in `jobs` processes; yields reports as they finish. A killed process loses only its input."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    # Processes are spawned, because a fork of a process that has used torch may hang.
    context = multiprocessing.get_context("spawn")
    left = list(sources)
    while left:
        pool = ProcessPoolExecutor(min(jobs, len(left)), context, _start, (settings,))
        with pool:
            futures = {pool.submit(_one, source, names[source], settings): source for source in left}
            broken = False
            for future in as_completed(futures):
                source = futures[future]
                try:
                    row = future.result()
                except BrokenProcessPool:
                    broken = True
                    continue
                left.remove(source)
                yield row
        if broken and jobs > 1:
            jobs = 1  # a single process has all the memory; if it is killed as well, its input is the cause
        elif broken:
            source = left.pop(0)
            yield InputReport(str(source), FAILED, message=f"{source}: its process was killed; perhaps memory ran out")


def _set_up(settings: Settings) -> CloudSegmenter:
    try:
        return CloudSegmenter.load(settings)
    except InputError as error:
        raise SetupError(str(error)) from None


_settings: Settings | None = None


def _start(settings: Settings) -> None:
    global _settings
    _settings = settings
    _load.cache_clear()


@cache
def _load() -> CloudSegmenter:
    assert _settings is not None
    return _set_up(_settings)


def _one(source: Path, name: str, settings: Settings) -> InputReport:
    return process(source, name, settings, _load)
