"""The process that judges answers, shut into a sandbox by bubblewrap where it is installed and allowed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from course_utils.settings import PROJECT

# In memory, with room for what libraries keep there.
EMPTY_FOLDER = ("--size", str(64 * 1024**2), "--tmpfs")
UNPROTECTED = (
    "Warning: bubblewrap (bwrap, from 0.8) is missing or not allowed here, so answers run with your rights: they can "
    "read and change your files and use the network."
)


def sandbox(*hidden: Path) -> list[str]:
    """The beginning of a command that may only read, without network, home and `hidden`; empty without bubblewrap."""
    if not shutil.which("bwrap"):
        return []
    command = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev"]
    for folder in (Path.home(), Path("/tmp")):
        command += [*EMPTY_FOLDER, str(folder)]
    for needed in (PROJECT, Path(sys.prefix), Path(sys.base_prefix)):
        command += ["--ro-bind", str(needed), str(needed)]
    for place in hidden:
        command += [*EMPTY_FOLDER, str(place)] if place.is_dir() else ["--ro-bind", os.devnull, str(place)]
    command += ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--uid", "65534"]
    allowed = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if allowed else []


class Judge:
    """A process of `workshop.judging`, started again whenever an answer has ended it."""

    def __init__(self, protection: list[str], seconds: int) -> None:
        self.command = [*protection, sys.executable, "-m", "workshop.judging", str(seconds)]
        self.longest = seconds + 60
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        # Settings and caches go to the sandbox's own /tmp.
        variables = {
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": "/tmp",
            "HOME": "/tmp",
            "COURSE_KEEP_MODELS": "0",
        }
        process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=PROJECT,
            env={**os.environ, **variables}, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the process that judges answers does not start: {' '.join(self.command)}")
        return process

    def ask(self, job: dict) -> dict:
        """The reply to a job, see `workshop.judging`."""
        if self.process is None:
            self.process = self.start()
        assert self.process.stdin is not None and self.process.stdout is not None
        alarm = threading.Timer(self.longest, end_group_of, [self.process])
        alarm.start()
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            self.end()
            what = "ended the process that judges it"
            look_at = [f"{job['exercise']} {what}"]
            return {"status": "not yet", "message": f"your function {what}", "look_at": look_at}
        finally:
            alarm.cancel()

    def end(self) -> None:
        """End the process; a new one starts with the next job."""
        if self.process is not None:
            end_group_of(self.process)
            self.process.wait()
            self.process = None


def end_group_of(process: subprocess.Popen) -> None:
    """End a process that was not waited for yet, and those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
