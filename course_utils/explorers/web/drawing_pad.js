// Draw a picture, see what a network makes of it, and which images of the data set lie nearest in feature space.

import { NOTHING_DRAWN, drawingSource, fitAndCentre, moved, shrunk } from "./drawing.js";
import { argmax, row, toPixels, unpack } from "./nets.js";
import {
  BLUE,
  checkbox,
  column,
  greyPicture,
  greyPictures,
  make,
  ORANGE,
  perFrame,
  place,
  rowOf,
  sheet,
  slider,
  statusLine,
  wideColumn,
} from "./ui.js";

const NEIGHBOURS = 6;

// `data`: networks extractor and head (to probabilities); tensors gallery (G, 28, 28), features (G, n), labels (G,)
// and examples (N, 28, 28); classes; the number of the example at the start.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const seen = greyPicture(168, "what the network sees");
  const bars = classBars(data.classes);
  const nearest = greyPictures(84, "nearest training image", NEIGHBOURS);
  const status = statusLine();
  const draw = perFrame(() => {
    const ink = moved(source.ink(), right.value, down.value, turn.value);
    const bytes = centre.value ? fitAndCentre(ink) : shrunk(ink);
    if (bytes === null) {
      status.write(NOTHING_DRAWN);
      return;
    }
    const features = networks.extractor(toPixels(bytes));
    const { values: probabilities } = networks.head(features);
    const best = argmax(probabilities);
    seen.show(bytes);
    bars.show(probabilities);
    nearest.show(
      nearestRows(tensors.features, features.values, NEIGHBOURS).map(([index, distance]) => ({
        values: row(tensors.gallery, index).values,
        caption: `${data.classes[tensors.labels.values[index]]}, ${distance.toFixed(2)}`,
      })),
    );
    status.write(
      `The network answers ${data.classes[best]}, with a probability of ${(100 * probabilities[best]).toFixed(0)} %.`,
    );
  });
  const source = drawingSource(tensors.examples, draw, data.example);
  const right = slider("move right", { min: -8, max: 8, value: 0 }, draw);
  const down = slider("move down", { min: -8, max: 8, value: 0 }, draw);
  const turn = slider("turn (°)", { min: -90, max: 90, step: 5, value: 0 }, draw);
  const centre = checkbox("centre, as the data are", true, draw);
  const remove = place(
    element,
    "A drawing as the network sees it",
    rowOf(
      column(source.element, right.element, down.element, turn.element, centre.element),
      wideColumn(
        rowOf(seen.element, bars.element),
        status.element,
        make("p", {}, "The nearest training images in feature space: class, distance"),
        nearest.element,
      ),
    ),
  );
  draw();
  return remove;
}

// The `count` rows of a tensor that are nearest to a vector, as [index, distance], the nearest first.
export function nearestRows(rows, values, count) {
  const distances = Array.from({ length: rows.shape[0] }, (_, index) => [
    index,
    distance(row(rows, index).values, values),
  ]);
  return distances.sort((a, b) => a[1] - b[1]).slice(0, count);
}

function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum);
}

// {element, show(probabilities)}: a bar for each class, the longest in orange.
function classBars(classes) {
  const [height, longest, left] = [24, 150, 84];
  const label = "the probability of each class";
  const { canvas, context } = sheet(left + longest + 100, classes.length * height + 6, label);
  return {
    element: canvas,
    show(probabilities) {
      const best = argmax(probabilities);
      context.clearRect(0, 0, canvas.width, canvas.height);
      probabilities.forEach((share, index) => {
        const y = 3 + (index + 0.5) * height;
        context.fillStyle = index === best ? ORANGE : BLUE;
        context.fillRect(left, y - 8, share * longest, 16);
        context.fillStyle = "black";
        context.textAlign = "right";
        context.fillText(classes[index], left - 6, y, left - 8);
        context.textAlign = "left";
        if (share >= 0.005)
          context.fillText(
            `${(100 * share).toFixed(0)} %${index === best ? " ←" : ""}`,
            left + share * longest + 5,
            y,
          );
      });
      const largest = `${label}: ${classes[best]} ${(100 * probabilities[best]).toFixed(0)} %`;
      canvas.setAttribute("aria-label", largest);
    },
  };
}
