/* The desk by keyboard: "/" goes to the search, j and k or the arrows through the rows. Everything works without it. */
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    const box = document.querySelector("#q");
    if (event.key === "/" && !typing) {
      if (box) { box.focus(); box.select(); }
      else document.querySelector("[data-search]")?.click();
      event.preventDefault();
      return;
    }
    const links = [...document.querySelectorAll("[data-rows] tbody th a")];
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!step || !links.length || (typing && (typing !== box || event.key.length === 1))) return;
    const at = links.indexOf(document.activeElement);
    if (at < 0 && step < 0) return;
    if (at === 0 && step < 0 && box) box.focus();
    else links[Math.min(at + step, links.length - 1)].focus();
    event.preventDefault();
  });
})();
