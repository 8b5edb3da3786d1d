// A walk between two images, with one slider: once from code to code, once from pixel to pixel.

import { row, toPixels, unpack, verdict } from "./nets.js";
import { column, greyPictures, perFrame, place, slider } from "./ui.js";

// `data`: networks encoder, decoder and (optional) judge; tensors images (N, 28, 28) and labels (N,); classes; the
// numbers of the first and the second image at the start.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const pictures = greyPictures(190, "image", 4);
  const ends = [];
  // Image number `index` as end `side` of the walk: encoded when it is chosen, not again at each step between the two.
  const endAt = (side, index) => {
    if (ends[side]?.index !== index) {
      const x = toPixels(row(tensors.images, index).values);
      ends[side] = { index, x, z: networks.encoder(x), name: data.classes[tensors.labels.values[index]] };
    }
    return ends[side];
  };
  const draw = perFrame(() => {
    const [from, to] = [endAt(0, first.value), endAt(1, second.value)];
    const byCode = networks.decoder(mixture(from.z, to.z, amount.value));
    const byPixel = mixture(from.x, to.x, amount.value);
    const judged = (pixels) => (networks.judge ? `: ${verdict(networks.judge(pixels).values, data.classes)}` : "");
    pictures.show([
      { values: from.x.values, caption: `from: ${from.name}` },
      { values: byCode.values, caption: `between the codes${judged(byCode)}` },
      { values: byPixel.values, caption: `between the pixels${judged(byPixel)}` },
      { values: to.x.values, caption: `to: ${to.name}` },
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
