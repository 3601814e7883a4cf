// Pan and zoom of the graph. The drawing inside is swapped whole while it grows: the place of the
// stage stays, and a card that stood somewhere on the screen stays there.
(() => {
  const canvas = document.querySelector("[data-canvas]");
  const stage = canvas?.querySelector("[data-stage]");
  if (!stage) return;
  const READABLE = 0.57;
  const COMFORTABLE = 0.7;
  const MARGIN = 40;
  const EDGE = 16;
  // The height of the tools and of the legend.
  const TOOLS = 48;
  let view = { x: 0, y: 0, k: 1 };
  let following = true;
  let size = { width: 0, height: 0 };
  const live = canvas.querySelector("[data-live]");
  const percent = canvas.querySelector("[data-zoom=one]");

  canvas.querySelector(".tools").hidden = false;
  canvas.dataset.moving = "";

  function measure() {
    const svg = stage.querySelector("svg.graph");
    size = { width: Number(svg?.getAttribute("width")) || 0, height: Number(svg?.getAttribute("height")) || 0 };
  }

  function show(next) {
    view = { ...view, ...next };
    stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`;
    percent.textContent = `${Math.round(view.k * 100)}%`;
    canvas.dispatchEvent(new CustomEvent("flow:view", { detail: { view, size } }));
    live.hidden = following || !document.querySelector("[data-flow]").matches("[data-growing]");
  }

  const room = () => ({ width: canvas.clientWidth, height: canvas.clientHeight - TOOLS });
  const wholly = () => Math.min(room().width / size.width, room().height / size.height, 1);

  // Everything, however small.
  function fit() {
    if (!size.width || !canvas.clientWidth) return;
    const k = wholly();
    show({ k, x: Math.min((room().width - size.width * k) / 2, 24), y: Math.min((room().height - size.height * k) / 2, 90) });
  }

  // The first view: everything while it can be read, else the beginning, or as much of what
  // stands before `card` as there is room for.
  function open(card) {
    if (!size.width || !canvas.clientWidth || wholly() >= READABLE) return fit();
    const k = size.height * COMFORTABLE < room().height ? COMFORTABLE : READABLE;
    const free = room().height - size.height * k;
    show({ k, x: 0, y: free > 0 ? Math.min(free / 2, 90) : 0 });
    if (!card) return;
    const { x, y } = view;
    reveal(card);
    // A column is either shown or left out: none is cut at the left.
    const columns = [...stage.querySelectorAll("a.card")].map((one) => Number(one.dataset.x));
    const first = Math.min(...columns.filter((at) => at * k + view.x >= 0));
    show({ x: view.x < x ? EDGE - first * k : x, y: Math.min(view.y, y) });
  }

  // Moves just as far as needed to show a card with some room around it; what is seen whole stays.
  function reveal(card) {
    const along = (at, whole, start, length, end) =>
      at >= 0 && at + whole <= end ? at : Math.min(Math.max(at, MARGIN - start), end - MARGIN - length - start);
    const { k } = view;
    show({
      x: along(view.x, size.width * k, card.dataset.x * k, 176 * k, canvas.clientWidth),
      y: along(view.y, size.height * k, card.dataset.y * k, 76 * k, canvas.clientHeight - 40),
    });
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const k = Math.min(Math.max(view.k * factor, Math.min(view.k, 0.08)), 2.5);
    show({ k, x: x - ((x - view.x) * k) / view.k, y: y - ((y - view.y) * k) / view.k });
  }

  function inspecting() {
    following = false;
    show({});
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".tools, .outline, .map")) return;
    drag = { x: event.clientX - view.x, y: event.clientY - view.y, far: false, at: [event.clientX, event.clientY] };
  });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.far && Math.hypot(event.clientX - drag.at[0], event.clientY - drag.at[1]) < 5) return;
    drag.far = true;
    canvas.dataset.moving = "drag";
    following = false;
    show({ x: event.clientX - drag.x, y: event.clientY - drag.y });
  });
  window.addEventListener("pointerup", () => {
    // A click that ends a drag selects nothing.
    if (drag?.far) window.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
    setTimeout(() => { canvas.dataset.moving = ""; }, 0);
    drag = null;
  });
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  let settle = 0;
  canvas.addEventListener("wheel", (event) => {
    if (event.target.closest(".outline") || innerWidth < 700) return;
    event.preventDefault();
    canvas.dataset.moving = "wheel";
    clearTimeout(settle);
    settle = setTimeout(() => { canvas.dataset.moving = ""; }, 160);
    following = false;
    const box = canvas.getBoundingClientRect();
    // Two fingers on a pad push the sheet, pinching and a mouse's wheel zoom.
    const pad = !event.ctrlKey && event.deltaMode === 0 && (event.deltaX || Math.abs(event.deltaY) < 40);
    if (event.shiftKey || pad) show({ x: view.x - (event.deltaX || (event.shiftKey ? event.deltaY : 0)), y: view.y - (event.shiftKey ? 0 : event.deltaY) });
    else zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 300), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  const actions = { in: () => zoom(1.25), out: () => zoom(0.8), one: () => zoom(1 / view.k), fit };
  canvas.addEventListener("click", (event) => {
    const action = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (action) { actions[action](); inspecting(); }
  });

  new ResizeObserver(() => { if (following) open(stage.querySelector(".card[aria-current]")); }).observe(canvas);

  window.eventvizCanvas = {
    open, reveal, measure, inspecting,
    act: (name) => { actions[name](); inspecting(); },
    follow: () => { following = true; },
    centre: (x, y) => {
      inspecting();
      show({ x: canvas.clientWidth / 2 - x * view.k, y: canvas.clientHeight / 2 - y * view.k });
    },
    get following() { return following; },
    // After a swap: nobody who looks at a card may lose it.
    keep(dx, dy) { show({ x: view.x - dx * view.k, y: view.y - dy * view.k }); },
  };
})();
