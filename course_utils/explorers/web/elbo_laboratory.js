// The ELBO laboratory: move q by hand, and see ELBO and gap add up to log p(x), in a model solved exactly.

import {
  BLUE, ORANGE, PALETTE, VERMILION, button, dropdown, onDrag, perFrame, picture, place, placeOf, rowOf, sheet, slider,
  statusLine, write,
} from "./ui.js";

// p(z) = N(0, I) and p(x|z) = N(w z, SIGMA^2): one number x is observed, and one or two latents z are not.
export const SIGMA = 0.6;
export const MODELS = [
  { name: "one latent", w: [1.2] },
  { name: "two latents, both used", w: [1.0, 0.7] },
  { name: "two latents, one used", w: [1.2, 0.0] },
];
// The last bar of each sum is the sum; `sign` is how a measure counts in it.
const [GREEN, SKY] = [PALETTE[2], PALETTE[4]];
const BARS = [
  { key: "reconstruction", label: "E_q[log p(x|z)]", colour: SKY, sign: 1 },
  { key: "kl", label: "− KL(q ‖ p(z))", colour: ORANGE, sign: -1 },
  { key: "elbo", label: "= ELBO", colour: GREEN, sign: 1 },
  { key: "gap", label: "+ gap KL(q ‖ p(z|x))", colour: VERMILION, sign: 1 },
  { key: "logMarginal", label: "= log p(x)", colour: BLUE, sign: 1 },
];
// The axis of the bars takes the first of these that holds them all, so that it rarely changes in a drag.
const SCALES = Array.from({ length: 11 }, (_, i) => 4 * 2 ** i);
const [FARTHEST_Z, TALLEST] = [4, 1.35];
const [SIDE, BARS_WIDTH] = [300, 360]; // side by side on a page of 1280 pixels
const [TOP, EDGE] = [8, 44]; // of the pictures: above, and on the left and below
const INNER = SIDE - EDGE - TOP;

const sum = (values) => values.reduce((total, value) => total + value, 0);
const dot = (a, b) => sum(a.map((value, i) => value * b[i]));
const logNormal = (value, variance) => -0.5 * (Math.log(2 * Math.PI * variance) + value ** 2 / variance);

// The posterior p(z|x): its mean, its covariance and its precision I + w w^T / SIGMA^2.
export function posteriorOf(w, x) {
  const variance = SIGMA ** 2 + dot(w, w); // of x
  const identityPlus = (factor) => w.map((a, i) => w.map((b, j) => (i === j ? 1 : 0) + factor * a * b));
  return {
    mean: w.map((a) => (a * x) / variance),
    precision: identityPlus(1 / SIGMA ** 2),
    covariance: identityPlus(-1 / variance), // by the formula of Sherman and Morrison (1950)
  };
}

// What the bars show, in nats, each from its own formula. `widths` are the standard deviations of q.
export function measuresOf(w, x, means, widths) {
  const variances = widths.map((width) => width ** 2);
  const { mean, precision } = posteriorOf(w, x);
  const spread = dot(w.map((a) => a * a), variances) / SIGMA ** 2;
  const reconstruction = logNormal(x - dot(w, means), SIGMA ** 2) - spread / 2;
  const kl = sum(variances.map((v, i) => means[i] ** 2 + v - 1 - Math.log(v))) / 2;
  const away = mean.map((m, i) => m - means[i]);
  const distance = dot(away, precision.map((row) => dot(row, away)));
  const logDeterminant = Math.log(1 + dot(w, w) / SIGMA ** 2); // of the precision
  const gap = (sum(variances.map((v, i) => precision[i][i] * v - 1 - Math.log(v))) + distance - logDeterminant) / 2;
  return { reconstruction, kl, elbo: reconstruction - kl, gap, logMarginal: logNormal(x, SIGMA ** 2 + dot(w, w)) };
}

// The means and widths of the q with the highest ELBO: the posterior, or as near as a q without correlation can come.
// Bishop (2006), "Pattern Recognition and Machine Learning", section 10.1.2.
export function bestQ(w, x) {
  const { mean, precision } = posteriorOf(w, x);
  return { means: mean, widths: precision.map((row, i) => 1 / Math.sqrt(row[i])) };
}

// `data` is not looked at.
export function mount(element) {
  const update = perFrame(draw);
  const model = dropdown("model", MODELS.map(({ name }) => name), update);
  const x = slider("x", { min: -4, max: 4, step: 0.05, value: 1.5, show: (v) => v.toFixed(2) }, update);
  const latents = [["mean of q", "width of q"], ["mean, latent 2", "width, latent 2"]].map(([mean, width]) => ({
    mean: slider(mean, { min: -3, max: 3, step: 0.01, value: 0, show: (v) => v.toFixed(2) }, update),
    // The powers of ten from 0.05 to 3.2.
    width: slider(width, { min: -1.3, max: 0.5, step: 0.01, value: -0.1, show: (v) => (10 ** v).toFixed(2) }, update),
  }));
  const rows = latents.map(({ mean, width }) => rowOf(mean.element, width.element));
  const density = latentPicture((z) => moveQ({ means: z.slice(0, MODELS[model.value].w.length) }));
  const bars = barPicture();
  const status = statusLine();

  function moveQ({ means = [], widths = [] }) {
    latents.forEach(({ mean, width }, i) => {
      if (i in means) mean.value = means[i];
      if (i in widths) width.value = Math.log10(widths[i]);
    });
    update();
  }

  function draw() {
    const { w } = MODELS[model.value];
    const used = latents.slice(0, w.length);
    const q = { means: used.map(({ mean }) => mean.value), widths: used.map(({ width }) => 10 ** width.value) };
    rows[1].hidden = w.length < 2;
    const measures = measuresOf(w, x.value, q.means, q.widths);
    density.draw(w, x.value, q);
    bars.draw(measures);
    const [elbo, gap, logMarginal] = [measures.elbo, measures.gap, measures.logMarginal].map(signed);
    status.write(`ELBO ${elbo}, gap ${gap}, log p(x) ${logMarginal} nats.`);
  }

  const jumpTo = (q) => () => moveQ(q(MODELS[model.value].w, x.value));
  const remove = place(
    element, "ELBO laboratory",
    rowOf(model.element, x.element), ...rows,
    rowOf(
      button("Jump to the best q", jumpTo(bestQ)),
      button("Jump to the prior", jumpTo((w) => ({ means: w.map(() => 0), widths: w.map(() => 1) }))),
    ),
    picture(rowOf(density.element, bars.element)), status.element,
  );
  draw();
  return remove;
}

// Three decimals with a sign; a gap of -1e-17 is a gap of +0.000.
function signed(value) {
  const text = value.toFixed(3).replace("-", "−");
  return /[1-9]/.test(text) && value < 0 ? text : `+${text.replace("−", "")}`;
}

const toX = (z) => EDGE + ((FARTHEST_Z + z) * INNER) / (2 * FARTHEST_Z);
const toY = (z) => TOP + ((FARTHEST_Z - z) * INNER) / (2 * FARTHEST_Z);
const fromPixels = (pixels) => (pixels * 2 * FARTHEST_Z) / INNER - FARTHEST_Z;
const heightOf = (density) => TOP + INNER * (1 - density / TALLEST);

// How each is drawn: the prior dashed, the posterior broad and pale, q in full, and the line w z = x dotted.
const PENS = {
  "prior p(z)": { strokeStyle: "black", lineWidth: 1.5, dash: [6, 4] },
  "posterior p(z|x)": { strokeStyle: SKY, lineWidth: 5, dash: [] },
  "q(z|x)": { strokeStyle: VERMILION, lineWidth: 2, dash: [] },
  "w z = x": { strokeStyle: "black", lineWidth: 1.5, dash: [2, 3] },
};

function trace(context, name, path) {
  const { dash, ...pen } = PENS[name];
  Object.assign(context, pen);
  context.setLineDash(dash);
  context.beginPath();
  path();
  context.stroke();
}

// Prior, posterior and q: as densities of one latent, or as ellipses of one and two standard deviations of two.
// A drag moves the mean of q.
function latentPicture(onMove) {
  const label = "Prior, true posterior and q over the latents. A drag moves the mean of q, as its sliders do.";
  const { canvas, context } = sheet(SIDE, SIDE, label);
  onDrag(canvas, (event) => {
    const [x, y] = placeOf(event, canvas, SIDE, SIDE);
    onMove([fromPixels(x - EDGE), -fromPixels(y - TOP)]);
  });

  function draw(w, x, q) {
    const posterior = posteriorOf(w, x);
    context.clearRect(0, 0, SIDE, SIDE);
    drawAxes(context, w.length);
    context.save();
    context.beginPath();
    context.rect(EDGE, TOP, INNER, INNER);
    context.clip();
    if (w.length === 1) drawDensities(context, posterior, q);
    else drawEllipses(context, posterior, q, w, x);
    drawLegend(context, w.length);
    context.restore();
  }

  return { element: canvas, draw };
}

function drawAxes(context, latents) {
  context.fillStyle = "black";
  context.textAlign = "center";
  [-4, -2, 0, 2].forEach((z) => context.fillText(z, toX(z), SIDE - EDGE / 2));
  context.fillText(latents === 1 ? "z" : "z1", toX(3.2), SIDE - EDGE / 2);
  context.textAlign = "right";
  const upwards = latents === 1 ? [[0.5, heightOf(0.5)], [1, heightOf(1)]] : [-4, -2, 0, 2].map((z) => [z, toY(z)]);
  upwards.forEach(([value, y]) => context.fillText(value, EDGE - 4, y));
  context.lineWidth = 1;
  context.strokeStyle = "#767676";
  context.setLineDash([]);
  context.strokeRect(EDGE, TOP, INNER, INNER);
}

function drawLegend(context, latents) {
  Object.keys(PENS).slice(0, latents === 1 ? 3 : 4).forEach((name, i) => {
    const y = TOP + 14 + 24 * i;
    trace(context, name, () => {
      context.moveTo(EDGE + 6, y);
      context.lineTo(EDGE + 32, y);
    });
    write(context, name, "left", EDGE + 38, y);
  });
}

function drawDensities(context, { mean, covariance }, q) {
  const normals = [
    ["prior p(z)", 0, 1],
    ["posterior p(z|x)", mean[0], Math.sqrt(covariance[0][0])],
    ["q(z|x)", q.means[0], q.widths[0]],
  ];
  for (const [name, middle, width] of normals) {
    trace(context, name, () => {
      for (let x = 0; x <= INNER; x += 0.5) {
        context.lineTo(EDGE + x, heightOf(Math.exp(logNormal(fromPixels(x) - middle, width ** 2))));
      }
    });
  }
  if (q.widths[0] * Math.sqrt(2 * Math.PI) * TALLEST < 1) {
    write(context, "q leaves the frame", "right", EDGE + INNER - 6, TOP + 92);
  }
}

function drawEllipses(context, { mean, covariance: [[a, b], [, c]] }, q, w, x) {
  const spread = Math.hypot((a - c) / 2, b);
  const axes = [spread, -spread].map((half) => Math.sqrt((a + c) / 2 + half));
  drawEllipse(context, "prior p(z)", [0, 0], [1, 1], 0);
  drawEllipse(context, "posterior p(z|x)", mean, axes, Math.atan2(2 * b, a - c) / 2);
  drawEllipse(context, "q(z|x)", q.means, q.widths, 0);
  trace(context, "w z = x", () => {
    // From the point nearest to 0, along the line to beyond both ends of the frame.
    for (const way of [-12, 12]) {
      const [z1, z2] = w.map((weight, i) => (weight * x) / dot(w, w) + way * (i ? w[0] : -w[1]));
      context.lineTo(toX(z1), toY(z2));
    }
  });
}

function drawEllipse(context, name, [z1, z2], axes, angle) {
  for (const radius of [1, 2]) {
    const [long, short] = axes.map((axis) => (radius * axis * INNER) / (2 * FARTHEST_Z));
    // Angles of a canvas turn the other way, because its y points down.
    trace(context, name, () => context.ellipse(toX(z1), toY(z2), long, short, -angle, 0, 2 * Math.PI));
  }
}

// The measures as a cascade: each bar starts where the last one ended, and every sum is a full bar.
function barPicture() {
  const label = "Bars in nats: reconstruction minus KL gives the ELBO, and ELBO plus gap gives log p(x).";
  const { canvas, context } = sheet(BARS_WIDTH, SIDE, label);
  const [left, right, pitch, thickness] = [24, BARS_WIDTH - 40, 52, 20];

  function draw(measures) {
    const starts = { kl: measures.reconstruction, gap: measures.elbo };
    const lowest = Math.min(measures.reconstruction, measures.elbo, measures.logMarginal);
    const scale = SCALES.find((limit) => -lowest <= 0.97 * limit) ?? -lowest;
    const toPixels = (nats) => left + (1 + nats / scale) * (right - left);
    context.clearRect(0, 0, BARS_WIDTH, SIDE);
    drawScale(scale, toPixels);
    context.setLineDash([4, 3]);
    drawVertical(toPixels(measures.logMarginal), "black");
    context.setLineDash([]);
    BARS.forEach(({ key, label, colour, sign }, i) => {
      const [start, length] = [starts[key] ?? 0, sign * measures[key]];
      const top = TOP + i * pitch;
      context.fillStyle = colour;
      context.fillRect(toPixels(start), top + 24, toPixels(length) - toPixels(0), thickness);
      write(context, label, "left", 8, top + 12);
      write(context, signed(length), "right", BARS_WIDTH - 8, top + 12);
    });
  }

  function drawScale(scale, toPixels) {
    context.setLineDash([]);
    drawVertical(toPixels(0), "#767676");
    context.fillStyle = "black";
    context.textAlign = "center";
    for (const share of [-1, -0.5]) context.fillText(share * scale, toPixels(share * scale), SIDE - 13);
    context.fillText("0 nats", toPixels(0), SIDE - 13);
  }

  function drawVertical(x, colour) {
    Object.assign(context, { strokeStyle: colour, lineWidth: 1 });
    context.beginPath();
    context.moveTo(x, TOP);
    context.lineTo(x, SIDE - 28);
    context.stroke();
  }

  return { element: canvas, draw };
}
