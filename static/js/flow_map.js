// The map in the corner: a graph that is larger than its view, with the part that is seen.
(() => {
  const canvas = document.querySelector("[data-canvas]");
  const map = document.querySelector("[data-map]");
  if (!canvas || !map) return;
  const WIDTH = 200;
  const HEIGHT = 110;
  let drawn = null;
  let scale = { x: 1, y: 1 };

  function element(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // Long chains would be a hair's breadth: each direction has a scale of its own then.
  function draw(size) {
    const svg = document.querySelector("#flow-graph svg.graph");
    if (svg === drawn) return;
    drawn = svg;
    const k = Math.min(WIDTH / size.width, HEIGHT / size.height);
    const height = Math.max(size.height * k, 26);
    const width = Math.max(size.width * k, 40);
    scale = { x: width / size.width, y: height / size.height };
    map.setAttribute("width", width);
    map.setAttribute("height", height);
    map.replaceChildren(
      ...[...svg.querySelectorAll("a.card")].map((card) => element("rect", {
        class: `dot ${[...card.classList].filter((name) => name !== "fresh" && name !== "cause").join(" ")}`,
        x: card.dataset.x * scale.x,
        y: card.dataset.y * scale.y,
        width: Math.max(176 * scale.x, 1.5),
        height: Math.max(54 * scale.y, 1.5),
      })),
      element("rect", { class: "seen", rx: 2 }),
    );
  }

  canvas.addEventListener("flow:view", ({ detail: { view, size } }) => {
    const fits = size.width * view.k <= canvas.clientWidth + 1 && size.height * view.k <= canvas.clientHeight + 1;
    map.toggleAttribute("hidden", !size.width || fits);
    if (!size.width || fits) return;
    draw(size);
    const seen = map.querySelector(".seen");
    const [left, top] = [(-view.x / view.k) * scale.x, (-view.y / view.k) * scale.y];
    const [width, height] = [Math.max((canvas.clientWidth / view.k) * scale.x, 5), (canvas.clientHeight / view.k) * scale.y];
    for (const [key, value] of Object.entries({ x: left, y: top, width, height })) seen.setAttribute(key, value);
  });

  function go(event) {
    const box = map.getBoundingClientRect();
    window.eventvizCanvas.centre((event.clientX - box.left) / scale.x, (event.clientY - box.top) / scale.y);
  }
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    go(event);
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) go(event);
  });
})();
