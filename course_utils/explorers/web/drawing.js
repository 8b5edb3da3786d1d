// A pad to draw on, and what course_utils/drawings.py makes of a drawing: the same steps, and the same bytes.
//
// An ink is {width, height, values}: bytes, 255 where it is strongest, 0 where there is none.

import { row } from "./nets.js";
import { button, make, onDrag, placeOf, sheet, slider } from "./ui.js";

const SIZE = 28;
const BOX = 20;
const LARGEST = 8 * BOX;
const THINNEST_PEN = 2;

// --- preparation ---

// The ink of a drawing's opacity (0 to 255), stretched so that the strongest is 255.
export function inkOf({ width, height, values }) {
  const strongest = Math.max(
    64,
    values.reduce((largest, value) => Math.max(largest, value), 0),
  );
  return { width, height, values: values.map((value) => roundHalfEven((255 * value) / strongest)) };
}

// The ink in a box of 20 x 20 pixels, its centre of mass in the middle of 28 x 28 bytes; null without ink.
export function fitAndCentre(ink) {
  let fitted = cropped(ink);
  if (fitted === null) return null;
  if (longest(fitted) > LARGEST) fitted = resizedTo(fitted, LARGEST);
  fitted = thickened(fitted);
  if (Math.abs(longest(fitted) - BOX) > 2) fitted = resizedTo(fitted, BOX);
  return centred(fitted);
}

// The whole sheet as 28 x 28 bytes, with the ink where it stands; null without ink.
export function shrunk(ink) {
  const { values } = resized(ink, SIZE, SIZE, { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) });
  return values.some((value) => value > 0) ? values : null;
}

// The ink turned counter-clockwise by degrees about the middle, then shifted by pixels of a 28 x 28 image.
export function moved(ink, right, down, degrees) {
  const { width, height, values } = ink;
  const unit = Math.max(width, height) / SIZE;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : values[y * width + x]);
  const output = new Uint8Array(values.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      // Where this pixel comes from, relative to the middle.
      const across = x + 0.5 - right * unit - width / 2;
      const along = y + 0.5 - down * unit - height / 2;
      const fromX = cos * across - sin * along + width / 2 - 0.5;
      const fromY = sin * across + cos * along + height / 2 - 0.5;
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [shareX, shareY] = [fromX - left, fromY - top];
      const upper = (1 - shareX) * at(left, top) + shareX * at(left + 1, top);
      const lower = (1 - shareX) * at(left, top + 1) + shareX * at(left + 1, top + 1);
      output[y * width + x] = Math.round((1 - shareY) * upper + shareY * lower);
    }
  return { width, height, values: output };
}

const longest = ({ width, height }) => Math.max(width, height);

function cropped({ width, height, values }) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  values.forEach((value, index) => {
    if (value <= 16) return;
    const [x, y] = [index % width, Math.floor(index / width)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  });
  return right < 0 ? null : cut({ width, height, values }, left, top, right + 1 - left, bottom + 1 - top);
}

// The rectangle of an ink whose upper left corner is at (left, top); outside of the ink there is none.
function cut(ink, left, top, width, height) {
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = [left + x, top + y];
      const inside = column >= 0 && row >= 0 && column < ink.width && row < ink.height;
      if (inside) values[y * width + x] = ink.values[row * ink.width + column];
    }
  return { width, height, values };
}

const padded = (ink, margin) => cut(ink, -margin, -margin, ink.width + 2 * margin, ink.height + 2 * margin);

const sum = (values) => values.reduce((a, b) => a + b, 0);

// A pen that would be too thin in a box of 20 pixels is thickened; why it is measured so, see drawings.thicken.
function thickened(ink) {
  const wanted = (THINNEST_PEN * longest(ink)) / BOX;
  const roomy = padded(ink, 1);
  const area = sum(roomy.values);
  const pen = (2 * area) / (area - sum(filtered(roomy, 1, Math.min).values));
  const missing = roundHalfEven((wanted - pen) / 2);
  return missing < 1 ? ink : filtered(padded(ink, missing), missing, Math.max);
}

// The smallest or largest value within `reach` pixels of each, in a square: along the rows, then along the columns.
function filtered({ width, height, values }, reach, choose) {
  const alongAxis = (from, length, step, begin) => {
    const output = new Uint8Array(from.length);
    for (const start of begin)
      for (let i = 0; i < length; i++) {
        let chosen = from[start + i * step];
        const last = Math.min(length - 1, i + reach);
        for (let j = Math.max(0, i - reach); j <= last; j++) chosen = choose(chosen, from[start + j * step]);
        output[start + i * step] = chosen;
      }
    return output;
  };
  const rows = alongAxis(
    values,
    width,
    1,
    Array.from({ length: height }, (_, y) => y * width),
  );
  return {
    width,
    height,
    values: alongAxis(
      rows,
      height,
      width,
      Array.from({ length: width }, (_, x) => x),
    ),
  };
}

function centred({ width, height, values }) {
  let [mass, momentX, momentY] = [0, 0, 0];
  values.forEach((value, index) => {
    mass += value;
    momentX += value * (index % width);
    momentY += value * Math.floor(index / width);
  });
  // The middle of 28 pixels lies between pixels 13 and 14.
  const left = Math.min(Math.max(roundHalfEven(13.5 - momentX / mass), 0), SIZE - width);
  const top = Math.min(Math.max(roundHalfEven(13.5 - momentY / mass), 0), SIZE - height);
  return cut({ width, height, values }, -left, -top, SIZE, SIZE).values;
}

function resizedTo(ink, size) {
  const scale = size / longest(ink);
  const [width, height] = [ink.width, ink.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  return resized(ink, width, height, { support: 2, weight: bicubic });
}

function bicubic(x) {
  const distance = Math.abs(x);
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * -0.5 : 0;
}

// As Pillow resizes (src/libImaging/Resample.c): rows first, then columns, in whole numbers of 22 bits.
function resized({ width, height, values }, newWidth, newHeight, filter) {
  const across = weightsFor(width, newWidth, filter);
  const rows = new Uint8Array(newWidth * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < newWidth; x++) rows[y * newWidth + x] = weighted(values, y * width, 1, across[x]);
  const down = weightsFor(height, newHeight, filter);
  const output = new Uint8Array(newWidth * newHeight);
  for (let y = 0; y < newHeight; y++)
    for (let x = 0; x < newWidth; x++) output[y * newWidth + x] = weighted(rows, x, newWidth, down[y]);
  return { width: newWidth, height: newHeight, values: output };
}

const ONE = 2 ** 22;

function weighted(values, begin, step, { first, weights }) {
  let total = ONE / 2;
  for (let i = 0; i < weights.length; i++) total += weights[i] * values[begin + (first + i) * step];
  return Math.min(Math.max(Math.floor(total / ONE), 0), 255);
}

// For each new place, the first of the old ones that it is made of, and their weights.
function weightsFor(oldSize, newSize, { support, weight }) {
  const scale = oldSize / newSize;
  const filterScale = Math.max(scale, 1);
  const inverse = 1 / filterScale;
  return Array.from({ length: newSize }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * filterScale + 0.5));
    const last = Math.min(oldSize, Math.trunc(centre + support * filterScale + 0.5));
    const raw = Array.from({ length: last - first }, (_, i) => weight((i + first - centre + 0.5) * inverse));
    const total = sum(raw);
    return { first, weights: raw.map((value) => Math.trunc((value / total) * ONE + (value < 0 ? -0.5 : 0.5))) };
  });
}

// As Python rounds: halves go to the even neighbour.
function roundHalfEven(x) {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

// --- the pad ---

const PAD = 280;
const PEN = 14;
export const NOTHING_DRAWN = "There is nothing to see yet: draw on the pad, or choose an image.";

// {element, ink(), bytes()}: a drawing, or one of the `examples` (N, 28, 28), whichever the reader touched last.
//
// `onChange` hears of each part of a stroke and of each choice. `bytes` are those of an image of the data set: a drawing
// is fitted and centred as they are, and null if it is empty.
export function drawingSource(examples, onChange, start = 0) {
  const { canvas, context } = sheet(PAD, PAD, "A pad to draw a digit on, with mouse, pen or finger", {
    willReadFrequently: true,
  });
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  let drawn = false;
  let last = null;

  function begin(event) {
    last = placeOf(event, canvas, PAD, PAD);
    stroke(event);
  }

  function stroke(event) {
    const next = placeOf(event, canvas, PAD, PAD);
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...next);
    context.stroke();
    last = next;
    changed(true);
  }

  function clear() {
    context.clearRect(0, 0, PAD, PAD);
    changed(true);
  }

  function changed(isDrawing) {
    drawn = isDrawing;
    onChange();
  }

  onDrag(canvas, stroke, begin);
  const chooser = slider("or image", { max: examples.shape[0] - 1, value: start }, () => changed(false));
  const hint = make("p", {}, "Draw a digit here:");
  const chosen = () => row(examples, chooser.value).values;
  return {
    element: make(
      "div",
      { class: "column", style: `width:${PAD}px` },
      hint,
      canvas,
      button("Clear", clear),
      chooser.element,
    ),
    ink: () => (drawn ? drawnInk(canvas) : { width: SIZE, height: SIZE, values: chosen() }),
    bytes: () => (drawn ? fitAndCentre(drawnInk(canvas)) : chosen()),
  };
}

// What is opaque is ink.
function drawnInk(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return inkOf({ width, height, values: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i + 3]) });
}
