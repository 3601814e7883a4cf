// Pan and zoom of the graph. The drawing inside is swapped whole while it grows: the place of the
// stage stays, and a card that stood somewhere on the screen stays there.
(() => {
  const canvas = document.querySelector("[data-canvas]");
  const stage = canvas?.querySelector("[data-stage]");
  if (!stage) return;
  const READABLE = 0.62;
  const COMFORTABLE = 0.85;
  const MARGIN = 40;
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

  // As large as it fits, but readable; what does not fit begins at the left, or ends at `card`.
  function fit(card) {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!size.width || !width) return;
    const whole = Math.min(width / size.width, (height - 48) / size.height, 1);
    // What cannot be seen whole anyway is better read than overviewed.
    const k = whole >= READABLE ? whole : size.height * COMFORTABLE < height - 48 ? COMFORTABLE : READABLE;
    const x = Math.max((width - size.width * k) / 2, 0);
    const room = height - 48 - size.height * k;
    show({ k, x: size.width * k < width ? Math.min(x, 24) : 0, y: room > 0 ? Math.min(room / 2, 90) : 0 });
    if (card) reveal(card);
  }

  // Moves just as far as needed to show a card with some room around it.
  function reveal(card) {
    const x = Number(card.dataset.x) * view.k;
    const y = Number(card.dataset.y) * view.k;
    const along = (at, start, length, room) =>
      Math.min(Math.max(at, MARGIN - start), room - MARGIN - length - start);
    show({
      x: along(view.x, x, 176 * view.k, canvas.clientWidth),
      y: along(view.y, y, 76 * view.k, canvas.clientHeight - 40),
    });
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const k = Math.min(Math.max(view.k * factor, 0.08), 2.5);
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

  const actions = { in: () => zoom(1.25), out: () => zoom(0.8), one: () => zoom(1 / view.k), fit: () => { fit(); } };
  canvas.addEventListener("click", (event) => {
    const action = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (action) { actions[action](); inspecting(); }
  });

  new ResizeObserver(() => { if (following) fit(stage.querySelector(".card[aria-current]")); }).observe(canvas);

  window.eventvizCanvas = {
    fit, reveal, measure, inspecting,
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
