// Small dense networks that learn in the page: forward, backward and Adam in float64, as PyTorch computes them.
// A batch of n rows of d numbers is one Float64Array of n * d numbers, row by row.

/** Random numbers in [0, 1) that follow from the seed alone: "mulberry32" by Tommy Ettinger (2017). */
export function uniformNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` standard normal numbers, made of uniform ones: Box and Muller (1958). */
export function normalNumbers(count, uniform) {
  const draw = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return new Float64Array(count).map(draw);
}

// The slope is a function of the output, which is what backward has at hand.
const ACTIVATIONS = {
  linear: { value: (v) => v, slope: () => 1 },
  ReLU: { value: (v) => (v > 0 ? v : 0), slope: (y) => (y > 0 ? 1 : 0) },
  LeakyReLU: { value: (v) => (v > 0 ? v : 0.2 * v), slope: (y) => (y > 0 ? 1 : 0.2) },
  tanh: { value: Math.tanh, slope: (y) => 1 - y * y },
  sigmoid: { value: logistic, slope: (y) => y * (1 - y) },
};

/** Dense layers of the given sizes, such as [2, 8, 2], with an activation after each but the last. */
export class Network {
  constructor(sizes, activation) {
    this.activation = ACTIVATIONS[activation];
    const counts = sizes.slice(1).map((outputs, i) => (sizes[i] + 1) * outputs);
    const count = counts.reduce((sum, part) => sum + part);
    // In the order of PyTorch's parameters(): the weights (outputs, inputs) and the biases, layer after layer.
    this.parameters = new Float64Array(count);
    this.gradients = new Float64Array(count);
    let start = 0;
    this.layers = counts.map((part, i) => {
      const biases = start + sizes[i] * sizes[i + 1];
      const end = start + part;
      const layer = {
        inputs: sizes[i],
        outputs: sizes[i + 1],
        weights: this.parameters.subarray(start, biases),
        biases: this.parameters.subarray(biases, end),
        weightGradients: this.gradients.subarray(start, biases),
        biasGradients: this.gradients.subarray(biases, end),
      };
      start = end;
      return layer;
    });
  }

  /** Draw new parameters, as nn.Linear does: uniform between plus and minus 1 / sqrt(inputs). */
  initialise(uniform) {
    for (const { inputs, weights, biases } of this.layers) {
      for (const values of [weights, biases]) {
        values.set(values.map(() => (2 * uniform() - 1) / Math.sqrt(inputs)));
      }
    }
  }

  /** The batch x and what each layer makes of it, one array a layer; the last one holds the outputs. */
  forward(x) {
    const values = [x];
    this.layers.forEach(({ inputs, outputs, weights, biases }, i) => {
      const y = product(values[i], weights, inputs);
      const { value } = i < this.layers.length - 1 ? this.activation : ACTIVATIONS.linear;
      for (let at = 0; at < y.length; at += outputs) {
        for (let j = 0; j < outputs; j++) y[at + j] = value(y[at + j] + biases[j]);
      }
      values.push(y);
    });
    return values;
  }

  /**
   * The gradient of a loss with respect to x, from what `forward` returned and the gradient with respect to the
   * outputs. The gradients with respect to the parameters replace those in `gradients`.
   */
  backward(values, outputGradient) {
    let gradient = outputGradient;
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const { inputs, outputs, weights, weightGradients, biasGradients } = this.layers[i];
      if (i < this.layers.length - 1) {
        const { slope } = this.activation;
        for (let j = 0; j < gradient.length; j++) gradient[j] *= slope(values[i + 1][j]);
      }
      const perOutput = transposed(gradient, outputs);
      const rows = gradient.length / outputs;
      weightGradients.set(product(perOutput, transposed(values[i], inputs), rows));
      biasGradients.set(product(perOutput, new Float64Array(rows).fill(1), rows));
      gradient = product(gradient, transposed(weights, inputs), outputs);
    }
    return gradient;
  }
}

/** Adam for the parameters of one network, with PyTorch's defaults: Kingma and Ba (2015). */
export class Adam {
  constructor(network, rate, betas = [0.9, 0.999]) {
    Object.assign(this, { network, rate, betas, steps: 0 });
    this.mean = new Float64Array(network.parameters.length);
    this.square = new Float64Array(network.parameters.length);
  }

  /** One step down the gradients that the network holds. */
  step() {
    const { parameters, gradients } = this.network;
    const [beta1, beta2] = this.betas;
    this.steps += 1;
    const rate = this.rate / (1 - beta1 ** this.steps);
    const root = Math.sqrt(1 - beta2 ** this.steps);
    for (let i = 0; i < parameters.length; i++) {
      this.mean[i] += (1 - beta1) * (gradients[i] - this.mean[i]);
      this.square[i] += (1 - beta2) * (gradients[i] ** 2 - this.square[i]);
      parameters[i] -= (rate * this.mean[i]) / (Math.sqrt(this.square[i]) / root + 1e-8);
    }
  }
}

/** 1 / (1 + exp(-v)). */
export function logistic(v) {
  return 1 / (1 + Math.exp(-v));
}

/** log(1 + exp(v)), which does not overflow. */
export function softplus(v) {
  return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
}

/** a b^T, where a is (rows, inner) and b is (columns, inner). */
function product(a, b, inner) {
  const rows = a.length / inner;
  const columns = b.length / inner;
  const result = new Float64Array(rows * columns);
  const [pairs, fours] = [rows - (rows % 2), columns - (columns % 4)];
  for (let row = 0; row < pairs; row += 2) {
    for (let column = 0; column < fours; column += 4) addUpEight(a, b, inner, row, column, result, columns);
  }
  for (let row = 0; row < rows; row++) {
    for (let column = row < pairs ? fours : 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[row * inner + k] * b[column * inner + k];
      result[row * columns + column] = sum;
    }
  }
  return result;
}

/** Two rows and four columns of `product`: eight sums of six numbers fetched take half the time of one at a time. */
function addUpEight(a, b, inner, row, column, result, columns) {
  const upper = row * inner, lower = upper + inner;
  const b0 = column * inner, b1 = b0 + inner, b2 = b1 + inner, b3 = b2 + inner;
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
  for (let k = 0; k < inner; k++) {
    const s = a[upper + k], t = a[lower + k];
    s0 += s * b[b0 + k];
    s1 += s * b[b1 + k];
    s2 += s * b[b2 + k];
    s3 += s * b[b3 + k];
    t0 += t * b[b0 + k];
    t1 += t * b[b1 + k];
    t2 += t * b[b2 + k];
    t3 += t * b[b3 + k];
  }
  const to = row * columns + column, below = to + columns;
  result[to] = s0;
  result[to + 1] = s1;
  result[to + 2] = s2;
  result[to + 3] = s3;
  result[below] = t0;
  result[below + 1] = t1;
  result[below + 2] = t2;
  result[below + 3] = t3;
}

/** A matrix of so many columns, turned over its diagonal. */
function transposed(matrix, columns) {
  const rows = matrix.length / columns;
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
