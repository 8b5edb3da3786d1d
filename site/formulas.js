// Reads formulas, a JSON list of [TeX, whether it is displayed], and writes the HTML of each, as a JSON list.
const { readFileSync } = require("node:fs");
const katex = require("katex");

const formulas = JSON.parse(readFileSync(0, "utf8"));
const html = formulas.map(([tex, displayMode]) => katex.renderToString(tex, { displayMode, strict: false }));
process.stdout.write(JSON.stringify(html));
