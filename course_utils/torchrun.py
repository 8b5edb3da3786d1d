"""Starts scripts of PyTorch on several processes of this machine, and ends what it started."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import torch.distributed

# Processes of one machine talk over the loopback, which is there without a network, too.
LOOPBACK = {"linux": {"GLOO_SOCKET_IFNAME": "lo"}, "darwin": {"GLOO_SOCKET_IFNAME": "lo0"}}
# PyTorch for Windows is built without libuv, and torchrun asks for it.
LIBUV = {"win32": {"USE_LIBUV": "0"}}


def torchrun(
    script: str | Path, *arguments: object, processes: int = 2, check: bool = True, limit: float = 300
) -> subprocess.CompletedProcess[str]:
    """What `torchrun --standalone --nproc-per-node PROCESSES SCRIPT ARGUMENTS...` gives, when all have ended.

    The result has `returncode` (0 if no process failed), `stdout` and `stderr`. After `limit` seconds, or when the
    reader presses stop, all processes are ended, and TimeoutExpired or KeyboardInterrupt is raised. Raises
    RuntimeError where PyTorch has no torch.distributed with gloo, and with `check` if a process failed.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_gloo_available()):
        raise RuntimeError(
            "this PyTorch cannot connect processes (torch.distributed with gloo is missing): read the outputs that "
            "the notebook came with, or install PyTorch from pytorch.org"
        )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc-per-node", str(processes), str(script), *map(str, arguments)]
    settings = {"OMP_NUM_THREADS": "1", **LOOPBACK.get(sys.platform, {}), **LIBUV.get(sys.platform, {})}
    launcher = psutil.Popen(
        command, env={**settings, **os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        stdout, stderr = launcher.communicate(timeout=limit)
    except BaseException:
        children = []
        with contextlib.suppress(psutil.NoSuchProcess):
            children = launcher.children(recursive=True)
        for process in [*children, launcher]:
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended by itself meanwhile
                process.kill()
        launcher.wait()
        raise
    if check and launcher.returncode != 0:
        raise RuntimeError(f"a process of {Path(script).name} failed:\n{stderr}")
    return subprocess.CompletedProcess(command, launcher.returncode, stdout, stderr)
