// Typesets the formulas, fits each slide to its letters and its letters to the slide, and starts the deck.

// Letters in pixels: the smallest of print, those beside a picture, and those where no picture wants the place.
const PRINT = 20;
const BESIDE_A_PICTURE = [24];
const ALONE = [32, 29, 26];

for (const formula of document.querySelectorAll(".math")) {
  katex.render(formula.textContent, formula, {
    displayMode: formula.classList.contains("block"),
    // The speaker's window has no style sheet of KaTeX; browsers draw MathML by themselves.
    output: formula.closest(".notes") ? "mathml" : "htmlAndMathml",
  });
  // A full stop stays with the formula before it.
  const stop = formula.nextSibling?.data?.match(/^[.,;:?!)]+/)?.[0];
  if (formula.classList.contains("inline") && stop) {
    formula.nextSibling.data = formula.nextSibling.data.slice(stop.length);
    formula.append(stop);
    formula.style.whiteSpace = "nowrap";
  }
}

// One picture that is not much wider than high stands beside the words; very wide ones stand below each other.
function place(figure) {
  const shapes = [...figure.querySelectorAll("img")].map((picture) => picture.naturalWidth / picture.naturalHeight);
  const shown = figure.closest(".shown");
  shown.classList.toggle("beside", shapes.length === 1 && shapes[0] < 1.3 && shown.children.length > 1);
  figure.classList.toggle("stacked", shapes.length > 1 && Math.min(...shapes) > 2);
}

// The largest letters with which all words fit.
function fit(slide) {
  const shown = slide.querySelector(".shown");
  const overflows = () => shown.scrollHeight > shown.clientHeight;
  if (overflows()) shown.classList.remove("beside");
  for (const size of shown.querySelector("figure") ? BESIDE_A_PICTURE : ALONE) {
    shown.style.fontSize = `${size}px`;
    shown.querySelectorAll("pre, .math.block").forEach(narrow);
    if (!overflows()) break;
  }
  shown.querySelectorAll(".course-demo").forEach(scale);
}

// The largest scale at which a demo has its place.
function scale(demo) {
  const place = demo.closest("[data-demo]").getBoundingClientRect();
  for (let zoom = 1.6; zoom > 0.5; zoom -= 0.05) {
    demo.style.zoom = zoom;
    const { width, height } = demo.getBoundingClientRect();
    if (width <= place.width && height <= place.height) break;
  }
}

// Smaller letters for a formula or print that is too wide; where they would be too small, its lines are wrapped.
function narrow(wide) {
  wide.style.fontSize = "";
  wide.classList.remove("wrapped");
  const size = parseFloat(getComputedStyle(wide).fontSize) * Math.min(1, wide.clientWidth / wide.scrollWidth);
  wide.style.fontSize = `${Math.max(PRINT, Math.floor(size))}px`;
  wide.classList.toggle("wrapped", size < PRINT);
}

window.addEventListener("load", () => {
  document.querySelectorAll(":is(.shown, .answer) > figure").forEach(place);
  Reveal.on("ready", (event) => fit(event.currentSlide));
  Reveal.on("slidechanged", (event) => fit(event.currentSlide));
  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    controlsLayout: "edges",
    hash: true,
    slideNumber: "c/t",
    transition: "none",
    plugins: [RevealNotes],
  });
});
