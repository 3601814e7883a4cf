// Forms that must be sent once: the button rests after the first press. A plan follows its choices.
(() => {
  // A choice is planned at once; without this, by the button.
  document.addEventListener("change", (event) => event.target.closest("form[data-submits]")?.requestSubmit());
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-once]");
    if (!form) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    // Going back shows the page as it was: it must be usable again.
    window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
  });
})();
