"""The measurement of a hub: what it runs, asks and reports. The hub itself is started by hand alone."""

import asyncio
import json
import sys

import httpx
import psutil
import pytest
import yaml

from course_utils.settings import NOTEBOOKS, PROJECT
from workshop import hub_load
from workshop.hub_load import NOTEBOOK, Student, cells_of, end, free_ports, report, run, wait_for, xsrf


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


def test_a_cell_gives_what_it_printed():
    kernel = Kernel(
        ("stream", {"text": "4"}), ("status", {"execution_state": "busy"}), ("stream", {"text": "2\n"})
    )
    assert asyncio.run(run(kernel, "print(42)")) == "42\n"
    assert kernel.request["content"]["code"] == "print(42)"


def test_a_cell_that_fails_says_why():
    kernel = Kernel(("error", {"ename": "NameError", "evalue": "name 'x' is not defined"}))
    with pytest.raises(RuntimeError, match="NameError: name 'x' is not defined"):
        asyncio.run(run(kernel, "x"))


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


def test_both_hubs_copy_the_notebooks_and_keep_what_a_student_makes():
    one_machine = (PROJECT / "classroom" / "jupyterhub_config.py").read_text(encoding="utf-8")
    cluster = yaml.safe_load((PROJECT / "classroom" / "values.yaml").read_text(encoding="utf-8"))[
        "singleuser"
    ]
    command = cluster["lifecycleHooks"]["postStart"]["exec"]["command"][-1]
    assert (
        "test -d ~/course/notebooks || cp -r" in one_machine
        and "test -d ~/course/notebooks || cp -r" in command
    )
    assert cluster["extraEnv"]["COURSE_OWN_DIR"] == "~/course/own" and '"~/course/own"' in one_machine
    assert (NOTEBOOKS / cluster["defaultUrl"].removeprefix("/lab/tree/course/notebooks/")).is_file()
    assert len(one_machine.splitlines()) <= 40
