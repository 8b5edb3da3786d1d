"""Train notebook 08's VAE on one process or on several: the script of notebook 13.

python course_utils/distributed_vae.py                                       one process
torchrun --standalone --nproc-per-node 2 course_utils/distributed_vae.py     two, on a GPU each where there are GPUs

However many processes there are, each step uses the same images and the same noise, so that the weights are the same up
to rounding. DistributedDataParallel (DDP) averages the gradients.
"""

import argparse
import os
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parameters_to_vector

from course_utils.data import load_images, to_pixels
from course_utils.models import VAE
from course_utils.probability import bernoulli_log_likelihood, gaussian_kl


class VAEWithLoss(VAE):
    """A VAE whose forward pass is its loss: DDP averages the gradients of what goes through `forward`."""

    def forward(self, x, noise):
        """Minus the ELBO of binary images x (B, 1, 28, 28) with noise (B, latent_size): nats per image, one number."""
        mu, log_var = self.encode(x)
        z = mu + (0.5 * log_var).exp() * noise
        return (gaussian_kl(mu, log_var) - bernoulli_log_likelihood(self.decode(z), x)).mean()


def train(images, steps, dtype=torch.float32, device="cpu", batch_size=128, latent_size=20, seed=0):
    """Train on uint8 images (N, 28, 28), on all processes of the group, or on this one if there is none.

    Returns "gradient" (the first one) and "weights" (after 0, 1, 10 and all steps) as vectors on the CPU, "ranks" (the
    largest difference of a weight between processes in the end), and "ms" (the fastest step, in milliseconds).
    """
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(seed)
    model = VAEWithLoss(latent_size).to(device, dtype)
    parallel = DistributedDataParallel(model) if processes > 1 else model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    numbers = torch.Generator().manual_seed(seed)
    weights, times = {0: parameters_to_vector(model.parameters()).detach()}, []
    for step in range(1, steps + 1):
        # Every process draws the whole batch, and keeps its own part: so the numbers are the same for any P.
        rows = torch.randint(len(images), (batch_size,), generator=numbers)
        x = torch.bernoulli(to_pixels(images[rows]), generator=numbers)
        noise = torch.randn(batch_size, latent_size, generator=numbers)
        x, noise = (part[rank::processes].to(device, dtype) for part in (x, noise))
        start = time.perf_counter()
        loss = parallel(x, noise)
        optimizer.zero_grad()
        loss.backward()
        if step == 1:
            gradient = parameters_to_vector(p.grad for p in model.parameters()).cpu()
        optimizer.step()
        loss.item()  # waits for a GPU, so that its step is timed, too
        times.append(time.perf_counter() - start)
        if step in (1, 10, steps):
            weights[step] = parameters_to_vector(model.parameters()).detach()
    kept = {step: vector.cpu() for step, vector in weights.items()}
    return {"gradient": gradient, "weights": kept, "ranks": spread(weights[steps]), "ms": 1000 * min(times)}


def spread(weights):
    """The largest difference of a weight between processes: 0 if all have the same model."""
    if not dist.is_initialized():
        return 0.0
    highest, lowest = weights.clone(), weights.clone()
    dist.all_reduce(highest, dist.ReduceOp.MAX)
    dist.all_reduce(lowest, dist.ReduceOp.MIN)
    return (highest - lowest).max().item()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu"
    )
    parser.add_argument(
        "--images", help="a file of images, written by torch.save (default: those of COURSE_DATASET)"
    )
    parser.add_argument("--out", help="where the results of float32 and of float64 go")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rank = int(os.environ.get("RANK", "0"))  # this and the next are set by torchrun
    if "LOCAL_RANK" in os.environ:
        dist.init_process_group("nccl" if arguments.device == "cuda" else "gloo")
        if arguments.device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    images = torch.load(arguments.images) if arguments.images else load_images().train_images
    results = {}
    for dtype in (torch.float32, torch.float64):
        found = results[str(dtype)] = train(images, arguments.steps, dtype, arguments.device)
        if rank == 0:
            print(
                f"{dtype}: {found['ms']:.1f} ms for a step; weights of processes differ by {found['ranks']:.1g}"
            )
    if arguments.out and rank == 0:
        torch.save(results, arguments.out)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
