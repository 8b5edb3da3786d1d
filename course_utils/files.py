"""Writing files so that no reader ever sees half of one, and a failure leaves nothing behind."""

import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write each file beside its place, and rename them all once the last one is written.

    contents: path -> bytes; files that belong together go into one call, so that a full disk keeps their old
    versions together, too. The folders must exist. A new file gets the mode that the umask says; one that is
    replaced keeps its own. Raises OSError if one cannot be written: the old files then stand as they were, with
    nothing new beside them.
    """
    with ExitStack() as tidy:
        beside = {}
        for path, content in contents.items():
            # The files of `tempfile` are closed to other users, whatever the umask.
            beside[path] = path.parent / f"{secrets.token_hex(8)}.tmp"
            tidy.callback(beside[path].unlink, missing_ok=True)
            with beside[path].open("xb") as file:
                if path.exists():
                    shutil.copymode(path, beside[path])
                file.write(content)
        for path, temporary in beside.items():
            os.replace(temporary, path)
