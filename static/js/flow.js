// A flow's page: which event is selected, its causes, its inspector, and growth.
// The server's fragments know nothing of the viewer: selection is put on them here.
document.addEventListener("DOMContentLoaded", () => {
  const flow = document.querySelector("[data-flow]");
  const stage = document.querySelector("[data-stage]");
  const inspector = document.getElementById("inspector");
  const canvas = window.eventvizCanvas;
  const graph = () => document.getElementById("flow-graph");
  const cards = () => [...stage.querySelectorAll("a.card")];
  const asked = () => new URLSearchParams(location.search).get("event");
  const place = (card) => [Number(card.dataset.x), Number(card.dataset.y)];
  let known = new Map();
  let selected = null;
  // Where the keyboard stays when the inspector was closed over the graph.
  let held = null;
  let request = 0;

  const cardOf = (event) => cards().find((card) => card.dataset.event === event);
  const chosen = () => {
    const event = asked() ?? held;
    return event === null ? document.getElementById(graph()?.dataset.default ?? "") : cardOf(event);
  };

  function mark() {
    selected = chosen();
    for (const marked of stage.querySelectorAll(".cause")) marked.classList.remove("cause");
    for (const card of cards()) {
      card.tabIndex = card === selected ? 0 : -1;
      point(card, card === selected);
    }
    for (const row of document.querySelectorAll(".outline .row")) {
      point(row, row.dataset.event === selected?.dataset.event);
    }
    const waiting = selected ? [selected] : [];
    const seen = new Set(waiting);
    while (waiting.length) {
      const card = waiting.pop();
      for (const id of words(card.dataset.edges)) document.getElementById(id)?.classList.add("cause");
      for (const cause of words(card.dataset.causes).map((id) => document.getElementById(id))) {
        if (!cause || seen.has(cause)) continue;
        cause.classList.add("cause");
        seen.add(cause);
        waiting.push(cause);
      }
    }
  }
  const point = (link, here) => (here ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  const words = (text) => text.split(" ").filter(Boolean);

  // Asks for the inspector's content, not more often than it can be looked at.
  function inspect(url) {
    clearTimeout(request);
    request = setTimeout(() => htmx.ajax("GET", url, { target: inspector, swap: "innerHTML" }), 60);
  }
  function inspectIfChanged() {
    const shown = inspector.querySelector(".inspected");
    const same = shown?.dataset.event === selected?.dataset.event;
    if (selected && !(same && shown.dataset.version === selected.dataset.version)) inspect(selected.getAttribute("href"));
  }

  function address(event) {
    const url = new URL(location.href);
    if (event === null) url.searchParams.delete("event");
    else url.searchParams.set("event", event);
    history.replaceState(history.state, "", url);
    return url.href;
  }
  function select(event, { focus = true, open = true } = {}) {
    inspect(address(event));
    mark();
    canvas?.inspecting();
    if (open) inspector.classList.add("open");
    if (!selected) return;
    canvas?.reveal(selected);
    if (focus) selected.focus({ preventScroll: true });
  }
  // Closes what is open: the related flows, the inspector over the graph, or the choice of an
  // event where the inspector stands beside it. Returns false when nothing was.
  function close() {
    const related = document.querySelector(".related[open]");
    const over = inspector.classList.contains("open") && getComputedStyle(inspector).position === "fixed";
    if (related) related.open = false;
    else if (over || asked() !== null) {
      const focus = inspector.contains(document.activeElement) || stage.contains(document.activeElement);
      held = over ? asked() : null;
      address(null);
      inspector.classList.remove("open");
      mark();
      inspectIfChanged();
      const seen = selected?.checkVisibility() ? selected : document.querySelector(".outline [aria-current]");
      if (focus || over) seen?.focus({ preventScroll: true });
    } else return false;
    return true;
  }
  // The list as it was left, with its filters and its place.
  function leave() {
    const from = document.referrer && new URL(document.referrer);
    const listed = from && from.origin === location.origin && from.pathname === "/flows/";
    if (listed && history.length > 1) history.back();
    else location.href = listed ? from.href : "/flows/";
  }

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest("a[data-event]");
    if (link) {
      event.preventDefault();
      select(link.dataset.event, { focus: !link.closest(".outline, #inspector") });
    } else if (event.target.closest("[data-close]")) {
      event.preventDefault();
      close();
    } else if (event.target.closest("[data-list]")) {
      toggleList();
    } else if (event.target.closest("[data-live]")) {
      returnToLive();
    }
  });

  function toggleList() {
    const list = flow.dataset.view !== "list";
    flow.dataset.view = list ? "list" : "graph";
    document.querySelector("[data-list]").setAttribute("aria-pressed", String(list));
  }
  function returnToLive() {
    held = null;
    address(null);
    canvas.follow();
    mark();
    inspectIfChanged();
    canvas.open(selected);
  }

  function remember() {
    known = new Map(cards().map((card) => [card.id, place(card)]));
  }
  function grown() {
    flow.dataset.growing = "";
    document.title = document.getElementById("flow-head").dataset.title;
    const left = document.activeElement === document.body && lastFocus ? document.getElementById(lastFocus) : null;
    const anchor = selected && document.getElementById(selected.id);
    const before = anchor && known.get(anchor.id);
    canvas?.measure();
    mark();
    for (const card of cards()) if (known.size && !known.has(card.id)) card.classList.add("fresh");
    left?.focus({ preventScroll: true });
    if (canvas?.following) canvas.open(selected);
    else if (before) canvas?.keep(place(anchor)[0] - before[0], place(anchor)[1] - before[1]);
    inspectIfChanged();
    remember();
  }
  let lastFocus = "";
  stage.addEventListener("focusin", (event) => { lastFocus = event.target.id; });
  stage.addEventListener("focusout", (event) => { if (event.relatedTarget) lastFocus = ""; });
  new MutationObserver(grown).observe(stage, { childList: true });

  window.eventvizFlow = { cards, place, words, select, close, leave, toggleList, get selected() { return selected; } };
  canvas?.measure();
  mark();
  canvas?.open(selected);
  remember();
});
