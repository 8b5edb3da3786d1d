"""The trained models of the course, one row for each: whatever lists or names trained models reads it here.

The methods of a class are `encode`, `decode`, `log_prob` or `forward`, and their arguments are called x (pixels), y
(labels), z (codes, latents or noise): course_utils.checkpoints runs them by these names.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainedModel:
    """What is known of a trained model before it is there.

    `class_name` stands in `notebook`, and from there in course_utils.models; without a notebook it stands in
    course_utils.classifier. `measures` are measured on held-out images. `label` is the model's name on the
    scoreboard, if it stands there, and `made_by` the command that trains it, if its notebook does not.
    """

    class_name: str
    notebook: str | None
    measures: tuple[str, ...]
    label: str | None = None
    made_by: str | None = None

    def how_to_make(self, dataset: str) -> str:
        """What to do where it is missing for a data set."""
        return (
            f"{self.made_by} makes it"
            if self.made_by
            else f"run {self.notebook} with {dataset} first, which makes it"
        )


_VAE_MEASURES = ("negative_elbo", "rate")
# Notebook 08 trains these only where they are missing.
_OF_BETA = TrainedModel("VAE", "08_vae", _VAE_MEASURES, made_by="notebook 08, run with this data set,")
_LONG_VAE = TrainedModel(
    "VAE",
    "08_vae",
    (*_VAE_MEASURES, "importance_weighted_bound_k5000"),
    made_by="`python -m workshop.train_long_vae` (for mnist alone)",
)

# In the order of the course.
CATALOGUE = {
    "mlp_autoencoder": TrainedModel("MLPAutoencoder", "03_autoencoder_mlp", ("squared_error",)),
    "conv_autoencoder": TrainedModel("ConvAutoencoder", "05_autoencoder_conv", ("squared_error",), "AE"),
    "small_autoencoder": TrainedModel(
        "SmallAutoencoder",
        "06_autoencoder_inference",
        ("squared_error",),
        made_by="`python -m workshop.train_small_autoencoder` (for strokes alone)",
    ),
    "vae": TrainedModel("VAE", "08_vae", _VAE_MEASURES, "VAE"),
    "vae_prior": TrainedModel(
        "MixturePrior", "08_vae", ("negative_elbo_with_prior", "acceptance", "frechet_distance")
    ),
    "vae_2_latents": TrainedModel("VAE", "08_vae", _VAE_MEASURES),
    "vae_beta_0.1": _OF_BETA,
    "vae_beta_0.3": _OF_BETA,
    "vae_beta_1": _OF_BETA,
    "vae_beta_3": _OF_BETA,
    "vae_beta_10": _OF_BETA,
    "vae_mnist_1_minute": _LONG_VAE,
    "vae_mnist_5_minutes": _LONG_VAE,
    "conditional_vae": TrainedModel(
        "ConditionalVAEWithPrior",
        "09_conditional_vae",
        ("negative_elbo_given_y", "fidelity", "frechet_distance"),
        "CVAE",
    ),
    "gan": TrainedModel("Generator", "10_gan", ("frechet_distance", "smallest_class_share"), "GAN"),
    "conditional_gan": TrainedModel(
        "ConditionalGenerator", "11_conditional_gan", ("fidelity", "frechet_distance"), "cGAN"
    ),
    "conditional_gan_discriminator": TrainedModel(
        "ConditionalDiscriminator", "11_conditional_gan", ("labels_known",)
    ),
    "classifier": TrainedModel("DigitClassifier", None, ("accuracy",), made_by="load_judge"),
}


def row_of(name: str) -> TrainedModel:
    """The row of a trained model. Raises ValueError for an unknown name."""
    if name not in CATALOGUE:
        raise ValueError(f"name must be one of {', '.join(CATALOGUE)}; got {name!r}")
    return CATALOGUE[name]
