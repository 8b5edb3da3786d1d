// A playground of small networks: train one on points in the plane and watch what every hidden unit sees.

import { History, curves, fieldPainter, planePoints, player, traceZero } from "./live.js";
import { unpack } from "./nets.js";
import { Adam, Network, logistic, softplus, uniformNumbers } from "./train.js";
import { BLUE, ORANGE, VERMILION, column, dropdown, make, picture, place, rowOf, sheet, slider } from "./ui.js";

const [MOST_LAYERS, MOST_UNITS] = [3, 8];
const REACH = 3; // the plane is drawn from -REACH to REACH in both directions
const GRID = 44;
const PLANE = planePoints(GRID, REACH);
const [DARK_ORANGE, DARK_BLUE] = ["#A16E00", "#00507D"]; // of points on their own colour
const [THUMBNAIL, PITCH, TOP, WIDTH, HEIGHT, OUTPUT] = [44, 54, 26, 560, 460, 270];

// A network of two inputs and two logits, with its optimiser.
export class Learner {
  constructor(units, activation, rate, uniform) {
    this.network = new Network([2, ...units, 2], activation);
    this.network.initialise(uniform);
    this.optimizer = new Adam(this.network, rate);
    this.steps = 0;
  }

  // One step on all points x (N, 2) of the classes `labels`, 0 or 1; returns the loss before it.
  train(x, labels) {
    const values = this.network.forward(x);
    const { loss, gradient } = crossEntropy(values.at(-1), labels);
    this.network.backward(values, gradient);
    this.optimizer.step();
    this.steps += 1;
    return loss;
  }

  measure(x, labels) {
    return crossEntropy(this.network.forward(x).at(-1), labels);
  }
}

// The mean cross-entropy of logits (N, 2), its gradient, and the share of points whose own logit is the larger one.
export function crossEntropy(logits, labels) {
  const gradient = new Float64Array(logits.length);
  const count = labels.length;
  let loss = 0;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const [own, other] = [2 * i + labels[i], 2 * i + 1 - labels[i]];
    const margin = logits[own] - logits[other];
    loss += softplus(-margin) / count;
    gradient[own] = -logistic(-margin) / count;
    gradient[other] = logistic(-margin) / count;
    if (margin > 0) right += 1;
  }
  return { loss, gradient, accuracy: right / count };
}

// `data`: names of the sets of points; for each NAME the tensors NAME.x, NAME.noise, NAME.held_out_x and
// NAME.held_out_noise, (N, 2), whose classes take turns; activations and learning_rates to choose from; and where the
// controls start: points, noise, units of each hidden layer, activation, learning_rate, after so many steps.
export function mount(element, data) {
  const { tensors } = unpack(data);
  const points = dropdown("points", data.sets, restart, data.sets.indexOf(data.points));
  const noise = slider("noise", { max: 0.6, step: 0.05, value: data.noise, show: (v) => v.toFixed(2) }, restart);
  const activation = dropdown("activation", data.activations, restart, data.activations.indexOf(data.activation));
  const rates = data.learning_rates;
  const rate = slider(
    "learning rate", { max: rates.length - 1, value: rates.indexOf(data.learning_rate), show: (i) => rates[i] },
    (i) => (learner.optimizer.rate = rates[i]),
  );
  const layers = slider("layers", { min: 1, max: MOST_LAYERS, value: data.units.length }, restart);
  const units = Array.from({ length: MOST_LAYERS }, (_, i) =>
    slider(`units in ${i + 1}`, { min: 1, max: MOST_UNITS, value: data.units[i] ?? 4 }, restart),
  );
  const network = networkPicture();
  const decision = decisionPicture();
  const losses = lossCurves();
  const controls = player({ step, reset, draw, describe, stepsPerFrame: 2 });
  let seed = 0;
  let learner, training, heldOut, history;

  function reset() {
    const name = data.sets[points.value];
    training = pointsOf(`${name}.`);
    heldOut = pointsOf(`${name}.held_out_`);
    units.forEach((control, i) => (control.element.hidden = i >= layers.value));
    const sizes = units.slice(0, layers.value).map((control) => control.value);
    // Some starts learn faster than others, so each is another one.
    learner = new Learner(sizes, data.activations[activation.value], rates[rate.value], uniformNumbers(seed++));
    history = new History();
    measure();
  }

  function restart() {
    reset();
    controls.refresh();
  }

  function pointsOf(prefix) {
    const x = tensors[`${prefix}x`].values;
    const shifts = tensors[`${prefix}noise`].values;
    return { x: Float64Array.from(x, (value, i) => value + noise.value * shifts[i]), labels: classesOf(x.length / 2) };
  }

  function measure() {
    const [train, held] = [training, heldOut].map(({ x, labels }) => learner.measure(x, labels));
    const accuracies = [train.accuracy, held.accuracy];
    history.record({ step: learner.steps, train: train.loss, heldOut: held.loss, accuracies });
  }

  function step() {
    learner.train(training.x, training.labels);
    measure();
  }

  function draw() {
    const answers = learner.network.forward(PLANE);
    network.draw(answers.slice(0, -1), learner.network.layers);
    decision.draw(answers.at(-1), training);
    losses.draw(history.entries);
  }

  function describe() {
    const [train, held] = history.entries.at(-1).accuracies.map((share) => `${(100 * share).toFixed(0)} %`);
    return `Step ${learner.steps}, right: ${train} of the training points, ${held} of the held-out points.`;
  }

  reset();
  for (let i = 0; i < data.steps; i++) step();
  const remove = place(
    element, "Playground of small networks",
    rowOf(
      column(points.element, noise.element), column(activation.element, rate.element),
      column(layers.element, ...units.map((control) => control.element)),
    ),
    controls.element,
    // Where both do not stand side by side, what the network answers comes first.
    picture(make("div", { class: "row last-first" }, network.element, column(decision.element, losses.element))),
  );
  controls.refresh();
  return remove;
}

const classesOf = (count) => Array.from({ length: count }, (_, i) => i % 2);

function lossCurves() {
  const label = "Loss of the training and of the held-out points against the step; the grey line is guessing, log 2.";
  return curves(OUTPUT, 160, label, {
    lines: [
      { key: "train", name: "train loss", colour: "black" },
      { key: "heldOut", name: "held-out loss", colour: VERMILION },
    ],
    high: 1, level: Math.log(2), digits: 3,
  });
}

// The input and all hidden units as thumbnails of what they answer over the plane, with a line for every weight.
function networkPicture() {
  const label =
    "The network: what each hidden unit answers over the plane, orange where that is positive and blue where it is " +
    "negative. Lines are weights.";
  const { canvas, context } = sheet(WIDTH, HEIGHT, label);
  const paint = fieldPainter(GRID);

  function draw(columns, layers) {
    const places = columns.map((answers, i) => placesOf(i, columns.length, answers.length / GRID ** 2));
    context.clearRect(0, 0, WIDTH, HEIGHT);
    layers.forEach((layer, i) => {
      drawWeights(context, weightsOf(layer, i === layers.length - 1), places[i], places[i + 1]);
    });
    columns.forEach((answers, i) => {
      context.fillStyle = "black";
      context.fillText(i ? `layer ${i}` : "input", places[i][0][0], 12);
      places[i].forEach(([left, top], unit) => drawUnit(answersOf(answers, unit, places[i].length), left, top));
    });
  }

  function drawUnit(answers, left, top) {
    const largest = answers.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    paint(context, answers.map((value) => value / largest), left, top, THUMBNAIL);
    context.strokeStyle = "#767676";
    context.lineWidth = 1;
    context.strokeRect(left, top, THUMBNAIL, THUMBNAIL);
  }

  return { element: canvas, draw };
}

function answersOf(answers, unit, units) {
  return Float64Array.from({ length: GRID ** 2 }, (_, i) => answers[i * units + unit]);
}

// The upper left corners of the thumbnails of one column, centred from top to bottom.
function placesOf(i, columns, units) {
  const left = 10 + (i * (WIDTH - 10)) / columns;
  const first = TOP + ((MOST_UNITS - units) * PITCH) / 2;
  return Array.from({ length: units }, (_, unit) => [left, first + unit * PITCH]);
}

// The weights of a layer as {from, to, weight}. What counts for the decision is how much more a unit gives to class 1
// than to class 0.
function weightsOf({ inputs, weights }, isHead) {
  const shown = isHead ? weights.slice(inputs).map((weight, i) => weight - weights[i]) : weights;
  return Array.from(shown, (weight, i) => ({ from: i % inputs, to: Math.floor(i / inputs), weight }));
}

// Orange if positive, blue if negative, and the thicker the larger; those of the head end at the right edge.
function drawWeights(context, lines, starts, ends = [[WIDTH, (HEIGHT + TOP - THUMBNAIL) / 2]]) {
  const largest = Math.max(1, ...lines.map(({ weight }) => Math.abs(weight)));
  for (const { from, to, weight } of lines) {
    context.strokeStyle = weight > 0 ? ORANGE : BLUE;
    context.lineWidth = 0.5 + (4 * Math.abs(weight)) / largest;
    context.beginPath();
    context.moveTo(starts[from][0] + THUMBNAIL, starts[from][1] + THUMBNAIL / 2);
    context.lineTo(ends[to][0], ends[to][1] + THUMBNAIL / 2);
    context.stroke();
  }
}

// The probability of class 1 over the plane, the line where it is one half, and the points of the training.
function decisionPicture() {
  const label =
    "The decision over the plane, orange for class 1 and blue for class 0, with the training points: discs are of " +
    "class 1, squares of class 0.";
  const { canvas, context } = sheet(OUTPUT, OUTPUT, label);
  const paint = fieldPainter(GRID);
  const toPixel = (value) => (OUTPUT * (REACH + value)) / (2 * REACH);

  function draw(logits, { x, labels }) {
    const margins = Float64Array.from({ length: GRID ** 2 }, (_, i) => logits[2 * i + 1] - logits[2 * i]);
    paint(context, margins.map((margin) => 0.85 * Math.tanh(margin / 2)), 0, 0, OUTPUT);
    context.strokeStyle = "black";
    context.lineWidth = 1.5;
    traceZero(context, margins, GRID, 0, 0, OUTPUT);
    labels.forEach((label, i) => drawPoint(label, toPixel(x[2 * i]), toPixel(-x[2 * i + 1])));
  }

  function drawPoint(label, x, y) {
    context.beginPath();
    if (label) context.arc(x, y, 3.4, 0, 2 * Math.PI);
    else context.rect(x - 3, y - 3, 6, 6);
    context.fillStyle = label ? DARK_ORANGE : "white";
    context.strokeStyle = label ? "white" : DARK_BLUE;
    context.fill();
    context.stroke();
  }

  return { element: canvas, draw };
}
