// The gradients against differences of the loss, and what training does; tests/explorers compares losses with torch.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Adam, Network, logistic, normalNumbers, softplus, uniformNumbers } from "../../course_utils/explorers/web/train.js";

const SIZES = [3, 7, 5, 2];

function networkOf(activation) {
  const network = new Network(SIZES, activation);
  network.initialise(uniformNumbers(1));
  return network;
}

// Half the squared sum of the outputs; its gradient are the outputs themselves.
const lossOf = (network, x) => network.forward(x).at(-1).reduce((sum, y) => sum + (y * y) / 2, 0);

function slope(values, index, loss) {
  const at = values[index];
  const [above, below] = [1e-5, -1e-5].map((step) => {
    values[index] = at + step;
    return loss();
  });
  values[index] = at;
  return (above - below) / 2e-5;
}

for (const activation of ["linear", "ReLU", "LeakyReLU", "tanh", "sigmoid"]) {
  test(`the gradients of a network with ${activation} are the slopes of its loss`, () => {
    const network = networkOf(activation);
    const x = normalNumbers(4 * SIZES[0], uniformNumbers(2));
    const values = network.forward(x);
    const inputGradient = network.backward(values, values.at(-1));
    const gradients = network.gradients.slice();
    const loss = () => lossOf(network, x);
    gradients.forEach((g, i) => assert.ok(Math.abs(g - slope(network.parameters, i, loss)) < 1e-8, `parameter ${i}`));
    inputGradient.forEach((g, i) => assert.ok(Math.abs(g - slope(x, i, loss)) < 1e-8, `input ${i}`));
  });
}

test("a second backward replaces the gradients of the first", () => {
  const network = networkOf("tanh");
  const values = network.forward(normalNumbers(6, uniformNumbers(2)));
  network.backward(values, values.at(-1));
  const once = network.gradients.slice();
  network.backward(values, values.at(-1));
  assert.deepEqual(network.gradients, once);
});

test("Adam's first step is the rate in every parameter, against the sign of its gradient", () => {
  const network = networkOf("tanh");
  const before = network.parameters.slice();
  network.gradients.set(before.map((_, i) => (i % 2 ? 3 : -0.01)));
  new Adam(network, 0.1).step();
  before.forEach((value, i) => assert.ok(Math.abs(network.parameters[i] - value - (i % 2 ? -0.1 : 0.1)) < 1e-6));
});

test("new parameters are as nn.Linear draws them, and follow from the seed", () => {
  const network = new Network([100, 400], "linear");
  network.initialise(uniformNumbers(3));
  const { weights, biases } = network.layers[0];
  for (const values of [weights, biases]) {
    assert.ok(values.every((value) => Math.abs(value) <= 0.1));
    assert.ok(Math.max(...values) > 0.09 && Math.min(...values) < -0.09);
  }
  const again = new Network([100, 400], "linear");
  again.initialise(uniformNumbers(3));
  assert.deepEqual(again.parameters, network.parameters);
});

test("normal numbers have mean 0, variance 1 and few outside of two standard deviations", () => {
  const numbers = normalNumbers(100_000, uniformNumbers(4));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(numbers)) < 0.01);
  assert.ok(Math.abs(mean(numbers.map((value) => value * value)) - 1) < 0.02);
  assert.ok(Math.abs(numbers.filter((value) => Math.abs(value) > 2).length / numbers.length - 0.0455) < 0.003);
});

test("softplus and logistic survive large numbers", () => {
  assert.equal(softplus(1000), 1000);
  assert.equal(softplus(-1000), 0);
  assert.ok(Math.abs(softplus(0) - Math.log(2)) < 1e-15);
  assert.equal(logistic(-1000), 0);
  assert.equal(logistic(1000), 1);
});
