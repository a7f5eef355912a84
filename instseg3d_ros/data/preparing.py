"""Converts many scenes in parallel. A conversion can be resumed after a kill, and continues after a broken scene."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from instseg3d_ros.errors import InputError


class Job(Protocol):
    """The conversion of a scene: its name in messages, and its target file; the job is done if the target exists."""

    @property
    def name(self) -> str: ...

    @property
    def target(self) -> Path: ...

    def run(self) -> list[str]:
        """Write the target atomically. Returns remarks, such as an unknown class name, or raises InputError."""
        ...


@dataclass
class Summary:
    """The result of a preparation: counts, and failures with their reasons."""

    written: int = 0
    present: int = 0  # scenes converted by an earlier run
    failures: list[tuple[str, str]] = field(default_factory=list)  # (scene, problem)
    remarks: list[str] = field(default_factory=list)


def prepare(
    jobs: Sequence[Job],
    workers: int,
    progress: Callable[..., Iterable] = lambda done, total: done,
    on_failure: Callable[[str, str], None] = lambda name, problem: None,
) -> Summary:
    """Run every job whose target does not exist yet. Targets are written by rename, so a killed run can be resumed."""
    for folder in {job.target.parent for job in jobs}:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
    waiting = [job for job in jobs if not job.target.exists()]
    summary = Summary(present=len(jobs) - len(waiting))
    for job, remarks, problem in progress(_run(waiting, workers), len(waiting)):
        if problem is None:
            summary.written += 1
            summary.remarks += [remark for remark in remarks if remark not in summary.remarks]
        else:
            summary.failures.append((job.name, problem))
            on_failure(job.name, problem)
    summary.failures.sort()
    return summary


def _run(jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, list[str], str | None]]:
    """Run jobs; yields (job, remarks, problem or None) as they finish."""
    if workers <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield (job, *_attempt(job))
        return
    context = multiprocessing.get_context("fork")  # workers check whether their parent, this process, still runs
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _leave_with_parent, (os.getpid(),)) as pool:
        futures = {pool.submit(_attempt, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                remarks, problem = future.result()
            except BrokenProcessPool:
                raise InputError(
                    f"one of {workers} workers was killed, most likely because memory ran out; "
                    "use fewer workers (--workers) and run the same command again"
                ) from None
            yield futures[future], remarks, problem


def _attempt(job: Job) -> tuple[list[str], str | None]:
    try:
        return job.run(), None
    except InputError as error:
        return [], str(error)
    except MemoryError:
        return [], "not enough memory; use fewer --workers"
    except Exception as error:  # readers raise unexpected exceptions for damaged files; the run continues
        return [], f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _leave_with_parent(parent: int) -> None:
    """End this worker when its parent ends; otherwise it would wait for work for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _sweep(folder: Path) -> None:
    """Remove half-written files (`.<name>.npz.<pid>`) of processes that have ended."""
    for path in folder.glob(".*.npz.*"):
        process = path.name.rpartition(".")[2]
        if process.isdigit() and not _alive(int(process)):
            path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # the process exists and belongs to another user
    return True
