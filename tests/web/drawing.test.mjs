// Moving and shrinking a drawing; that it is prepared as in Python, tests/explorers/test_web_demo.py shows.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fitAndCentre, moved, shrunk } from "../../course_utils/explorers/web/drawing.js";

// A bar of ink from the middle upwards, on 28 x 28.
function bar() {
  const values = new Uint8Array(28 * 28);
  for (let y = 4; y < 14; y++) values.fill(255, y * 28 + 13, y * 28 + 15);
  return { width: 28, height: 28, values };
}

function centreOfMass(values) {
  let [mass, x, y] = [0, 0, 0];
  values.forEach((value, index) => {
    mass += value;
    x += value * (index % 28);
    y += value * Math.floor(index / 28);
  });
  return [x / mass, y / mass];
}

const close = (found, expected) => assert.ok(Math.abs(found - expected) < 0.5, `${found} is not about ${expected}`);

test("a drawing is turned counter-clockwise about the middle", () => {
  const [x, y] = centreOfMass(moved(bar(), 0, 0, 90).values);
  close(x, 8.5);
  close(y, 13.5);
});

test("a drawing is shifted to the right and down, and nothing comes in from the other side", () => {
  const [x, y] = centreOfMass(moved(bar(), 5, 2, 0).values);
  close(x, 18.5);
  close(y, 10.5);
  assert.equal(Math.max(...moved(bar(), 28, 0, 0).values), 0);
});

test("without a move the bytes stay", () => assert.deepEqual(moved(bar(), 0, 0, 0), bar()));

test("a sheet of 28 x 28 is left as it is, a larger one averaged", () => {
  assert.deepEqual(shrunk(bar()), bar().values);
  const large = { width: 56, height: 56, values: new Uint8Array(56 * 56) };
  large.values.fill(255, 0, 2);
  assert.equal(shrunk(large)[0], 128);
});

test("without ink there is no image", () => {
  const empty = { width: 28, height: 28, values: new Uint8Array(28 * 28) };
  assert.equal(shrunk(empty), null);
  assert.equal(fitAndCentre(empty), null);
});
