// The socket of a live page: says whether it stands, acknowledges each frame, and after a break
// connects again from the position that the page has reached.
(() => {
  const root = document.documentElement;
  const lost = document.querySelector("[data-lost]");
  let position = 0;
  let bannerTimer = 0;

  const at = () => document.getElementById("live-position");

  // Called by htmx for each attempt: the address in the page is from when the page was made.
  htmx.createWebSocket = (address) => {
    const url = new URL(address);
    if (position) url.searchParams.set("after", position);
    return new WebSocket(url);
  };
  // Quick at first, never longer than eight seconds, and not all browsers at the same moment.
  htmx.config.wsReconnectDelay = (tries) =>
    Math.min(8000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);

  function show(state) {
    if (root.dataset.connection === state) return;
    root.dataset.connection = state;
    clearTimeout(bannerTimer);
    if (!lost) return;
    // A restart of the server takes a second: only a longer break deserves a banner.
    if (state === "lost") bannerTimer = setTimeout(() => (lost.hidden = false), 2500);
    else lost.hidden = true;
  }

  let paused = false;
  let socket = null;
  let refused = 0;

  // A refused socket looks like a server that is away; a page tells the two apart.
  async function askWhy() {
    try {
      const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
      if (answer.type === "opaqueredirect") location.reload();
    } catch {
      // The server is away indeed.
    }
  }

  const say = (message) => socket?.send(JSON.stringify(message));
  window.eventvizLive = {
    pause(value) {
      paused = value;
      say({ pause: value });
      if (root.dataset.connection !== "lost") show(value ? "paused" : "open");
    },
  };

  document.addEventListener("htmx:wsOpen", (event) => {
    socket = event.detail.socketWrapper;
    refused = 0;
    if (paused) say({ pause: true });
    show(paused ? "paused" : "open");
  });
  document.addEventListener("htmx:wsClose", (event) => {
    // Signed out, or the access was taken back: the server's next answer is the sign-in page.
    if (event.detail.event.code === 4401) location.reload();
    else {
      socket = null;
      show("lost");
      refused += 1;
      if (refused >= 3) askWhy();
    }
  });
  document.addEventListener("htmx:wsAfterMessage", (event) => {
    const now = at();
    if (!now?.dataset.frame) return;
    position = Number(now.dataset.position) || position;
    say({ ack: Number(now.dataset.frame) });
  });
  // A fragment that changes nothing, or that the keyboard stands in, is not swapped.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const next = fragment?.querySelector?.(`#${CSS.escape(target.id)}`) ?? fragment?.firstElementChild;
    if (target.matches("[data-keep-focus]") && target.contains(document.activeElement)) {
      event.detail.shouldSwap = false;
    } else if (next && next.innerHTML === target.innerHTML && target.id.startsWith("shell-")) {
      for (const { name, value } of next.attributes) {
        if (name.startsWith("data-")) target.setAttribute(name, value);
      }
      event.detail.shouldSwap = false;
    }
  });
  // Going back shows the page as it was: make it new instead of reviving a dead socket.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
