"""Run a command once for a deployment, on whichever instance comes first.

A lock of PostgreSQL lets one instance at a time in. A table remembers how each
step of each deployment went: whoever comes later finds it done, or fails with
it. If the first instance dies half-way, the database frees the lock and the
next instance runs the command again. No two run it at the same time: the
command ends before the lock is free, also when this process is killed
(scripts/supervise.py).
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg

SUPERVISE = Path(__file__).with_name("supervise.py")

# The lock's number in the application's database; any number that the
# application itself does not use.
LOCK = 7_310_550_112

LEDGER = """
CREATE TABLE IF NOT EXISTS bluegreen_once (
    deployment text NOT NULL,
    step text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    instance text NOT NULL,
    began timestamptz NOT NULL DEFAULT now(),
    ended timestamptz,
    reason text,
    PRIMARY KEY (deployment, step)
)
"""

# While the command runs the connection is silent. Routers forget silent
# connections, and a server must notice an instance that vanished: it frees the
# lock after some 40 seconds. Whoever loses the server has to notice it so much
# earlier that the command has ended by then: 20 seconds, in milliseconds.
KEEPALIVE = {"keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 20_000}
SERVER_KEEPALIVE = "-c tcp_keepalives_idle=20 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4"
# A statement goes on without its client unless PostgreSQL is told to look, which
# it can since version 14; in milliseconds.
LOOK_FOR_CLIENT = " -c client_connection_check_interval=5000"


class Failed(Exception):
    """Why the step cannot be done, for whoever reads the log."""


class Silent(Exception):
    """The database neither answers nor is gone, so nothing can be written down either."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timeout", type=int, default=1500, metavar="SECONDS", help="for waiting and running together")
    parser.add_argument("--silence", type=int, default=30, metavar="SECONDS", help="how much longer the database may say nothing")
    parser.add_argument("--again", action="store_true", help="run a step again that has failed")
    parser.add_argument("--no-wait", action="store_true", help="leave it to another process that is at it")
    parser.add_argument("deployment")
    parser.add_argument("step")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("once: stopped"))
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(options.timeout + options.silence)
    try:
        once(options, time.monotonic() + options.timeout)
    except (Failed, Silent, psycopg.Error) as error:
        sys.exit(f"once: {options.step}: {error}")


def give_up(*_):
    raise Silent("the database takes connections but does not answer")


def say(text):
    print(f"once: {text}", flush=True)


def once(options, deadline):
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise Failed("DATABASE_URL: required, because the lock is in the database; got none")
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says of it has the password in it.
        raise Failed("DATABASE_URL: want postgresql://USER:PASSWORD@HOST:PORT/NAME, with % and other signs percent-encoded") from None
    with psycopg.connect(url, autocommit=True, connect_timeout=10, options=SERVER_KEEPALIVE, **KEEPALIVE) as lock:
        if not acquire(lock, options, deadline):
            return
        lock.execute(LEDGER)
        if finished(lock, options):
            return
        record(lock, options, "running")
        say(f"running {options.step} for {options.deployment}")
        began = time.monotonic()
        try:
            run(options.command, lock, deadline)
        except Failed as failure:
            record(lock, options, "failed", str(failure))
            raise
        record(lock, options, "done")
        say(f"{options.step} done in {time.monotonic() - began:.0f} s")


def acquire(lock, options, deadline):
    """Take the lock, or wait for it; answer whether it was taken."""
    waited = 0
    while not lock.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()[0]:
        if options.no_wait:
            say("another process is at it")
            return False
        if time.monotonic() > deadline:
            raise Failed("waited too long for another instance; look at its log, or at table bluegreen_once")
        if waited % 30 == 0:
            say("waiting for another instance")
        time.sleep(1)
        waited += 1
    return True


def finished(lock, options):
    """Answer whether the step is done already; fail if it has failed."""
    row = lock.execute(
        "SELECT state, instance, ended, reason FROM bluegreen_once WHERE deployment = %s AND step = %s",
        [options.deployment, options.step],
    ).fetchone()
    if row is None:
        return False
    state, instance, ended, reason = row
    if state == "done":
        say(f"{options.step} was done by {instance} at {ended:%H:%M:%S}")
        return True
    if state == "failed" and not options.again:
        raise Failed(f"failed on {instance} at {ended:%H:%M:%S}: {reason}; see that instance's log")
    if state == "running":
        say(f"{instance} began and did not finish; running again")
    return False


def record(lock, options, state, reason=None):
    lock.execute(
        """
        INSERT INTO bluegreen_once (deployment, step, state, instance, reason) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (deployment, step) DO UPDATE SET
            state = excluded.state, instance = excluded.instance, reason = excluded.reason,
            began = CASE WHEN excluded.state = 'running' THEN now() ELSE bluegreen_once.began END,
            ended = CASE WHEN excluded.state = 'running' THEN NULL ELSE now() END
        """,
        [options.deployment, options.step, state, socket.gethostname(), reason],
    )


def run(command, lock, deadline):
    """Run the command to its end, as long as the lock is held."""
    look = LOOK_FOR_CLIENT if lock.info.server_version >= 140_000 else ""
    process = subprocess.Popen(
        [sys.executable, SUPERVISE, *command],
        stdin=subprocess.PIPE,
        start_new_session=True,
        pass_fds=[lock.fileno()],
        env={**os.environ, "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} {SERVER_KEEPALIVE}{look}".strip()},
    )
    # Leaving this ends the command, by closing standard input, and waits for that.
    with process:
        while True:
            try:
                code = process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                lock.execute("SELECT 1")  # raises when the database dropped us, and the lock with us
                if time.monotonic() > deadline:
                    raise Failed("took too long and was stopped; once_timeout in app/release.sh is the limit") from None
                continue
            if code != 0:
                raise Failed(f"{' '.join(command)}: ended with code {code}")
            return


if __name__ == "__main__":
    main()
