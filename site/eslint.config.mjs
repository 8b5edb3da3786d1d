// What `make check` asks of the course's scripts: the rules that eslint recommends.
import js from "@eslint/js";
import globals from "globals";

const ofDecks = { katex: "readonly", Reveal: "readonly", RevealNotes: "readonly" };

export default [
  { ignores: ["site/node_modules/"] },
  js.configs.recommended,
  { files: ["course_utils/explorers/web/*.js"], languageOptions: { globals: globals.browser } },
  {
    files: ["site/static/*.js", "site/slides/*.js"],
    languageOptions: { sourceType: "script", globals: { ...globals.browser, ...ofDecks } },
  },
  { files: ["site/formulas.js"], languageOptions: { sourceType: "commonjs", globals: globals.node } },
  { files: ["tests/web/*.mjs"], languageOptions: { globals: globals.node } },
];
