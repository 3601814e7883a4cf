// The keyboard on a flow's page: arrows follow causality, + - 0 1 zoom, l lists, Enter inspects,
// Escape closes and then goes back to the flows.
(() => {
  // Along causality where there is some, else to the nearest card that way.
  function neighbour(flow, key) {
    const { selected, place, words } = flow;
    const [x, y] = place(selected);
    const all = flow.cards().filter((card) => card !== selected);
    if (key === "ArrowLeft") {
      const cause = words(selected.dataset.causes).map((id) => document.getElementById(id)).find(Boolean);
      if (cause) return cause;
    }
    const effects = all.filter((card) => words(card.dataset.causes).includes(selected.id));
    if (key === "ArrowRight" && effects.length) return effects[0];
    const level = key === "ArrowLeft" || key === "ArrowRight";
    const forward = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
    const steps = all
      .map((card) => [card, place(card)])
      .map(([card, [cx, cy]]) => (level ? [card, (cx - x) * forward, Math.abs(cy - y)] : [card, (cy - y) * forward, Math.abs(cx - x)]))
      .filter(([, ahead, aside]) => ahead > 0 && aside < (level ? 40 : 120));
    return steps.sort((one, other) => one[1] - other[1])[0]?.[0];
  }

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
    const zooms = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "one" };
    const flow = window.eventvizFlow;
    const canvas = window.eventvizCanvas;
    const inspector = document.getElementById("inspector");
    const listed = document.querySelector("[data-flow]").dataset.view === "list";
    if (event.key === "Escape") flow.close() || flow.leave();
    else if (event.key === "l") flow.toggleList();
    else if (zooms[event.key] && !listed) canvas?.act(zooms[event.key]);
    else if (event.key.startsWith("Arrow") && flow.selected && !event.target.closest("#inspector, .outline")) {
      event.preventDefault();
      const next = neighbour(flow, event.key);
      if (next) flow.select(next.dataset.event, { open: inspector.classList.contains("open") });
    } else if (event.key === "Enter" && flow.selected && event.target.closest("a.card")) {
      event.preventDefault();
      inspector.classList.add("open");
      document.getElementById("inspected-title")?.focus();
    }
  });
})();
