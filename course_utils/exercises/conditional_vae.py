"""Exercises of notebook 09: a condition for both networks, a test that asks for it, one style in every class."""

import torch

from course_utils.exercises.registry import Wrong, call, exercise

K = 10

# --- the condition in both networks ---

IMAGES, LATENTS = 2000, 3


def _one_hot(y: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(y, K).float()


def _rows(answer) -> torch.Tensor:
    """What the reader gave to a network, checked to be a matrix."""
    if not isinstance(answer, torch.Tensor):
        raise Wrong(f"a network was given a {type(answer).__name__}; it takes one tensor.")
    return answer.detach().float()


def _diagnose_condition(rows: torch.Tensor, left: torch.Tensor, y: torch.Tensor, network: str) -> None:
    """Raise Wrong unless `rows` are `left` (B, n) followed by the one-hot of y; `network` is named in the diagnosis."""
    n, what = left.shape[1], {"encoder": "the pixels", "decoder": "z"}[network]
    if rows.ndim != 2:
        raise Wrong(
            f"the {network} was given shape {tuple(rows.shape)}, but takes rows (B, {n + K}): flatten the images with "
            "x.flatten(1) before you append the condition."
        )
    if len(rows) != len(y):
        raise Wrong(
            f"the {network} was given {len(rows)} rows for {len(y)} images: the condition stands beside {what} in the "
            "same row, so join along dim=1."
        )
    width = rows.shape[1]
    if width == n + 1:
        raise Wrong(
            f"you appended the label to {what} as one number. Then class 9 is nine times class 1, and 4 lies between 3 "
            f"and 5: a one-hot of {K} numbers treats all classes alike."
        )
    if width == n + int(y.max()) + 1:
        raise Wrong(
            f"your one-hot has {int(y.max()) + 1} numbers, one more than the largest label in this batch: it would "
            f"change from batch to batch. Say F.one_hot(y, num_classes={K})."
        )
    if width != n + K:
        raise Wrong(
            f"the {network} was given rows of {width} numbers, but takes {n + K}: {what} and a one-hot of y."
        )
    condition = rows[:, n:]
    if torch.equal(rows[:, :K], _one_hot(y)):
        raise Wrong(f"you put the one-hot in front of {what}; here it stands behind it.")
    _diagnose_one_hot(condition, y, network)


def _diagnose_one_hot(condition: torch.Tensor, y: torch.Tensor, network: str) -> None:
    right = _one_hot(y)
    if torch.equal(condition, right):
        return
    mistakes = (
        (torch.zeros_like(right), "holds zeros only: the condition is lost"),
        (
            right * y[:, None],
            "holds the label where a 1 should stand: class 0 then looks like no class at all",
        ),
        (right.roll(1, dims=1), "is one place too far right: labels start at 0"),
        (right.roll(-1, dims=1), "is one place too far left: labels start at 0"),
        (right[:1].expand_as(right), "is that of the first image in every row: each image has its own label"),
        (1 - right, "has 0 and 1 exchanged"),
    )
    for wrong, diagnosis in mistakes:
        if torch.equal(condition, wrong):
            raise Wrong(f"the one-hot that the {network} is given {diagnosis}.")
    if torch.equal(condition.sort(dim=0).values, right.sort(dim=0).values):
        raise Wrong(f"the one-hot of the {network} belongs to other images: do not shuffle y.")
    raise Wrong(f"the last {K} numbers that the {network} is given are not the one-hot of y.")


class _Encoder:
    """Stands for the encoder's network: knows what it must be given, and gives a known mu and log_var."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor):
        self.x, self.y, self.calls = x, y, 0
        generator = torch.Generator().manual_seed(1)
        self.mu = (3 * torch.randn(len(x), LATENTS, generator=generator)).requires_grad_()
        self.log_var = (torch.rand(len(x), LATENTS, generator=generator) - 2.5).requires_grad_()

    def __call__(self, rows):
        rows = _rows(rows)
        pixels = self.x.flatten(1)
        if torch.equal(rows.flatten(1), pixels):
            raise Wrong(
                "you gave the encoder the pixels alone. Then it cannot know what the decoder will be told, and z keeps "
                "what it could leave out: the encoder is q(z|x, y), so append the condition there, too."
            )
        _diagnose_condition(rows, pixels, self.y, "encoder")
        if not torch.allclose(rows[:, : pixels.shape[1]], pixels, atol=1e-5):
            raise Wrong("the pixels that reach the encoder are not those of x: pass them on unchanged.")
        self.calls += 1
        return torch.cat([self.mu, self.log_var], dim=1)


class _Decoder:
    """Stands for the decoder's network: remembers its rows, and refuses those without the condition."""

    def __init__(self, encoder: _Encoder):
        self.encoder, self.z, self.logits = encoder, None, None

    def __call__(self, rows):
        values = _rows(rows)
        if not self.encoder.calls:
            raise Wrong("you called the decoder before the encoder: z comes from what the encoder says.")
        if values.shape == (IMAGES, LATENTS):
            raise Wrong(
                "you gave the condition to the encoder only: the decoder sees z alone. Such a model trains without "
                "complaint, and when you ask it for a 7, it draws any digit (fidelity near 10 %). The decoder is "
                "p(x|z, y), so append the one-hot to z as well."
            )
        if values.shape[1:] == (2 * LATENTS + K,) or values.shape[1:] == (2 * LATENTS,):
            raise Wrong("you gave the decoder mu and log_var side by side: draw z from them first.")
        _diagnose_condition(values, self.encoder.mu, self.encoder.y, "decoder")
        self.z = rows[:, :LATENTS]
        self.logits = values.sum(dim=1)[:, None, None, None].expand(-1, 1, 28, 28)
        return self.logits


def _diagnose_sample(z: torch.Tensor, encoder: _Encoder) -> None:
    mu, log_var = encoder.mu.detach(), encoder.log_var.detach()
    values = z.detach()
    if torch.equal(values, mu):
        raise Wrong("you decoded z = mu: draw z = mu + sigma * epsilon, or this is no sample of q(z|x, y).")
    epsilon = (values - mu) / (0.5 * log_var).exp()
    if epsilon.std() > 3:
        swapped = (values - log_var) / (0.5 * mu).exp()
        if 0.8 < swapped.std() < 1.2:
            raise Wrong("you exchanged mu and log_var: the encoder gives mu first, then log_var.")
        if 0.9 < values.std() < 1.1:
            raise Wrong("you drew z from the prior: in training z comes from q(z|x, y), from mu and log_var.")
        raise Wrong("your z do not scatter around mu: z = mu + sigma * epsilon.")
    if (epsilon - epsilon[:1]).abs().max() < 1e-3:
        raise Wrong("you used the same epsilon for all images: torch.randn_like(mu) gives each its own.")
    # 6,000 numbers: the error of their standard deviation is below 1 %.
    if not 0.95 < epsilon.std() < 1.05:
        raise Wrong(
            f"your epsilon has the standard deviation {epsilon.std():.2f}, and not 1: sigma is (0.5 * log_var).exp()."
        )
    if not z.requires_grad:
        raise Wrong("z is cut off from the encoder: no gradient can reach it. Nothing may be detached.")


@exercise(
    "conditional_forward",
    hints=(
        "F.one_hot(y, num_classes=10) makes (B, 10) of (B,). Both networks need it.",
        "The encoder takes torch.cat([x.flatten(1), one_hot], dim=1), and gives mu and log_var: .chunk(2, dim=1).",
        "Draw z = mu + (0.5 * log_var).exp() * torch.randn_like(mu), and give the decoder torch.cat([z, one_hot], "
        "dim=1).",
    ),
    praise="The encoder may leave out of z whatever the condition says, because the decoder is told it again.",
)
def check_conditional_forward(answer) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(IMAGES, 1, 28, 28, generator=generator)
    # No 8 and no 9, so that a one-hot made without num_classes comes out too short.
    y = torch.randint(0, 8, (IMAGES,), generator=generator)
    y[:2] = torch.tensor([3, 7])
    encoder = _Encoder(x, y)
    decoder = _Decoder(encoder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = call(answer, x, y, encoder, decoder)
    if decoder.z is None:
        raise Wrong("you never called the decoder: it makes the logits of z and the condition.")
    _diagnose_sample(decoder.z, encoder)
    if not isinstance(result, tuple) or len(result) != 3:
        raise Wrong("return three things: logits, mu, log_var.")
    logits, mu, log_var = result
    if not isinstance(logits, torch.Tensor) or not torch.equal(logits, decoder.logits):
        if isinstance(logits, torch.Tensor) and torch.allclose(logits, decoder.logits.sigmoid()):
            raise Wrong("you applied a sigmoid: return the logits as the decoder gives them.")
        raise Wrong("the first of the three must be the decoder's logits, unchanged.")
    if not torch.equal(mu, encoder.mu) or not torch.equal(log_var, encoder.log_var):
        raise Wrong("the second and third must be mu and log_var, as the encoder gives them.")


# --- does the model listen? ---


class _Drawer:
    """A decoder of known obedience, which draws a class as a picture that `classify` reads; it remembers its calls."""

    def __init__(self, obedience: float):
        self.obedience, self.calls = obedience, []

    def __call__(self, z, y):
        for name, value, shape in (("z", z, "(N, 8)"), ("y", y, "(N,)")):
            if not isinstance(value, torch.Tensor):
                raise Wrong(f"decode(z, y) takes tensors; your {name} is a {type(value).__name__}.")
            if value.ndim != shape.count(",") + (name == "z") or (name == "z" and value.shape[1] != 8):
                raise Wrong(
                    f"decode(z, y) takes z (N, 8) and y (N,); your {name} has shape {tuple(value.shape)}."
                )
        if len(z) != len(y):
            raise Wrong(f"decode(z, y) takes one label for each z; you gave {len(z)} z and {len(y)} labels.")
        if y.is_floating_point() or y.min() < 0 or y.max() > K - 1:
            raise Wrong("labels are whole numbers from 0 to 9 (int64).")
        self.calls.append((z, y))
        # Two directions of z decide: the first whether the model obeys, the second what it draws if it does not.
        own = (torch.special.ndtr(z[:, 1]) * K).long().clamp(max=K - 1)
        drawn = torch.where(torch.special.ndtr(z[:, 0]) < self.obedience, y, own)
        pixels = torch.zeros(len(z), 1, 28, 28)
        pixels[torch.arange(len(z)), 0, 0, drawn] = 1
        return pixels


def _classify(x):
    if not isinstance(x, torch.Tensor) or x.ndim != 4:
        raise Wrong("classify(x) takes the pixels that decode(z, y) returns.")
    return x[:, 0, 0, :K].argmax(dim=1)


@exercise(
    "does_it_listen",
    hints=(
        "Ask for every class equally often: y = torch.arange(10).repeat(100). Draw a z ~ N(0, I) for each.",
        "guess = classify(decode(z, y)). The fidelity is how often guess equals y.",
        "The control compares the same guesses with shuffled labels, y[torch.randperm(len(y))]: chance alone.",
    ),
    praise="A model that listens has a fidelity near 1 and a control near 0.1; one that does not has 0.1 twice.",
)
def check_does_it_listen(answer) -> None:
    for obedience in (0.95, 0.0):
        decode = _Drawer(obedience)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = call(answer, decode, _classify, 8)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong("return two numbers: the fidelity and its control.")
        fidelity, control = (float(value) for value in result)
        _diagnose_questions(decode)
        z, y = decode.calls[0]
        guess = _classify(_Drawer(obedience)(z, y))
        _diagnose_answers(fidelity, control, (guess == y).float().mean().item(), obedience, decode)


def _diagnose_questions(decode: _Drawer) -> None:
    if not decode.calls:
        raise Wrong("you never called decode(z, y): ask the model for images first.")
    z, y = decode.calls[0]
    if len(y) < 500:
        raise Wrong(
            f"you asked for {len(y)} images only: chance moves the result by percents. Take 1,000 or so."
        )
    shares = torch.bincount(y, minlength=K) / len(y)
    if shares.min() < 0.05:
        raise Wrong(
            f"you asked for class {int(shares.argmin())} in {100 * shares.min():.0f} % of the cases: ask for each "
            "class equally often, or a model that always draws the same digit may pass."
        )
    if (z - z[:1]).abs().max() == 0:
        raise Wrong("you used the same z for all images: the question is whether it listens in every style.")
    if abs(z.std().item() - 1) > 0.1 or z.mean().abs() > 0.2:
        raise Wrong(
            f"your z have the mean {z.mean():.2f} and the standard deviation {z.std():.2f}: draw them from the prior "
            "N(0, I) with torch.randn."
        )


def _diagnose_answers(
    fidelity: float, control: float, right: float, obedience: float, decode: _Drawer
) -> None:
    if abs(fidelity - 100 * right) < 1:
        raise Wrong(f"your fidelity is {fidelity:.0f}: return shares between 0 and 1, not percent.")
    if abs(fidelity - (1 - right)) < 1e-3 and abs(right - 0.5) > 0.1:
        raise Wrong("you counted the images that are NOT of the class asked for.")
    if abs(fidelity - right) > 1e-3 and abs(control - right) < 1e-3:
        raise Wrong("you returned the control first: the fidelity comes first.")
    if abs(fidelity - right) > 1e-3:
        raise Wrong(
            f"your fidelity is {fidelity:.3f}, but {right:.3f} of your images are of the class that you asked for."
        )
    if obedience < 0.5:
        # The deaf model: fidelity and control are chance, and there is nothing more to be seen in it.
        return
    if abs(control - right) < 0.03:
        raise Wrong(
            f"your control is {control:.2f}, as high as the fidelity: it must compare with labels that have nothing to "
            "do with the images. Shuffle y after decoding, not before."
        )
    if abs(control - (1 - right)) < 1e-3:
        raise Wrong("your control is 1 - fidelity, which says nothing new: compare with shuffled labels.")
    if control == 0:
        raise Wrong(
            "your control is exactly 0: no label stayed in its place. Shuffled labels agree by chance in a tenth of "
            "the cases; use torch.randperm."
        )
    if not 0.05 < control < 0.16:
        raise Wrong(f"your control is {control:.2f}; with shuffled labels of ten classes it is near 0.1.")


# --- one style in every class ---


class _Stylist:
    """A conditional model whose images say from which z and which class they were made."""

    latent_size = 2

    def __init__(self):
        self.encoded = []

    def encode(self, x, y):
        if x.ndim != 4 or y.shape != (len(x),):
            raise Wrong(
                f"encode(x, y) takes x (B, 1, 28, 28) and one label for each, (B,); you gave {tuple(x.shape)} and "
                f"{tuple(y.shape)}."
            )
        self.encoded.append(y)
        ink = x.mean(dim=(1, 2, 3)).requires_grad_()
        mu = torch.stack([ink, 0.3 + 0.1 * y], dim=1)
        return mu, torch.full_like(mu, -1.0)

    def decode(self, z, y):
        if z.ndim != 2 or y.shape != (len(z),):
            raise Wrong(
                f"decode(z, y) takes one label for each z; you gave {tuple(z.shape)} and {tuple(y.shape)}: repeat z, "
                f"with z.expand({K}, -1)."
            )
        images = z.new_zeros(len(z), 1, 28, 28)
        images[:, 0, 0, :2] = 1 + z
        images[torch.arange(len(z)), 0, 1, y] = 1
        return images


@exercise(
    "in_every_class",
    hints=(
        "Encode the image with the class that it has: mu, log_var = model.encode(x, y).",
        "Decode that one mu ten times: model.decode(mu.expand(10, -1), torch.arange(10)).",
        "The decoder gives logits; .sigmoid() makes pixels of them. No gradient is needed: with torch.no_grad().",
    ),
    praise="One z, ten labels: what stays the same in the ten images is what z holds, and the rest is y.",
)
def check_in_every_class(answer) -> None:
    model = _Stylist()
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(1, 1, 28, 28, generator=generator), torch.tensor([4])
    mu, _ = model.encode(x, y)
    logits = model.decode(mu.expand(K, -1), torch.arange(K)).detach()
    model.encoded.clear()
    result = call(answer, model, x, y)
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"your function returned a {type(result).__name__}; return a tensor (10, 1, 28, 28).")
    if not model.encoded:
        raise Wrong("you never encoded x: without it, z does not know the style.")
    if len(model.encoded[0]) != 1 or model.encoded[0].item() != 4:
        raise Wrong(
            "you encoded the image with labels that it does not have. The encoder then describes it as a strange "
            "specimen of another class; give it y, and change the label for the decoder only."
        )
    values = result.detach()
    if values.shape == (1, 1, 28, 28):
        raise Wrong("you returned one image: give the decoder all ten labels, torch.arange(10).")
    if values.shape == (K - 1, 1, 28, 28):
        raise Wrong("you returned nine images: keep the own class among them, so that image k is class k.")
    if values.shape != logits.shape:
        raise Wrong(f"ten images are (10, 1, 28, 28); yours are {tuple(values.shape)}.")
    _diagnose_styles(values, logits)
    if result.requires_grad:
        raise Wrong("the images are right, but carry a gradient: call the model inside torch.no_grad().")


def _diagnose_styles(values: torch.Tensor, logits: torch.Tensor) -> None:
    expected = logits.sigmoid()
    if torch.allclose(values, expected, atol=1e-5):
        return
    if torch.allclose(values, logits, atol=1e-5):
        raise Wrong("you returned logits: .sigmoid() makes pixels in [0, 1] of them.")
    if torch.equal(values, values[:1].expand_as(values)):
        raise Wrong("your ten images are the same: the decoder must be given ten different labels.")
    if torch.allclose(values[:, 0, 1], expected[:, 0, 1], atol=1e-5):
        raise Wrong(
            "the classes are right, but z is not mu: without noise, the ten images show the style of this image."
        )
    if torch.allclose(values.flatten(1).sum(1), expected.flatten(1).sum(1), atol=1e-4):
        raise Wrong("the images are right, but not in the order of the classes: image k must be class k.")
    raise Wrong("your images are not what the decoder makes of mu and the labels 0 to 9.")
