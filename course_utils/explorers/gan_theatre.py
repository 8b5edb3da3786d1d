"""The training theatre of a GAN in the plane: both networks train in the page, on eight Gaussians on a ring."""

from course_utils.explorers.web_demo import WebDemo, stored_still


class GanTheatre(WebDemo):
    """Two players in the plane: train, pause, step or start over, and see which modes of the data are lost and found.

    The controls choose the start of both networks, how many steps D takes for each step of G, the penalty on a steep D,
    and which of the players learns. Nothing of it reaches Python: the networks live in the page.
    """

    module = "gan_theatre"

    def __init__(self):
        alt = (
            "The plane, orange where D says real and blue where it says fake. Eight circles are the modes of the data, "
            "each with its share of the fakes, which are dots; arrows show the slopes by which G learns."
        )
        super().__init__({}, {}, {}, stored_still(self.module), alt)
