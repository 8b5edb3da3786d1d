// The layers on numbers that can be followed by hand; with trained networks, tests/browser compares them with torch.

import assert from "node:assert/strict";
import { test } from "node:test";

import { argmax, readTensors, row, run, toPixels, vector } from "../../course_utils/explorers/web/nets.js";

const image = (shape, values) => ({ shape, values: Float32Array.from(values) });
const close = (found, expected) => {
  assert.equal(found.length, expected.length);
  found.forEach((value, index) => assert.ok(Math.abs(value - expected[index]) < 1e-6, `${found} is not ${expected}`));
};

// As safetensors writes a file: the size of the header, the header, the numbers.
function file(header, bytes) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const whole = new Uint8Array(3 + 8 + text.length + bytes.length);
  const view = new DataView(whole.buffer, 3);
  view.setBigUint64(0, BigInt(text.length), true);
  whole.set(text, 11);
  whole.set(bytes, 11 + text.length);
  return view;
}

test("a file of tensors is read wherever it begins: numbers of 32, 16 and 8 bits, and bytes", () => {
  const single = new Uint8Array(Float32Array.of(0.1).buffer);
  const half = new Uint8Array(Uint16Array.of(0x3c00, 0xc248, 0x0001, 0x8000).buffer);
  const tensors = readTensors(
    file(
      {
        a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
        b: { dtype: "F16", shape: [2, 2], data_offsets: [4, 12] },
        c: { dtype: "U8", shape: [2], data_offsets: [12, 14] },
        d: { dtype: "F8_E4M3", shape: [3], data_offsets: [14, 17] },
      },
      [...single, ...half, 7, 255, 0x38, 0xc4, 0x01],
    ),
  );
  assert.deepEqual(tensors.a, { shape: [1], values: Float32Array.of(0.1) });
  assert.deepEqual(tensors.b, { shape: [2, 2], values: Float32Array.of(1, -3.140625, 2 ** -24, -0) });
  assert.deepEqual(tensors.c, { shape: [2], values: Uint8Array.of(7, 255) });
  assert.deepEqual(tensors.d, { shape: [3], values: Float32Array.of(1, -3, 2 ** -9) });
});

test("a linear layer, with and without bias", () => {
  const tensors = { "a.weight": image([2, 3], [1, 2, 3, 4, 5, 6]), "a.bias": image([2], [10, 20]) };
  const x = vector(Float32Array.of(1, 0, -1));
  close(run([{ kind: "Linear", name: "a" }], tensors, x).values, [8, 18]);
  delete tensors["a.bias"];
  close(run([{ kind: "Linear", name: "a" }], tensors, x).values, [-2, -2]);
  const short = vector(Float32Array.of(1, 0));
  assert.throws(() => run([{ kind: "Linear", name: "a" }], tensors, short), /a must get 3 numbers; got 2/);
});

test("a convolution adds its channels, and the transpose scatters into each of its own, without the border", () => {
  const settings = { name: "c", padding: 1 };
  const centres = image([1, 2, 3, 3], [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
  const added = run([{ kind: "Conv2d", stride: 1, ...settings }], { "c.weight": centres }, image([2, 1, 1], [5, 7]));
  close(added.values, [31]);
  const weights = { "c.weight": image([1, 2, 2, 2], [1, 2, 3, 4, 1, 1, 1, 1]), "c.bias": image([2], [10, 20]) };
  const layer = { kind: "ConvTranspose2d", stride: 2, ...settings };
  const scattered = run([layer], weights, image([1, 2, 2], [1, 2, 3, 4]));
  assert.deepEqual(scattered.shape, [2, 2, 2]);
  close(scattered.values, [14, 16, 16, 14, 21, 22, 23, 24]);
});

test("a convolution with stride and padding, and the transpose that scatters", () => {
  const weights = { "c.weight": image([1, 1, 2, 2], [1, 2, 3, 4]) };
  const settings = { name: "c", stride: 2, padding: 1 };
  const convolved = run([{ kind: "Conv2d", ...settings }], weights, image([1, 2, 2], [1, 2, 3, 4]));
  assert.deepEqual(convolved.shape, [1, 2, 2]);
  close(convolved.values, [4, 6, 6, 4]);
  const scattered = run([{ kind: "ConvTranspose2d", ...settings, padding: 0 }], weights, image([1, 1, 2], [1, 10]));
  assert.deepEqual(scattered.shape, [1, 2, 4]);
  close(scattered.values, [1, 2, 10, 20, 3, 4, 30, 40]);
});

test("batch normalisation uses the statistics of the training, by channel", () => {
  const tensors = {
    "n.running_mean": image([2], [1, 2]),
    "n.running_var": image([2], [4, 0]),
    "n.weight": image([2], [3, 1]),
    "n.bias": image([2], [0, 5]),
  };
  const layer = { kind: "BatchNorm2d", name: "n", eps: 0.25 };
  close(
    run([{ ...layer, eps: 0 }], { ...tensors, "n.running_var": image([2], [4, 1]) }, image([2, 1, 2], [1, 3, 2, 4]))
      .values,
    [0, 3, 5, 7],
  );
  close(run([layer], tensors, image([2, 1, 2], [1, 1, 2, 3])).values, [0, 0, 5, 7]);
});

test("pooling takes the largest and leaves out a rest", () => {
  const pooled = run([{ kind: "MaxPool2d", size: 2 }], {}, image([1, 3, 3], [1, 2, 9, 4, 3, 9, 9, 9, 9]));
  assert.deepEqual(pooled, image([1, 1, 1], [4]));
});

test("activations", () => {
  const x = vector(Float32Array.of(-1, 0, 2));
  const of = (kind, settings) => run([{ kind, ...settings }], {}, x).values;
  close(of("ReLU"), [0, 0, 2]);
  close(of("LeakyReLU", { slope: 0.2 }), [-0.2, 0, 2]);
  close(of("SiLU"), [-0.26894142, 0, 1.76159416]);
  close(of("GELU"), [-0.15865525, 0, 1.95449974]);
  close(of("Sigmoid"), [0.26894142, 0.5, 0.88079708]);
  close(of("Tanh"), [-0.76159416, 0, 0.96402758]);
  close(of("Softmax"), [0.04201007, 0.1141952, 0.84379473]);
});

test("shapes change, numbers do not, and dropout does nothing", () => {
  const layers = [{ kind: "Unflatten", shape: [1, 2, 2] }, { kind: "Dropout" }, { kind: "Flatten" }];
  const x = vector(Float32Array.of(1, 2, 3, 4));
  assert.deepEqual(run(layers.slice(0, 2), {}, x).shape, [1, 2, 2]);
  assert.deepEqual(run(layers, {}, x), x);
});

test("rows of a tensor, pixels of bytes and the place of the largest", () => {
  assert.deepEqual(row(image([2, 1, 2], [1, 2, 3, 4]), 1), image([1, 2], [3, 4]));
  assert.deepEqual(toPixels(Uint8Array.of(0, 255), 1).shape, [1, 1, 1]);
  close(toPixels(Uint8Array.of(0, 255, 51, 0), 2).values, [0, 1, 0.2, 0]);
  assert.equal(argmax(Float32Array.of(1, 3, 2)), 1);
});
