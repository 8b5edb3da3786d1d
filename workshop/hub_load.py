"""A class that comes at once: how long does a hub on this machine keep N students waiting, and what do they cost?

python -m workshop.hub_load 30                 all log in, start a server and run notebook 07
python -m workshop.hub_load 30 --imports       the same with its first cell alone, the imports

It starts the hub of classroom/jupyterhub_config.py with free ports and in a folder of its own, talks to it as a browser
does, and prints how long it took each to see the first cell's result, the memory of a kernel, and what failed. It ends
all that it started, after Ctrl+C and after the limit of --seconds, too. It needs what classroom/README.md installs.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import nbformat
import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from course_utils.settings import NOTEBOOKS, PROJECT
from workshop.ports import free_ports

CONFIGURATION = PROJECT / "classroom" / "jupyterhub_config.py"
NOTEBOOK = NOTEBOOKS / "07_vae_notation_and_elbo.ipynb"
# The proportional set size of the kernel: of memory that n processes share, each is charged 1 / n.
MEMORY = "print(next(line for line in open('/proc/self/smaps_rollup') if line.startswith('Pss:')).split()[1])"
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_START, SECONDS_TO_END = 120, 60


@dataclass
class Student:
    """What one student saw: seconds from the start to the first cell's result and to the last one's, megabytes."""

    name: str
    first_cell: float | None = None
    all_cells: float | None = None
    memory: float | None = None
    failure: str = "not finished"


# --- the hub ---


@contextmanager
def hub(folder: Path, log: Path) -> Iterator[str]:
    """Within it, the hub of the class runs, with its data in `folder`, and writes to `log`; its address is given."""
    public, inner, proxy = free_ports(3)
    address = f"http://127.0.0.1:{public}"
    command = [sys.executable, "-m", "jupyterhub", f"--config={CONFIGURATION}"]
    command += [f"--JupyterHub.bind_url={address}", f"--JupyterHub.hub_bind_url=http://127.0.0.1:{inner}"]
    command += [f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}"]
    command += [f"--SimpleLocalProcessSpawner.home_dir_template={folder}/{{username}}"]
    if os.geteuid() == 0:
        command.append("--Spawner.args=--allow-root")
    # In a session of its own, so that Ctrl+C reaches this program alone, which then ends the hub.
    with log.open("w") as written:
        process = psutil.Popen(command, cwd=folder, stdout=written, stderr=written, start_new_session=True)
    try:
        wait_for(process, address)
        yield address
    finally:
        end(process)


def wait_for(process: psutil.Popen, address: str) -> None:
    """Wait until the hub answers. Raises RuntimeError if it ends, or needs more than SECONDS_TO_START."""
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < SECONDS_TO_START:
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/hub/api/").is_success:
                return
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise RuntimeError("the hub did not start, or not in time")


def end(process: psutil.Popen) -> None:
    """End a process with all that it started: in peace, and after SECONDS_TO_END by force."""
    if process.poll() is not None:
        return
    family = [process, *process.children(recursive=True)]
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=SECONDS_TO_END)
    for one in alive:
        one.kill()
    psutil.wait_procs(alive)


# --- a student ---


async def study(student: Student, address: str, cells: list[str], start: float) -> None:
    """Log in, wait for the server, run the cells in a kernel; what happens is written into `student`."""
    home = f"/user/{student.name}/"
    try:
        async with httpx.AsyncClient(base_url=address, follow_redirects=True, timeout=None) as browser:
            await log_in(browser, student.name, home)
            kernel = await kernel_of(browser, home)
            for cell in cells:
                await run(kernel, cell)
                student.all_cells = time.monotonic() - start
                student.first_cell = student.first_cell or student.all_cells
            student.memory = int(await run(kernel, MEMORY)) / 1024
            student.failure = ""
    except Exception as error:
        student.failure = f"{type(error).__name__}: {error}"


async def log_in(browser: httpx.AsyncClient, name: str, home: str) -> None:
    """Log in, which starts the student's server, and open its page once it is ready, as the hub's own pages do."""
    await browser.get("/hub/login")
    form = {"username": name, "password": "any", "_xsrf": xsrf(browser, "/hub/")}
    (await browser.post("/hub/login", data=form)).raise_for_status()
    progress, value = f"/hub/api/users/{name}/server/progress", {"_xsrf": xsrf(browser, "/hub/")}
    async with browser.stream("GET", progress, params=value) as events:
        events.raise_for_status()
        async for line in events.aiter_lines():
            event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
            if event.get("failed"):
                raise RuntimeError(event["message"])
            if event.get("ready"):
                break
    (await browser.get(home)).raise_for_status()


async def kernel_of(browser: httpx.AsyncClient, home: str) -> WebSocketClientConnection:
    """Start a kernel on a student's server; the connection to it."""
    answer = await browser.post(f"{home}api/kernels", headers={"X-XSRFToken": xsrf(browser, home)}, json={})
    answer.raise_for_status()
    channels = browser.build_request("GET", f"{home}api/kernels/{answer.json()['id']}/channels")
    address = str(channels.url).replace("http", "ws", 1)
    # Zero stands for no limit: the class has one for all.
    request = HTTPRequest(address, headers={"Cookie": channels.headers["Cookie"]}, connect_timeout=0)
    return await websocket_connect(request)


def xsrf(browser: httpx.AsyncClient, path: str) -> str:
    """The value against cross-site requests that the pages below a path were given."""
    values = {cookie.path: cookie.value or "" for cookie in browser.cookies.jar if cookie.name == "_xsrf"}
    return values[path]


async def run(kernel: WebSocketClientConnection, code: str) -> str:
    """Run a cell in a kernel; what it printed. Raises RuntimeError if the cell does."""
    request = message(code)
    await kernel.write_message(json.dumps(request))
    printed = ""
    while True:
        received = await kernel.read_message()
        if received is None:
            raise RuntimeError("the kernel's connection was closed")
        # Bytes hold the data of a demo.
        answer = json.loads(received) if isinstance(received, str) else {"parent_header": {}}
        if answer["parent_header"].get("msg_id") != request["header"]["msg_id"]:
            continue
        content = answer["content"]
        if answer["msg_type"] == "stream":
            printed += content["text"]
        elif answer["msg_type"] == "error":
            raise RuntimeError(f"{content['ename']}: {content['evalue']}")
        elif answer["msg_type"] == "status" and content["execution_state"] == "idle":
            return printed


def message(code: str) -> dict:
    """The message that asks a kernel to run code (version 5.3 of Jupyter's protocol)."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
    return {
        "channel": "shell",
        "header": {**header, "username": "", "session": uuid.uuid4().hex, "date": ""},
        "parent_header": {},
        "metadata": {},
        "content": {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
    }


# --- the class ---


def cells_of(notebook: Path, imports_only: bool) -> list[str]:
    """The code cells of a notebook, or the first one, which holds its imports."""
    cells = nbformat.read(notebook, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    return sources[:1] if imports_only else sources


async def come_at_once(students: list[Student], address: str, cells: list[str], seconds: float) -> None:
    """Let all students begin at the same time, and wait for them, for so many seconds at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            start = time.monotonic()
            await asyncio.gather(*(study(student, address, cells, start) for student in students))


def report(students: list[Student]) -> str:
    """A table of what the students saw: median and largest value of each measure, and what failed."""
    measures = {
        "first cell, s": [one.first_cell for one in students if one.first_cell is not None],
        "all cells, s": [one.all_cells for one in students if one.all_cells is not None and not one.failure],
        "memory of a kernel (PSS), MB": [one.memory for one in students if one.memory is not None],
    }
    lines = [f"{len(students)} students{'':<20} median  largest"]
    for name, values in measures.items():
        if values:
            lines.append(f"{name:<30} {statistics.median(values):>6.0f} {max(values):>8.0f}")
    failed = [one for one in students if one.failure]
    lines.append(f"failed: {len(failed)}")
    return "\n".join([*lines, *(f"  {one.name}: {one.failure}" for one in failed)])


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure a class that comes to a hub at once.")
    parser.add_argument("students", type=int)
    parser.add_argument("--imports", action="store_true", help="run the first cell alone")
    parser.add_argument("--seconds", type=float, default=600, help="end after so many (default: 600)")
    arguments = parser.parse_args()
    students = [Student(f"student{number}") for number in range(1, arguments.students + 1)]
    cells = cells_of(NOTEBOOK, arguments.imports)
    # So that an end by `kill` or `timeout` is the same as Ctrl+C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        log = Path(folder, "hub.log")
        try:
            with hub(Path(folder), log) as address:
                asyncio.run(come_at_once(students, address, cells, arguments.seconds))
        except (KeyboardInterrupt, RuntimeError) as error:
            print(f"Ended early: {str(error) or type(error).__name__}")
        print(report(students))
        failed = any(student.failure for student in students)
        if failed:
            errors = [
                line for line in log.read_text(errors="replace").splitlines() if line[:2] in ("[E", "[C")
            ]
            print("\nThe last errors in the logs of hub and servers:", *errors[-10:], sep="\n  ")
    return failed


if __name__ == "__main__":
    sys.exit(main())
