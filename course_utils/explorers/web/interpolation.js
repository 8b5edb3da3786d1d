// A walk between two images, with one slider: once from code to code, once from pixel to pixel.

import { row, toPixels, unpack, verdict } from "./nets.js";
import { column, greyPictures, perFrame, place, slider } from "./ui.js";

// `data`: networks encoder, decoder and (optional) judge; tensors images (N, 28, 28) and labels (N,); classes; the
// numbers of the first and the second image at the start.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const pictures = greyPictures(190, "image", 4);
  const draw = perFrame(() => {
    const ends = [first.value, second.value];
    const x = ends.map((index) => toPixels(row(tensors.images, index).values));
    const byCode = networks.decoder(mixture(...x.map(networks.encoder), amount.value));
    const byPixel = mixture(...x, amount.value);
    const name = (end) => data.classes[tensors.labels.values[ends[end]]];
    const judged = (pixels) => (networks.judge ? `: ${verdict(networks.judge(pixels).values, data.classes)}` : "");
    pictures.show([
      { values: x[0].values, caption: `from: ${name(0)}` },
      { values: byCode.values, caption: `between the codes${judged(byCode)}` },
      { values: byPixel.values, caption: `between the pixels${judged(byPixel)}` },
      { values: x[1].values, caption: `to: ${name(1)}` },
    ]);
  });
  const last = tensors.images.shape[0] - 1;
  const first = slider("from", { max: last, value: data.first }, draw);
  const second = slider("to", { max: last, value: data.second }, draw);
  const options = { max: 1, step: 0.02, value: 0.5, show: (value) => value.toFixed(2) };
  const amount = slider("how far", options, draw);
  const controls = column(first.element, second.element, amount.element);
  const remove = place(element, "Between two images", column(controls, pictures.element));
  draw();
  return remove;
}

// (1 - share) a + share b.
export function mixture(a, b, share) {
  return { shape: a.shape, values: a.values.map((value, index) => (1 - share) * value + share * b.values[index]) };
}
