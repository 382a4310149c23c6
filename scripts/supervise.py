"""Run a command for as long as the process that started this wants it.

That process holds the other end of standard input. When it closes it, or dies
in whatever way, the command ends, and with it all that the command started.
What the caller has passed on, such as the connection that holds a lock, stays
open until nothing of the command is left.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

# prctl(2): orphans below this process become its children, and not init's.
PR_SET_CHILD_SUBREAPER = 36
# Seconds that a process has after SIGTERM.
PATIENCE = 10


def main():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Only the caller ends this: who kills a whole session must not free the lock.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    select.select([sys.stdin, os.pidfd_open(process.pid)], [], [])
    code = process.poll()
    end_children()
    # As a shell would say it: a command that a signal ended failed.
    sys.exit(1 if code is None else code if code >= 0 else 128 - code)


def end_children():
    """End every child, and those that become children when their parents end."""
    deadline = time.monotonic() + PATIENCE
    told = set()
    while children := set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
        last = time.monotonic() > deadline
        for child in children if last else children - told:
            os.kill(int(child), signal.SIGKILL if last else signal.SIGTERM)
        told |= children
        while reaped():
            pass
        time.sleep(0.02)


def reaped():
    """Whether a child had ended and is gone now."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


if __name__ == "__main__":
    main()
