"""The node's services: pause and resume, segment a single cloud, save the last answer, save and clear the map."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from rclpy.callback_groups import ReentrantCallbackGroup
from std_srvs.srv import SetBool, Trigger

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages import topics
from instseg3d_ros.offline.outputs import instance_json
from instseg3d_ros.ros.answering import Request
from instseg3d_ros.ros.log import place
from instseg3d_ros.ros.pipeline import Answer
from instseg3d_ros.ros.saving import save_answer

if TYPE_CHECKING:
    from instseg3d_ros.ros.node import SegmentNode

NO_MAP = "there is no map; set the parameters map and fixed_frame, and configure the node"


class Services:
    """Services of a node. Callbacks that wait are coroutines, so that the executor continues to run other callbacks."""

    def __init__(self, node: SegmentNode):
        self._node = node
        # A waiting coroutine blocks its callback group, so the services have a separate group.
        group = ReentrantCallbackGroup()
        # The executor resumes a coroutine when it wakes up, at the latest after the timeout of `spin`.
        self._wake = node.create_guard_condition(lambda: None, callback_group=group)
        node.create_service(SetBool, topics.ENABLE.name, self._enable)
        node.create_service(Trigger, topics.SEGMENT_ONCE.name, self._segment_once, callback_group=group)
        node.create_service(Trigger, topics.SAVE.name, self._save, callback_group=group)
        node.create_service(Trigger, topics.MAP_SAVE.name, self._save_map, callback_group=group)
        node.create_service(Trigger, topics.MAP_CLEAR.name, self._clear_map, callback_group=group)

    def wake(self) -> None:
        """Wake callbacks that wait for an answer; any thread may call this."""
        self._wake.trigger()

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success, response.message = True, self._node.enable(request.data)
        return response

    async def _segment_once(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        node, answering = self._node, self._node.answering
        if answering is None:
            return _refuse(response, f"the node is {node.state}; configure and activate it first")
        request, patience = Request(), node.live.current.once_timeout
        answering.request(request)
        node.open_for_request()
        end = request.since + patience
        await _until(lambda: request.answer is not None or monotonic() > end or node.answering is not answering)
        answering.withdraw(request)
        node.close_after_request()
        if request.answer is None:
            problem = request.problem or node.input_problem() or "no cloud arrived"
            return _refuse(response, f"no answer within {patience:g} s: {problem}")
        response.success, response.message = True, summary(request.answer)
        return response

    async def _save(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        node = self._node
        folder, answering = node.live.current.save_folder, node.answering
        if not folder:
            return _refuse(response, "the parameter save_folder is empty; set it to a folder")
        if answering is None or answering.last is None or node.model is None:
            return _refuse(response, "no cloud has been answered yet; subscribe to an output or call ~/segment_once")
        answer, model = answering.last, node.model

        def save() -> str:
            paths = save_answer(answer, model.labels, node.live.current.model, Path(folder).expanduser())
            return ", ".join(map(str, paths))

        return await self._aside(save, response)

    async def _save_map(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        world, folder = self._node.world, self._node.live.current.save_folder
        if world is None:
            return _refuse(response, NO_MAP)
        return await self._aside(lambda: world.save(folder), response)

    async def _clear_map(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        world = self._node.world
        return _refuse(response, NO_MAP) if world is None else await self._aside(world.clear, response)

    async def _aside(self, task: Callable[[], str], response: Trigger.Response) -> Trigger.Response:
        """Run `task` in a new thread and respond with its return value; an exception becomes the response's message."""
        outcome: list[str] = []

        def work() -> None:
            try:
                text = task()
                response.success = True
                outcome.append(text)
            except InputError as error:
                outcome.append(str(error))
            except Exception as error:  # libraries raise different exceptions for the same problem, such as a full disk
                outcome.append(f"saving failed ({place(error)})")
            self.wake()

        Thread(target=work, name="save", daemon=True).start()
        await _until(lambda: bool(outcome))
        response.message = outcome[0]
        return response


def summary(answer: Answer) -> str:
    """JSON of an answer: frame, stamp in nanoseconds, stage times in milliseconds, and the objects with their boxes."""
    cloud = answer.received.cloud
    return json.dumps({
        "frame": cloud.frame, "stamp": cloud.stamp,
        "milliseconds": round(answer.stages.get("segment", 0.0), 1),
        "instances": [instance_json(instance) for instance in answer.result.instances],
    })  # fmt: skip


def _refuse(response: Trigger.Response, text: str) -> Trigger.Response:
    response.success, response.message = False, text
    return response


class _NextSpin:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await _NextSpin()
