"""The worker takes the newest item, queues nothing, takes no item twice, and stops at once."""

import threading

from instseg3d_ros.ros.worker import NewestFirst


def test_only_the_newest_of_what_came_meanwhile_is_worked_on():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        assert go_on.wait(10)
        done.append(item)

    worker = NewestFirst(work, "test")
    assert worker.offer(1) is False
    assert begun.wait(10)
    assert [worker.offer(item) for item in (2, 3, 4)] == [False, True, True]
    go_on.set()
    end = threading.Event()
    for _ in range(200):
        if done == [1, 4] or end.wait(0.02):
            break
    assert done == [1, 4]
    assert worker.stop(5)


def test_stop_drops_what_waits_and_says_whether_the_work_in_hand_ended():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        go_on.wait(10)
        done.append(item)

    worker = NewestFirst(work, "test")
    worker.offer(1)
    assert begun.wait(10)
    worker.offer(2)
    assert worker.stop(0.05) is False and worker.stopped
    go_on.set()
    assert worker.stop(10) is True
    assert done == [1]
