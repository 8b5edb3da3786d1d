"""Likelihoods, KL divergences and bounds of log p(x), and a model in which all of them are known exactly.

Everything is in nats per image: sums run over pixels or latents, never over images, and results are (B,).

The symbols are those of the course: images x (B, ...), latents z (B, n), and an approximate posterior
q(z|x) = N(mu, diag(exp(log_var))) with `mu` and `log_var` of shape (B, n). All formulas are written in the
order of their terms in:

- Kingma and Welling (2014), "Auto-Encoding Variational Bayes", ICLR: the ELBO (equations 1 to 3), the
  reparameterisation (section 2.4) and the KL of Gaussians (appendix B).
- Burda, Grosse and Salakhutdinov (2016), "Importance Weighted Autoencoders", ICLR: the bound L_k (eq. 8).
- Bishop (2006), "Pattern Recognition and Machine Learning": linear-Gaussian models (section 2.3.3) and
  probabilistic PCA (section 12.2).
"""

import math
from collections.abc import Callable
from numbers import Integral

import torch
import torch.nn.functional as F
from torch.distributions import LowRankMultivariateNormal, MultivariateNormal

LOG_2_PI = math.log(2 * math.pi)


# --- Gaussians ---


def gaussian_log_density(z: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """log N(z; mu, diag(exp(log_var))) in nats, (B,), summed over the latents.

    -1/2 sum_j [log(2 pi) + log_var_j + (z_j - mu_j)^2 / exp(log_var_j)]: Bishop (2006), equation 2.43 with a
    diagonal covariance. `z`, `mu` and `log_var` are (B, n); ValueError otherwise.
    """
    _check_same_shape(mu=mu, log_var=log_var, z=z)
    return -0.5 * (LOG_2_PI + log_var + (z - mu).square() / log_var.exp()).sum(dim=1)


def standard_normal_log_density(z: torch.Tensor) -> torch.Tensor:
    """log N(z; 0, I) in nats, (B,), for z of shape (B, n): the log-density of the prior p(z)."""
    return gaussian_log_density(z, torch.zeros_like(z), torch.zeros_like(z))


def gaussian_kl_per_latent(mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """KL(N(mu_j, exp(log_var_j)) || N(0, 1)) in nats, (B, n), of each latent on its own.

    1/2 (mu^2 + sigma^2 - 1 - log sigma^2): Kingma and Welling (2014), appendix B, with the sign of a KL (they
    give -KL). `mu` and `log_var` are (B, n); ValueError otherwise.
    """
    _check_same_shape(mu=mu, log_var=log_var)
    # expm1 is exp(log_var) - 1 without rounding to 0 near log_var = 0, where unused latents end up.
    return 0.5 * (mu.square() + torch.expm1(log_var) - log_var)


def gaussian_kl(mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """KL(N(mu, diag(exp(log_var))) || N(0, I)) in nats per image, (B,): `gaussian_kl_per_latent`, summed.

    Independent latents add up, since both densities are products over the latents.
    """
    return gaussian_kl_per_latent(mu, log_var).sum(dim=1)


def reparameterise(mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """One sample z = mu + sigma * epsilon of N(mu, diag(exp(log_var))) for each image, (B, n).

    epsilon ~ N(0, I) holds all the randomness, so gradients reach `mu` and `log_var`: Kingma and Welling
    (2014), section 2.4.
    """
    _check_same_shape(mu=mu, log_var=log_var)
    return mu + (0.5 * log_var).exp() * torch.randn_like(mu)


# --- pixels ---


def bernoulli_log_likelihood(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """log p(x|z) of binary pixels in nats per image, (B,), summed over the pixels.

    sum_j [x_j log p_j + (1 - x_j) log(1 - p_j)] with p = sigmoid(logits): Kingma and Welling (2014), appendix
    C.1. It is computed from logits, which stays finite where p rounds to 0 or 1.

    `logits` and `x` have the same shape (B, ...). Every x must be 0 or 1: only then is this the logarithm of
    a probability. Raises ValueError for grey pixels; `grey_cross_entropy` is the loss for those. Infinite pixels are
    not looked for: they give NaN.

    Logits may be any numbers, so probabilities given in their place go unnoticed, and the result is wrong: a decoder
    that ends in a sigmoid must give up its sigmoid here.
    """
    _check_pixels(logits, x)
    # 0 and 1 are the only finite numbers that are their own squares: the fastest way to ask, at every step.
    if not torch.equal(x, x * x):
        grey = x[x != x * x][0].item()
        if _in_unit_interval(x):
            by_name = "call the loss for grey pixels by its name, grey_cross_entropy"
            remedy = f"binarise with torch.bernoulli(x), or {by_name}"
        else:
            remedy = "bring the pixels into [0, 1] first, as to_pixels(images) does, and then binarise"
        raise ValueError(
            f"x must be 0 or 1 in every pixel, or this is no likelihood; got a pixel of {grey:.9g}: {remedy}"
        )
    return -_cross_entropy(logits, x)


def grey_cross_entropy(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Cross entropy of grey pixels x in [0, 1] against p = sigmoid(logits), in nats per image, (B,).

    A loss, and not minus a log-likelihood. Its minimum over the logits is the entropy of x seen as
    probabilities, not 0, and exp(-loss) does not integrate to 1 over x: Loaiza-Ganem and Cunningham (2019),
    "The continuous Bernoulli: fixing a pervasive error in variational autoencoders", NeurIPS.

    `logits` and `x` have the same shape (B, ...). Raises ValueError for pixels outside [0, 1]. As in
    `bernoulli_log_likelihood`, probabilities given in place of logits go unnoticed, and the result is wrong.
    """
    _check_pixels(logits, x)
    if not _in_unit_interval(x):
        raise ValueError(
            # Nine digits show the 1.00000012 that rounding makes of 1.
            f"x must lie in [0, 1]; got pixels from {x.min().item():.9g} to {x.max().item():.9g}"
        )
    return _cross_entropy(logits, x)


def _cross_entropy(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(start_dim=1).sum(dim=1)


# --- bounds of log p(x) ---

# log_likelihood(x, z) or log_likelihood(x, z, condition): log p(x|z) or log p(x|z, y), one number per row.
LogLikelihood = Callable[..., torch.Tensor]


def elbo(
    x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor, log_likelihood: LogLikelihood
) -> torch.Tensor:
    """The evidence lower bound E_q[log p(x|z)] - KL(q(z|x) || p(z)) in nats per image, (B,), by one sample.

    Kingma and Welling (2014), equation 3: the expectation is estimated by one z ~ q(z|x) for each image, the
    KL to p(z) = N(0, I) is exact. Unbiased, with gradients. `log_likelihood(x, z)` returns log p(x|z), (B,);
    for a conditional model let it use y as well: `lambda x, z: bernoulli_log_likelihood(model.decode(z, y),
    x)`.
    """
    _check_images(x, mu, log_var)
    reconstruction = log_likelihood(x, reparameterise(mu, log_var))
    _check_one_per_row("log_likelihood", reconstruction, rows=len(x), over="pixels")
    return reconstruction - gaussian_kl(mu, log_var)


@torch.no_grad()
def importance_weighted_bound(
    x: torch.Tensor,
    mu: torch.Tensor,
    log_var: torch.Tensor,
    log_likelihood: LogLikelihood,
    k: int,
    condition: torch.Tensor | None = None,
    log_prior: Callable[..., torch.Tensor] | None = None,
    rows_at_once: int = 4096,
) -> torch.Tensor:
    """An estimate of log p(x) from below, in nats per image, (B,), with k samples of q(z|x) for each image.

    log [1/k sum_i w_i] with w_i = p(x|z_i) p(z_i) / q(z_i|x) and z_i ~ q(z|x): Burda et al. (2016), eq. 8.
    Its expectation is the ELBO for k = 1, never falls with k, and tends to log p(x) (their theorem 1).

    `x` (B, ...) are the images, `mu` and `log_var` (B, n) what the encoder makes of them. `log_likelihood(x,
    z)` returns log p(x|z), one number per row; it gets (image, sample) pairs, at most `rows_at_once` at a
    time, so any k fits into memory. p(z) is N(0, I) unless `log_prior(z)` is given. A conditional model gives
    its labels as `condition` (B, ...): the calls are then `log_likelihood(x, z, condition)` and `log_prior(z,
    condition)`, with rows that belong together.

    For measuring only: the result carries no gradients. Raises ValueError for k < 1 and for shapes that do
    not fit together.
    """
    _check_images(x, mu, log_var)
    _check_count("k", k)
    _check_count("rows_at_once", rows_at_once)
    if condition is not None and len(condition) != len(x):
        raise ValueError(f"condition must have one row per image; got {len(condition)} for {len(x)} images")
    given = (x, mu, log_var) if condition is None else (x, mu, log_var, condition)
    images_at_once = min(len(x), rows_at_once)
    samples_at_once = rows_at_once // images_at_once
    bounds = []
    for part in zip(*(tensor.split(images_at_once) for tensor in given), strict=True):
        log_sum = torch.full_like(part[1][:, 0], -math.inf)
        for start in range(0, k, samples_at_once):
            samples = min(samples_at_once, k - start)
            rows = [tensor.repeat_interleave(samples, dim=0) for tensor in part]
            log_w = _log_weights(log_likelihood, log_prior, *rows).reshape(-1, samples)
            # logsumexp takes the largest weight out before exp: none overflows, and not all become 0.
            log_sum = torch.logaddexp(log_sum, log_w.logsumexp(dim=1))
        bounds.append(log_sum - math.log(k))
    return torch.cat(bounds)


def _log_weights(log_likelihood, log_prior, x, mu, log_var, *condition) -> torch.Tensor:
    """log w = log p(x|z) + log p(z) - log q(z|x) of one sample z ~ q(z|x) for each row, (B,)."""
    epsilon = torch.randn_like(mu)
    z = mu + (0.5 * log_var).exp() * epsilon
    # log q(z|x) from epsilon, by the change of variables: z - mu would lose digits where sigma is tiny.
    log_q = standard_normal_log_density(epsilon) - 0.5 * log_var.sum(dim=1)
    log_p_x_given_z = log_likelihood(x, z, *condition)
    _check_one_per_row("log_likelihood", log_p_x_given_z, rows=len(z), over="pixels")
    log_p_z = log_prior(z, *condition) if log_prior else standard_normal_log_density(z)
    _check_one_per_row("log_prior", log_p_z, rows=len(z), over="latents")
    return log_p_x_given_z + log_p_z - log_q


# --- a model in which everything is known ---


class LinearGaussian:
    """p(z) = N(0, I) and p(x|z) = N(W z + b, sigma^2 I): a VAE with a linear decoder, solved exactly.

    Also known as probabilistic PCA: Tipping and Bishop (1999); Bishop (2006), section 12.2, equations 12.31
    and 12.32. `W` is (D, n), `b` (D,), `sigma` > 0 the standard deviation of the noise in each of the D
    numbers of x. Observations x are (B, D), latents z (B, n), and results (B,) in nats. Give W, and so all
    others, in double precision where 1e-4 matters. Raises ValueError for shapes and types that do not fit.
    """

    def __init__(self, W: torch.Tensor, b: torch.Tensor, sigma: float):
        if W.ndim != 2 or b.shape != W.shape[:1]:
            raise ValueError(f"W must be (D, n) and b (D,); got {tuple(W.shape)} and {tuple(b.shape)}")
        if not (W.is_floating_point() and b.dtype == W.dtype):
            raise ValueError(f"W and b must be of one floating type; got {W.dtype} and {b.dtype}")
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma must be a standard deviation above 0; got {sigma}")
        self.W, self.b, self.sigma = W, b, float(sigma)
        self.D, self.n = W.shape
        # I + W^T W / sigma^2 does not depend on x: every posterior has the same shape, only its mean moves.
        self.precision = torch.eye(self.n, dtype=W.dtype, device=W.device) + W.T @ W / self.sigma**2

    def sample(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`count` pairs (z, x) of the joint p(z) p(x|z): first z (count, n), then x (count, D)."""
        _check_count("count", count)
        z = torch.randn(count, self.n, dtype=self.W.dtype, device=self.W.device)
        mean = z @ self.W.T + self.b
        return z, mean + self.sigma * torch.randn_like(mean)

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(x|z) = log N(x; W z + b, sigma^2 I), (B,)."""
        self._check(x, z=z)
        squared_error = (x - z @ self.W.T - self.b).square().sum(dim=1)
        return -0.5 * (self.D * (LOG_2_PI + 2 * math.log(self.sigma)) + squared_error / self.sigma**2)

    def log_marginal(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) = log N(x; b, W W^T + sigma^2 I), (B,): Bishop (2006), equations 12.35 and 12.36."""
        self._check(x)
        noise = torch.full_like(self.b, self.sigma**2)
        return LowRankMultivariateNormal(self.b, self.W, noise).log_prob(x)

    def posterior(self, x: torch.Tensor) -> MultivariateNormal:
        """p(z|x) = N(S W^T (x - b) / sigma^2, S) with S = (I + W^T W / sigma^2)^-1, one for each row of x.

        Bishop (2006), equations 2.116 and 2.117; in section 12.2, S is sigma^2 M^-1.
        """
        self._check(x)
        mean = torch.linalg.solve(self.precision, self.W.T @ (x - self.b).T / self.sigma**2).T
        return MultivariateNormal(mean, precision_matrix=self.precision)

    def expected_log_likelihood(
        self, x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor
    ) -> torch.Tensor:
        """E_q[log p(x|z)] for q = N(mu, diag(var)), (B,): log p(x|mu) - sum_j var_j |W_j|^2 / (2 sigma^2).

        var = exp(log_var), and W_j is the j-th column of W. It follows from
        E|x - W z - b|^2 = |x - W mu - b|^2 + tr(W diag(var) W^T): Petersen and Pedersen (2012), "The Matrix
        Cookbook", equation 380.
        """
        self._check(x, mu=mu, log_var=log_var)
        spread = log_var.exp() @ self.W.square().sum(dim=0)
        return self.log_likelihood(x, mu) - 0.5 * spread / self.sigma**2

    def elbo(self, x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
        """The exact ELBO of q = N(mu, diag(exp(log_var))), (B,): E_q[log p(x|z)] - KL(q || p(z))."""
        return self.expected_log_likelihood(x, mu, log_var) - gaussian_kl(mu, log_var)

    def kl_to_posterior(self, x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
        """KL(q || p(z|x)) for q = N(mu, diag(exp(log_var))), (B,): the gap between the ELBO and log p(x).

        1/2 [tr(P diag(var)) + (m - mu)^T P (m - mu) - n - log det P - sum_j log_var_j], with m the mean of
        the posterior and P its precision: the KL of two Gaussians, Bishop (2006), exercise 2.13.
        """
        self._check(x, mu=mu, log_var=log_var)
        difference = self.posterior(x).loc - mu
        trace = log_var.exp() @ self.precision.diagonal()
        distance = ((difference @ self.precision) * difference).sum(dim=1)
        return 0.5 * (trace + distance - self.n - self.precision.logdet() - log_var.sum(dim=1))

    def _check(self, x: torch.Tensor, **latents: torch.Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.D:
            raise ValueError(f"x must be (B, {self.D}) for this W; got {tuple(x.shape)}")
        for name, latent in latents.items():
            if latent.shape != (len(x), self.n):
                raise ValueError(
                    f"{name} must be ({len(x)}, {self.n}), one row per row of x; got {tuple(latent.shape)}"
                )
        for name, tensor in {"x": x, **latents}.items():
            if tensor.dtype != self.W.dtype:
                raise ValueError(f"{name} must be of the type of W, {self.W.dtype}; got {tensor.dtype}")


# --- what is refused ---


def _check_same_shape(mu: torch.Tensor, **others: torch.Tensor) -> None:
    if mu.ndim != 2:
        raise ValueError(f"mu must be (B, n), one row per image; got shape {tuple(mu.shape)}")
    for name, other in others.items():
        if other.shape != mu.shape:
            raise ValueError(f"{name} must have the shape of mu, {tuple(mu.shape)}; got {tuple(other.shape)}")


def _check_images(x: torch.Tensor, mu: torch.Tensor, log_var: torch.Tensor) -> None:
    _check_same_shape(mu=mu, log_var=log_var)
    if len(x) != len(mu) or len(x) == 0:
        raise ValueError(
            f"x must have one image per row of mu, and at least one; got {len(x)} and {len(mu)} rows"
        )


def _check_count(name: str, count: int) -> None:
    if isinstance(count, bool) or not isinstance(count, Integral) or count < 1:
        raise ValueError(f"{name} must be a whole number, at least 1; got {count!r}")


def _in_unit_interval(x: torch.Tensor) -> bool:
    # NaN does not lie in it, either.
    return bool(((x >= 0) & (x <= 1)).all())


def _check_one_per_row(name: str, values: torch.Tensor, rows: int, over: str) -> None:
    if values.shape != (rows,):
        raise ValueError(
            f"{name} must return one number per image, shape ({rows},); got {tuple(values.shape)}: "
            f"sum over the {over}, not over the images"
        )


def _check_pixels(logits: torch.Tensor, x: torch.Tensor) -> None:
    # No broadcasting: (B, 784) against (B, 1, 28, 28) would silently compare every image with every other.
    if logits.shape != x.shape or x.ndim < 2:
        raise ValueError(
            f"logits and x must have the same shape (B, ...); got {tuple(logits.shape)} and {tuple(x.shape)}"
        )
    if not x.is_floating_point():
        raise ValueError(f"x must be floating point; got {x.dtype}: use to_pixels(images) or x.float()")
