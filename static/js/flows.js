// The live flow list. Rows on screen change in place; new ones come in at the top while nobody
// reads there (pointer and focus elsewhere, scrolled to the top) and nobody paused it (button, p),
// else they are counted.
(() => {
  const MAX_ROWS = 200;
  const QUIET_AFTER_MS = 30000;
  // New rows by id, without the row for those that the list has no room for.
  const waiting = new Map();
  const button = document.querySelector("[data-pause]");
  let paused = false;
  const list = () => document.getElementById("flow-rows");
  const pill = () => document.querySelector("[data-new]");

  function calm() {
    const rows = list();
    return (
      !paused &&
      scrollY < 60 &&
      !document.hidden &&
      !rows.matches(":hover") &&
      !rows.contains(document.activeElement) &&
      !pill()?.matches(":hover, :focus, .htmx-request")
    );
  }

  function replace(old, row) {
    for (const name of ["class", "data-started", "data-last", "data-state"]) {
      old.setAttribute(name, row.getAttribute(name));
    }
    old.toggleAttribute("data-away", row.hasAttribute("data-away"));
    old.innerHTML = row.innerHTML;
    return old;
  }

  function insert(row) {
    const rows = list();
    const started = Number(row.dataset.started);
    let after = rows.firstElementChild;
    while (after && Number(after.dataset.started) > started) after = after.nextElementSibling;
    // Older than everything here: it belongs to a page behind this one.
    if (!after && rows.childElementCount >= MAX_ROWS) return null;
    row.classList.add("fresh");
    rows.insertBefore(row, after);
    return row;
  }

  // The first page came anew: rows that it lacks are outdated, or on the pages behind it.
  function clear(page) {
    const known = new Set([...page.children].map((row) => row.id));
    const outdated = [...list().children].filter((row) => !known.has(row.id));
    for (const row of outdated) row.remove();
    if (outdated.length) pointOlder();
  }

  function trim() {
    const rows = list();
    if (rows.childElementCount <= MAX_ROWS) return;
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild.remove();
    pointOlder();
  }

  // "older" continues behind the last row here, wherever that is now.
  function pointOlder() {
    const rows = list();
    const older = document.querySelector("[data-older]");
    if (!older || !rows.lastElementChild) return;
    const url = new URL(older.href);
    url.searchParams.delete("cursor");
    const last = new Date(Number(rows.lastElementChild.dataset.started));
    url.searchParams.set("until", last.toISOString());
    older.href = url;
  }

  function count() {
    const button = pill();
    if (!button) return;
    button.hidden = waiting.size === 0;
    button.querySelector("[data-new-count]").textContent = waiting.size.toLocaleString("en");
  }

  function admit() {
    const rows = [...waiting.values()].filter(Boolean);
    waiting.clear();
    rows.sort((a, b) => a.dataset.started - b.dataset.started);
    const inserted = rows.slice(-MAX_ROWS).map(insert);
    if (inserted.length) trim();
    return inserted;
  }

  // However long the pause is: of what waits only the newest rows are kept.
  function forget() {
    let surplus = [...waiting.values()].filter(Boolean).length - MAX_ROWS;
    for (const [id, row] of waiting) {
      if (surplus <= 0) return;
      if (!row) continue;
      waiting.set(id, null);
      surplus -= 1;
    }
  }

  function pause(value) {
    paused = value;
    button?.setAttribute("aria-pressed", String(paused));
    window.eventvizLive.pause(paused);
    if (paused) return;
    for (const row of list().querySelectorAll("[data-away]")) row.remove();
    const inserted = admit();
    count();
    window.eventvizMeasure(inserted.filter((row) => row?.isConnected));
  }

  function take() {
    const updates = document.getElementById("flow-updates");
    const changed = [];
    if ("whole" in updates.dataset && calm()) clear(updates);
    delete updates.dataset.whole;
    for (const row of [...updates.children]) {
      row.remove();
      const old = document.getElementById(row.id);
      if (old) changed.push(replace(old, row));
      else if (row.hasAttribute("data-away")) waiting.delete(row.id);
      else waiting.set(row.id, row);
    }
    // What the filter no longer shows goes when nobody looks there.
    if (calm()) for (const row of list().querySelectorAll("[data-away]")) row.remove();
    if (calm()) changed.push(...admit());
    else forget();
    count();
    window.eventvizMeasure(changed.filter((row) => row?.isConnected));
  }

  // Nothing tells when a flow grows quiet: time does.
  function age() {
    const quiet = document.getElementById("quiet-sign");
    for (const row of document.querySelectorAll('[data-state="running"]')) {
      if (window.eventvizNow() - Number(row.dataset.last) < QUIET_AFTER_MS) continue;
      row.dataset.state = "quiet";
      row.firstElementChild.replaceChildren(quiet.content.cloneNode(true));
    }
  }

  document.addEventListener("htmx:wsAfterMessage", take);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "flow-list") return;
    waiting.clear();
    if (paused) pause(false);
    count();
    scrollTo({ top: 0 });
  });
  button?.addEventListener("click", () => pause(!paused));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key !== "p") return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    pause(!paused);
  });
  setInterval(age, 1000);
})();
