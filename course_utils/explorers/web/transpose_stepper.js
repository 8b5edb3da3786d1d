// Step through a transpose convolution: one input pixel at a time lights up the outputs that it touches.

import { button, column, make, picture, place, rowOf, slider, statusLine } from "./ui.js";

export const INPUT = [[1, 2, 3], [4, 5, 6], [7, 8, 9]];
// Without any symmetry, so that a turned or mirrored kernel would show. Without a zero, so that a zero in the sum means
// that no pixel has reached that place.
export const LARGEST_KERNEL = [[1, 2, 3, 1], [3, 1, 1, 2], [1, 2, 2, 1], [2, 1, 3, 1]];
const [SIDE, LAST] = [INPUT.length, INPUT.length ** 2];
const MILLISECONDS_PER_PIXEL = 900;

const STYLE_OF_GRIDS = `
.course-demo .grids { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.course-demo .grids td { width: 1.9em; height: 1.9em; padding: 0; text-align: center; border: 1px solid #767676;
  background: white; color: black; }
.course-demo .grids td.done { background: #D9ECF7; } .course-demo .grids td.cut { background: #E0E0E0; }
.course-demo .grids td.lit { background: #F7CE7C; outline: 3px solid #A16E00; outline-offset: -3px; font-weight: bold; }
.course-demo .grids td.key { width: auto; padding: 0 1em; }
.course-demo .grids caption { text-align: left; }
`;

// All that the picture shows at `position`, an input pixel from 1 to 9, row by row. Grids are lists of rows.
//
// `sum` holds the contributions of the pixels so far over all places, `output` what padding leaves of the complete sum;
// if there is none, `problem` says why. `lit(i, j)` tells whether the pixel at `position` touches a place of the sum.
export function stepAt({ kernelSize, stride, padding, outputPadding, position }) {
  const kernel = LARGEST_KERNEL.slice(0, kernelSize).map((row) => row.slice(0, kernelSize));
  const side = (SIDE - 1) * stride + kernelSize + outputPadding;
  const touches = (pixel, i, j) => {
    const [row, column] = [i - stride * Math.floor(pixel / SIDE), j - stride * (pixel % SIDE)];
    return kernel[row]?.[column] ?? 0;
  };
  const sumAfter = (count) =>
    gridOf(side, (i, j) =>
      INPUT.flat().slice(0, count).reduce((sum, value, pixel) => sum + value * touches(pixel, i, j), 0),
    );
  const size = side - 2 * padding;
  return {
    kernel,
    before: sumAfter(position - 1),
    sum: sumAfter(position),
    output: sumAfter(LAST).slice(padding, side - padding).map((row) => row.slice(padding, side - padding)),
    lit: (i, j) => touches(position - 1, i, j) > 0,
    kept: (i, j) => Math.min(i, j) >= padding && Math.max(i, j) < side - padding,
    size,
    problem: problemOf({ size, stride, padding, outputPadding }),
  };
}

function gridOf(side, value) {
  const places = [...Array(side).keys()];
  return places.map((i) => places.map((j) => value(i, j)));
}

function problemOf({ size, stride, padding, outputPadding }) {
  if (size < 1) {
    return `Nothing is left, because padding ${padding} cuts away all rows and columns. Choose a smaller padding.`;
  }
  if (outputPadding >= stride) {
    const reason = "it must be smaller than the stride, because from there on one more input pixel would fit";
    return `Output padding ${outputPadding} does not fit stride ${stride}: ${reason}.`;
  }
  return "";
}

// `data`: the settings at the start: kernel_size, stride, padding, output_padding and position.
export function mount(element, data) {
  const kernelSize = slider("kernel size", { min: 1, max: LARGEST_KERNEL.length, value: data.kernel_size }, draw);
  const stride = slider("stride", { min: 1, max: 3, value: data.stride }, draw);
  const padding = slider("padding", { max: 3, value: data.padding }, draw);
  const outputPadding = slider("output padding", { max: 2, value: data.output_padding }, draw);
  const position = slider("input pixel", { min: 1, max: LAST, value: data.position }, draw);
  const play = button("Play", () => (timer ? pause() : playOn()));
  const grids = make("div", { class: "row" });
  const status = statusLine();
  let timer = null;

  function playOn() {
    play.textContent = "Pause";
    moveTo((position.value % LAST) + 1);
    timer = setTimeout(() => (play.isConnected && position.value < LAST ? playOn() : pause()), MILLISECONDS_PER_PIXEL);
  }

  function pause() {
    clearTimeout(timer);
    timer = null;
    play.textContent = "Play";
  }

  function moveTo(pixel) {
    position.value = pixel;
    draw();
  }

  function draw() {
    const settings = {
      kernelSize: kernelSize.value, stride: stride.value, padding: padding.value, outputPadding: outputPadding.value,
      position: position.value,
    };
    const step = stepAt(settings);
    grids.replaceChildren(...pictures(step, settings, moveTo));
    status.write(step.problem || sizeInWords(settings, step.size));
  }

  const remove = place(
    element, "Transpose convolution, one input pixel at a time", make("style", {}, STYLE_OF_GRIDS),
    rowOf(column(kernelSize.element, stride.element), column(padding.element, outputPadding.element)),
    rowOf(position.element, play), picture(column(grids, legend())), status.element,
  );
  draw();
  return () => {
    pause();
    remove();
  };
}

function sizeInWords({ kernelSize, stride, padding, outputPadding }, size) {
  const terms = `(${SIDE} − 1) × stride ${stride} + kernel ${kernelSize} + output padding ${outputPadding}`;
  return `Side of the output: ${terms} − 2 × padding ${padding} = ${size}.`;
}

// The input, the kernel and their product on the left; beside them the sum so far and the output.
function pictures(step, { padding, position }, moveTo) {
  const place = (i, j) => SIDE * i + j + 1;
  const done = (i, j) => (place(i, j) < position ? "done" : "");
  const input = grid("input", INPUT, (i, j) => (place(i, j) === position ? "lit" : done(i, j)));
  input.addEventListener("click", ({ target }) => {
    const cell = target.closest("td");
    if (cell) moveTo(place(cell.parentElement.rowIndex, cell.cellIndex));
  });
  const value = INPUT.flat()[position - 1];
  const product = step.kernel.map((row) => row.map((weight) => value * weight));
  const sum = grid("sum so far", step.sum, (i, j) =>
    step.lit(i, j) ? "lit" : !step.kept(i, j) ? "cut" : step.before[i][j] ? "done" : "",
  );
  const kernel = grid("kernel", step.kernel, () => "");
  const columns = [column(input, kernel, grid(`${value} × kernel`, product, () => "lit")), sum];
  if (!step.problem) {
    const title = `final output, ${step.size} × ${step.size}`;
    columns.push(grid(title, step.output, (i, j) => (step.lit(i + padding, j + padding) ? "lit" : "")));
  }
  return columns;
}

function grid(title, rows, kind) {
  const cell = (value, i, j) => make("td", { class: kind(i, j) }, String(value));
  const body = rows.map((row, i) => make("tr", {}, ...row.map((value, j) => cell(value, i, j))));
  return make("table", { class: "grids" }, make("caption", {}, title), ...body);
}

function legend() {
  const keys = [["lit", "this input pixel"], ["done", "earlier pixels"], ["cut", "cut off by padding"]];
  const cells = keys.map(([kind, text]) => make("td", { class: `${kind} key` }, text));
  return make("table", { class: "grids", role: "presentation" }, make("tr", {}, ...cells));
}
