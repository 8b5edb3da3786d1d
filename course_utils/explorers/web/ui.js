// What the demos are built from: labelled controls, grey pictures, a map of classes. Keyboard, pointer and touch.

// Okabe and Ito's colours, as in course_utils/plots.py.
export const BLUE = "#0072B2";
export const ORANGE = "#E69F00";
export const VERMILION = "#D55E00";
export const PALETTE = [
  BLUE,
  ORANGE,
  "#009E73",
  "#CC79A7",
  "#56B4E9",
  VERMILION,
  "#7A4A1E",
  "#000000",
  "#BBBBBB",
  "#F0E442",
];

// The size of all letters, unless the page sets another one in --demo-letters, as the slides do.
const LETTERS = "14px";

// Texts and lines take the colour of the page, which may be dark; maps and pads are sheets of white paper.
const STYLE = `
.course-demo { color: inherit; font: var(--demo-letters, ${LETTERS})/1.4 system-ui, sans-serif; max-width: 100%; }
.course-demo .row { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: flex-start; }
.course-demo .pictures { display: flex; flex-wrap: wrap; gap: 8px; }
.course-demo .row > .wide { flex: 1 1 300px; }
.course-demo .row.last-first { flex-wrap: wrap-reverse; align-items: flex-end; }
.course-demo .column { display: flex; flex-direction: column; gap: 8px; min-width: 0; }
.course-demo label { display: grid; grid-template-columns: 6em minmax(6em, 1fr) 3em; gap: 8px; align-items: center; }
.course-demo label { max-width: 480px; }
.course-demo label.check { grid-template-columns: auto 1fr; }
.course-demo input[type=range] { width: 100%; min-height: 24px; margin: 0; accent-color: ${BLUE}; }
.course-demo select { grid-column: 2 / -1; min-width: 0; }
.course-demo select, .course-demo button { font: inherit; min-height: 28px; padding: 2px 10px; color: inherit;
  background: transparent; border: 1px solid currentColor; border-radius: 4px; cursor: pointer; }
.course-demo option { color: black; background: white; }
.course-demo button[aria-pressed=true] { font-weight: bold; box-shadow: inset 0 -3px ${BLUE}; }
.course-demo :focus-visible { outline: 3px solid ${ORANGE}; outline-offset: 2px; }
.course-demo canvas { display: block; max-width: 100%; }
.course-demo canvas.grey { image-rendering: pixelated; outline: 1px solid #767676; }
.course-demo canvas.sheet { background: white; border: 1px solid #767676; box-sizing: border-box; }
.course-demo figure { margin: 0; } .course-demo figcaption { min-height: 1.4em; }
.course-demo p { margin: 0; } .course-demo .picture { width: fit-content; max-width: 100%; }
.course-demo [role=status] { width: 0; min-width: 100%; min-height: 1.4em; }
.course-demo [hidden] { display: none; }
.course-demo canvas.marked { outline: 3px solid ${VERMILION}; outline-offset: 1px; }
`;

// An element with attributes and children; properties that start with "on" are listeners.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const column = (...children) => make("div", { class: "column" }, ...children);
// In a row, it takes the place that is left, if that is 300 pixels at least.
export const wideColumn = (...children) => make("div", { class: "column wide" }, ...children);
export const rowOf = (...children) => make("div", { class: "row" }, ...children);
// What a still of the demo shows, where workshop/stills.py takes it.
export const picture = (...children) => make("div", { class: "picture" }, ...children);

// Puts a demo into the page, and returns what takes it out again.
export function place(element, label, ...children) {
  const demo = make(
    "div",
    { class: "course-demo", role: "group", "aria-label": label },
    make("style", {}, STYLE),
    ...children,
  );
  // Otherwise JupyterLab takes the arrow keys.
  demo.addEventListener("keydown", (event) => event.stopPropagation());
  element.append(demo);
  return () => demo.remove();
}

// Calls `draw` once before the next frame, however often it was asked for.
export function perFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

// --- controls ---

// {element, value}; `show` writes the value beside the slider. Arrow keys, pointer and touch come with the browser.
export function slider(label, { min = 0, max, step = 1, value = min, show = String }, onInput) {
  // The name is without the value, which would be read twice.
  const input = make("input", { type: "range", min, max, step, value, "aria-label": label });
  const shown = make("span", {}, show(value));
  const control = {
    element: make("label", {}, label, input, shown),
    get value() {
      return input.valueAsNumber;
    },
    set value(number) {
      input.value = number;
      shown.textContent = show(number);
    },
  };
  input.addEventListener("input", () => {
    shown.textContent = show(input.valueAsNumber);
    onInput(input.valueAsNumber);
  });
  return control;
}

// {element, value}: the index of the chosen option.
export function dropdown(label, options, onInput, value = 0) {
  const select = make(
    "select",
    { oninput: () => onInput(select.selectedIndex) },
    ...options.map((name) => make("option", {}, name)),
  );
  select.selectedIndex = value;
  return {
    element: make("label", {}, label, select),
    get value() {
      return select.selectedIndex;
    },
    set value(index) {
      select.selectedIndex = index;
    },
  };
}

export function checkbox(label, checked, onInput) {
  const input = make("input", { type: "checkbox", oninput: () => onInput(input.checked) });
  input.checked = checked;
  return {
    element: make("label", { class: "check" }, input, label),
    get value() {
      return input.checked;
    },
  };
}

export const button = (label, onClick) => make("button", { type: "button", onclick: onClick }, label);

// A line that screen readers read when it changes.
export function statusLine() {
  const element = make("p", { role: "status" });
  return {
    element,
    write: (text) => {
      if (element.textContent !== text) element.textContent = text;
    },
  };
}

// --- pictures ---

// {element, show(values, caption)}: a grey picture of 28 x 28, bytes or pixels from 0 to 1, with a caption below it.
export function greyPicture(side, label, pixels = 28) {
  const canvas = make("canvas", {
    class: "grey",
    role: "img",
    "aria-label": label,
    width: pixels,
    height: pixels,
    style: `width:${side}px;height:${side}px`,
  });
  const caption = make("figcaption", { style: `max-width:${side}px` });
  const context = canvas.getContext("2d");
  const image = context.createImageData(pixels, pixels);
  image.data.fill(255);
  return {
    element: make("figure", {}, canvas, caption),
    show(values, text = "", marked = false) {
      const factor = values instanceof Uint8Array ? 1 : 255;
      const { data } = image;
      // The image's bytes are clamped and rounded by the browser.
      for (let i = 0; i < values.length; i++) data[4 * i] = data[4 * i + 1] = data[4 * i + 2] = factor * values[i];
      context.putImageData(image, 0, 0);
      canvas.classList.toggle("marked", marked);
      if (caption.textContent === text) return; // the page is not laid out again
      caption.textContent = text;
      canvas.setAttribute("aria-label", text ? `${label}: ${text}` : label);
    },
  };
}

// {element, show(list of {values, caption, marked})}: grey pictures, `columns` of them in a row where there is room.
export function greyPictures(side, label, count, columns = count) {
  const pictures = Array.from({ length: count }, (_, index) => greyPicture(side, `${label} ${index + 1}`));
  const style = `max-width:${columns * (side + 8)}px`;
  return {
    element: make("div", { class: "pictures", style }, ...pictures.map((picture) => picture.element)),
    show: (list) => list.forEach(({ values, caption, marked }, index) => pictures[index].show(values, caption, marked)),
  };
}

// A canvas of white paper whose units are CSS pixels, sharp on every screen: {canvas, context}. `options` are those of
// the context. Its letters are as large as those around it, and what is drawn leaves room for 20 pixels, as on slides;
// a text stands around the middle of its line.
export function sheet(width, height, label, options = {}) {
  const scale = window.devicePixelRatio || 1;
  const canvas = make("canvas", {
    class: "sheet",
    role: "img",
    "aria-label": label,
    width: Math.round(width * scale),
    height: Math.round(height * scale),
    style: `width:${width}px;aspect-ratio:${width}/${height}`,
  });
  const context = canvas.getContext("2d", options);
  context.scale(scale, scale);
  const letters = getComputedStyle(document.documentElement).getPropertyValue("--demo-letters") || LETTERS;
  Object.assign(context, { font: `${letters} system-ui, sans-serif`, textBaseline: "middle" });
  return { canvas, context };
}

// Writes on a sheet in black, with paper around the letters, so that no line strikes them out.
export function write(context, text, align, x, y) {
  context.save();
  context.setLineDash([]);
  Object.assign(context, { textAlign: align, fillStyle: "black" });
  Object.assign(context, { strokeStyle: "white", lineWidth: 4, lineJoin: "round" });
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  context.restore();
}

// Where a pointer is on a canvas, in the units of a sheet of that size: [x, y].
export function placeOf(event, canvas, width, height) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
}

// Calls `move(event)` from the press of a pointer to its release, wherever it goes in between.
export function onDrag(canvas, move, begin = move) {
  canvas.style.touchAction = "none"; // or a finger would scroll the page
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    begin(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) move(event);
  });
}

// --- the map of classes ---

const ARROW_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

// {element, moveTo(x, y)}: points coloured by class, and one point to move, by drag, click or arrow keys.
//
// `points` (N x 2, row by row), `labels` and the `limits` [[left, right], [bottom, top]]; `onMove(x, y)` hears of each
// move by the reader. `names` are those of the two axes.
export function classMap({ points, labels, limits, names, label, width = 460, height = 420 }, onMove) {
  const [[left, right], [bottom, top]] = limits;
  const edge = { left: 58, right: 8, top: 8, bottom: 52 };
  const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom };
  const toX = (x) => edge.left + ((x - left) / (right - left)) * inner.width;
  const toY = (y) => edge.top + ((top - y) / (top - bottom)) * inner.height;
  const { canvas, context } = sheet(width, height, label);
  const background = sheet(width, height, "");
  drawMap(background.context);
  let place = [(left + right) / 2, (bottom + top) / 2];

  function drawMap(pen) {
    pen.strokeStyle = "#767676";
    pen.strokeRect(edge.left, edge.top, inner.width, inner.height);
    pen.fillStyle = "black";
    pen.textAlign = "center";
    for (const x of ticks(left, right)) pen.fillText(x, toX(x), height - 38);
    pen.fillText(names[0], edge.left + inner.width / 2, height - 14);
    pen.textAlign = "right";
    for (const y of ticks(bottom, top)) pen.fillText(y, edge.left - 5, toY(y));
    pen.fillText(names[1], edge.left - 32, edge.top + 12);
    pen.save();
    pen.beginPath();
    pen.rect(edge.left, edge.top, inner.width, inner.height);
    pen.clip();
    pen.globalAlpha = 0.6;
    labels.forEach((kind, index) => {
      pen.fillStyle = PALETTE[kind % PALETTE.length];
      pen.fillRect(toX(points[2 * index]) - 1.25, toY(points[2 * index + 1]) - 1.25, 2.5, 2.5);
    });
    pen.restore();
    drawBadges(pen);
  }

  // The number of each class in the middle of its points, since ten colours are too many to be told apart.
  function drawBadges(pen) {
    const kinds = [...new Set(labels)];
    const middles = kinds.map((kind) => {
      const own = [...labels.keys()].filter((index) => labels[index] === kind);
      return [toX(median(own.map((i) => points[2 * i]))), toY(median(own.map((i) => points[2 * i + 1])))];
    });
    pen.textAlign = "center";
    const places = apart(middles, 28);
    const colour = (index) => PALETTE[kinds[index] % PALETTE.length];
    // A number that was moved is tied to its middle.
    places.forEach(([x, y], index) => {
      Object.assign(pen, { strokeStyle: colour(index), lineWidth: 1.5 });
      pen.beginPath();
      pen.moveTo(...middles[index]);
      pen.lineTo(x, y);
      pen.stroke();
    });
    places.forEach(([x, y], index) => {
      Object.assign(pen, { fillStyle: "white", strokeStyle: colour(index), lineWidth: 2.5 });
      disc(pen, x, y, 12);
      pen.fillStyle = "black";
      pen.fillText(kinds[index], x, y);
    });
  }

  function draw() {
    context.clearRect(0, 0, width, height);
    context.drawImage(background.canvas, 0, 0, width, height);
    Object.assign(context, { fillStyle: VERMILION, strokeStyle: "white", lineWidth: 2 });
    disc(context, toX(place[0]), toY(place[1]), 8);
  }

  function moveTo(x, y) {
    place = [clamp(x, left, right), clamp(y, bottom, top)];
    draw();
  }

  function moveByReader(x, y) {
    moveTo(x, y);
    onMove(...place);
  }

  onDrag(canvas, (event) => {
    const [x, y] = placeOf(event, canvas, width, height);
    moveByReader(
      left + ((x - edge.left) / inner.width) * (right - left),
      top - ((y - edge.top) / inner.height) * (top - bottom),
    );
  });
  canvas.tabIndex = 0;
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in ARROW_KEYS)) return;
    event.preventDefault();
    const [across, up] = ARROW_KEYS[event.key];
    moveByReader(place[0] + (across * (right - left)) / 100, place[1] + (up * (top - bottom)) / 100);
  });
  return { element: canvas, moveTo };
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}

// About six round numbers between two limits.
export function ticks(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

// The places, where any two that are nearer than `distance` have pushed each other away, as `plots._apart` does.
function apart(places, distance) {
  for (let round = 0; round < 100; round++) {
    places = places.map(([x, y]) => {
      let push = [0, 0];
      for (const [otherX, otherY] of places) {
        const length = Math.hypot(x - otherX, y - otherY) + 1e-9;
        const share = Math.max(distance - length, 0) / 2 / length;
        push = [push[0] + (x - otherX) * share, push[1] + (y - otherY) * share];
      }
      return [x + push[0], y + push[1]];
    });
  }
  return places;
}
