"""The classic mistakes of notebook 06's exercises, each with its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import check


def errors(x_hat, x):
    return (x_hat - x).square().flatten(1).sum(dim=1)


def masked(x, share):
    return x * (torch.rand_like(x) >= share)


def right_loss(model, x, share):
    return errors(model(masked(x, share)), x).mean()


def target_masked(model, x, share):
    damaged = masked(x, share)
    return errors(model(damaged), damaged).mean()


def erased_only(model, x, share):
    erased = (torch.rand_like(x) < share).float()
    return errors(model(x * (1 - erased)) * erased, x * erased).mean()


def kept_only(model, x, share):
    kept = (torch.rand_like(x) >= share).float()
    return errors(model(x * kept) * kept, x * kept).mean()


def without_gradient(model, x, share):
    with torch.no_grad():
        return right_loss(model, x, share)


def image_by_image(model, x, share):
    return torch.stack([right_loss(model, image[None], share) for image in x]).mean()


def whole_images(model, x, share):
    keep = (torch.rand(len(x)) >= share).float().view(-1, 1, 1, 1)
    return errors(model(x * keep), x).mean()


def right_share(normal, strange):
    difference = strange[None, :] - normal[:, None]
    return (difference > 0).float().mean() + 0.5 * (difference == 0).float().mean()


def at_median(normal, strange):
    return (strange.median() > normal.median()).float()


def walk(mixer):
    """A walk through images or codes: `mixer(model, x_a, x_b, t)` with t of shape (steps, 1)."""

    def answer(model, x_a, x_b, steps):
        model.eval()
        with torch.no_grad():
            return mixer(model, x_a, x_b, torch.linspace(0, 1, steps)[:, None])

    return answer


def mix(a, b, t):
    t = t.view(-1, *[1] * (a.ndim - 1))
    return (1 - t) * a + t * b


def by_code(model, x_a, x_b, t):
    return model.decode(mix(model.encode(x_a), model.encode(x_b), t))


right_walk = walk(by_code)


def in_training_mode(model, x_a, x_b, steps):
    with torch.no_grad():
        return by_code(model, x_a, x_b, torch.linspace(0, 1, steps)[:, None])


def with_gradient(model, x_a, x_b, steps):
    return by_code(model.eval(), x_a, x_b, torch.linspace(0, 1, steps)[:, None])


def squared(model, x_a, x_b, t):
    return by_code(model, x_a, x_b, t**2)


RIGHT = {"masking_loss": right_loss, "share_of_pairs": right_share, "walk_between": right_walk}

MISTAKES = [
    ("masking_loss", lambda m, x, s: errors(m(x), x).mean(), "was given the whole image"),
    ("masking_loss", lambda m, x, s: errors(m(F.dropout(x, s)), x).mean(), "F.dropout makes the pixels"),
    ("masking_loss", lambda m, x, s: errors(m(masked(x, s) + 0.01), x).mean(), "have changed"),
    ("masking_loss", lambda m, x, s: right_loss(m, x, 1 - s), "so it is the wrong way round"),
    ("masking_loss", lambda m, x, s: errors(m(x * (torch.rand_like(x[:1]) >= s)), x).mean(), "the same mask"),
    ("masking_loss", whole_images, "you erased whole images"),
    ("masking_loss", lambda m, x, s: right_loss(m, x, s / 2), "a share of 0.12 of the pixels"),
    ("masking_loss", target_masked, "your target is masked"),
    ("masking_loss", erased_only, "you counted the erased pixels only"),
    ("masking_loss", kept_only, "you counted the kept pixels only"),
    ("masking_loss", lambda m, x, s: F.mse_loss(m(masked(x, s)), x), "784 times too small"),
    ("masking_loss", lambda m, x, s: errors(m(masked(x, s)), x).sum(), "you added up over the 40 images"),
    ("masking_loss", lambda m, x, s: errors(m(masked(x, s)), x), "your loss has shape (40,)"),
    ("masking_loss", lambda m, x, s: right_loss(m, x, s).item(), "no .item()"),
    ("masking_loss", lambda m, x, s: 2 * right_loss(m, x, s), "between model(masked x) and x"),
    ("masking_loss", without_gradient, "without gradients"),
    ("masking_loss", image_by_image, "the model was called 40 times"),
    ("share_of_pairs", lambda n, s: 1 - right_share(n, s), "wrong way round: count the pairs"),
    ("share_of_pairs", lambda n, s: (s[None] > n[:, None]).float().mean(), "a tie counts nothing"),
    ("share_of_pairs", lambda n, s: (s[None] >= n[:, None]).float().mean(), "a tie counts as a win"),
    ("share_of_pairs", lambda n, s: 15 * right_share(n, s), "you counted the pairs"),
    ("share_of_pairs", lambda n, s: 100 * right_share(n, s), "you returned per cent"),
    ("share_of_pairs", at_median, "you compared averages or medians"),
    ("share_of_pairs", lambda n, s: (s[None] > n[:, None]).float().mean(dim=0), "your result has shape (3,)"),
    ("share_of_pairs", lambda n, s: s.mean() - n.mean(), "of the 15 pairs"),
    ("walk_between", walk(lambda m, a, b, t: by_code(m, a, b, t.flip(0))), "your walk runs backwards"),
    ("walk_between", walk(lambda m, a, b, t: mix(a, b, t)), "you mixed the images pixel by pixel"),
    ("walk_between", walk(lambda m, a, b, t: m(mix(a, b, t))), "you mixed the images, then encoded"),
    ("walk_between", walk(lambda m, a, b, t: mix(m(a), m(b), t)), "you mixed the two reconstructions"),
    ("walk_between", walk(lambda m, a, b, t: by_code(m, a, b, 0.8 * t)), "stops short of x_b"),
    ("walk_between", walk(lambda m, a, b, t: by_code(m, a, b, 1 / 6 + t * 2 / 3)), "leaves out both ends"),
    ("walk_between", walk(lambda m, a, b, t: m.decode(m.encode(a) + t * m.encode(b))), "kept all of z_a"),
    ("walk_between", in_training_mode, "call model.eval()"),
    ("walk_between", walk(squared), "a later one is not"),
    ("walk_between", with_gradient, "carry a gradient"),
    ("walk_between", walk(lambda m, a, b, t: list(by_code(m, a, b, t))), "make it one tensor"),
    (
        "walk_between",
        walk(lambda m, a, b, t: by_code(m, a, b, t)[1:]),
        "your result has shape (4, 1, 28, 28)",
    ),
    ("walk_between", walk(lambda m, a, b, t: by_code(m, a[0], b[0], t)), "encode was given shape"),
    ("walk_between", walk(lambda m, a, b, t: m.decode(m.encode(a)[0])), "decode was given shape"),
    ("walk_between", walk(lambda m, a, b, t: by_code(m, a, b, t).numpy()), "returned a ndarray"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


def test_a_right_loss_passes_whatever_the_random_numbers_are(capsys):
    def reseeded(seed):
        def answer(model, x, share):
            torch.manual_seed(seed)
            return right_loss(model, x, share)

        return answer

    for seed in range(20):
        check("masking_loss", reseeded(seed))
    assert capsys.readouterr().out.count("Right (masking_loss)") == 20


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, assert_told):
    assert_told(name, lambda *arguments: None, "To do")


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, answer, diagnosis, MISTAKES)
