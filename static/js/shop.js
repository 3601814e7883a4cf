// One order per press: the button waits for the answer.
(() => {
  const form = document.querySelector("[data-shop-form]");
  const button = form?.querySelector("button.go");
  if (!button) return;
  const words = button.textContent;
  const free = () => {
    button.disabled = false;
    button.textContent = words;
  };
  form.addEventListener("submit", () => {
    button.disabled = true;
    button.textContent = "Placing the order…";
  });
  // Coming back by the browser's button shows the form as it was left.
  window.addEventListener("pageshow", free);
})();
