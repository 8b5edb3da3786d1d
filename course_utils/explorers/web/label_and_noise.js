// Two things to turn on a conditional generator: the label, and the noise. One row of pictures for each.

import { row, sideBySide, unpack, vector } from "./nets.js";
import { column, greyPictures, make, perFrame, place, rowOf, slider } from "./ui.js";

const STOPS = 10;

// `data`: network generator, of noise and one-hot label side by side; tensor noises (N, n); classes; the numbers
// label, noise_a and noise_b at the start.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const count = data.classes.length;
  const walk = greyPictures(72, "on the way from A to B", STOPS);
  const labels = greyPictures(72, "the same noise as class", count);
  const noise = (share) => between(row(tensors.noises, a.value).values, row(tensors.noises, b.value).values, share);
  const image = (z, kind) => networks.generator(withLabel(z, kind, count)).values;
  const drawWalk = perFrame(() =>
    walk.show(
      Array.from({ length: STOPS }, (_, stop) => {
        const share = stop / (STOPS - 1);
        const name = ["A", "B"][[0, 1].indexOf(share)] ?? share.toFixed(2);
        return { values: image(noise(share), label.value), caption: `${data.classes[label.value]}, ${name}` };
      }),
    ),
  );
  const drawLabels = perFrame(() => {
    const here = noise(amount.value);
    labels.show(data.classes.map((name, kind) => ({ values: image(here, kind), caption: name })));
  });
  const drawBoth = () => {
    drawWalk();
    drawLabels();
  };
  const last = tensors.noises.shape[0] - 1;
  const label = slider("label", { max: count - 1, value: data.label, show: (kind) => data.classes[kind] }, drawWalk);
  const a = slider("noise A", { max: last, value: data.noise_a }, drawBoth);
  const b = slider("noise B", { max: last, value: data.noise_b }, drawBoth);
  const amount = slider("from A to B", { max: 1, step: 0.05, show: (share) => share.toFixed(2) }, drawLabels);
  const remove = place(
    element,
    "Label and noise of a conditional generator",
    rowOf(column(label.element, a.element), column(b.element, amount.element)),
    make("p", {}, "One label, the noise walks from A to B:"),
    walk.element,
    make("p", {}, "The noise at the chosen place, under every label:"),
    labels.element,
  );
  drawBoth();
  return remove;
}

// The noise on the way from a (share 0) to b (share 1). Cosine and sine keep the mixture of two independent standard
// normal noises standard normal; halfway along a straight line it would be smaller by the factor 0.71.
export function between(a, b, share) {
  const [first, second] = [Math.cos((share * Math.PI) / 2), Math.sin((share * Math.PI) / 2)];
  return a.map((value, index) => first * value + second * b[index]);
}

// Noise and one-hot label side by side.
export function withLabel(z, label, count) {
  return sideBySide(vector(z), vector(Float32Array.from({ length: count }, (_, kind) => Number(kind === label))));
}
