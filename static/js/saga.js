// A saga's page: keys between steps, the current step in sight, the focus kept when it grows.
(() => {
  const saga = document.querySelector("[data-saga]");
  const stage = () => document.getElementById("saga-track");
  const cards = () => [...(stage()?.querySelectorAll("a.card") ?? [])];
  let held = "";
  let left = 0;

  function show(card) {
    if (!card || !stage()) return;
    const [box, room] = [card.getBoundingClientRect(), stage().getBoundingClientRect()];
    if (box.left < room.left + 24 || box.right > room.right - 24) {
      stage().scrollLeft += box.left - room.left - room.width / 2 + box.width / 2;
    }
  }

  // What is going on is in sight when the page opens; later nothing moves under the reader.
  show(cards().find((card) => "current" in card.dataset) ?? cards().findLast((card) => card.matches(".fail, .late")));

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id !== "saga-track") return;
    left = stage().scrollLeft;
    held = stage().contains(document.activeElement) ? document.activeElement.id : "";
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target.id !== "saga-track") return;
    stage().scrollLeft = left;
    if (held) document.getElementById(held)?.focus({ preventScroll: true });
  });

  const column = (card) => Number(card.dataset.column);
  const lower = (card) => card.dataset.lower === "1";
  function neighbour(card, key) {
    const row = cards().filter((one) => lower(one) === lower(card)).sort((one, other) => column(one) - column(other));
    if (key === "ArrowRight") return row[row.indexOf(card) + 1];
    if (key === "ArrowLeft") return row[row.indexOf(card) - 1];
    return cards().find((one) => column(one) === column(card) && lower(one) === (key === "ArrowDown"));
  }

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "l") {
      if (saga.dataset.view) delete saga.dataset.view;
      else saga.dataset.view = "list";
    } else if (event.key === "Escape") {
      location.href = document.querySelector("#saga-head .crumb a").href;
    } else if (event.key.startsWith("Arrow")) {
      const here = event.target.closest("#saga-track a.card");
      const next = here ? neighbour(here, event.key) : cards().find((card) => "current" in card.dataset) ?? cards()[0];
      if (!next || (!here && event.key !== "ArrowRight" && event.key !== "ArrowLeft")) return;
      event.preventDefault();
      next.focus({ preventScroll: true });
      show(next);
    }
  });
})();
