/* What HTML and htmx leave open. Everything works without it. */
(() => {
  "use strict";
  const find = (selector, root = document) => root.querySelector(selector);

  /* A form for the bank is sent by itself, but not again on coming back from there. */
  const send = () => {
    const form = find("form[data-send]");
    const [visit] = performance.getEntriesByType("navigation");
    if (form && (!visit || visit.type === "navigate")) form.submit();
  };

  /* What went wrong gets the focus, on load and after a swap; a swap that took the focused control away
     hands the focus to its region's heading. */
  const focus = (root) => {
    const wrong = find("[data-focus]", root);
    if (wrong) wrong.focus();
    else if (document.activeElement === document.body) {
      const next = find("[data-refocus]", root);
      if (next) next.focus({ preventScroll: true });
    }
  };

  document.addEventListener("DOMContentLoaded", () => { send(); if (find("[data-focus]")) focus(document); });
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = event.detail.target;
    if (event.detail.requestConfig && event.detail.requestConfig.verb !== "get") {
      focus(target.isConnected ? target : find("#" + target.id) || document);
    }
  });

  /* A slider and the field beside it show one number; before htmx asks what it comes to. */
  document.addEventListener("input", ({ target }) => {
    const other = target.dataset?.pair && find("#" + target.dataset.pair);
    if (other) other.value = target.type === "range" ? target.value : target.value.replace(/[^0-9]/g, "") || "0";
  }, true);

  /* What is told of a field that was not swapped marks it, or takes the mark away. */
  document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    const field = elt.dataset?.of && find("#" + elt.dataset.of);
    if (!field) return;
    if (find(".err", elt)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  });

  /* A thin line under the header when an answer takes longer than a moment. */
  let waiting;
  document.addEventListener("htmx:beforeRequest", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => find("#busy")?.classList.add("htmx-request"), 200);
  });
  document.addEventListener("htmx:afterRequest", () => {
    clearTimeout(waiting);
    find("#busy")?.classList.remove("htmx-request");
  });

  /* Errors are said in the flash region, never inside what was asked for. */
  const say = (text) => { const flash = find("#flash"); if (flash) flash.textContent = text; };
  document.addEventListener("htmx:responseError", (event) => {
    const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
    say((find("[data-say]", page) || page.body).textContent.trim().slice(0, 300));
  });
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline || "…"));

  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) print(); });

  /* A link that is to be sent: by what the device shares with, or else copied. */
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest?.("[data-copy]");
    if (!button) return;
    const field = find(button.dataset.copy);
    field.select();
    try {
      if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ url: field.value });
      else { await navigator.clipboard.writeText(field.value); say(button.dataset.said); }
    } catch { /* It stands in its field, marked. */ }
  });

  /* Hearts and comparison: pages are kept for everybody, so what this visitor chose is marked here. A press says what is
     meant, for the page may be older than the choice. */
  const mark = () => {
    const chosen = find("#zgjedhjet");
    for (const button of chosen ? document.querySelectorAll("[data-choose]") : []) {
      button.setAttribute("aria-pressed", chosen.dataset[button.dataset.choose].split(" ").includes(button.value));
    }
  };
  document.addEventListener("DOMContentLoaded", mark);
  document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    if (elt.id === "zgjedhjet" || find("[data-choose]", elt)) mark();
  });
  for (const trouble of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(trouble, mark);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-choose][aria-pressed]");
    if (!button) return;
    const off = button.getAttribute("aria-pressed") === "true";
    button.dataset.off = off ? "1" : "";
    button.setAttribute("aria-pressed", !off);
  }, true);
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.dataset.off) detail.parameters.hiq = "1";
  });

  /* Arrow keys go through the suggestions; Escape closes them. */
  document.addEventListener("keydown", (event) => {
    const search = event.target.closest?.(".search");
    if (!search) return;
    const links = [...search.querySelectorAll(".suggestions a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape" && links.length) find(".suggestions", search).replaceChildren();
    else if (event.key === "ArrowDown" && links.length) (links[at + 1] || links[0]).focus();
    else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] || find("input", search)).focus();
    else return;
    event.preventDefault();
  });
  /* What was pressed shows at once: the question to the shop is put together after the next paint, unless an answer
     is on its way that could take away what was pressed. */
  document.addEventListener("htmx:confirm", (event) => {
    const { verb, triggeringEvent, issueRequest } = event.detail;
    if (verb !== "get" || document.hidden || find(".htmx-request") || !["change", "click"].includes(triggeringEvent?.type)) return;
    event.preventDefault();
    requestAnimationFrame(() => setTimeout(() => issueRequest(true)));
  });

  /* The service worker comes when all else is there; its address is another one with each new version. */
  const { worker } = document.currentScript.dataset;
  const idle = window.requestIdleCallback || setTimeout;
  addEventListener("load", () => idle(() => {
    navigator.serviceWorker?.register(worker, { scope: "/", updateViaCache: "all" }).catch(() => {});
  }));

  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) for (const list of document.querySelectorAll(".suggestions")) list.replaceChildren();
  });
})();
