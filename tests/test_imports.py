"""What an import of the course leaves out, because a reader would wait for it in every notebook."""

import subprocess
import sys

# Seconds to import, and used by a few functions, which import them themselves.
SLOW = {"scipy", "sklearn", "torchmetrics", "torchvision"}
IMPORT_THE_COURSE = """
import importlib, pkgutil, sys
import course_utils
for module in pkgutil.walk_packages(course_utils.__path__, "course_utils."):
    importlib.import_module(module.name)
print(*sys.modules)
"""


def test_no_module_of_the_course_imports_a_slow_library_by_itself():
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_THE_COURSE], capture_output=True, text=True, check=True
    )
    imported = set(run.stdout.split())
    assert {"torch", "course_utils.judges", "course_utils.explorers.code_map"} <= imported
    assert not imported & SLOW
