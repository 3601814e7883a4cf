// The shop's page: one order per press, cards that arrive softly, and seconds that go on.
(() => {
  const READABLE = 0.62;
  const form = document.querySelector("[data-shop-form]");
  const button = form?.querySelector("button.go");
  if (button) {
    const words = button.textContent;
    form.addEventListener("submit", () => {
      button.disabled = true;
      button.textContent = "Placing the order…";
    });
    // Coming back by the browser's button shows the form as it was left.
    window.addEventListener("pageshow", () => {
      button.disabled = false;
      button.textContent = words;
    });
  }

  // What the picked pattern cannot play is not on offer.
  const offer = () => {
    const pattern = form.querySelector("[name=pattern]:checked")?.value;
    for (const play of form.querySelectorAll("[data-only]")) {
      play.disabled = play.dataset.only !== pattern;
      if (play.disabled && play.checked) form.querySelector("[value=fine]").checked = true;
    }
  };
  form?.addEventListener("change", offer);
  if (form) offer();

  // The answer that a shop would give at once: one request, no polling.
  const SAID = { matched: ["ok", "confirmed, all is set aside."], failed: ["fail", "out of stock."] };
  const answer = document.querySelector("[data-wait]");
  if (answer) {
    const say = ([tone, words]) => {
      answer.dataset.tone = tone;
      answer.querySelector("span").textContent = words;
    };
    answer.hidden = false;
    fetch(answer.dataset.wait)
      .then((response) => response.json())
      .then(({ status }) => say(SAID[status] ?? ["run", "still pending."]))
      .catch(() => say(["run", "still pending."]));
  }

  const stage = document.querySelector("[data-shop-stage]");
  if (!stage) return;
  const ids = () => [...stage.querySelectorAll("a.card")].map((card) => card.id);
  let known = new Set(ids());

  // As large as the panel allows, but readable: what does not fit scrolls, the newest in view.
  function fit() {
    const svg = stage.querySelector("svg.graph");
    if (!svg) return;
    svg.style.minWidth = `${Number(svg.getAttribute("width")) * READABLE}px`;
    stage.parentElement.scrollLeft = stage.parentElement.scrollWidth;
  }
  new MutationObserver(() => {
    fit();
    for (const id of ids()) if (!known.has(id)) document.getElementById(id).classList.add("fresh");
    known = new Set(ids());
  }).observe(stage, { childList: true });
  fit();

  setInterval(() => {
    const since = document.querySelector("#shop-told [data-since-us]");
    if (!since) return;
    const ms = (window.eventvizNow ?? Date.now)() - Number(since.dataset.sinceUs) / 1000;
    if (ms < 60000) since.textContent = `${Math.max(Math.floor(ms / 1000), 0)} s`;
  }, 1000);
})();
