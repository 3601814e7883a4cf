// The shop's page: one order per press, and cards that arrive softly.
(() => {
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

  const stage = document.querySelector("[data-shop-stage]");
  if (!stage) return;
  const ids = () => [...stage.querySelectorAll("a.card")].map((card) => card.id);
  let known = new Set(ids());
  new MutationObserver(() => {
    for (const id of ids()) if (!known.has(id)) document.getElementById(id).classList.add("fresh");
    known = new Set(ids());
  }).observe(stage, { childList: true });
})();
