from __future__ import annotations

import os
import select
import signal
import subprocess

from loadgen.runner import Generator

LEADER = ["sh", "-c", "sleep 600 & echo $!; wait"]


def test_workers_do_not_outlive_a_leader_that_was_killed():
    leader = subprocess.Popen(LEADER, stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    worker = os.pidfd_open(int(leader.stdout.readline()))
    leader.kill()
    assert Generator(leader).stop() == -signal.SIGKILL
    assert select.select([worker], [], [], 10)[0], "the worker lives on"
    os.close(worker)
    leader.stdout.close()
