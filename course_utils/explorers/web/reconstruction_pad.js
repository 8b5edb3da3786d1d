// Draw a picture, and see its code and what a decoder makes of it: with noise on top, if you like.

import { NOTHING_DRAWN, drawingSource } from "./drawing.js";
import { toPixels, unpack } from "./nets.js";
import {
  BLUE,
  clamp,
  column,
  dropdown,
  greyPicture,
  perFrame,
  place,
  rowOf,
  sheet,
  slider,
  statusLine,
  wideColumn,
} from "./ui.js";

const [WIDTH, HEIGHT] = [416, 110]; // of the bars

// `data`: networks `encoder i` and `decoder i` for each of `models`, the names; `scales`, the longest bar of each;
// tensors noise (28, 28) and examples (N, 28, 28).
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const input = greyPicture(196, "x, what the encoder gets");
  const output = greyPicture(196, "x_hat, what the decoder draws");
  const bars = sheet(WIDTH, HEIGHT, "z, the code");
  const status = statusLine();
  const draw = perFrame(() => {
    const bytes = source.bytes();
    if (bytes === null) {
      status.write(NOTHING_DRAWN);
      return;
    }
    const clean = toPixels(bytes);
    const x = noisy(clean, tensors.noise.values, noise.value);
    const z = networks[`encoder ${model.value}`](x);
    const { values: drawn } = networks[`decoder ${model.value}`](z);
    input.show(x.values, "x: what the encoder gets");
    output.show(drawn, "x_hat: what the decoder draws");
    drawBars(bars.context, z.values, data.scales[model.value]);
    const error = drawn.reduce((sum, value, index) => sum + (value - clean.values[index]) ** 2, 0);
    status.write(
      `z has ${z.values.length} numbers, drawn as bars. Squared error against the clean image: ${error.toFixed(1)}.`,
    );
  });
  const source = drawingSource(tensors.examples, draw);
  const model = dropdown("model", data.models, draw);
  const noise = slider("noise", { max: 0.8, step: 0.05, show: (value) => value.toFixed(2) }, draw);
  const remove = place(
    element,
    "A drawing, its code and its reconstruction",
    rowOf(
      column(source.element, model.element, noise.element),
      wideColumn(rowOf(input.element, output.element), bars.canvas, status.element),
    ),
  );
  draw();
  return remove;
}

// Pixels with normal noise of a standard deviation on top, clipped to [0, 1].
export function noisy({ shape, values }, noise, deviation) {
  return { shape, values: values.map((value, index) => clamp(value + deviation * noise[index], 0, 1)) };
}

// One bar for each number, upwards or downwards from a line in the middle.
function drawBars(context, values, scale) {
  context.clearRect(0, 0, WIDTH, HEIGHT);
  const room = WIDTH / values.length;
  values.forEach((value, index) => {
    const height = (clamp(value / scale, -1, 1) * HEIGHT) / 2;
    context.fillStyle = BLUE;
    context.fillRect(index * room, HEIGHT / 2, 0.7 * room, -height);
  });
  context.fillStyle = "#767676";
  context.fillRect(0, HEIGHT / 2, WIDTH, 1);
}
