// Trained networks in the browser: tensors as Python packed them, and the layers of an nn.Sequential in eval mode.
//
// A tensor is {shape, values}: `shape` of one example without the batch, such as [1, 28, 28], `values` row by row.

// The tensors of a safetensors file (DataView) by name. Short numbers become single precision, bytes stay bytes.
export function readTensors(file) {
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  const headerSize = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, headerSize)));
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    const part = bytes.slice(8 + headerSize + offsets[0], 8 + headerSize + offsets[1]);
    tensors[name] = { shape, values: VALUES[dtype](part) };
  }
  return tensors;
}

const VALUES = {
  F16: (part) => Float32Array.from(new Uint16Array(part), fromHalf),
  F32: (part) => new Float32Array(part),
  F8_E4M3: (part) => Float32Array.from(new Uint8Array(part), fromQuarter),
  U8: (part) => new Uint8Array(part),
};

// A finite number of 16 bits: sign, 5 of exponent, 10 of fraction.
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits & 0x8000 ? -size : size;
}

// A finite number of 8 bits: sign, 4 of exponent, 3 of fraction.
function fromQuarter(bits) {
  const exponent = (bits >> 3) & 15;
  const fraction = bits & 7;
  const size = exponent ? (8 + fraction) * 2 ** (exponent - 10) : fraction * 2 ** -9;
  return bits & 0x80 ? -size : size;
}

// What a demo's data holds: its tensors by name, and each of its networks as a function from tensor to tensor.
export function unpack(data) {
  const tensors = readTensors(data.tensors);
  const networks = {};
  for (const [name, layers] of Object.entries(data.networks ?? {})) {
    networks[name] = (input) => run(layers, tensors, input);
  }
  return { tensors, networks };
}

// The output of a list of layers {kind, name, ...settings}, whose weights are tensors called `name.weight` and so on.
export function run(layers, tensors, input) {
  return layers.reduce((x, layer) => LAYERS[layer.kind](x, layer, (key) => tensors[`${layer.name}.${key}`]), input);
}

export const vector = (values) => ({ shape: [values.length], values });

// Row `index` of a tensor whose first axis counts examples.
export function row({ shape, values }, index) {
  const size = values.length / shape[0];
  return { shape: shape.slice(1), values: values.subarray(index * size, (index + 1) * size) };
}

// Bytes 0 to 255 as an image of one channel with pixels from 0 to 1.
export function toPixels(bytes, side = 28) {
  return { shape: [1, side, side], values: Float32Array.from(bytes, (value) => value / 255) };
}

export const sideBySide = (first, second) => vector(Float32Array.of(...first.values, ...second.values));

export const argmax = (values) => values.indexOf(Math.max(...values));

// What a judge's probabilities say, in words.
export function verdict(probabilities, classes) {
  const best = argmax(probabilities);
  return `judge sees ${classes[best]}, ${(100 * probabilities[best]).toFixed(0)} % sure`;
}

const elementwise =
  (f) =>
  ({ shape, values }) => ({ shape, values: values.map(f) });
const sameNumbers = (x) => x;

// Sums are of double precision; what a layer hands on is of single precision, as in PyTorch.
const LAYERS = {
  Linear: linear,
  Conv2d: convolution,
  ConvTranspose2d: transposeConvolution,
  BatchNorm1d: batchNorm,
  BatchNorm2d: batchNorm,
  MaxPool2d: maxPool,
  Flatten: ({ values }) => vector(values),
  Unflatten: ({ values }, { shape }) => ({ shape, values }),
  Dropout: sameNumbers,
  ReLU: elementwise((x) => Math.max(x, 0)),
  LeakyReLU: (x, { slope }) => elementwise((value) => (value < 0 ? slope * value : value))(x),
  SiLU: elementwise((x) => x / (1 + Math.exp(-x))),
  GELU: elementwise((x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  Sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x))),
  Tanh: elementwise(Math.tanh),
  Softmax: softmax,
};

function linear({ values }, { name }, get) {
  const [rows, columns] = get("weight").shape;
  if (values.length !== columns) throw new Error(`${name} must get ${columns} numbers; got ${values.length}`);
  const output = new Float32Array(rows);
  multiply(get("weight").values, values, get("bias")?.values, output, 0, 1);
  return vector(output);
}

// A matrix (row by row) times a vector, plus the bias, into every `step`-th place of an output from `first` on.
function multiply(matrix, x, bias, output, first, step) {
  const columns = x.length;
  const rows = matrix.length / columns;
  const put = (row, sum) => (output[first + row * step] = bias ? bias[row] + sum : sum);
  let row = 0;
  // Eight rows at a time, twice as fast as one: their sums need not wait for each other.
  for (; row + 8 <= rows; row += 8) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let e = 0;
    let f = 0;
    let g = 0;
    let h = 0;
    for (let j = 0, at = row * columns; j < columns; j++, at++) {
      const value = x[j];
      a += matrix[at] * value;
      b += matrix[at + columns] * value;
      c += matrix[at + 2 * columns] * value;
      d += matrix[at + 3 * columns] * value;
      e += matrix[at + 4 * columns] * value;
      f += matrix[at + 5 * columns] * value;
      g += matrix[at + 6 * columns] * value;
      h += matrix[at + 7 * columns] * value;
    }
    put(row, a);
    put(row + 1, b);
    put(row + 2, c);
    put(row + 3, d);
    put(row + 4, e);
    put(row + 5, f);
    put(row + 6, g);
    put(row + 7, h);
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let j = 0, at = row * columns; j < columns; j++, at++) sum += matrix[at] * x[j];
    put(row, sum);
  }
}

// At each place of the output, the patch of the input below the kernels times their weights.
function convolution({ shape: [inputs, height, width], values }, { stride, padding }, get) {
  const weight = get("weight");
  const [outputs, , size] = weight.shape;
  const image = { channels: inputs, height: height + 2 * padding, width: width + 2 * padding };
  const bordered = new Float32Array(inputs * image.height * image.width);
  forEachRow(image, padding, (at, row) => bordered.set(values.subarray(row * width, (row + 1) * width), at));
  const outHeight = Math.floor((image.height - size) / stride) + 1;
  const outWidth = Math.floor((image.width - size) / stride) + 1;
  const output = new Float32Array(outputs * outHeight * outWidth);
  const places = placesOfPatch(image, size);
  const patch = new Float32Array(places.length);
  for (let y = 0; y < outHeight; y++)
    for (let x = 0; x < outWidth; x++) {
      const corner = y * stride * image.width + x * stride;
      for (let i = 0; i < patch.length; i++) patch[i] = bordered[corner + places[i]];
      multiply(weight.values, patch, get("bias")?.values, output, y * outWidth + x, outHeight * outWidth);
    }
  return { shape: [outputs, outHeight, outWidth], values: output };
}

// At each place of the input, its numbers times the kernels, added to the output where the kernels lie.
function transposeConvolution({ shape: [inputs, height, width], values }, { stride, padding }, get) {
  const weight = get("weight");
  const [, outputs, size] = weight.shape;
  const image = { channels: outputs, height: (height - 1) * stride + size, width: (width - 1) * stride + size };
  const sums = new Float64Array(outputs * image.height * image.width);
  const places = placesOfPatch(image, size);
  const patch = new Float64Array(places.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      patch.fill(0);
      for (let channel = 0; channel < inputs; channel++) {
        const value = values[(channel * height + y) * width + x];
        if (value === 0) continue;
        for (let i = 0, at = channel * patch.length; i < patch.length; i++) patch[i] += value * weight.values[at++];
      }
      const corner = y * stride * image.width + x * stride;
      for (let i = 0; i < patch.length; i++) sums[corner + places[i]] += patch[i];
    }
  const [outHeight, outWidth] = [image.height - 2 * padding, image.width - 2 * padding];
  const output = new Float32Array(outputs * outHeight * outWidth);
  forEachRow(image, padding, (at, row) => {
    const bias = get("bias")?.values[Math.floor(row / outHeight)] ?? 0;
    for (let x = 0; x < outWidth; x++) output[row * outWidth + x] = sums[at + x] + bias;
  });
  return { shape: [outputs, outHeight, outWidth], values: output };
}

// Where the numbers of a patch lie in an image, counted from the patch's upper left corner in the first channel.
function placesOfPatch({ channels, height, width }, size) {
  return Int32Array.from({ length: channels * size * size }, (_, i) => {
    const [channel, y] = [Math.floor(i / (size * size)), Math.floor(i / size) % size];
    return (channel * height + y) * width + (i % size);
  });
}

// For each row of an image without its border: where it begins in the image, and its number.
function forEachRow({ channels, height, width }, border, visit) {
  let row = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let y = border; y < height - border; y++) visit((channel * height + y) * width + border, row++);
}

// In eval mode: the statistics of the training, one mean and one variance for each channel.
function batchNorm({ shape, values }, { eps }, get) {
  const [mean, variance, weight, bias] = ["running_mean", "running_var", "weight", "bias"].map(
    (key) => get(key)?.values,
  );
  const area = values.length / shape[0];
  const normalised = values.map((value, index) => {
    const channel = Math.floor(index / area);
    const standard = (value - mean[channel]) / Math.sqrt(variance[channel] + eps);
    return weight ? standard * weight[channel] + bias[channel] : standard;
  });
  return { shape, values: normalised };
}

function maxPool({ shape: [channels, height, width], values }, { size }) {
  const outHeight = Math.floor(height / size);
  const outWidth = Math.floor(width / size);
  const output = new Float32Array(channels * outHeight * outWidth).fill(-Infinity);
  for (let channel = 0; channel < channels; channel++)
    for (let y = 0; y < outHeight * size; y++)
      for (let x = 0; x < outWidth * size; x++) {
        const to = (channel * outHeight + Math.floor(y / size)) * outWidth + Math.floor(x / size);
        output[to] = Math.max(output[to], values[(channel * height + y) * width + x]);
      }
  return { shape: [channels, outHeight, outWidth], values: output };
}

function softmax({ shape, values }) {
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return { shape, values: powers.map((power) => power / sum) };
}

// Press et al., Numerical Recipes, section 6.2: relative error of 1 - erf below 1.2e-7 everywhere.
function erf(x) {
  const t = 1 / (1 + Math.abs(x) / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ];
  const polynomial = coefficients.reduce((sum, coefficient) => sum * t + coefficient);
  const complement = t * Math.exp(polynomial - x * x);
  return x < 0 ? complement - 1 : 1 - complement;
}
