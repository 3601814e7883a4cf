// How long a flow has waited: counted on while nothing comes.
(() => {
  setInterval(() => {
    for (const since of document.querySelectorAll("[data-since-ms]")) {
      const now = (window.eventvizNow ?? Date.now)();
      const seconds = Math.max((now - Number(since.dataset.sinceMs)) / 1000, 0);
      since.textContent = lasting(Math.floor(seconds));
    }
  }, 1000);
  function lasting(seconds) {
    for (const [unit, size, small, part] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
      const rest = Math.floor((seconds % size) / part);
      if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${small}` : ""}`;
    }
    return `${seconds} s`;
  }
})();
