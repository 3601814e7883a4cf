// The frame of every page: fresh times, keys, theme, copy buttons.
(() => {
  const root = document.documentElement;
  const words = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  // The server's clock counts: a browser that is an hour off must not say "in 59 min". A small
  // difference is only the time that the page took to come.
  const apart = Date.now() - Number(document.body.dataset.now || Date.now());
  const skew = Math.abs(apart) > 30000 ? apart : 0;

  function ago(ms) {
    const seconds = Math.floor((Date.now() - skew - ms) / 1000);
    const size = Math.abs(seconds);
    if (size < 2) return "now";
    const [divisor, unit] = words.find(([least]) => size >= least);
    const text = `${Math.floor(size / divisor).toLocaleString("en")} ${unit}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }

  function refresh() {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-ms]")) {
      const text = ago(Number(time.dataset.ms));
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(refresh, 1000);
  document.addEventListener("visibilitychange", refresh);
  window.eventvizNow = () => Date.now() - skew;

  // Theme: as the system, then light, then dark.
  const themes = ["", "light", "dark"];
  const named = { "": "as the system", light: "light", dark: "dark" };
  const toggle = document.querySelector("[data-theme-switch]");
  function nameTheme() {
    const label = `Theme: ${named[root.dataset.theme || ""]}`;
    toggle?.setAttribute("aria-label", label);
    toggle?.setAttribute("title", label);
  }
  toggle?.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme || "") + 1) % themes.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem("eventviz-theme", next);
      else localStorage.removeItem("eventviz-theme");
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    nameTheme();
  });
  nameTheme();

  // Copy buttons: data-copy holds the selector of what to copy, or data-copy-text the text itself.
  async function copy(button) {
    const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    const text = button.dataset.copyText ?? source?.dataset.raw ?? source?.textContent ?? "";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Only secure origins have the clipboard: select the text, so that Ctrl+C takes it.
      if (source) getSelection().selectAllChildren(source);
      return;
    }
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1200);
  }

  const keys = document.getElementById("keys");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (button) copy(button);
    if (event.target.closest("[data-help]")) keys?.showModal();
    if (event.target === keys) keys.close();
  });

  const places = { f: "/flows/", s: "/sagas/", t: "/tail/", d: "/dead-letters/", c: "/schemas/", r: "/retries/" };
  const search = document.querySelector("[data-search]");
  let before = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && typing) event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || keys?.open) return;
    if (event.key === "/") {
      event.preventDefault();
      search?.focus();
      search?.select();
    } else if (event.key === "?") {
      keys?.showModal();
    } else if (before === "g" && places[event.key]) {
      location.href = places[event.key];
    }
    before = event.key;
  });
})();
