// The training theatre of a GAN in the plane: both networks learn in the page, from eight Gaussians on a ring.

import { History, curves, fieldPainter, planePoints, player, traceZero } from "./live.js";
import { Adam, Network, logistic, normalNumbers, softplus, uniformNumbers } from "./train.js";
import { BLUE, VERMILION, checkbox, column, picture, place, rowOf, sheet, slider, write } from "./ui.js";

const MODES = Array.from({ length: 8 }, (_, i) => [2 * Math.cos((i * Math.PI) / 4), 2 * Math.sin((i * Math.PI) / 4)]);
const DEVIATION = 0.05; // of the data around their mode
const NEARBY = 0.1; // the step by which the penalty measures how steep D is
const PENALTY = 0.1;
const [HIDDEN, BATCH, BETAS] = [32, 64, [0.5, 0.99]];
// The learning rate is constant for half of G's steps, then falls to 0, as in the notebook.
const [RATE, LAST_STEP] = [2e-3, 1600];
const LEAST_SHARE = 0.02; // of the fakes, or the mode counts as lost
const [WATCHED, ARROWS] = [600, 60]; // the fakes that are drawn, and those of them with an arrow
const [REACH, GRID, SIDE] = [3.1, 32, 440];
const PLANE = planePoints(GRID, REACH);

// Both players with their optimisers, and what is known of them. Points and noise are batches of two numbers a row.
export class Game {
  constructor(seed) {
    this.uniform = uniformNumbers(seed);
    this.G = new Network([2, HIDDEN, HIDDEN, 2], "ReLU");
    this.D = new Network([2, HIDDEN, HIDDEN, 1], "LeakyReLU");
    this.G.initialise(this.uniform);
    this.D.initialise(this.uniform);
    this.optimizerG = new Adam(this.G, RATE, BETAS);
    this.optimizerD = new Adam(this.D, RATE, BETAS);
    this.watchedNoise = this.noise(WATCHED);
    [this.steps, this.turns] = [0, 0]; // of G, and of D since then
    this.history = new History();
    this.look();
  }

  // n rows.
  noise(n) {
    return normalNumbers(2 * n, this.uniform);
  }

  // The step of one player: D has its `turnsOfD` first, then G. A player that does not learn is held still.
  step({ turnsOfD, penalty, learnsD, learnsG }) {
    if (this.steps === LAST_STEP) return;
    const rate = RATE * Math.min(1, 2 - (2 * this.steps) / LAST_STEP);
    this.optimizerD.rate = learnsD ? rate : 0;
    this.optimizerG.rate = learnsG ? rate : 0;
    if (this.turns < turnsOfD) {
      const x = samplesOfRing(BATCH, this.uniform);
      this.lossD = this.stepOfD(x, this.noise(BATCH), this.noise(2 * BATCH), penalty ? PENALTY : 0);
      this.turns += 1;
    } else {
      const lossG = this.stepOfG(this.noise(BATCH));
      [this.steps, this.turns] = [this.steps + 1, 0];
      this.look();
      this.history.record({ step: this.steps, lossD: this.lossD, lossG, modes: modesFound(this.shares) });
    }
  }

  // Always the same noise, so that its fakes can be followed.
  look() {
    this.fakes = this.G.forward(this.watchedNoise).at(-1);
    this.shares = sharesOfModes(this.fakes);
  }

  // A step of D on data x and noise z, both of n rows; returns its loss, without the penalty that it pays besides.
  // `epsilon` are 2 n rows of normal numbers: where D is asked a second time.
  stepOfD(x, z, epsilon, penalty) {
    const both = joinedRows(x, this.G.forward(z).at(-1));
    const nearby = both.map((value, i) => value + NEARBY * epsilon[i]);
    const values = this.D.forward(penalty ? joinedRows(both, nearby) : both);
    const logits = values.at(-1);
    const gradient = new Float64Array(logits.length);
    const n = x.length / 2;
    let loss = 0;
    for (let i = 0; i < 2 * n; i++) {
      const sign = i < n ? -1 : 1; // the logits of data should be large, those of fakes small
      loss += softplus(sign * logits[i]) / n;
      gradient[i] = (sign * logistic(sign * logits[i])) / n;
      if (penalty) {
        const slope = (logits[2 * n + i] - logits[i]) / NEARBY;
        gradient[2 * n + i] = (penalty * slope) / (n * NEARBY);
        gradient[i] -= gradient[2 * n + i];
      }
    }
    this.D.backward(values, gradient);
    this.optimizerD.step();
    return loss;
  }

  // A step of G on noise z of n rows; returns its loss.
  stepOfG(z) {
    const values = this.G.forward(z);
    const n = z.length / 2;
    const { loss, pull } = this.pullOn(values.at(-1));
    this.G.backward(values, pull.map((value) => -value / n));
    this.optimizerG.step();
    return loss;
  }

  // G's loss, -log D, as a mean over fakes, and for each fake the way on which its own -log D falls.
  pullOn(fakes) {
    const values = this.D.forward(fakes);
    const logits = values.at(-1);
    const loss = logits.reduce((sum, logit) => sum + softplus(-logit), 0) / logits.length;
    return { loss, pull: this.D.backward(values, logits.map((logit) => logistic(-logit))) };
  }
}

function joinedRows(a, b) {
  const rows = new Float64Array(a.length + b.length);
  rows.set(a);
  rows.set(b, a.length);
  return rows;
}

// n points of the data.
export function samplesOfRing(n, uniform) {
  const points = normalNumbers(2 * n, uniform);
  for (let i = 0; i < n; i++) {
    const mode = MODES[Math.floor(uniform() * MODES.length)];
    points[2 * i] = mode[0] + DEVIATION * points[2 * i];
    points[2 * i + 1] = mode[1] + DEVIATION * points[2 * i + 1];
  }
  return points;
}

// The share of the points within three standard deviations of each mode.
export function sharesOfModes(points) {
  return MODES.map(([x, y]) => {
    let count = 0;
    for (let i = 0; i < points.length; i += 2) count += Math.hypot(points[i] - x, points[i + 1] - y) < 3 * DEVIATION;
    return (2 * count) / points.length;
  });
}

// How many modes have enough of the fakes.
export const modesFound = (shares) => shares.filter((share) => share >= LEAST_SHARE).length;

// `data` is not looked at.
export function mount(element) {
  const start = slider("start", { min: 1, max: 5 }, restart);
  const turnsOfD = slider("D's steps per G's", { min: 1, max: 10, value: 5 }, () => {});
  const penalty = checkbox("penalty on a steep D", false, () => {});
  const [learnsD, learnsG] = ["D learns", "G learns"].map((label) => checkbox(label, true, () => {}));
  const stage = stagePicture();
  const [losses, modes] = historyPictures();
  const controls = player({ step, reset, draw, describe, stepsPerFrame: 20 });
  let game = new Game(start.value);

  function reset() {
    game = new Game(start.value);
  }

  function restart() {
    reset();
    controls.refresh();
  }

  function step() {
    game.step({
      turnsOfD: turnsOfD.value, penalty: penalty.value, learnsD: learnsD.value, learnsG: learnsG.value,
    });
  }

  function draw() {
    const { pull } = game.pullOn(game.fakes.subarray(0, 2 * ARROWS));
    stage.draw(game.D.forward(PLANE).at(-1), game.fakes, pull, game.shares);
    losses.draw(game.history.entries);
    modes.draw(game.history.entries);
  }

  function describe() {
    const inModes = percent(game.shares.reduce((sum, share) => sum + share));
    const found = `${modesFound(game.shares)} of 8 modes have at least 2 % of the fakes`;
    return `Step ${game.steps} of ${LAST_STEP}: ${found}, and ${inModes} of the fakes lie in a mode.`;
  }

  const remove = place(
    element, "Theatre of a GAN in the plane",
    rowOf(column(start.element, turnsOfD.element), column(penalty.element, learnsD.element, learnsG.element)),
    controls.element, picture(rowOf(stage.element, column(losses.element, modes.element))),
  );
  controls.refresh();
  return remove;
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

function historyPictures() {
  return [
    curves(200, 216, "The losses of D and of G against the steps of G; the grey line is 2 log 2.", {
      lines: [
        { key: "lossD", name: "loss of D", colour: BLUE },
        { key: "lossG", name: "loss of G", colour: VERMILION },
      ],
      high: 4, level: 2 * Math.log(2), digits: 2,
    }),
    curves(200, 216, "The number of modes found against the steps of G; the grey line is all 8.", {
      lines: [{ key: "modes", name: "modes found", colour: "black" }], high: 10, level: 8, digits: 0,
    }),
  ];
}

// The plane: what D says everywhere, the data as circles with their share of the fakes, the fakes as dots, and for some
// of them an arrow, the slope that G's loss gives to the fake.
function stagePicture() {
  const label =
    "The plane: orange where D says real, blue where it says fake. Circles are the modes of the data, with their " +
    "share of the fakes. Dots are fakes, and arrows are the slopes by which G learns.";
  const { canvas, context } = sheet(SIDE, SIDE, label);
  const paint = fieldPainter(GRID);
  const toX = (x) => (SIDE * (REACH + x)) / (2 * REACH);
  const toY = (y) => (SIDE * (REACH - y)) / (2 * REACH);

  function draw(logits, fakes, pull, shares) {
    paint(context, logits.map((logit) => 0.85 * Math.tanh(logit / 2)), 0, 0, SIDE);
    context.lineWidth = 1;
    context.strokeStyle = "black";
    traceZero(context, logits, GRID, 0, 0, SIDE);
    context.fillStyle = "black";
    for (let i = 0; i < fakes.length; i += 2) context.fillRect(toX(fakes[i]) - 1, toY(fakes[i + 1]) - 1, 2, 2);
    context.lineWidth = 1.5;
    for (let i = 0; i < pull.length; i += 2) drawArrow([fakes[i], fakes[i + 1]], [pull[i], pull[i + 1]]);
    MODES.forEach((mode, i) => drawMode(mode, shares[i]));
  }

  // A slope of 1 is an arrow of 0.1; one longer than 0.6 is cut.
  function drawArrow([x, y], [right, up]) {
    const size = Math.hypot(right, up) + 1e-12;
    const length = Math.min(0.1 * size, 0.6);
    const [toRight, toUp] = [(length * right) / size, (length * up) / size];
    const [headX, headY] = [toX(x + toRight), toY(y + toUp)];
    context.beginPath();
    context.moveTo(toX(x), toY(y));
    context.lineTo(headX, headY);
    for (const side of [-1, 1]) {
      context.moveTo(headX, headY);
      context.lineTo(toX(x + 0.7 * toRight - 0.2 * side * toUp), toY(y + 0.7 * toUp + 0.2 * side * toRight));
    }
    context.stroke();
  }

  // A mode that is lost has a dashed circle.
  function drawMode([x, y], share) {
    context.lineWidth = 2.5;
    context.setLineDash(share < LEAST_SHARE ? [3, 4] : []);
    context.beginPath();
    context.arc(toX(x), toY(y), (3 * DEVIATION * SIDE) / (2 * REACH), 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
    write(context, percent(share), "center", toX(1.28 * x), toY(1.28 * y));
  }

  return { element: canvas, draw };
}
