// One style, every class: the style of a handwriting, turned with sliders along the main directions of the codes.

import { sideBySide, unpack, row, vector } from "./nets.js";
import { column, dropdown, greyPicture, greyPictures, make, perFrame, place, rowOf, slider, wideColumn } from "./ui.js";

// `data`: network decoder (of z and condition side by side); tensors codes (N, n), steps (S, n), of which each is one
// standard deviation along a direction, and conditions (K, c), one for each class; classes.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const { codes, steps, conditions } = tensors;
  const large = greyPicture(196, "the chosen class");
  const all = greyPictures(84, "the same z in class", data.classes.length, 5);
  const draw = perFrame(() => {
    const z = row(codes, start.value).values.slice();
    styles.forEach(({ value }, direction) => row(steps, direction).values.forEach((step, i) => (z[i] += value * step)));
    const images = data.classes.map((_, kind) => networks.decoder(sideBySide(vector(z), row(conditions, kind))).values);
    large.show(images[chosen.value], data.classes[chosen.value]);
    all.show(images.map((values, kind) => ({ values, caption: data.classes[kind], marked: kind === chosen.value })));
  });
  const chosen = dropdown("class", data.classes, draw);
  const start = slider("start", { max: codes.shape[0] - 1 }, draw);
  const styles = Array.from({ length: steps.shape[0] }, (_, i) =>
    slider(`style ${i + 1}`, { min: -3, max: 3, step: 0.1, value: 0, show: (value) => value.toFixed(1) }, draw),
  );
  const remove = place(
    element,
    "One style in every class",
    rowOf(
      column(...[chosen, start, ...styles].map((control) => control.element)),
      wideColumn(large.element, make("p", {}, "The same z in every class:"), all.element),
    ),
  );
  draw();
  return remove;
}
