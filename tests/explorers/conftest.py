"""What the tests of demos share: the modules of `web/`, run by node, and controls that are set one after the other."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable

import pytest

from course_utils.explorers.web_demo import WEB

PROGRAM = """
import * as demo from "./{module}.js";
import {{ uniformNumbers }} from "./train.js";
import {{ readFileSync }} from "node:fs";
const given = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({expression}));
"""


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None and os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail("the modules of the demos are tested with node: install it", pytrace=False)
    return found or pytest.skip("the modules of the demos are tested with node, and none was found")


@pytest.fixture(scope="session")
def in_node(node) -> Callable:
    """`in_node(module, expression, given)`: what an expression gives, in which `demo` are the exports of a module.

    `uniformNumbers(seed)` draws the random numbers of the demos' own starts.
    """

    def run(module: str, expression: str, given):
        program = PROGRAM.format(module=module, expression=expression)
        result = subprocess.run(
            [node, "--input-type=module", "--eval", program],
            cwd=WEB, input=json.dumps(given), capture_output=True, text=True, encoding="utf-8",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


@pytest.fixture
def controls_change_the_picture() -> Callable:
    """`controls_change_the_picture(demo, changes)`: whether each (control, value), set in turn, gives a new picture."""

    def change(demo, changes) -> bool:
        pictures = [bytes(demo.picture.value)]
        for name, value in changes:
            demo.controls[name].value = value
            assert demo.error is None
            pictures.append(bytes(demo.picture.value))
        return len(set(pictures)) == len(pictures)

    return change
