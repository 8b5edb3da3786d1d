"""The measurement of a hub: what it runs, asks and reports. The hub itself is started by hand alone."""

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
import yaml
from traitlets.config import PyFileConfigLoader

from course_utils.settings import PROJECT
from workshop import hub_load
from workshop.hub_load import (
    CONFIGURATION,
    NOTEBOOK,
    Student,
    cells_of,
    end,
    free_ports,
    report,
    run,
    wait_for,
    xsrf,
)


class Kernel:
    """Stands for the connection to a kernel: it answers the request that it is sent with the given messages."""

    def __init__(self, *answers):
        self.answers = answers

    async def write_message(self, text):
        self.request = json.loads(text)
        self.waiting = [
            self.message("status", execution_state="idle", parent="of somebody else"),
            b"a demo's data",
        ]
        self.waiting += [self.message(kind, **content) for kind, content in self.answers]
        self.waiting += [self.message("status", execution_state="idle"), None]

    def message(self, kind, parent=None, **content):
        parent_header = {"msg_id": parent or self.request["header"]["msg_id"]}
        return json.dumps({"msg_type": kind, "parent_header": parent_header, "content": content})

    async def read_message(self):
        return self.waiting.pop(0)


def result_of(coroutine):
    """What a coroutine gives, run in a thread: Playwright's loop, from a browser test before, holds the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def test_a_cell_gives_what_it_printed():
    kernel = Kernel(
        ("stream", {"text": "4"}), ("status", {"execution_state": "busy"}), ("stream", {"text": "2\n"})
    )
    assert result_of(run(kernel, "print(42)")) == "42\n"
    assert kernel.request["content"]["code"] == "print(42)"


def test_a_cell_that_fails_says_why():
    kernel = Kernel(("error", {"ename": "NameError", "evalue": "name 'x' is not defined"}))
    with pytest.raises(RuntimeError, match="NameError: name 'x' is not defined"):
        result_of(run(kernel, "x"))


def test_the_imports_are_the_first_cell():
    (imports,) = cells_of(NOTEBOOK, imports_only=True)
    assert "from course_utils.exercises import check" in imports
    assert cells_of(NOTEBOOK, imports_only=False)[0] == imports


def test_the_report_gives_median_largest_and_failures():
    students = [Student(f"s{i}", 10.0 * i, 20.0 * i, 400 + i, "") for i in (1, 2, 3)]
    students += [Student("late", 90.0), Student("never", failure="RuntimeError: no kernel")]
    lines = report(students).splitlines()
    assert [line.split()[-2:] for line in lines[1:4]] == [["25", "90"], ["40", "60"], ["402", "403"]]
    assert lines[4:] == ["failed: 2", "  late: not finished", "  never: RuntimeError: no kernel"]


def test_the_value_against_cross_site_requests_is_that_of_the_page():
    browser = httpx.AsyncClient()
    for path in ("/hub/", "/user/s1/"):
        browser.cookies.set("_xsrf", f"of {path}", domain="127.0.0.1", path=path)
    assert xsrf(browser, "/user/s1/") == "of /user/s1/"


def log_in_where_the_server(event: dict) -> list[str]:
    """The paths that `log_in` asks for, at a hub that tells the given event of the student's server."""
    asked = []

    def answer(request):
        asked.append(request.url.path)
        content = f"data: {json.dumps({'progress': 50})}\n\n\ndata: {json.dumps(event)}\n\n"
        headers = {"Set-Cookie": "_xsrf=1; Path=/hub/"}
        return httpx.Response(200, headers=headers, text=content if "progress" in request.url.path else "")

    async def log_in():
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(base_url="http://127.0.0.1:9", transport=transport) as browser:
            await hub_load.log_in(browser, "s1", "/user/s1/")

    result_of(log_in())
    return asked


def test_a_page_is_opened_once_its_server_is_ready():
    asked = log_in_where_the_server({"progress": 100, "ready": True})
    assert asked[-2:] == ["/hub/api/users/s1/server/progress", "/user/s1/"]


def test_a_server_that_fails_is_told():
    with pytest.raises(RuntimeError, match=r"^the spawner is out of memory$"):
        log_in_where_the_server({"failed": True, "message": "the spawner is out of memory"})


def test_ports_differ():
    assert len(set(free_ports(3))) == 3


def test_what_was_started_ends_with_its_children(monkeypatch):
    monkeypatch.setattr(hub_load, "SECONDS_TO_END", 0.2)
    sleeps = "import time; time.sleep(60)"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeps!r}])"
    process = psutil.Popen([sys.executable, "-c", starts])
    while not (children := process.children()):
        pass
    end(process)
    assert not any(one.is_running() for one in (process, *children))


def test_a_hub_that_does_not_start_is_told():
    process = psutil.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(RuntimeError, match="the hub did not start"):
        wait_for(process, "http://127.0.0.1:9")


CONFIGURED = PyFileConfigLoader("jupyterhub_config.py", path=str(CONFIGURATION.parent)).load_config()
ON_KUBERNETES = yaml.safe_load((CONFIGURATION.parent / "values.yaml").read_text(encoding="utf-8"))[
    "singleuser"
]
COPIES = {
    "on one machine": CONFIGURED.Spawner.cmd[2].partition("; exec ")[0],
    "on Kubernetes": ON_KUBERNETES["lifecycleHooks"]["postStart"]["exec"]["command"][2].replace(
        "/srv/course", str(PROJECT)
    ),
}


@pytest.mark.skipif(os.name != "posix", reason="the hub runs on Linux")
@pytest.mark.parametrize("where", COPIES)
def test_the_first_server_copies_the_notebooks_and_later_ones_leave_them(where, tmp_path):
    for _ in range(2):
        subprocess.run(["sh", "-c", COPIES[where]], env=os.environ | {"HOME": str(tmp_path)}, check=True)
        own = tmp_path / "course" / "notebooks" / NOTEBOOK.name
        assert (own.parent / "../course_utils/data.py").is_file()
        content = own.read_bytes()
        own.write_text("an answer")
    assert content == b"an answer"


def test_both_hubs_keep_what_a_student_makes_in_the_home_folder_and_refuse_nobody():
    for environment in (CONFIGURED.Spawner.environment, ON_KUBERNETES["extraEnv"]):
        assert environment == {"COURSE_OWN_DIR": "~/course/own", "OMP_NUM_THREADS": "1"}
    assert CONFIGURED.JupyterHub.concurrent_spawn_limit == 0
    assert len(CONFIGURATION.read_text(encoding="utf-8").splitlines()) <= 40
