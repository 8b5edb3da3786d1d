"""Writing files so that no reader ever sees half of one, and a failure leaves nothing behind."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write each file beside its place, and rename them all once the last one is written.

    contents: path -> bytes; files that belong together go into one call, so that a full disk keeps their old
    versions together, too. The folders must exist; the files can be read by everybody. Raises OSError if one
    cannot be written: the old files then stand as they were, with nothing new beside them.
    """
    with ExitStack() as tidy:
        beside = {}
        for path, content in contents.items():
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
                beside[path] = Path(file.name)
                tidy.callback(beside[path].unlink, missing_ok=True)
                file.write(content)
            # A temporary file is closed to other users, and its mode stays with it when it is renamed.
            os.chmod(file.name, 0o644)
        for path, temporary in beside.items():
            os.replace(temporary, path)
