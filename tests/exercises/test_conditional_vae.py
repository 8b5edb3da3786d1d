"""The classic mistakes of notebook 09's exercises, each with its own diagnosis."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.exercises import ExerciseNotSolved, check

K = 10


def one_hot(y):
    return F.one_hot(y, num_classes=K)


def join(left, y):
    return torch.cat([left.flatten(1), one_hot(y)], dim=1)


def sample(mu, log_var):
    return mu + (0.5 * log_var).exp() * torch.randn_like(mu)


def forward(
    to_encoder=join, draw=sample, to_decoder=join, give=lambda logits, mu, log_var: (logits, mu, log_var)
):
    """An answer to the first exercise, each part of which can be replaced by a mistake."""

    def answer(x, y, encoder, decoder):
        mu, log_var = encoder(to_encoder(x, y)).chunk(2, dim=1)
        return give(decoder(to_decoder(draw(mu, log_var), y)), mu, log_var)

    return answer


def with_condition(condition):
    """A join that appends `condition(y)` instead of the one-hot."""
    return lambda left, y: torch.cat([left.flatten(1), condition(y)], dim=1)


FORWARD_MISTAKES = [
    (forward(to_decoder=lambda z, y: z), "to the encoder only"),
    (forward(to_encoder=lambda x, y: x.flatten(1)), "you gave the encoder the pixels alone"),
    (forward(to_encoder=lambda x, y: x), "you gave the encoder the pixels alone"),
    (
        forward(lambda x, y: torch.cat([x, one_hot(y)[:, None, None].expand(-1, 1, 28, -1)], dim=3)),
        "flatten the images",
    ),
    (forward(lambda x, y: torch.cat([x.flatten(1)] * 2, dim=0)), "join along dim=1"),
    (forward(with_condition(lambda y: y[:, None])), "the label to the pixels as one number"),
    (forward(to_decoder=with_condition(lambda y: y[:, None])), "the label to z as one number"),
    (forward(with_condition(F.one_hot)), "your one-hot has 8 numbers"),
    (forward(lambda x, y: torch.cat([one_hot(y), x.flatten(1)], dim=1)), "in front of the pixels"),
    (forward(to_decoder=lambda z, y: torch.cat([one_hot(y), z], dim=1)), "in front of z"),
    (forward(with_condition(lambda y: torch.zeros(len(y), 12))), "rows of 796 numbers, but takes 794"),
    (forward(to_decoder=with_condition(lambda y: torch.zeros(len(y), K))), "holds zeros only"),
    (forward(with_condition(lambda y: one_hot(y) * y[:, None])), "where a 1 should stand"),
    (forward(with_condition(lambda y: one_hot(y + 1))), "one place too far right"),
    (forward(with_condition(lambda y: one_hot((y - 1) % K))), "one place too far left"),
    (
        forward(with_condition(lambda y: one_hot(y)[:1].expand(len(y), -1))),
        "that of the first image in every row",
    ),
    (forward(with_condition(lambda y: 1 - one_hot(y))), "has 0 and 1 exchanged"),
    (forward(with_condition(lambda y: one_hot(y.flip(0)))), "belongs to other images"),
    (forward(with_condition(lambda y: one_hot(y) + 2)), "are not the one-hot of y"),
    (forward(lambda x, y: join(255 * x, y)), "pass them on unchanged"),
    (forward(draw=lambda mu, log_var: mu), "you decoded z = mu"),
    (forward(draw=lambda mu, log_var: torch.cat([mu, log_var], dim=1)), "mu and log_var side by side"),
    (forward(draw=lambda mu, log_var: sample(log_var, mu)), "you exchanged mu and log_var"),
    (forward(draw=lambda mu, log_var: torch.randn_like(mu)), "you drew z from the prior"),
    (forward(draw=lambda mu, log_var: sample(mu, log_var + 5)), "do not scatter around mu"),
    (
        forward(draw=lambda mu, log_var: mu + (0.5 * log_var).exp() * torch.randn(1, mu.shape[1])),
        "the same epsilon for all images",
    ),
    (forward(draw=lambda mu, log_var: mu + log_var.exp() * torch.randn_like(mu)), "and not 1: sigma is"),
    (forward(draw=lambda mu, log_var: sample(mu, log_var).detach()), "cut off from the encoder"),
    (lambda x, y, encoder, decoder: encoder(join(x, y)), "you never called the decoder"),
    (lambda x, y, encoder, decoder: decoder(join(torch.randn(len(y), 3), y)), "called the decoder before"),
    (forward(give=lambda logits, mu, log_var: logits), "return three things"),
    (forward(give=lambda logits, mu, log_var: (logits.sigmoid(), mu, log_var)), "you applied a sigmoid"),
    (forward(give=lambda logits, mu, log_var: (2 * logits, mu, log_var)), "the decoder's logits, unchanged"),
    (forward(give=lambda logits, mu, log_var: (logits, log_var, mu)), "must be mu and log_var"),
]


def balanced():
    return torch.arange(K).repeat(100)


def listen(draw_y=balanced, draw_z=torch.randn, finish=None):
    """An answer to the second exercise; `finish(guess, y)` makes the two numbers of it."""

    def answer(decode, classify, latent_size):
        y = draw_y()
        guess = classify(decode(draw_z(len(y), latent_size), y))
        if finish:
            return finish(guess, y)
        return share(guess, y), share(guess, y[torch.randperm(len(y))])

    return answer


def share(guess, y):
    return (guess == y).float().mean().item()


def control_asks_for_the_shuffled_labels(decode, classify, latent_size):
    y = balanced()
    z = torch.randn(len(y), latent_size)
    shuffled = y[torch.randperm(len(y))]
    return share(classify(decode(z, y)), y), share(classify(decode(z, shuffled)), shuffled)


LISTEN_MISTAKES = [
    (listen(finish=share), "return two numbers"),
    (lambda decode, classify, n: (1.0, 0.1), "you never called decode"),
    (listen(lambda: torch.arange(K)), "you asked for 10 images only"),
    (listen(lambda: torch.full((1000,), 3)), "you asked for class 0 in 0 %"),
    (listen(draw_z=lambda N, n: torch.randn(1, n).expand(N, n)), "the same z for all images"),
    (listen(draw_z=torch.rand), "draw them from the prior"),
    (listen(draw_z=lambda N, n: 0.5 * torch.randn(N, n)), "draw them from the prior"),
    (listen(draw_z=lambda N, n: torch.randn(N, 3)), "your z has shape (1000, 3)"),
    (listen(lambda: one_hot(balanced()), lambda N, n: torch.randn(N, n)), "your y has shape (1000, 10)"),
    (listen(lambda: balanced().float()), "labels are whole numbers"),
    (listen(draw_z=lambda N, n: torch.randn(100, n)), "you gave 100 z and 1000 labels"),
    (listen(finish=lambda g, y: (100 * share(g, y), 10.0)), "not percent"),
    (listen(finish=lambda g, y: (1 - share(g, y), 0.1)), "that are NOT of the class"),
    (listen(finish=lambda g, y: (0.1, share(g, y))), "you returned the control first"),
    (listen(finish=lambda g, y: (share(g, y) / 2, 0.1)), "are of the class that you asked for"),
    (control_asks_for_the_shuffled_labels, "Shuffle y after decoding"),
    (listen(finish=lambda g, y: (share(g, y), 1 - share(g, y))), "1 - fidelity"),
    (listen(finish=lambda g, y: (share(g, y), 0.0)), "exactly 0: no label stayed"),
    (listen(finish=lambda g, y: (share(g, y), 0.4)), "it is near 0.1"),
]


@torch.no_grad()
def in_every_class(model, x, y):
    mu, _ = model.encode(x, y)
    return model.decode(mu.expand(K, -1), torch.arange(K)).sigmoid()


@torch.no_grad()
def encoded_with_the_wrong_labels(model, x, y):
    labels = torch.arange(K)
    mu, _ = model.encode(x.expand(K, -1, -1, -1), labels)
    return model.decode(mu, labels).sigmoid()


@torch.no_grad()
def with_noise(model, x, y):
    mu, log_var = model.encode(x, y)
    return model.decode(sample(mu, log_var).expand(K, -1), torch.arange(K)).sigmoid()


@torch.no_grad()
def its_own_class_ten_times(model, x, y):
    mu, _ = model.encode(x, y)
    return model.decode(mu.expand(K, -1), y.expand(K)).sigmoid()


@torch.no_grad()
def one_image(model, x, y):
    return model.decode(model.encode(x, y)[0], y).sigmoid()


@torch.no_grad()
def z_is_not_repeated(model, x, y):
    return model.decode(model.encode(x, y)[0], torch.arange(K)).sigmoid()


CLASS_MISTAKES = [
    (encoded_with_the_wrong_labels, "labels that it does not have"),
    (lambda m, x, y: m.decode(torch.randn(1, 2).expand(K, -1), torch.arange(K)).sigmoid(), "never encoded x"),
    (with_noise, "the classes are right, but z is not mu"),
    (its_own_class_ten_times, "your ten images are the same"),
    (one_image, "you returned one image"),
    (z_is_not_repeated, "one label for each z"),
    (lambda m, x, y: m.encode(x[0], y), "encode(x, y) takes x"),
    (lambda m, x, y: torch.cat([in_every_class(m, x, y)[:4], in_every_class(m, x, y)[5:]]), "nine images"),
    (lambda m, x, y: in_every_class(m, x, y)[:, 0], "ten images are (10, 1, 28, 28)"),
    (lambda m, x, y: in_every_class(m, x, y).logit(), "you returned logits"),
    (lambda m, x, y: in_every_class(m, x, y).flip(0), "not in the order of the classes"),
    (lambda m, x, y: in_every_class(m, x, y) / 2, "not what the decoder makes"),
    (
        lambda m, x, y: m.decode(m.encode(x, y)[0].expand(K, -1), torch.arange(K)).sigmoid(),
        "carry a gradient",
    ),
    (lambda m, x, y: in_every_class(m, x, y).numpy(), "returned a ndarray"),
]
RIGHT = {"conditional_forward": forward(), "does_it_listen": listen(), "in_every_class": in_every_class}
MISTAKES = [
    (name, answer, diagnosis)
    for name, mistakes in (
        ("conditional_forward", FORWARD_MISTAKES),
        ("does_it_listen", LISTEN_MISTAKES),
        ("in_every_class", CLASS_MISTAKES),
    )
    for answer, diagnosis in mistakes
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name, assert_told):
    assert_told(name, RIGHT[name], "Right")


@pytest.mark.parametrize("name", RIGHT)
def test_stubs_read_to_do(name, capsys, monkeypatch):
    check(name, lambda *arguments: None)
    assert capsys.readouterr().out.startswith(f"To do ({name})")
    monkeypatch.setenv("COURSE_STRICT", "1")
    with pytest.raises(ExerciseNotSolved):
        check(name, lambda *arguments: None)


@pytest.mark.parametrize(("name", "answer", "diagnosis"), MISTAKES)
def test_each_mistake_gets_its_own_diagnosis(name, answer, diagnosis, assert_own_diagnosis):
    assert_own_diagnosis(name, answer, diagnosis, [mistake for mistake in MISTAKES if mistake[0] == name])


def test_a_valid_control_that_decodes_for_other_labels_is_right(capsys):
    def answer(decode, classify, latent_size):
        y = balanced()
        z = torch.randn(len(y), latent_size)
        others = y[torch.randperm(len(y))]
        return share(classify(decode(z, y)), y), share(classify(decode(z, others)), y)

    check("does_it_listen", answer)
    assert capsys.readouterr().out.startswith("Right")


def test_the_checks_leave_the_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    for name, answer in RIGHT.items():
        torch.manual_seed(5)
        check(name, answer)
        assert torch.equal(torch.rand(3), expected)
