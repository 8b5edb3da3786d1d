"""Scripts on several processes: what comes back, and that nothing is left running; real processes, on the loopback."""

import re
import subprocess
import sys
import time

import psutil
import pytest
import torch

from course_utils import distributed_vae
from course_utils.data import load_images
from course_utils.torchrun import torchrun

# In one piece with its end, because the processes write at the same time.
RANKS = "import os, sys; sys.stdout.write(f'{os.environ[\"RANK\"]} {sys.argv[1:]}\\n')"
FAILS = "import os, sys; sys.exit('rank 1 is broken' if os.environ['RANK'] == '1' else 0)"
SLEEPS = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1], str(os.getpid())).touch(); time.sleep(600)"


@pytest.fixture
def script(tmp_path):
    def written(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return path

    return written


def test_every_process_has_its_rank_and_the_arguments(script):
    result = torchrun(script(RANKS), "--steps", 3)
    assert sorted(result.stdout.splitlines()) == ["0 ['--steps', '3']", "1 ['--steps', '3']"]


def test_a_process_that_fails_is_told(script):
    path = script(FAILS)
    with pytest.raises(RuntimeError, match=r"(?s)a process of script.py failed:.*rank 1 is broken"):
        torchrun(path)


def test_no_process_is_left_when_the_time_is_over(script, tmp_path, monkeypatch):
    folder, wait = tmp_path / "started", subprocess.Popen.communicate
    folder.mkdir()

    def wait_when_both_run(launcher, timeout):
        deadline = time.monotonic() + 60
        while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        return wait(launcher, timeout=timeout)

    monkeypatch.setattr(subprocess.Popen, "communicate", wait_when_both_run)
    with pytest.raises(subprocess.TimeoutExpired):
        torchrun(script(SLEEPS), folder, limit=0.1)
    started = [int(path.name) for path in folder.iterdir()]
    assert len(started) == 2
    deadline = time.monotonic() + 10
    while (left := [one for one in started if is_running(one)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in left:
        psutil.Process(pid).kill()
    assert left == []


def test_a_process_that_has_ended_by_itself_hides_no_interrupt_and_spares_no_other(script, monkeypatch):
    ended, launched = psutil.Popen([sys.executable, "-c", ""]), []
    ended.wait()

    def interrupted(launcher, timeout):
        launched.append(launcher)
        raise KeyboardInterrupt

    monkeypatch.setattr(psutil.Popen, "communicate", interrupted, raising=False)
    monkeypatch.setattr(psutil.Popen, "children", lambda launcher, recursive: [ended])
    with pytest.raises(KeyboardInterrupt):
        torchrun(script(RANKS))
    assert launched[0].returncode is not None


def test_a_pytorch_that_cannot_connect_processes_is_told(script, monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_gloo_available", lambda: False)
    with pytest.raises(RuntimeError, match="this PyTorch cannot connect processes"):
        torchrun(script(RANKS))


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


# --- the script of notebook 13 ---


def test_two_processes_train_as_one_does_and_agree(tmp_path):
    images = load_images("strokes").train_images[:300]
    torch.save(images, tmp_path / "images.pt")
    options = [
        "--device",
        "cpu",
        "--steps",
        3,
        "--images",
        tmp_path / "images.pt",
        "--out",
        tmp_path / "two.pt",
    ]
    result = torchrun(distributed_vae.__file__, *options)
    assert (
        len(
            re.findall(
                r"torch\.float\d\d: [\d.]+ ms for a step; weights of processes differ by 0\n", result.stdout
            )
        )
        == 2
    )
    for name, two in torch.load(tmp_path / "two.pt").items():
        limit = {"torch.float32": 1e-5, "torch.float64": 1e-10}[name]
        one = distributed_vae.train(images, 3, getattr(torch, name.removeprefix("torch.")))
        assert list(two["weights"]) == [0, 1, 3]
        for here, there in ((one["gradient"], two["gradient"]), (one["weights"][3], two["weights"][3])):
            assert (there - here).norm() <= limit * here.norm()
        assert two["ranks"] == 0


def test_the_loss_of_the_script_is_minus_the_elbo():
    torch.manual_seed(0)
    model = distributed_vae.VAEWithLoss(3, hidden_size=8)
    x, noise = torch.bernoulli(torch.full((5, 1, 28, 28), 0.3)), torch.randn(5, 3)
    mu, log_var = model.encode(x)
    q = torch.distributions.Normal(mu, (0.5 * log_var).exp())
    p_x = torch.distributions.Bernoulli(logits=model.decode(mu + q.scale * noise))
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0, 1))
    expected = -(p_x.log_prob(x).flatten(1).sum(dim=1) - kl.sum(dim=1)).mean()
    torch.testing.assert_close(model(x, noise), expected)
