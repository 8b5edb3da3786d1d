// A formula that is wider than the page is scrolled, so the keyboard must reach it; the theme sees to code alone.
function reachWideFormulas() {
  for (const formula of document.querySelectorAll(".katex-display"))
    formula.tabIndex = formula.scrollWidth > formula.clientWidth ? 0 : -1;
}

addEventListener("load", reachWideFormulas);
addEventListener("resize", reachWideFormulas);
