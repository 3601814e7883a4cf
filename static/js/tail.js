// The live tail: rows come in at the top, 500 at most. While paused (button, p, space) the server
// keeps the position and sends how many wait; resuming goes on from there and leaves nothing out.
(() => {
  const MAX_ROWS = 500;
  const rows = document.getElementById("tail-rows");
  const button = document.querySelector("[data-pause]");
  const pill = document.querySelector("[data-new]");
  // What was on its way when the pause began, newest first.
  let aside = [];
  let paused = false;

  const isEvent = (row) => row.dataset.position !== undefined;
  const isShown = (row) => isEvent(row) && document.getElementById(row.id);

  function show(added) {
    const live = rows.childElementCount > 0;
    for (const row of added) if (live) row.classList.add("fresh");
    rows.prepend(...added);
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild.remove();
    const older = document.querySelector("[data-older]");
    const last = [...rows.children].findLast(isEvent);
    if (!last || !older) return;
    const url = new URL(older.href);
    url.searchParams.set("before", last.dataset.position);
    older.href = url;
  }

  // Everything anew: the page was away for longer than the server remembers.
  function replace(added) {
    const focus = document.activeElement?.id;
    rows.replaceChildren();
    show(added);
    if (focus) document.getElementById(focus)?.focus();
  }

  function take() {
    // Each frame brings this element anew.
    const updates = document.getElementById("tail-updates");
    const whole = "whole" in updates.dataset;
    delete updates.dataset.whole;
    const came = [...updates.children];
    updates.replaceChildren();
    if (whole && !paused) return replace(came);
    const added = came.filter((row) => !isShown(row));
    if (paused) aside = [...added, ...aside];
    else if (added.length) show(added);
    count();
  }

  function count() {
    const waiting = Number(document.getElementById("tail-waiting").dataset.waiting) + aside.length;
    pill.hidden = !paused || waiting === 0;
    pill.querySelector("[data-new-count]").textContent = waiting.toLocaleString("en");
  }

  function toggle() {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    document.getElementById("tail-waiting").dataset.waiting = "0";
    window.eventvizLive.pause(paused);
    if (!paused) show(aside.splice(0));
    count();
  }

  document.addEventListener("htmx:wsAfterMessage", take);
  button.addEventListener("click", toggle);
  pill.addEventListener("click", toggle);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, summary, button, dialog[open]")) return;
    if (event.key !== "p" && event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
})();
