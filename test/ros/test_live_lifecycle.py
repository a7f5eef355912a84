"""All transitions from all states; the end by a signal in every state; messages of a wrong start."""

import signal
import sys
from pathlib import Path

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from live_node import WAIT, NodeProcess, ask, repeat, wait_for
from make_clouds import make_cloud, two_boxes
from std_srvs.srv import SetBool
from test_live_outputs import health

from instseg3d_ros.messages import topics

pytestmark = pytest.mark.live
STATES = {
    State.PRIMARY_STATE_UNCONFIGURED: "unconfigured",
    State.PRIMARY_STATE_INACTIVE: "inactive",
    State.PRIMARY_STATE_ACTIVE: "active",
    State.PRIMARY_STATE_FINALIZED: "finalized",
}
CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
SHUTDOWN = (
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN,
    Transition.TRANSITION_INACTIVE_SHUTDOWN,
    Transition.TRANSITION_ACTIVE_SHUTDOWN,
)
# state → transition → state after; what is not named is refused and changes nothing
ALLOWED = {
    "unconfigured": {CONFIGURE: "inactive"},
    "inactive": {ACTIVATE: "active", CLEANUP: "unconfigured"},
    "active": {DEACTIVATE: "inactive"},
}
WAY = {"unconfigured": [], "inactive": [CONFIGURE], "active": [CONFIGURE, ACTIVATE]}


class Managed:
    def __init__(self, live, node):
        self.live, self.node = live, node

    def change(self, transition):
        """Whether the transition succeeded. It is requested once, so the node must have discovered the client.

        A node that answers the client of `state`, which was created later, has discovered this client too.
        """
        client = self.live.client(f"{self.node.path}/change_state", ChangeState)
        assert self.state
        future = client.call_async(ChangeState.Request(transition=Transition(id=transition)))
        wait_for(future.done, f"the transition {transition} is answered")
        if transition in SHUTDOWN:
            self.live.forget(self.node.path)  # the process ends once nobody waits for a response
        return future.result().success

    @property
    def state(self):
        number = self.live.call(f"{self.node.path}/get_state", GetState, GetState.Request()).current_state.id
        return STATES.get(number, number)


def test_every_transition_from_every_state(live):
    node = live.start(name="managed", autostart=False, ready=False)
    managed = Managed(live, node)
    assert managed.state == "unconfigured"
    back = {"unconfigured": [], "inactive": [CLEANUP], "active": [DEACTIVATE, CLEANUP]}
    for state, allowed in ALLOWED.items():
        for transition in (CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP):
            assert all(managed.change(step) for step in WAY[state])
            assert managed.state == state
            after = allowed.get(transition, state)
            assert managed.change(transition) == (transition in allowed)
            assert managed.state == after
            assert all(managed.change(step) for step in back[after])
    # And it still works.
    assert managed.change(CONFIGURE) and managed.change(ACTIVATE)
    ear = live.listen(node.path, topics.SEGMENTED).matched()
    ask(live.camera(), ear, topics.SEGMENTED, make_cloud(*two_boxes()))
    # Shutting down by transition ends the process.
    assert managed.change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert node.wait() == 0


@pytest.mark.parametrize("state", ["unconfigured", "inactive"])
def test_shutdown_transition_ends_the_process_from_other_states(live, state):
    node = live.start(name=f"shut_{state}", autostart=False, ready=False)
    managed = Managed(live, node)
    assert all(managed.change(step) for step in WAY[state])
    end = (
        Transition.TRANSITION_UNCONFIGURED_SHUTDOWN
        if state == "unconfigured"
        else Transition.TRANSITION_INACTIVE_SHUTDOWN
    )
    assert managed.change(end)
    assert node.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_process_from_every_state_and_free_its_shared_memory(live, number):
    others = set(Path("/dev/shm").glob("fastrtps_*"))
    nodes = {state: live.start(name=f"{state}_{number:d}", autostart=False, ready=False) for state in WAY}
    for state, node in nodes.items():
        assert all(Managed(live, node).change(step) for step in WAY[state])
    segments = {path for node in nodes.values() for path in shared_segments(node.pid)} - others
    assert segments
    for node in nodes.values():
        node.signal(number)
    for node in nodes.values():
        assert node.wait() == 0
        assert "Traceback" not in node.text
    assert not [path for path in segments if path.exists()]


def shared_segments(pid):
    """Fast DDS's files that a process has mapped, but for ports, which everybody shares."""
    maps = Path(f"/proc/{pid}/maps").read_text().split()
    return {Path(word) for word in maps if word.startswith("/dev/shm/fastrtps_") and "port" not in word}


def test_signal_during_inference_and_during_loading_ends_promptly(live):
    busy = live.start(name="busy", model="fake:delay=600")
    loading = live.start(name="loading", model="fake:load=600", ready=False)
    camera, ear = live.camera(), live.listen(busy.path, topics.SEGMENTED).matched()
    wait_for(lambda: "loading" in live.node.get_node_names(), "the other node loads its model")
    found = health(live, "busy")
    stamps = iter(range(10**6))
    repeat(
        lambda: camera.publish(make_cloud(*two_boxes(), stamp=(next(stamps), 0))),
        lambda: int(found.get("dropped: overtaken by a newer cloud", 0)) > 0,
        "a cloud is segmented and others wait",
        period=0.1,
    )
    assert not ear.messages[topics.SEGMENTED]
    for node in (busy, loading):
        node.signal(signal.SIGTERM)
        assert node.wait(WAIT / 2) == 0  # the model would take ten minutes
        assert "Traceback" not in node.text


def test_a_wrong_model_ends_a_self_starting_node_with_one_clear_line(live):
    node = live.start(name="wrong", model="nowhere", ready=False)
    assert node.wait() == 2
    assert [line for line in node.lines if line.startswith("segment_node:")] == [
        "segment_node: no model 'nowhere'; known by name: fake"
    ]
    assert "Traceback" not in node.text


def test_a_managed_node_with_a_wrong_model_stays_unconfigured_and_recovers(live):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters

    node = live.start(name="recovers", model="nowhere", autostart=False, ready=False)
    managed = Managed(live, node)
    assert not managed.change(CONFIGURE)
    assert managed.state == "unconfigured" and "no model 'nowhere'" in node.text
    value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="fake")
    request = SetParameters.Request(parameters=[Parameter(name="model", value=value)])
    (answer,) = live.call(f"{node.path}/set_parameters", SetParameters, request).results
    assert answer.successful
    assert managed.change(CONFIGURE) and managed.change(ACTIVATE)


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["-p", "max_range:=far"], "expected float"),
        (["-p", "engine:=abacus"], "one of: auto, torch, spconv"),
        (["-p", "min_score:=7.0"], "0 to 1, or -1 for the model's value"),
        (["-p", "min_height:=3.0", "-p", "max_height:=2.0"], "no point would be labelled"),
        (["-p"], "invalid ROS arguments"),
    ],
)
def test_a_wrong_parameter_at_the_start_is_one_clear_line(live, words, word):
    node = NodeProcess([sys.executable, "-m", "instseg3d_ros", "segment_node", "--ros-args", *words], live.domain)
    assert node.wait() == 2
    (line,) = [line for line in node.lines if line.startswith("segment_node:")]
    assert word in line
    assert "Traceback" not in node.text


def test_pause_closes_the_input_and_resuming_answers_again(live):
    node = live.start(name="pausing")
    camera, ear = live.camera("/points"), live.listen(node.path, topics.SEGMENTED).matched()
    ask(camera, ear, topics.SEGMENTED, make_cloud(*two_boxes(), stamp=(1, 0)))
    answer = live.call(f"{node.path}/enable", SetBool, SetBool.Request(data=False))
    assert (answer.success, answer.message) == (True, "paused")
    wait_for(
        lambda: all(i.node_name != "pausing" for i in live.node.get_subscriptions_info_by_topic("/points")), "closed"
    )
    assert live.call(f"{node.path}/enable", SetBool, SetBool.Request(data=True)).message == "running"
    ask(camera, ear, topics.SEGMENTED, make_cloud(*two_boxes(), stamp=(2, 0)))
    assert node.text.count("model fake on") == 1  # the model stayed
