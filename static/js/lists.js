// Every list: keys move between rows, menus narrow and close, strips say how much they hide.
(() => {
  const rowsOf = () => [...document.querySelectorAll("[data-rows] > a, [data-rows] .row-link")];

  function move(step) {
    const rows = rowsOf();
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) return;
    const within = event.target.closest("[data-rows]");
    if (event.key === "j" || (within && event.key === "ArrowDown")) move(1);
    else if (event.key === "k" || (within && event.key === "ArrowUp")) move(-1);
    else if (event.key === "Escape" && within) document.activeElement.blur();
    else return;
    event.preventDefault();
  });

  // Menus
  const open = () => document.querySelector("details.menu[open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (!menu || event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("toggle", () => menu.open && menu.querySelector("[data-narrow]")?.focus());
    menu.addEventListener("input", (event) => {
      const text = event.target.value.toLowerCase();
      for (const item of menu.querySelectorAll("li")) {
        item.hidden = !item.textContent.toLowerCase().includes(text);
      }
    });
  }

  // A strip without room for all its words keeps those that tell most (the first, the last, what
  // failed) and shows the others by their colours; what is behind its end even so is counted.
  function measure(strips) {
    for (const strip of strips) delete strip.dataset.tight;
    const cut = (step) => step.scrollWidth > step.clientWidth && !step.matches(".fail");
    const tight = strips.filter((strip) => [...strip.children].some(cut));
    for (const strip of tight) strip.dataset.tight = "";
    const counts = strips.map((strip) => {
      const steps = [...strip.children];
      const room = strip.clientWidth;
      const hidden = steps.filter((step) => step.offsetLeft + step.offsetWidth > room + 1).length;
      return hidden + Number(strip.dataset.beyond || 0);
    });
    strips.forEach((strip, index) => {
      if (counts[index]) strip.dataset.more = counts[index];
      else delete strip.dataset.more;
    });
  }
  const all = () => measure([...document.querySelectorAll(".strip")]);
  window.eventvizMeasure = (rows) =>
    measure(rows.map((row) => row.querySelector(".strip")).filter(Boolean));
  let frame = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(all);
  }).observe(document.getElementById("content"));
  document.addEventListener("htmx:afterSettle", all);
})();
