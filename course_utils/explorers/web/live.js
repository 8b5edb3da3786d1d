// What the demos that train in the page share: a player, a field over the plane, and curves over the steps.

import { BLUE, ORANGE, button, make, rowOf, sheet, statusLine, write } from "./ui.js";

const WORK_PER_FRAME = 6; // milliseconds, of 16: the rest is for drawing, and a key press is answered in the next frame

// {element, refresh}: buttons that train, pause, take one step and start over, and a line that tells the state.
//
// While it trains, a frame calls `step` up to `stepsPerFrame` times, as long as there is time, then `draw`. The line
// shows what `describe` returns; screen readers hear it when nothing runs.
export function player({ step, reset, draw, describe, stepsPerFrame }) {
  const status = statusLine();
  let playing = false;
  let frame;
  const play = button("Train", () => setPlaying(!playing));
  const buttons = rowOf(play, button("Step", () => act(step)), button("Reset", () => act(reset)));

  function setPlaying(value) {
    playing = value;
    play.textContent = playing ? "Pause" : "Train";
    status.element.setAttribute("aria-live", playing ? "off" : "polite");
    cancelAnimationFrame(frame);
    if (playing) frame = requestAnimationFrame(trainForAFrame);
    show();
  }

  function trainForAFrame() {
    if (!play.isConnected) return; // the demo has left the page
    frame = requestAnimationFrame(trainForAFrame);
    const end = performance.now() + WORK_PER_FRAME;
    for (let i = 0; i < stepsPerFrame && performance.now() < end; i++) step();
    show();
  }

  function act(change) {
    change();
    refresh();
  }

  // While it trains, the next frame shows what has changed.
  function refresh() {
    if (!playing) show();
  }

  function show() {
    draw();
    status.write(playing ? describe() : `Paused. ${describe()}`);
  }

  return { element: make("div", { class: "column" }, buttons, status.element), refresh };
}

// The middles of side x side squares, into which the plane from -reach to reach is cut, row by row from the top left.
export function planePoints(side, reach) {
  const points = new Float64Array(2 * side * side);
  for (let row = 0, at = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      points[at++] = reach * ((2 * column + 1) / side - 1);
      points[at++] = reach * (1 - (2 * row + 1) / side);
    }
  }
  return points;
}

// A function that paints values from -1 (blue) over 0 (white) to 1 (orange), given on a grid as of `planePoints`.
export function fieldPainter(side) {
  const canvas = make("canvas", { width: side, height: side });
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  image.data.fill(255);
  const colours = { true: channels(ORANGE), false: channels(BLUE) };
  return (target, values, left, top, size) => {
    values.forEach((value, i) => {
      const colour = colours[value > 0];
      const strength = Math.min(Math.abs(value), 1);
      for (let k = 0; k < 3; k++) image.data[4 * i + k] = 255 + strength * (colour[k] - 255);
    });
    context.putImageData(image, 0, 0);
    target.drawImage(canvas, left, top, size, size);
  };
}

const channels = (colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));

// The line on which values on a grid of `side` rows pass through 0, drawn into a square of the given size.
export function traceZero(context, values, side, left, top, size) {
  const pitch = size / side;
  const placeAt = (i) => [left + ((i % side) + 0.5) * pitch, top + (Math.floor(i / side) + 0.5) * pitch];
  context.beginPath();
  for (let i = 0; i < values.length - side; i++) {
    if (i % side === side - 1) continue;
    const corners = [i, i + 1, i + side + 1, i + side];
    const crossings = corners.flatMap((from, k) => {
      const to = corners[(k + 1) % 4];
      if (values[from] > 0 === values[to] > 0) return [];
      const share = values[from] / (values[from] - values[to]);
      const [[x0, y0], [x1, y1]] = [placeAt(from), placeAt(to)];
      return [[x0 + share * (x1 - x0), y0 + share * (y1 - y0)]];
    });
    for (let k = 0; k < crossings.length; k += 2) {
      context.moveTo(...crossings[k]);
      context.lineTo(...crossings[k + 1]);
    }
  }
  context.stroke();
}

// What was measured during a training: entries {step, ...}, every so many steps, so that they never are more than 400.
export class History {
  constructor() {
    this.entries = [];
    this.every = 1;
  }

  record(entry) {
    if (entry.step % this.every) return;
    this.entries.push(entry);
    if (this.entries.length <= 400) return;
    this.every *= 2;
    this.entries = this.entries.filter(({ step }) => step % this.every === 0);
  }
}

// {element, draw(entries)}: curves of a history, from 0 to `high`. `lines` are {key, name, colour}, and a grey line
// stands at `level`.
export function curves(width, height, label, { lines, high, level, digits }) {
  const { canvas, context } = sheet(width, height, label);
  const [left, right, top, bottom] = [8, width - 8, 8, height - 28];
  const toY = (value) => bottom - (bottom - top) * Math.min(value / high, 1);
  return {
    element: canvas,
    draw(entries) {
      const last = entries.at(-1) ?? { step: 0 };
      const toX = (step) => left + ((right - left) * step) / Math.max(last.step, 1);
      const trace = (colour, points) => {
        context.strokeStyle = colour;
        context.beginPath();
        points.forEach((point) => context.lineTo(...point));
        context.stroke();
      };
      context.clearRect(0, 0, width, height);
      context.lineWidth = 1;
      trace("#767676", [[left, top], [left, bottom], [right, bottom]]);
      trace("#767676", [[left, toY(level)], [right, toY(level)]]);
      context.lineWidth = 2;
      lines.forEach(({ key, name, colour }, i) => {
        const text = `${name} ${last[key]?.toFixed(digits) ?? ""}`;
        const [y, start] = [top + 12 + 24 * i, right - context.measureText(text).width];
        trace(colour, entries.map((entry) => [toX(entry.step), toY(entry[key])]));
        trace(colour, [[start - 24, y], [start - 6, y]]);
        write(context, text, "right", right, y);
      });
      write(context, `step ${last.step}`, "right", right, height - 13);
    },
  };
}
