"""The ELBO laboratory: move q by hand, and see ELBO and gap add up to log p(x), in a model solved exactly."""

from course_utils.explorers.web_demo import WebDemo, stored_still


class ElboLaboratory(WebDemo):
    """Sliders for x and for the means and widths of q; q against the posterior; bars that add up to log p(x).

    The width of q is its standard deviation. The model is x = w z + noise with one observed number x and one or two
    latents z, a `course_utils.probability.LinearGaussian`.
    """

    module = "elbo_laboratory"

    def __init__(self):
        alt = (
            "Left: prior, posterior and q as curves over z. Right: bars in nats, where the reconstruction "
            "term minus the KL gives the ELBO, and the ELBO plus the gap gives log p(x)."
        )
        super().__init__({}, {}, {}, stored_still(self.module), alt)
