// Time that runs: to a timeout, over it, and how much of it is spent. The server says the same
// words when it draws; what a timeout changes beside them comes over the socket.
(() => {
  const units = [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]];

  function lasting(seconds) {
    for (const [unit, size, small, part] of units) {
      const rest = Math.floor((seconds % size) / part);
      if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${small}` : ""}`;
    }
    return `${seconds} s`;
  }

  function counted(ms) {
    const seconds = Math.floor(Math.abs(ms) / 1000);
    const told = seconds < 3600 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : lasting(seconds);
    return ms >= 0 ? `timeout in ${told}` : `overdue by ${told}`;
  }

  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function refresh() {
    if (document.hidden) return;
    const now = (window.eventvizNow ?? Date.now)();
    for (const one of document.querySelectorAll("[data-timeout-ms]")) say(one, counted(Number(one.dataset.timeoutMs) - now));
    for (const one of document.querySelectorAll("[data-late-ms]")) say(one, lasting(Math.max(0, Math.floor((now - Number(one.dataset.lateMs)) / 1000))));
    for (const bar of document.querySelectorAll("[data-until-ms]")) {
      const [since, until] = [Number(bar.dataset.sinceMs), Number(bar.dataset.untilMs)];
      const part = until > since ? Math.min(1, Math.max(0, (now - since) / (until - since))) : 1;
      bar.setAttribute("width", (144 * part).toFixed(1));
    }
  }
  setInterval(refresh, 1000);
  document.addEventListener("visibilitychange", refresh);
})();
