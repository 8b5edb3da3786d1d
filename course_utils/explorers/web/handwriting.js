// Draw a digit, and get every class in its handwriting: encoded with its own label, decoded with all.

import { NOTHING_DRAWN, drawingSource } from "./drawing.js";
import { argmax, row, sideBySide, toPixels, unpack, vector } from "./nets.js";
import { column, dropdown, greyPicture, greyPictures, perFrame, place, rowOf, statusLine, wideColumn } from "./ui.js";

// `data`: networks encoder (of pixels and condition side by side, to mu and log_var), decoder (of z and condition) and
// judge; tensors conditions (K, c), one for each class, and examples (N, 28, 28); classes.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const seen = greyPicture(196, "what the model sees");
  const all = greyPictures(84, "your handwriting in class", data.classes.length, 5);
  const status = statusLine();
  const draw = perFrame(() => {
    const bytes = source.bytes();
    if (bytes === null) {
      status.write(NOTHING_DRAWN);
      return;
    }
    const x = toPixels(bytes);
    const label = drawnAs.value === 0 ? argmax(networks.judge(x).values) : drawnAs.value - 1;
    const z = styleOf(networks.encoder, x, row(tensors.conditions, label));
    seen.show(bytes, `as ${data.classes[label]}`);
    all.show(
      data.classes.map((caption, kind) => ({
        values: networks.decoder(sideBySide(z, row(tensors.conditions, kind))).values,
        caption,
        marked: kind === label,
      })),
    );
    status.write(`The model encodes the image as ${data.classes[label]} and draws all classes in its style.`);
  });
  const source = drawingSource(tensors.examples, draw);
  const drawnAs = dropdown("drawn as", ["what the judge reads", ...data.classes], draw);
  const remove = place(
    element,
    "Every class in your handwriting",
    rowOf(column(source.element, drawnAs.element), wideColumn(seen.element, status.element, all.element)),
  );
  draw();
  return remove;
}

// The mean mu of q(z|x, y): the first half of the encoder's output.
export function styleOf(encoder, x, condition) {
  const { values } = encoder(sideBySide(x, condition));
  return vector(values.subarray(0, values.length / 2));
}
