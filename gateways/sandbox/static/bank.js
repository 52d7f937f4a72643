"use strict";
const form = document.getElementById("return");
let sent = false;
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});
// Coming back with the back button must not send the shopper away again.
const [visit] = performance.getEntriesByType("navigation");
if (!visit || visit.type !== "back_forward") {
  const soon = document.getElementById("soon");
  soon.textContent = soon.dataset.text;
  setTimeout(() => form.requestSubmit(), Number(form.dataset.seconds) * 1000);
}
